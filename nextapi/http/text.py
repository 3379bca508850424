"""Text as JavaScript has it, where Python's differs."""

from __future__ import annotations

__all__ = ["WHITESPACE", "utf8"]

WHITESPACE = " \t\n\v\f\r\xa0\ufeff"
"""What `trim()` takes away, of the characters that headers can have: Python's `strip()` takes more."""


def utf8(text: str) -> bytes:
    """Return `text` in UTF-8: a pair of surrogates is the character that it stands for, a lone one U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
