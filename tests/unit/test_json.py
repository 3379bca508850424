"""JSON as JavaScript writes and reads it: recorded vectors, and the two ways of writing against each other."""

from __future__ import annotations

import json
import math
import struct
import sys
from collections import OrderedDict, UserDict, namedtuple
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from json import encoder
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextapi.errors import SerializationError
from nextapi.http import json as nextapi_json
from nextapi.http.json import dumps, loads, number_text

DATA = Path(__file__).parents[1] / "conformance/data"
VECTORS = json.loads((DATA / "unit_vectors.json").read_text("utf-8"))


class Color(Enum):
    RED = "red"
    BLUE = ("b", 1.0)


class Level(IntEnum):
    HIGH = 3


class Word(StrEnum):
    HELLO = "hello"


class Ratio(float, Enum):
    ONE = 1.0


@dataclass
class Point:
    x: float
    y: object = None


@dataclass(frozen=True, slots=True)
class Slotted:
    point: Point


class Model:
    """What nextapi asks of a pydantic model."""

    def __init__(self, **values: object) -> None:
        self.values = values

    def model_dump(self) -> dict[str, object]:
        return self.values


class Struct:
    """What nextapi asks of a msgspec struct."""

    __struct_fields__ = ("a", "b")

    def __init__(self, a: object, b: object) -> None:
        self.a, self.b = a, b


Pair = namedtuple("Pair", "left right")
ID = UUID("12345678-1234-5678-1234-567812345678")
SPECIAL = st.one_of(
    st.datetimes(timezones=st.just(UTC) | st.none()),
    st.dates(),
    st.uuids(),
    st.decimals(),
    st.sampled_from([*Color, *Level, *Word, *Ratio]),
)
SCALARS = st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"]))


def _nested(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    text = st.text(st.characters(exclude_categories=["Cs"]))
    return st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(text, inner), max_leaves=20)


def _same(read: Any, value: Any) -> bool:
    """Say whether `read` is what JavaScript's text of `value` says, where 1.0 is written 1."""
    if isinstance(value, float):
        return isinstance(read, int | float) and float(read) == value
    if isinstance(value, dict):
        return list(read) == list(value) and all(_same(read[key], value[key]) for key in value)
    if isinstance(value, list):
        return len(read) == len(value) and all(map(_same, read, value))
    return type(read) is type(value) and bool(read == value)


@pytest.mark.parametrize(("bits", "text"), VECTORS["numbers"], ids=[text for _, text in VECTORS["numbers"]])
def test_number_is_written_as_javascript_writes_it(bits: str, text: str) -> None:
    """A double has JavaScript's text, alone, in a list and as a key."""
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    assert number_text(number) == text
    assert dumps(number) == text.encode()
    assert dumps([{number: number}]) == f'[{{"{text}":{text}}}]'.encode()


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_number_text_reads_back_as_the_number(number: float) -> None:
    """The text of a double is that double again."""
    assert float(number_text(number)) == number


@pytest.mark.parametrize("vector", VECTORS["jsonStrings"], ids=lambda vector: str(vector["codeUnits"]))
def test_string_is_written_as_javascript_writes_it(vector: dict[str, Any]) -> None:
    """Text has JavaScript's escapes and no more, whether a surrogate pair stands as one character or as two."""
    units = vector["codeUnits"]
    whole = b"".join(unit.to_bytes(2, "little") for unit in units).decode("utf-16-le", "surrogatepass")
    assert dumps(whole).decode() == vector["json"]
    assert dumps("".join(map(chr, units))).decode() == vector["json"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (-0.0, "0"),
        (math.nan, "null"),
        ([math.inf, {"a": -math.inf}], '[null,{"a":null}]'),
        (9007199254740993, "9007199254740993"),  # JavaScript's is a double: ...992
        ({"b": 1, "2": 2, "1": 3}, '{"b":1,"2":2,"1":3}'),  # JavaScript puts integer-like keys first
        ((1, "two", None), '[1,"two",null]'),
        (Pair(1, 2), "[1,2]"),
        ({"a": "1.0 e+ e-0", "b": 0.5}, '{"a":"1.0 e+ e-0","b":0.5}'),
        ({1: "a", 2.0: "b", 1.5: "c", None: "d", False: "e"}, '{"1":"a","2":"b","1.5":"c","null":"d","false":"e"}'),
        ({1e21: 1, Level.HIGH: 2, Word.HELLO: 3}, '{"1e+21":1,"3":2,"hello":3}'),
        ({math.nan: 1}, '{"NaN":1}'),  # a property's name is String(NaN), not the JSON text of it
        (datetime(2020, 1, 2, 3, 4, 5, 6000, UTC), '"2020-01-02T03:04:05.006Z"'),
        (datetime(2020, 1, 2, 3, 4, 5, 6999, timezone(timedelta(hours=2))), '"2020-01-02T01:04:05.006Z"'),
        (datetime(2020, 1, 2, tzinfo=UTC), '"2020-01-02T00:00:00.000Z"'),
        (datetime(2020, 1, 2, 3, 4, 5), '"2020-01-02T03:04:05"'),
        (date(2020, 1, 2), '"2020-01-02"'),
        (time(3, 4, 5), '"03:04:05"'),
        (ID, '"12345678-1234-5678-1234-567812345678"'),
        (Decimal("1.50"), '"1.50"'),
        ([Color.RED, Color.BLUE, Level.HIGH, Word.HELLO, Ratio.ONE], '["red",["b",1],3,"hello",1]'),
        (Slotted(Point(1.0, date(2020, 1, 2))), '{"point":{"x":1,"y":"2020-01-02"}}'),
        (Model(id=ID, at=Point(0.5)), f'{{"id":"{ID}","at":{{"x":0.5,"y":null}}}}'),
        ([Struct(1, Model(b=2.0))], '[{"a":1,"b":{"b":2}}]'),
        (MappingProxyType({"a": 1}), '{"a":1}'),
        ([OrderedDict(b=1, a=2), UserDict(c=3)], '[{"b":1,"a":2},{"c":3}]'),
    ],
    ids=ascii,
)
def test_writes_a_value(value: object, text: str) -> None:
    """A Python value has the text that its nearest JavaScript value has; integers are exact, keys in order."""
    assert dumps(value).decode() == text


