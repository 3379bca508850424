from collections.abc import Callable
from typing import NoReturn

from nextapi import NextApiRequest, NextApiResponse


class Thrown(Exception):
    """Carry what JavaScript rejects with and Python cannot raise."""


def fail(error: Exception) -> NoReturn:
    raise error


def afterend(r: NextApiResponse) -> None:
    r.json({"ok": True})
    raise RuntimeError("too late")


c: dict[str, Callable[[NextApiResponse], object]] = {
    "error": lambda r: fail(RuntimeError("async boom")),
    "reject": lambda r: fail(RuntimeError("rejected")),
    "rejectnull": lambda r: fail(Thrown(None)),
    "afterend": afterend,
}


async def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    c[req.query["c"]](res)
