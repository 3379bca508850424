"""A kept page, as an object and as the bytes that a store has.

The bytes: a mark that names the format and its version, the lengths of head and body, the head in JSON (ASCII), the
body as it is. What is not whole, of another version or made by somebody else is no page: reading it never raises and
runs nothing, and bytes of it never end a header.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct
from typing import Any

__all__ = ["Entry", "Varies", "decode", "encode"]

_MARK = b"nextapi1"
_FRAME = Struct(">8sQQ")
# Headers are text of one character a byte (PEP 3333), without what would end one (RFC 9110, 5.5).
_BAD = re.compile(r"[^\x01-\x09\x0b\x0c\x0e-\xff]")
_STATUS = re.compile(r"[1-9][0-9]{2} .*")
_MOST_KNOWN_SIZE = 4096
_YEAR_10000 = 253_402_300_800.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A kept page.

    `url` is for logs. `created` is the time of `time.time()` when the page was made; for `fresh` seconds from then it
    is served as it is, for `stale` more while it is made anew. `vary` are the names of the request's headers that it
    depends on; `marks` are those that its path and tags had. Nobody changes the headers and marks: entries share them.
    """

    url: str
    status_line: str
    headers: list[tuple[str, str]]
    body: bytes
    created: float
    fresh: int
    stale: int
    vary: tuple[str, ...]
    marks: Mapping[str, str]

    def age(self, now: float) -> int:
        """Return its Age in seconds (RFC 9111, 5.1); 0 before the clock comes to where it was."""
        return max(int(now - self.created), 0)

    def is_fresh(self, now: float) -> bool:
        """Say whether it is served as it is (RFC 9111, 4.2).

        One from the future, of a clock that was wrong by more than the page's time, is not.
        """
        return abs(now - self.created) < self.fresh

    def is_servable(self, now: float) -> bool:
        """Say whether it is served, if need be while it is made anew (RFC 5861, 3)."""
        return abs(now - self.created) < self.fresh + self.stale


@dataclass(frozen=True, slots=True)
class Varies:
    """What is kept under the name of pages that are not the same for all: the headers that tell them apart."""

    vary: tuple[str, ...]


def encode(kept: Entry | Varies) -> bytes:
    """Return the bytes of a page, or of the names of its headers."""
    fields: Sequence[object]
    if isinstance(kept, Varies):
        fields, body = [kept.vary], b""
    else:
        flat = [text for pair in kept.headers for text in pair]
        times = kept.created, kept.fresh, kept.stale
        fields, body = [kept.url, kept.status_line, flat, *times, kept.vary, dict(kept.marks)], kept.body
    head = json.dumps(fields, separators=(",", ":")).encode("ascii")
    return b"".join((_FRAME.pack(_MARK, len(head), len(body)), head, body))


def decode(data: bytes) -> Entry | Varies | None:
    """Return what `encode` made bytes of; None for any others."""
    start = _FRAME.size
    if len(data) < start:
        return None
    mark, head_size, body_size = _FRAME.unpack_from(data)
    end = start + head_size
    if mark != _MARK or len(data) != end + body_size:
        return None
    head = data[start:end]
    fields = _known_fields(head) if head_size <= _MOST_KNOWN_SIZE else _fields(head)
    if isinstance(fields, Varies):
        return None if body_size else fields
    if fields is None:
        return None
    url, status_line, headers, created, fresh, stale, vary, marks = fields
    return Entry(url, status_line, headers, data[end:], created, fresh, stale, vary, marks)


def _fields(head: bytes) -> tuple[Any, ...] | Varies | None:
    """Return the fields of an entry without the body; None for bytes that are no head."""
    try:
        fields = json.loads(str(head, "ascii"))
        if type(fields) is not list:
            return None
        if len(fields) == 1:
            return Varies(_texts(fields[0]))
        url, status_line, flat, created, fresh, stale, vary, marks = fields
        if type(url) is not str or type(marks) is not dict or type(fresh) is not int or type(stale) is not int:
            return None
        _texts([*marks.values()])
        if _BAD.search("".join((status_line, *_texts(flat)))) or not _STATUS.match(status_line):
            return None
        if not 0 <= created < _YEAR_10000:
            return None
        headers = list(zip(flat[::2], flat[1::2], strict=True))
        return url, status_line, headers, created, fresh, stale, _texts(vary), marks
    except (ValueError, TypeError, RecursionError):
        return None


_known_fields = lru_cache(maxsize=512)(_fields)
"""Heads of pages that were read before: to read one again would be a fifth of a request's time."""


def _texts(value: object) -> tuple[str, ...]:
    """Return a list of texts as a tuple; raise TypeError for anything else."""
    if type(value) is not list:
        raise TypeError
    "".join(value)  # finds what is no text, faster than a loop
    return tuple(value)
