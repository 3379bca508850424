"""The Content-Type header (RFC 9110, 8.3.1), as strictly as npm's `content-type` reads it."""

from __future__ import annotations

import re
from functools import lru_cache

from nextapi.text import TOKEN, WHITESPACE

__all__ = ["ContentType", "parse_content_type"]

ContentType = tuple[str, dict[str, str]]

_QUOTED = r'"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\xff])*"'
_TYPE = re.compile(f"{TOKEN}/{TOKEN}")
_PARAMETER = re.compile(rf"; *({TOKEN}) *= *({_QUOTED}|{TOKEN}) *")
_MOST_KEPT = 256
_ESCAPE = re.compile(r"\\([\t\x20-\xff])")


def parse_content_type(header: str) -> ContentType | None:
    """Return the media type in lower case and its parameters by lower-case name; None where `header` is malformed."""
    return _kept(header) if len(header) <= _MOST_KEPT else _parse(header)  # clients choose what is kept


def _parse(header: str) -> ContentType | None:
    media_type = header.partition(";")[0]
    index = len(media_type)
    media_type = media_type.strip(WHITESPACE)
    if not _TYPE.fullmatch(media_type):
        return None
    parameters = {}
    while index < len(header):
        match = _PARAMETER.match(header, index)
        if match is None:
            return None
        value = match[2]
        if value.startswith('"'):
            value = _ESCAPE.sub(r"\1", value[1:-1])
        parameters[match[1].lower()] = value
        index = match.end()
    return media_type.lower(), parameters


_kept = lru_cache(maxsize=256)(_parse)
