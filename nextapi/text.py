"""Text as JavaScript and HTTP have it, where Python's own functions differ."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes

__all__ = ["TOKEN", "WHITESPACE", "decode_uri_component", "encode_uri_component", "utf8"]

TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
"""A token (RFC 9110, 5.6.2), as a regular expression."""

WHITESPACE = " \t\n\v\f\r\xa0\ufeff"
"""What `trim()` takes away, of the characters that headers can have: Python's `strip()` takes more."""

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def decode_uri_component(text: str) -> str:
    """Return `text` with its escapes decoded (ECMA-262, decodeURIComponent); raise ValueError where one cannot be."""
    if "%" not in text:
        return text
    if _BAD_ESCAPE.search(text):
        raise ValueError(f"{text!r} has a percent sign that begins no escape")
    return unquote_to_bytes(text).decode("utf-8")


def encode_uri_component(text: str) -> str:
    """Return `text` percent-encoded (ECMA-262, encodeURIComponent); raise ValueError for a lone surrogate."""
    return quote(text, safe="!~*'()", errors="strict")


def utf8(text: str) -> bytes:
    """Return `text` in UTF-8: a pair of surrogates is the character that it stands for, a lone one U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
