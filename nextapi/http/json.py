"""JSON text as JavaScript writes and reads it (ECMA-262, JSON.stringify and JSON.parse).

Python's own encoder, written in C, does nearly all of the work: what it writes differs from JavaScript's text only in
floating-point numbers, and every one that differs leaves ".0", "e+" or "e-0" in the text. Where one of these turns up,
or the encoder gives up, `_walk` writes the value again, piece by piece, and knows the place of what cannot be written.
Integers are exact, and keys keep their order: JavaScript's own limits there serve nobody.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from json import encoder
from typing import Any
from uuid import UUID

from nextapi.errors import SerializationError

__all__ = ["dumps", "loads", "number_text"]

# Of numbers that stand in the text, those that JavaScript writes otherwise.
_MAY_DIFFER = re.compile(r"\d(?:\.0|e[+-]\d+)(?=[,\]}\"]|\Z)")
_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]")


def dumps(value: object) -> bytes:
    """Return `value` as compact JSON text in UTF-8.

    None and NaN are null; aware datetimes are UTC with milliseconds ("2020-01-02T03:04:05.006Z"), naive ones and dates
    ISO 8601; UUID and Decimal are text; enums their value; dataclasses, pydantic models, msgspec structs and mappings
    objects. Raises `SerializationError` for bytes, sets, cycles and all else, naming the place.
    """
    try:
        text = "".join(_encode(value, 0))
        if (".0" in text or "e+" in text or "e-0" in text) and _MAY_DIFFER.search(text):
            text = _walk(value, [], set())
    except SerializationError:
        raise
    except (TypeError, ValueError, OverflowError, RecursionError):
        text = _walk(value, [], set())
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _SURROGATES.sub(_surrogate_text, text).encode()


def _surrogate_text(match: re.Match[str]) -> str:
    """Return a surrogate pair as the character it stands for, a lone surrogate as its escape."""
    text = match[0]
    return f"\\u{ord(text):04x}" if len(text) == 1 else text.encode("utf-16", "surrogatepass").decode("utf-16")


def _plain(value: object) -> object:
    """Return what stands for `value` in JSON; raise `_NoTextError` where nothing does."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            return value.isoformat()
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return dict(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if not isinstance(value, type):
        if callable(model_dump := getattr(value, "model_dump", None)):  # pydantic
            return model_dump()
        if struct_fields := getattr(value, "__struct_fields__", None):  # msgspec
            return {name: getattr(value, name) for name in struct_fields}
    raise _NoTextError


class _NoTextError(TypeError):
    pass


def _make_encode() -> Callable[[object, int], Iterable[str]]:
    # `json.dumps` builds its C encoder anew on every call, which costs more than encoding a small object. No markers:
    # a cycle ends in a RecursionError, which `_walk` explains.
    make = getattr(encoder, "c_make_encoder", None)
    if make is None:  # PyPy
        slow = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain)
        return lambda value, _: slow.iterencode(value)
    made: Callable[[object, int], Iterable[str]] = make(
        None, _plain, encoder.encode_basestring, None, ":", ",", False, False, False
    )
    return made


_encode = _make_encode()


def _walk(value: Any, place: list[object], outer: set[int]) -> str:
    """Return `value`, which stands at `place` inside the containers with the ids `outer`, as JSON text."""
    if isinstance(value, str):
        return encoder.encode_basestring(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        try:
            return int.__repr__(value)
        except ValueError:
            raise SerializationError(f"{_at(place)} is an integer with more digits than Python writes") from None
    if isinstance(value, float):
        return number_text(value)
    if id(value) in outer:
        raise SerializationError(f"{_at(place)} holds itself: JSON has no text for a cycle")
    outer.add(id(value))
    pieces = []
    try:
        # Loops, not generators: a level of the value is a level of Python's stack, as in the encoder.
        if isinstance(value, dict):
            for key, item in value.items():
                name = _key(key, place)
                place.append(key)
                pieces.append(f"{name}:{_walk(item, place, outer)}")
                place.pop()
            text = "{" + ",".join(pieces) + "}"
        elif isinstance(value, list | tuple):
            for index, item in enumerate(value):
                place.append(index)
                pieces.append(_walk(item, place, outer))
                place.pop()
            text = "[" + ",".join(pieces) + "]"
        else:
            text = _walk(_stand_in(value, place), place, outer)
    except RecursionError:
        raise SerializationError("the value is nested too deep for JSON text") from None
    outer.remove(id(value))
    return text


def _stand_in(value: object, place: list[object]) -> object:
    try:
        return _plain(value)
    except _NoTextError:
        raise SerializationError(
            f"{_at(place)} is {type(value).__name__}, which JSON has no text for: send text, numbers, lists, dicts, "
            "dataclasses, dates"
        ) from None
    except OverflowError:
        raise SerializationError(f"{_at(place)} is {value!r}, which is no time in UTC") from None


def _key(key: object, place: list[object]) -> str:
    if isinstance(key, str):
        return encoder.encode_basestring(key)
    if isinstance(key, float) and not math.isfinite(key):
        return '"NaN"' if math.isnan(key) else '"Infinity"' if key > 0 else '"-Infinity"'
    if key is None or isinstance(key, bool | int | float):
        return f'"{_walk(key, [], set())}"'
    raise SerializationError(f"{_at(place)} has the key {key!r}: keys are text or numbers")


def _at(place: list[object]) -> str:
    return "value" + "".join(f"[{key!r}]" for key in place) if place else "the value"


def number_text(number: int | float) -> str:
    """Return `number` as JavaScript writes it (ECMA-262, Number::toString): 1.0 is "1", NaN and infinities "null"."""
    if isinstance(number, int):
        return str(number)
    if not math.isfinite(number):
        return "null"
    if number == 0:
        return "0"  # also -0.0
    sign = "-" if number < 0 else ""
    mantissa, _, exponent = float.__repr__(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    if fraction == "0":
        fraction = ""
    # The number is 0.DIGITS * 10 ** point.
    point = len(whole) + int(exponent or 0)
    digits = whole + fraction
    if whole == "0":
        digits = fraction.lstrip("0")
        point = len(digits) - len(fraction)
    if len(digits) <= point <= 21:
        return sign + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    fraction = "." + digits[1:] if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{point - 1:+d}"


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


_decoder = json.JSONDecoder(parse_constant=_refuse)


def loads(text: str) -> Any:
    """Return the value that JSON `text` says; raise ValueError where it says none that Python can hold."""
    try:
        return _decoder.decode(text)
    except RecursionError:
        raise ValueError("the JSON text is nested too deep") from None
