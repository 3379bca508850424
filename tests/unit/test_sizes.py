"""Byte sizes: read and written as npm's `bytes` does (recorded), but a setting is read strictly."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import bytesize
import pytest

from nextapi.http.sizes import format_size, parse_size, read_limit

DATA = Path(__file__).parents[1] / "conformance/data"
VECTORS = json.loads((DATA / "unit_vectors.json").read_text("utf-8"))
NUMBERS = {"NaN(number)": math.nan, "Infinity(number)": math.inf, "Infinity": math.inf}


@pytest.mark.parametrize("vector", VECTORS["bytesParse"], ids=lambda vector: ascii(vector["in"]))
def test_parses_as_npm_bytes(vector: dict[str, Any]) -> None:
    """`parse_size` reads what npm's `bytes.parse` reads, and as the same number."""
    given, expected = vector["in"], vector["out"]
    if vector.get("number") and isinstance(given, str):
        given = NUMBERS[given]
    if isinstance(expected, str):
        expected = NUMBERS[expected]
    assert parse_size(given) == expected


@pytest.mark.parametrize("vector", [v for v in VECTORS["bytesFormat"] if v["in"] is not None], ids=str)
def test_formats_as_npm_bytes(vector: dict[str, Any]) -> None:
    """`format_size` writes a number of bytes as npm's `bytes.format` does."""
    assert format_size(vector["in"]) == vector["out"]


def test_formats_a_tie_as_javascript_rounds_it() -> None:
    """1152 bytes are exactly 1.125 KB, which JavaScript's toFixed(2) rounds up, as npm's `bytes.format` then does."""
    assert format_size(1152) == "1.13KB"


@pytest.mark.parametrize(
    ("setting", "size", "text"),
    [
        # in Next.js 16: the limit that was in force, and how the message names it
        ("10b", 10, "10b"),
        (10, 10, "10"),
        ("10", 10, "10"),
        ("1kb", 1024, "1kb"),
        ("1 KB", 1024, "1 KB"),
        ("1.5mb", 1572864, "1.5mb"),
        ("-1", -1, "-1"),
        (10.5, 10.5, "10.5"),
        (2048.0, 2048, "2048"),
        (Decimal(2048), 2048, "2048"),
        (Fraction(2048), 2048, "2048"),
    ],
)
def test_limit_is_a_size_and_the_text_it_was_set_by(setting: Any, size: float, text: str) -> None:
    """A limit knows its number of bytes and the setting as it was written, for the message."""
    limit = read_limit(setting)
    assert limit is not None
    assert (limit.size, limit.text) == (size, text)


def test_large_float_limit_is_named_in_full() -> None:
    """A computed limit such as 1.5 * 1024 * 1024 is named as JavaScript writes that number."""
    limit = read_limit(1.5 * 1024 * 1024)
    assert limit is not None
    assert limit.text == "1572864"


@pytest.mark.parametrize(
    "setting",
    [
        *("abc", "", " 1kb", "1 MB ", "1k", "1e3", "12abc", "1.mb", ".5mb", "1,000", "0x10", "1kib", "mb", "--1"),
        *("\uff11kb", math.nan, True, False, None, [], {}, b"10"),
    ],
    ids=ascii,
)
def test_setting_that_is_not_wholly_a_size_is_none(setting: Any) -> None:
    """A setting of which `bytes` would take a part, or no limit at all, is refused."""
    assert read_limit(setting) is None


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (bytesize.Size(3, bytesize.MiB), 3 << 20),
        (bytesize.Size("0.5", bytesize.KiB), 512),
        (bytesize.Size("10.7"), 10),
        (bytesize.Size(0), 0),
    ],
    ids=str,
)
def test_size_of_the_bytesize_package_is_its_magnitude(size: bytesize.Size, expected: int) -> None:
    """A `bytesize.Size` stands for its `magnitude` in whole bytes."""
    limit = read_limit(size)
    assert parse_size(size) == expected
    assert limit is not None
    assert (limit.size, limit.text) == (expected, str(expected))


def test_magnitude_goes_before_int() -> None:
    """An object with both `magnitude` and `__int__` stands for its magnitude."""

    class Both:
        magnitude = Fraction(7, 2)

        def __int__(self) -> int:
            return 99

    assert parse_size(Both()) == 3
