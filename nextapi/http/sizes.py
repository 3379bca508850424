"""Byte sizes as text: what npm's `bytes` reads and writes, which is what Next's `sizeLimit` takes.

Units are powers of 1024. `parse_size` is as lenient as `bytes` ("12abc" is 12); `read_limit`, for settings that a
person wrote, is not.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Protocol, SupportsInt, TypeAlias, runtime_checkable

from nextapi.http.json import number_text

__all__ = ["Limit", "Size", "format_size", "parse_size", "read_limit"]

_UNITS = {"b": 1, "kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30, "tb": 1 << 40, "pb": 1 << 50}
_WITH_UNIT = re.compile(r"([-+]?\d+(?:\.\d+)?) *(kb|mb|gb|tb|pb)", re.IGNORECASE | re.ASCII)
_LEADING_INTEGER = re.compile(r"\s*([-+]?\d+)", re.ASCII)
_PLAIN = re.compile(r"[-+]?\d+(?:\.\d+)?(?: *(?:b|kb|mb|gb|tb|pb))?", re.IGNORECASE | re.ASCII)


@runtime_checkable
class HasMagnitude(Protocol):
    """A size object of another library, such as `bytesize.Size`: `magnitude` is its number of bytes."""

    @property
    def magnitude(self) -> SupportsInt: ...


Size: TypeAlias = "int | float | str | SupportsInt | HasMagnitude"


def parse_size(value: object) -> int | float | None:
    """Return the number of bytes that `value` says, or None where it says none (npm `bytes.parse`).

    Text is "500kb", "1.5 MB" or "1000"; a number stands for itself; an object with `magnitude` or `__int__` for that.
    """
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return None if value != value else value
    if isinstance(value, str):
        if match := _WITH_UNIT.fullmatch(value):
            return math.floor(float(match[1]) * _UNITS[match[2].lower()])
        match = _LEADING_INTEGER.match(value)
        return int(match[1]) if match else None
    if isinstance(value, HasMagnitude):
        return int(value.magnitude)
    return int(value) if isinstance(value, SupportsInt) else None


@dataclass(frozen=True, slots=True)
class Limit:
    """A number of bytes, and the text that it was configured by."""

    size: int | float
    text: str


def read_limit(setting: Size) -> Limit | None:
    """Return the limit that `setting` says, None where not all of it is a size: "1 MB " and "1k" would be one byte."""
    if isinstance(setting, str) and not _PLAIN.fullmatch(setting):
        return None
    size = parse_size(setting)
    if size is None or math.isinf(size):
        return None
    return Limit(size, setting if isinstance(setting, str) else number_text(size))


def format_size(size: int | float) -> str:
    """Return `size` bytes as Next writes sizes in messages, such as "4MB" or "1.5KB" (npm `bytes.format`)."""
    for unit in ("pb", "tb", "gb", "mb", "kb", "b"):
        if abs(size) >= _UNITS[unit] or unit == "b":
            number = Decimal(size / _UNITS[unit]).quantize(Decimal("0.01"), ROUND_HALF_UP)
            return f"{number:f}".rstrip("0").rstrip(".") + unit.upper()
    raise AssertionError("unreachable: every size is some bytes")
