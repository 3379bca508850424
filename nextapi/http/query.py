"""Query strings and form bodies: pairs of text, the object that Next folds them into, and back to text.

Reading follows the WHATWG URL standard's application/x-www-form-urlencoded parser (JavaScript's `URLSearchParams`).
Node's `querystring`, which Next parses form bodies with, reads the same pairs from the same text.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar
from urllib.parse import quote_plus, unquote

from nextapi.text import utf8

__all__ = ["decode_pairs", "encode_pairs", "fold_pairs", "group_pairs", "query_text"]

T = TypeVar("T")


def query_text(query_string: str) -> str:
    """Return WSGI's QUERY_STRING, one character a byte, as the text that those bytes are in UTF-8."""
    return query_string if query_string.isascii() else query_string.encode("latin-1").decode("utf-8", "replace")


def decode_pairs(text: str) -> list[tuple[str, str]]:
    """Return the (name, value) pairs of `text`; "a" and "a=" are both ("a", ""), bad escapes stay as they are."""
    pairs = []
    for part in text.split("&"):
        if part:
            name, _, value = part.partition("=")
            pairs.append((_decode(name), _decode(value)) if "%" in part or "+" in part else (name, value))
    return pairs


def _decode(text: str) -> str:
    if "+" in text:
        text = text.replace("+", " ")
    return unquote(text, errors="replace") if "%" in text else text


def fold_pairs(pairs: Iterable[tuple[str, T]]) -> dict[str, T | list[T]]:
    """Return the object that Next makes of pairs: a repeated name has the list of its values."""
    folded: dict[str, T | list[T]] = {}
    for name, value in pairs:
        if name not in folded:
            folded[name] = value
        elif isinstance(known := folded[name], list):
            known.append(value)
        else:
            folded[name] = [known, value]
    return folded


def group_pairs(pairs: list[tuple[str, T]]) -> list[tuple[str, T]]:
    """Return pairs with those of one name together, where the first of them was, as Next has them in URLs."""
    if len(dict(pairs)) == len(pairs):
        return pairs
    grouped: dict[str, list[tuple[str, T]]] = {}
    for pair in pairs:
        grouped.setdefault(pair[0], []).append(pair)
    return [pair for group in grouped.values() for pair in group]


def encode_pairs(pairs: Iterable[tuple[str, str]]) -> str:
    """Return pairs as application/x-www-form-urlencoded text, as `URLSearchParams` writes it: "a+b=%C3%A9"."""
    return "&".join(f"{_encode(name)}={_encode(value)}" for name, value in pairs)


def _encode(text: str) -> str:
    # The standard leaves * - . _ alone and writes ~ as an escape; quote_plus always leaves ~ alone.
    return quote_plus(utf8(text), safe="*").replace("~", "%7E")
