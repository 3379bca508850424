from collections.abc import Callable
from typing import NoReturn

from nextapi import NextApiRequest, NextApiResponse


class Thrown(Exception):
    """Carry what JavaScript throws and Python cannot raise."""


class ApiLike(Exception):
    def __init__(self, status_code: int, message: str) -> None:
        super().__init__(message)
        self.status_code = status_code


def fail(error: Exception) -> NoReturn:
    raise error


def afterstatus(r: NextApiResponse) -> None:
    r.status(404)
    raise RuntimeError("x")


def afterheader(r: NextApiResponse) -> None:
    r.set_header("X-A", "1")
    r.set_header("Content-Type", "application/json")
    raise RuntimeError("x")


def afterwrite(r: NextApiResponse) -> None:
    r.write("partial")
    raise RuntimeError("x")


def afterend(r: NextApiResponse) -> None:
    r.json({"ok": True})
    raise RuntimeError("too late")


def withbody(r: NextApiResponse) -> None:
    r.set_header("Content-Length", "100")
    raise RuntimeError("x")


c: dict[str, Callable[[NextApiResponse], object]] = {
    "sync": lambda r: fail(RuntimeError("sync boom")),
    "string": lambda r: fail(Thrown("a string")),
    "null": lambda r: fail(Thrown(None)),
    "undefined": lambda r: fail(Thrown()),
    "number": lambda r: fail(Thrown(404)),
    "object": lambda r: fail(Thrown({"statusCode": 418, "message": "teapot"})),
    "statuscode": lambda r: fail(ApiLike(418, "teapot")),
    "afterstatus": afterstatus,
    "afterheader": afterheader,
    "afterwrite": afterwrite,
    "afterend": afterend,
    "withbody": withbody,
}


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    c[req.query["c"]](res)
