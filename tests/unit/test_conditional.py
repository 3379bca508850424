"""ETag and If-None-Match against recorded answers of npm's `fresh`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nextapi.http.conditional import is_fresh, strong_etag

DATA = Path(__file__).parents[1] / "conformance/data"
VECTORS = json.loads((DATA / "unit_vectors.json").read_text("utf-8"))["fresh"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: ascii(list(vector["request"].values())))
def test_is_fresh_as_npm_fresh_says(vector: dict[str, Any]) -> None:
    """A request is fresh where npm's `fresh` says so."""
    assert is_fresh(vector["request"], vector["response"]["etag"]) is vector["out"]


@pytest.mark.parametrize(
    ("headers", "fresh"),
    [
        ({"if-none-match": '"foo"', "cache-control": "max-age=0"}, True),
        ({"if-none-match": '"foo"', "cache-control": "no-cache , x"}, False),
        ({"if-none-match": "*", "if-modified-since": "Fri, 02 Jan 2020 00:00:00 GMT"}, False),
        ({"if-none-match": '"foo"', "if-modified-since": ""}, True),  # to JavaScript an empty header is none
    ],
    ids=str,
)
def test_other_headers_have_a_say(headers: dict[str, str], fresh: bool) -> None:
    """Cache-Control: no-cache and If-Modified-Since make a request stale."""
    assert is_fresh(headers, '"foo"') is fresh


def test_etag_is_strong_and_depends_on_the_body_alone() -> None:
    """A tag is a quoted text without W/ in front, the same for the same bytes and another for others."""
    bodies = [b"", b"a", b"b", b"ab", b"{}", b"[]", b"\x00", b"x" * 100_000]
    tags = [strong_etag(body) for body in bodies]
    assert all(re.fullmatch(r'"[0-9a-f]+"', tag) for tag in tags)
    assert len(set(tags)) == len(bodies)
    assert [strong_etag(bytes(body)) for body in bodies] == tags


def test_etag_is_the_same_in_every_process() -> None:
    """A tag outlives the process: it does not hang on Python's own hashing, which is random."""
    code = "from nextapi.http.conditional import strong_etag; print(strong_etag(b'hello'))"
    command = [sys.executable, "-c", code]
    for seed in ("1", "2"):
        run = subprocess.run(
            command, env={**os.environ, "PYTHONHASHSEED": seed}, check=True, capture_output=True, text=True
        )
        assert run.stdout.strip() == strong_etag(b"hello")