@given(_nested(SCALARS | st.floats(allow_nan=False, allow_infinity=False)))
def test_written_value_reads_back(value: Any) -> None:
    """Any parser reads what is written as the value it was, and so does `loads`."""
    text = dumps(value).decode()
    assert _same(json.loads(text), value)
    assert _same(loads(text), value)


@given(_nested(SCALARS | st.floats() | SPECIAL | st.builds(Point, st.floats(), SPECIAL) | st.builds(Model, a=SPECIAL)))
def test_fast_and_slow_way_write_the_same(value: Any) -> None:
    """The encoder in C, with what it leaves to the other, writes what the walk over the value writes."""
    assert dumps(value).decode() == nextapi_json._walk(value, [], set())


@given(_nested(SCALARS | SPECIAL))
def test_encoder_without_c_writes_the_same(value: Any) -> None:
    """Where Python has no encoder in C, as PyPy, the one in Python is used to the same effect."""
    made = encoder.c_make_encoder
    encoder.c_make_encoder = None
    try:
        slow = nextapi_json._make_encode()
    finally:
        encoder.c_make_encoder = made
    assert "".join(slow(value, 0)) == "".join(nextapi_json._encode(value, 0))


def _itself(value: Any) -> Any:
    value["a"] = [1, value]
    return value


def _list_in_itself() -> list[object]:
    value: list[object] = []
    value.append(value)
    return value


def _lasting_model() -> Model:
    model = Model()
    model.values["self"] = model
    return model


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (b"x", "the value is bytes"),
        (object(), "the value is object"),
        (len, "the value is builtin_function_or_method"),
        (Point, "the value is type"),
        (Model, "the value is type"),
        (1j, "the value is complex"),
        ([1, {2}], r"value\[1\] is set"),
        ({"a": [1.0, {"b": bytearray()}]}, r"value\['a'\]\[1\]\['b'\] is bytearray"),
        (Slotted(Point(1, y=frozenset())), r"value\['point'\]\['y'\] is frozenset"),
        ([Model(items=(n for n in ()))], r"value\[0\]\['items'\] is generator"),
        (Struct(1, range(2)), r"value\['b'\] is range"),
        ({"a": {(1, 2): 3}}, r"value\['a'\] has the key \(1, 2\)"),
        ({ID: 3}, "the value has the key UUID"),
        (_itself({}), r"value\['a'\]\[1\] holds itself"),
        (_list_in_itself(), r"value\[0\] holds itself"),
        ({"model": _lasting_model()}, r"value\['model'\]\['self'\] holds itself"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_names_the_place_of_what_has_no_text(value: object, place: str) -> None:
    """What JSON has no text for is a `SerializationError` that says where it stands."""
    with pytest.raises(SerializationError, match=f"^{place}"):
        dumps(value)


def test_same_object_twice_is_no_cycle() -> None:
    """An object may stand at several places, as long as it does not stand in itself."""
    shared = [1.0, {"a": "b"}]
    assert dumps({"x": shared, "y": [shared, shared]}) == b'{"x":[1,{"a":"b"}],"y":[[1,{"a":"b"}],[1,{"a":"b"}]]}'


@pytest.mark.parametrize(
    "value",
    [10**5000, datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1)))],
    ids=["an integer beyond Python's limit of digits", "a time that is none in UTC"],
)
def test_value_that_cannot_be_written_is_a_serialization_error(value: object) -> None:
    """What cannot be written for its size is the same error as what cannot be written for its type."""
    with pytest.raises(SerializationError):
        dumps([value])


