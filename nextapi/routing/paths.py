"""The path of a request: as the client sent it, and as Next's front server would have it (next-behaviour 1.5).

Routes are matched on the path as it was sent, each segment decoded once, so that `a%2Fb` stays inside one segment. WSGI
hands over the decoded path; servers add the target as it was sent under names of their own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, unquote_to_bytes

__all__ = ["CanonicalPath", "after_segments", "canonical_path", "decode_segment", "quote_path", "raw_path"]

_NOT_CANONICAL = re.compile(r"//|\\|/(?:\.|%2e){1,2}(?:/|\Z)|./\Z", re.IGNORECASE)
_SLASHES = re.compile(r"[/\\]{2,}|\\")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
# What a client may send as it is. A server that hands over only the decoded path leaves no telling %2F from "/".
_SAFE = "!\"$&'()*+,-./:;<=>@[\\]^_`{|}~"


class CanonicalPath(NamedTuple):
    """A path without doubled or back slashes, dot segments and slash at the end, and which of these it had."""

    path: str
    collapsed: str | None = None
    """The path with only the slashes mended, where they were to be: Next sends the client there first."""
    had_dots: bool = False
    had_end_slash: bool = False


def raw_path(environ: Mapping[str, Any]) -> tuple[str, str]:
    """Return (SCRIPT_NAME, PATH_INFO) as they were sent, percent-encoded.

    The server's RAW_URI or REQUEST_URI is believed only where it decodes to what WSGI says; whoever rewrote the path
    before nextapi rewrote PATH_INFO.
    """
    script: str = environ.get("SCRIPT_NAME", "")
    info: str = environ.get("PATH_INFO", "")
    target = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if target:
        if not script and "%" not in info and info.isascii() and (target == info or target.startswith(info + "?")):
            return "", info
        sent = target.partition("?")[0].partition("#")[0]
        if not sent.startswith("/"):
            sent = "/" + sent.partition("://")[2].partition("/")[2]
        if unquote_to_bytes(sent.encode("latin-1")) == (script + info).encode("latin-1"):
            # A mount's own prefix is cut off by its segments: it may be escaped in another way than SCRIPT_NAME.
            cut = after_segments(sent, script.count("/"))
            if unquote_to_bytes(sent[cut:].encode("latin-1")) == info.encode("latin-1"):
                return _escaped(sent[:cut]), _escaped(sent[cut:])
    return quote(script, safe=_SAFE, encoding="latin-1"), quote(info, safe=_SAFE, encoding="latin-1")


def quote_path(path: str) -> str:
    """Return a decoded path as a client would send it, where nothing tells how it was sent."""
    return quote(path, safe=_SAFE)


def after_segments(path: str, count: int) -> int:
    """Return the index in `path` of the slash after its first `count` segments."""
    index = 0
    for _ in range(count):
        index = path.find("/", index + 1)
        if index < 0:
            return len(path)
    return index


def _escaped(path: str) -> str:
    return path if path.isascii() else quote(path, safe=_SAFE + "%", encoding="latin-1")


def canonical_path(path: str) -> CanonicalPath:
    """Return `path` with slashes mended, dot segments resolved (WHATWG URL: "%2e" is a dot), no slash at the end."""
    if not ("//" in path or "\\" in path or "/." in path or "/%2" in path or path.endswith("/")):
        return CanonicalPath(path)  # most paths, at a tenth of what the expression costs
    if not _NOT_CANONICAL.search(path):
        return CanonicalPath(path)
    mended = _SLASHES.sub("/", path)
    collapsed = mended if mended != path else None
    parts: list[str] = []
    had_dots = at_folder = False
    for part in mended.split("/")[1:]:
        dots = part.lower().replace("%2e", ".")
        at_folder = dots in (".", "..", "")
        if dots in (".", ".."):
            had_dots = True
            if dots == ".." and parts:
                parts.pop()
        elif part:
            parts.append(part)
    return CanonicalPath("/" + "/".join(parts), collapsed, had_dots, at_folder and bool(parts))


def decode_segment(segment: str) -> str:
    """Return `segment` decoded as by JavaScript's decodeURIComponent; raise ValueError where it cannot be."""
    if "%" not in segment:
        return segment
    if _BAD_ESCAPE.search(segment):
        raise ValueError(f"{segment!r} has a percent sign that begins no escape")
    return unquote_to_bytes(segment).decode("utf-8")
