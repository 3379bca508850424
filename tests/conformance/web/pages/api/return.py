import time
from collections.abc import Callable

from werkzeug.wrappers import Response

from nextapi import NextApiRequest, NextApiResponse


def valueafter(r: NextApiResponse) -> object:
    r.json({"sent": 1})
    return {"ignored": True}


def timer(r: NextApiResponse) -> None:
    time.sleep(0.03)
    r.json({"late": 1})


c: dict[str, Callable[[NextApiResponse], object]] = {
    "value": lambda r: {"ignored": True},
    "valueafter": valueafter,
    "response": lambda r: Response("from Response", status=201, headers={"x-a": "1"}),
    "asyncdone": lambda r: r.json({"ok": 1}),
    "timer": timer,
    "timernoawait": timer,  # nothing of a WSGI request goes on after its handler: a timer is a wait
}


def handler(req: NextApiRequest, res: NextApiResponse) -> object:
    """Return what the command returns: nextapi must not take it for an answer."""
    return c[req.query["c"]](res)