def _deep(depth: int, leaf: object) -> object:
    for _ in range(depth):
        leaf = [leaf]
    return leaf


def test_too_deep_is_a_serialization_error() -> None:
    """A value that is nested too deep for the stack is an error that says so."""
    with pytest.raises(SerializationError, match="nested too deep"):
        dumps(_deep(100_000, 1))


@pytest.mark.parametrize("leaf", ["1", "1.5", "1.0", "1e21"])
def test_what_was_read_can_be_written(leaf: str) -> None:
    """How deep a value may be nested does not depend on which numbers are in it."""
    value = loads("[" * 500 + leaf + "]" * 500)
    assert dumps(value) == b"[" * 500 + number_text(float(leaf)).encode() + b"]" * 500


# In Next.js 16: the strictness of JSON.parse
REFUSED: Iterable[str] = [
    *("", " ", "NaN", "-NaN", "Infinity", "-Infinity", "True", "undefined", "nul", "None"),
    *("01", "-01", "+1", ".5", "1.", "1e", "1e+", "0x10", "1_000", "-", "\uff11", "[\u0661]", "1 2", "1;"),
    *("'a'", '"a', '"\t"', '"\n"', '"\x00"', r'"\x41"', r'"\u12"', r'"\u+123"', r'"\'"'),
    *("[1,]", "[,1]", "[1 2]", "[", "[1", '{"a":1,}', "{a:1}", "{'a':1}", '{"a"}', '{"a":}', "{1:2}", "{"),
    *("//x\n1", "1//x", "/*x*/1", "\xa01", "1\xa0", "\ufeff1", "\x0b1"),
]


@pytest.mark.parametrize("text", REFUSED, ids=ascii)
def test_refuses_what_json_parse_refuses(text: str) -> None:
    """Text that JavaScript's JSON.parse throws at is a ValueError."""
    with pytest.raises(ValueError):  # noqa: PT011  # whatever it says, a client reads "Invalid JSON"
        loads(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (" \t\r\n1 \t\r\n", 1),
        ('{"a":1,"b":2,"a":3}', {"a": 3, "b": 2}),
        (r'"\ud800"', "\ud800"),
        (r'"\ud83d\ude00\/"', "\U0001f600/"),
        ("1e309", math.inf),
        ("-1e309", -math.inf),
        ("-0", 0),
        ("-0.0", -0.0),
        ("1E2", 100.0),
        ('{"__proto__":{"x":1}}', {"__proto__": {"x": 1}}),
        ("9007199254740993", 9007199254740993),  # JavaScript rounds it to a double
        ('"\x7f\u2028"', "\x7f\u2028"),
    ],
    ids=ascii,
)
def test_reads_what_json_parse_reads(text: str, value: object) -> None:
    """Text that JSON.parse takes is the same value here, integers exact."""
    assert loads(text) == value


def test_reads_keys_in_their_order() -> None:
    """Keys keep the order of the text, a repeated one that of its first; JavaScript puts integer-like ones first."""
    assert list(loads('{"b":1,"2":2,"1":3,"b":4}')) == ["b", "2", "1"]


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, "[" * 100_000 + "]" * 100_000, '{"a":' * 100_000, "1" * 5000, "[-" + "1" * 5000 + "]"],
    ids=["lists", "closed lists", "objects", "an integer", "a negative integer"],
)
def test_text_too_deep_or_too_long_is_a_value_error(text: str) -> None:
    """A hostile body cannot exhaust the stack or the clock: it is no JSON."""
    with pytest.raises(ValueError, match=r"nested too deep|integer string conversion"):
        loads(text)


def test_wide_and_deep_values_are_not_slow() -> None:
    """What the slow way costs for an item does not grow with the depth that it stands at."""
    value: Any = ["1.0", 1.0, *([[]] * 20_000)]
    for _ in range(400):
        value = [value]
    steps = 0

    def count(frame: Any, event: str, argument: object) -> None:
        nonlocal steps
        steps += event == "call"

    sys.setprofile(count)
    try:
        assert dumps(value).startswith(b"[[[")
    finally:
        sys.setprofile(None)
    assert steps < 200_000
