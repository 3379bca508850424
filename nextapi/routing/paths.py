"""The path of a request: as the client sent it, and as Next's front server would have it.

Routes are matched on the path as it was sent, each segment decoded once, so that `a%2Fb` stays inside one segment. WSGI
hands over the decoded path; servers add the target as it was sent under names of their own.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, unquote_to_bytes

__all__ = [
    "CanonicalPath",
    "canonical_path",
    "cut_path",
    "host_path",
    "quote_path",
    "raw_path",
    "sent_path",
    "spellings",
]

_NOT_CANONICAL = re.compile(r"//|\\|/(?:\.|%2e){1,2}(?:/|\Z)|./\Z", re.IGNORECASE)
_SLASHES = re.compile(r"[/\\]{2,}|\\")
_plain: set[str] = set()
"""Paths that were looked at: to look again would cost 3 % of a static route's request."""
_MOST_KNOWN = 1000
_MOST_KNOWN_SIZE = 100
# What says that a path is not as it was sent, or has something escaped.
_find_odd = re.compile(r"""[^!"$&->@-~]""").search
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
    before nextapi rewrote PATH_INFO. A path begins with a slash, whatever the client sent, unless it is empty.
    """
    script: str = environ.get("SCRIPT_NAME", "")
    info: str = environ.get("PATH_INFO", "")
    target: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    if not script and (target == info or target.startswith(info + "?")) and (info in _plain or _is_plain(info)):
        return "", info  # most requests: nothing is escaped
    if info and not info.startswith("/"):  # "GET admin" would be matched as one path, and guarded as another
        info = "/" + info
    if sent := sent_path(environ):
        decoded = _decode_latin1(sent)
        if decoded == script + info and (cut := cut_path(sent, info, _decode_latin1)) is not None:
            return sent[:cut], sent[cut:]
        if decoded == info:  # a proxy took the prefix off, and said so
            return quote(script, safe=_SAFE, encoding="latin-1"), sent
    return quote(script, safe=_SAFE, encoding="latin-1"), quote(info, safe=_SAFE, encoding="latin-1")


def _is_plain(info: str) -> bool:
    """Say whether a path has nothing that is escaped in a URL; what was asked for before is known."""
    is_plain = info[:1] == "/" and not _find_odd(info)
    if is_plain and len(info) <= _MOST_KNOWN_SIZE and len(_plain) < _MOST_KNOWN:
        _plain.add(info)
    return is_plain


def sent_path(environ: Mapping[str, Any]) -> str:
    """Return the path of the request's target as it was sent, SCRIPT_NAME included; "" if the server does not tell.

    What no URL has as it is, such as a tab, is escaped: it would be left out where a URL is made of the path.
    """
    target: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    path = target.partition("?")[0].partition("#")[0]
    if path and not path.startswith("/"):
        path = "/" + path.partition("://")[2].partition("/")[2]
    return quote(path, safe=_SAFE + "%", encoding="latin-1")


def quote_path(path: str) -> str:
    """Return a decoded path as a client would send it, where nothing tells how it was sent."""
    return quote(path, safe=_SAFE)


def spellings(path: str) -> tuple[str, ...]:
    """Return what else than itself a host that mends paths in its own way may take a path for, and itself."""
    if not ("%" in path or "//" in path or "\\" in path or "/." in path or path.endswith("/")):
        return (path,)
    return path, canonical_path(path).path, quote_path(canonical_path(unquote(path)).path)


def host_path(path: str) -> str:
    """Return a path as WSGI hosts have it, escaped anew: decoded, so that %2F is a slash, but without dot segments.

    It begins with one slash: werkzeug takes "//a" for "/a".
    """
    decoded = _decode_latin1(path)
    if decoded and (not decoded.startswith("/") or decoded.startswith("//")):
        decoded = "/" + decoded.lstrip("/")
    if "/." in decoded:
        parts: list[str] = []
        for part in (*decoded.split("/")[1:-1], *_last(decoded.rpartition("/")[2])):
            if part == "..":
                del parts[-1:]
            elif part != ".":
                parts.append(part)
        decoded = "/" + "/".join(parts).lstrip("/")
    return quote(decoded, safe=_SAFE.replace("\\", ""), encoding="latin-1")


def _last(part: str) -> tuple[str, ...]:
    return (part, "") if part in (".", "..") else (part,)


def _decode_latin1(path: str) -> str:
    return unquote_to_bytes(path.encode("latin-1")).decode("latin-1")


def cut_path(sent: str, rest: str, decode: Callable[[str], str]) -> int | None:
    """Return the index of the slash in `sent` from which on it decodes to `rest`; None where there is none.

    A mount's prefix is cut off by what is left when it is decoded: the prefix itself may hide slashes in escapes.
    """
    decoded = decode(sent)
    if decoded == rest:
        return 0
    # What stands before a slash decodes to more with every slash: the right one is found by halves.
    slashes = [index for index, character in enumerate(sent) if character == "/"]
    at = bisect_left(slashes, len(decoded) - len(rest), key=lambda index: len(decode(sent[:index])))
    return slashes[at] if at < len(slashes) and decode(sent[slashes[at] :]) == rest else None


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
