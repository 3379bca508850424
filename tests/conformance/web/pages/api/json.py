from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf, nan
from typing import Any

from nextapi import NextApiRequest, NextApiResponse

from ...lib.echo import number

big = {"a": 1, "b": [1, 2, {"c": None}], "d": {"e": {"f": "g"}}}


@dataclass
class Cls:
    x: int = 1

    @property
    def y(self) -> int:
        return 2

    def m(self) -> None:
        pass


class Text(str):
    pass


class Number(int):
    pass


class Converts:
    """An object with a `toJSON`: the hook that Python's objects have for it is pydantic's."""

    def __init__(self, value: object) -> None:
        self.value = value

    def model_dump(self) -> object:
        return self.value


@dataclass
class Fieldless:
    """What a Map, a RegExp, an Error and a Promise are to JSON.stringify: an object without fields of its own."""


def circular() -> dict[str, Any]:
    a: dict[str, Any] = {}
    a["self"] = a
    return a


cases: dict[str, Callable[[], Any]] = {
    "undefined": lambda: None,
    "null": lambda: None,
    "true": lambda: True,
    "false": lambda: False,
    "zero": lambda: 0,
    "negzero": lambda: -0.0,
    "int": lambda: 42,
    "float": lambda: 1.5,
    "floatint": lambda: 1.0,
    "exp": lambda: 1e21,
    "expsmall": lambda: 1e-7,
    "big53": lambda: 9007199254740993.0,  # a JavaScript literal is a double
    "nan": lambda: nan,
    "inf": lambda: inf,
    "bigint": lambda: 10j,  # a number that JSON cannot write
    "bigintnested": lambda: {"a": 10j},
    "string": lambda: "hello",
    "empty": lambda: "",
    "array": lambda: [1, "two", None, None, None, None],  # undefined, a function and a symbol: no values of JSON
    "emptyarray": list,
    "emptyobj": dict,
    "nested": lambda: big,
    "undefprop": lambda: {"d": None},  # what is undefined is not there
    "date": lambda: datetime(2020, 1, 2, 3, 4, 5, 6000, UTC),
    "datenested": lambda: {"at": datetime(2020, 1, 2, 3, 4, 5, 6000, UTC)},
    "invaliddate": lambda: {"at": None},  # Python has no invalid date
    "nannested": lambda: {"a": nan, "b": -inf},
    "unicode": lambda: {"s": "é ü 漢字"},
    "emoji": lambda: {"s": "😀"},
    "lonesurrogate": lambda: {"s": "\ud800"},
    "script": lambda: {"s": "</script><!-- & \u2028\u2029"},
    "control": lambda: {"s": '\u0000\u0001\b\t\n\f\r\u001f\u007f"\\/'},
    "map": Fieldless,
    "set": lambda: {1},
    "regexp": Fieldless,
    "error": Fieldless,
    "buffer": lambda: b"hi",
    "uint8": lambda: bytearray([1, 2]),
    "tojson": lambda: Converts({"via": "toJSON"}),
    "tojsonundef": lambda: Converts(None),
    "class": Cls,
    "func": lambda: lambda: 1,
    "symbol": lambda: object(),
    "circular": circular,
    "intkeys": lambda: {"b": 1, "2": "x", "a": 2, "1": "y", "-1": "n", "01": "z"},
    "boxed": lambda: {"s": Text("x"), "n": Number(3), "b": False},
    "promise": Fieldless,
}


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    c = req.query["c"]
    if req.query.get("ct"):
        res.set_header("Content-Type", req.query["ct"])
    if req.query.get("status"):
        res.status(number(req.query["status"]))
    res.json(cases[c]())
