"""The Content-Type header against recorded answers of npm's `content-type`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nextapi.http.content_type import parse_content_type

DATA = Path(__file__).parents[1] / "conformance/data"
VECTORS = json.loads((DATA / "unit_vectors.json").read_text("utf-8"))["contentType"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: ascii(vector["in"]))
def test_parses_as_npm_content_type(vector: dict[str, Any]) -> None:
    """A header is a type and parameters as npm's `content-type` reads them, None where that throws."""
    parsed = parse_content_type(vector["in"])
    if "error" in vector:
        assert parsed is None
    else:
        assert parsed is not None
        media_type, parameters = parsed
        assert media_type == vector["ok"]["type"]
        assert [list(pair) for pair in parameters.items()] == vector["ok"]["parameters"]


@pytest.mark.parametrize(
    ("header", "parsed"),
    [
        ('a/b; x="\\a\\\\"', ("a/b", {"x": "a\\"})),
        ('a/b; x="\xe9"', ("a/b", {"x": "\xe9"})),
        ('a/b; x="', None),
        ("a/b; x=y z", None),
        ("a/b\n", ("a/b", {})),
        ("a/b; x=y\n", None),
        ("a/b\x85", None),  # JavaScript's trim() leaves U+0085 where it is
    ],
    ids=ascii,
)
def test_parses_what_the_recordings_leave_out(header: str, parsed: tuple[str, dict[str, str]] | None) -> None:
    """Escapes in quotes are resolved, an open quote or text after a parameter is malformed."""
    assert parse_content_type(header) == parsed
