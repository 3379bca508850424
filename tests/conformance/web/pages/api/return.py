import asyncio
from collections.abc import Callable

from werkzeug.wrappers import Response

from nextapi import NextApiRequest, NextApiResponse


def valueafter(r: NextApiResponse) -> object:
    r.json({"sent": 1})
    return {"ignored": True}


async def asyncdone(r: NextApiResponse) -> None:
    await asyncio.sleep(0)
    r.json({"ok": 1})


async def timer(r: NextApiResponse) -> None:
    await asyncio.sleep(0.03)
    r.json({"late": 1})


c: dict[str, Callable[[NextApiResponse], object]] = {
    "value": lambda r: {"ignored": True},
    "valueafter": valueafter,
    "response": lambda r: Response("from Response", status=201, headers={"x-a": "1"}),
    "asyncdone": asyncdone,
    "timer": timer,
    "timernoawait": timer,  # nothing goes on after the answer under WSGI: a timer is waited for
}


def handler(req: NextApiRequest, res: NextApiResponse) -> object:
    """Return what the command returns: nextapi must not take it for an answer."""
    return c[req.query["c"]](res)
