"""What is to be revalidated, as a caller writes it: the path of a page, or a tag."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

from nextapi.errors import RevalidateError
from nextapi.text import utf8

__all__ = ["Target", "check_path", "check_tag", "target_of"]


class Target(NamedTuple):
    """The page of a path, of whatever host."""

    given: str
    """The path as the caller wrote it, for messages."""
    sent: str
    """The path with its query as a client would send it, from the root on."""
    path: str
    """The path alone, decoded."""


def check_path(path: object, function: str = "revalidate") -> str:
    """Return a path; raise `RevalidateError`, with Next's message, for what is none, given to `function`."""
    if not isinstance(path, str) or not path.startswith("/"):
        received = "null" if path is None else path
        raise RevalidateError(
            f"Invalid urlPath provided to {function}(), must be a path e.g. /blog/post-1, received {received}"
        )
    return path


def check_tag(tag: object) -> str:
    """Return a tag; raise `RevalidateError` for what is none."""
    if not isinstance(tag, str) or not tag.strip() or "," in tag:
        raise RevalidateError(f"revalidate_tag() takes a tag as Cache-Tag names it, text without commas, not {tag!r}")
    return tag.strip()


def target_of(path: object, prefix: str, function: str = "revalidate") -> Target:
    """Return the page that a path names; raise `RevalidateError` as `check_path` does.

    `prefix` is the SCRIPT_NAME, decoded, which is put before a path that does not begin with it.
    """
    given = check_path(path, function)
    sent = quote(utf8(given.partition("#")[0]), safe="/%:@!$&'()*+,;=~?[]")
    decoded = unquote_to_bytes(sent.partition("?")[0]).decode("latin-1")
    if prefix and decoded != prefix and not decoded.startswith(f"{prefix}/"):
        return Target(given, quote(prefix, encoding="latin-1") + sent, prefix + decoded)
    return Target(given, sent, decoded)
