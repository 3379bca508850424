from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from math import nan
from typing import Any

from nextapi import NextApiRequest, NextApiResponse

from ...lib.echo import number


@dataclass
class Fieldless:
    """An object without fields of its own."""


cases: dict[str, Callable[[], Any]] = {
    "undefined": lambda: None,
    "null": lambda: None,
    "true": lambda: True,
    "false": lambda: False,
    "zero": lambda: 0,
    "int": lambda: 42,
    "float": lambda: 1.5,
    "nan": lambda: nan,
    "bigint": lambda: 10j,  # a number that JSON cannot write
    "string": lambda: "hello",
    "html": lambda: "<p>hi</p>",
    "empty": lambda: "",
    "unicode": lambda: "é ü 漢字 😀",
    "object": lambda: {"a": 1},
    "array": lambda: [1, 2],
    "emptyobj": dict,
    "buffer": lambda: "hi\u00e9".encode(),
    "emptybuffer": lambda: b"",
    "uint8": lambda: bytearray([104, 105]),
    "stream": lambda: iter(["one", "two"]),
    "streambuf": lambda: iter([b"one", b"two"]),
    "date": lambda: datetime(2020, 1, 2, 3, 4, 5, 6000, UTC),
    "symbol": lambda: object(),
    "func": lambda: lambda: 1,
    "error": Fieldless,  # what an Error is to JSON.stringify
}


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    q = req.query
    if q.get("ct"):
        res.set_header("Content-Type", q["ct"])
    if q.get("cl"):
        res.set_header("Content-Length", q["cl"])
    if q.get("etag"):
        res.set_header("ETag", q["etag"])
    if q.get("lm"):
        res.set_header("Last-Modified", q["lm"])
    if q.get("cc"):
        res.set_header("Cache-Control", q["cc"])
    if q.get("status"):
        res.status(number(q["status"]))
    if "v" in q:
        res.send(q["v"])
    elif "n" in q:
        res.send("x" * int(q["n"]))
    else:
        res.send(cases[q["c"]]())
