import asyncio
import inspect
from collections.abc import Callable
from typing import Any, cast

from nextapi import NextApiRequest, NextApiResponse


def write(r: NextApiResponse) -> None:
    r.write("one")
    r.write("two")
    r.end("three")


def writect(r: NextApiResponse) -> None:
    r.set_header("Content-Type", "text/event-stream")
    r.write("data: 1\n\n")
    r.write("data: 2\n\n")
    r.end()


def writethenjson(r: NextApiResponse) -> None:
    r.write("a")
    r.json({"b": 1})


def writethensend(r: NextApiResponse) -> None:
    r.write("a")
    r.send("b")


def writethenthrow(r: NextApiResponse) -> None:
    r.write("partial")
    raise RuntimeError("late")


def writecl(r: NextApiResponse) -> None:
    r.set_header("Content-Length", 6)
    r.write("abc")
    r.end("def")


def writeafterend(r: NextApiResponse) -> None:
    r.end("a")
    r.write("b")


def writenum(r: NextApiResponse) -> None:
    r.write(cast(Any, 1))
    r.end()


def status(r: NextApiResponse) -> None:
    r.status(202)
    r.write("x")
    r.end()


def flush(r: NextApiResponse) -> None:
    r.set_header("X-A", "1")
    r.flush_headers()
    r.end("late")


async def delayed(r: NextApiResponse) -> None:
    for s in ("a", "b", "c"):
        r.write(s)
        await asyncio.sleep(0.02)
    r.end("d")


c: dict[str, Callable[[NextApiResponse], object]] = {
    "write": write,
    "writect": writect,
    "endonly": lambda r: r.end("done"),
    "endnone": lambda r: r.end(),
    "endempty": lambda r: r.end(""),
    "endbuffer": lambda r: r.end(b"buf"),
    "writethenjson": writethenjson,
    "writethensend": writethensend,
    "writethenthrow": writethenthrow,
    "writecl": writecl,
    "writeafterend": writeafterend,
    "endobj": lambda r: r.end(cast(Any, {"a": 1})),
    "writenum": writenum,
    "status": status,
    "flush": flush,
    "latin1": lambda r: r.end("caf\u00e9".encode("latin-1")),
    "delayed": delayed,
}


async def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    returned = c[req.query["c"]](res)
    if inspect.isawaitable(returned):
        await returned
