"""The parser of the WHATWG URL standard: text becomes the parts of a URL, and so does what one part is set to.

https://url.spec.whatwg.org has the states of its basic URL parser, which are branches of `parse_url`. What is raised
here is the reason alone; `URL` says of which text.
"""

from __future__ import annotations

import re
from typing import NamedTuple, cast
from urllib.parse import quote

from nextapi.text import utf8
from nextapi.web.host import parse_host

__all__ = [
    "DEFAULT_PORTS",
    "PLAIN",
    "Parts",
    "clean",
    "encode_fragment",
    "encode_query",
    "encode_userinfo",
    "join_path",
    "leading_authority",
    "parse_file_host",
    "parse_port",
    "parse_url",
    "split_port",
]

DEFAULT_PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443", "ftp": "21", "file": ""}
"""The special schemes, each with the port that is left out."""

# What `quote` leaves alone: the printable characters outside of the standard's percent-encode sets.
_IN_OPAQUE = "".join(map(chr, range(0x20, 0x7F)))
_IN_FRAGMENT = re.sub('[ "<>`]', "", _IN_OPAQUE)
_IN_QUERY = re.sub('[ "#<>]', "", _IN_OPAQUE)
_IN_SPECIAL_QUERY = _IN_QUERY.replace("'", "")
_IN_PATH = re.sub("[?^`{}]", "", _IN_QUERY)
_IN_USERINFO = re.sub(r"[/:;=@\[\\\]|]", "", _IN_PATH)

_DOTS = r"(?:\.|%2[eE])"
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
PLAIN = re.compile(
    rf"""
    (https?)://
    (  (?![^/?\#]*xn--) (?:[a-z0-9_-]++\.)*+ [a-z] [a-z0-9_-]*+   # not a number at the end: that is an address
    |  {_OCTET} (?:\.{_OCTET}){{3}}
    )
    (?: : ([1-9][0-9]{{0,4}}) )?
    (  (?: / (?!{_DOTS}{{1,2}}(?:[/?\#]|\Z)) [!$%&'()*+,\-.0-9:;=@A-Z\[\]_a-z|~]*+ )*+  )
    (?: \? ([!$%&()*+,\-./0-9:;=?@A-Z\[\\\]^_`a-z{{|}}~]*+) )?
    (?: \# ([!\#$%&'()*+,\-./0-9:;=?@A-Z\[\\\]^_a-z{{|}}~]*+) )?
    """,
    re.VERBOSE,
)
"""A URL in which nothing has to change: scheme, host, port, path, query and fragment; the port may be too large."""
_SCHEME = re.compile("([A-Za-z][A-Za-z0-9+.-]*):")
_AUTHORITY = re.compile("[^/?#]*")
_SPECIAL_AUTHORITY = re.compile(r"[^/\\?#]*")
_HOST_AND_PORT = re.compile(r"((?:\[[^\]]*(?:\]|\Z)|[^:\[])*+)(?::(.*))?", re.DOTALL)
_PATH_AND_REST = re.compile(r"([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL)
_ONE_DOT = re.compile(_DOTS)
_TWO_DOTS = re.compile(_DOTS + "{2}")
_DRIVE = re.compile("[A-Za-z][:|]")
_BEGINS_WITH_DRIVE = re.compile(r"[A-Za-z][:|](?:[/\\?#]|\Z)")
_STRIPPED = "".join(map(chr, range(0x21)))
_WITHOUT_TABS = str.maketrans("", "", "\t\n\r")


class Parts(NamedTuple):
    """The parts of a URL, percent-encoded: `port` is "" for the scheme's own, `host` None where there is no authority.

    A path that `is_opaque` has no segments, such as that of "mailto:a@example.com".
    """

    scheme: str
    username: str
    password: str
    host: str | None
    port: str
    path: str
    is_opaque: bool
    query: str | None
    fragment: str | None


def parse_url(text: str, base: Parts | None) -> Parts:
    """Return the parts of any text (basic URL parser); raise ValueError, with the reason, where it is no URL."""
    text = clean(text.strip(_STRIPPED))
    match = _SCHEME.match(text)
    scheme = match[1].lower() if match else ""
    rest = text[match.end() :] if match else text
    if not match and base is None:
        raise ValueError("a relative URL needs a base")
    if base is not None and (not match or (scheme == base.scheme and scheme in DEFAULT_PORTS)):
        scheme = base.scheme
        if base.is_opaque and not rest.startswith("#"):
            raise ValueError("its base has a path that nothing is relative to")
    else:
        base = None
    is_special = scheme in DEFAULT_PORTS
    slashes = ("/", "\\") if is_special else ("/",)
    username = password = port = ""
    host: str | None = None
    segments: list[str] = []
    is_opaque = has_no_path = False

    if scheme == "file":
        host, segments, rest, base = _parse_file(rest, base)
    elif (base is None and is_special) or (rest.startswith(slashes) and rest.startswith(slashes, 1)):
        rest = rest.lstrip("/\\") if is_special else rest[2:]
        authority = leading_authority(rest, scheme)
        rest = rest[len(authority) :]
        userinfo, at, host_and_port = authority.rpartition("@")
        if at:
            username, _, password = map(encode_userinfo, userinfo.partition(":"))
        host, port = _host_and_port(host_and_port, scheme, bool(at))
        base = None
        has_no_path = not is_special and not rest.startswith("/")
        rest = rest[1:] if rest.startswith(slashes) else rest
    elif rest.startswith(slashes):
        rest = rest[1:]
        if base is not None:
            username, password, host, port = base.username, base.password, base.host, base.port
            base = None
    elif base is None:
        is_opaque = True

    own_path, query, fragment = cast("re.Match[str]", _PATH_AND_REST.fullmatch(rest)).groups()
    if base is not None:
        return _relative_to(base, own_path, query, fragment)
    if has_no_path:
        path = ""
    elif is_opaque:
        path = quote(own_path, safe=_IN_OPAQUE)
        if path.endswith(" ") and len(rest) > len(own_path):
            path = path[:-1] + "%20"
    else:
        path = join_path(segments, own_path, scheme)

    return Parts(scheme, username, password, host, port, path, is_opaque, *_encoded(query, fragment, scheme))


def _parse_file(rest: str, base: Parts | None) -> tuple[str | None, list[str], str, Parts | None]:
    """Return the host of a file: URL, the drive that its path begins with, the rest, and the base of that if any."""
    slashes = ("/", "\\")
    if not rest.startswith(slashes):
        if base is not None and _BEGINS_WITH_DRIVE.match(rest):
            return base.host, [], rest, None
        return "", [], rest, base
    if rest.startswith(slashes, 1):
        rest = rest[2:]
        authority = leading_authority(rest, "file")
        if _DRIVE.fullmatch(authority):
            return "", [], rest, None
        host, rest = parse_file_host(authority), rest[len(authority) :]
        return host, [], rest[1:] if rest.startswith(slashes) else rest, None
    rest = rest[1:]
    if base is None:
        return "", [], rest, None
    first = base.path.split("/")[1:2]
    keeps_drive = _is_drive(first) and not _BEGINS_WITH_DRIVE.match(rest)
    return base.host, first if keeps_drive else [], rest, None


def _relative_to(base: Parts, own_path: str, query: str | None, fragment: str | None) -> Parts:
    """Return the parts of a URL that has what stands before its path from `base`, and the path's beginning."""
    path = base.path
    if own_path:
        path = join_path(_shorten(path.split("/")[1:], base.scheme), own_path, base.scheme)
    elif query is None:
        query = base.query
    query, fragment = _encoded(query, fragment, base.scheme)
    return base._replace(path=path, query=query, fragment=fragment)


def _encoded(query: str | None, fragment: str | None, scheme: str) -> tuple[str | None, str | None]:
    return (
        query if query is None else encode_query(query, scheme),
        fragment if fragment is None else encode_fragment(fragment),
    )


def clean(text: str) -> str:
    """Return `text` without tabs and line ends, and with U+FFFD for lone surrogates."""
    if not text.isascii():
        text = utf8(text).decode()
    return text.translate(_WITHOUT_TABS)


def encode_userinfo(text: str) -> str:
    """Return a user's name or password, percent-encoded."""
    return quote(utf8(text), safe=_IN_USERINFO)


def encode_fragment(text: str) -> str:
    """Return a fragment without its "#", percent-encoded."""
    return quote(text, safe=_IN_FRAGMENT)


def encode_query(text: str, scheme: str) -> str:
    """Return a query without its "?", percent-encoded as URLs of the scheme have it."""
    return quote(text, safe=_IN_SPECIAL_QUERY if scheme in DEFAULT_PORTS else _IN_QUERY)


def leading_authority(text: str, scheme: str) -> str:
    """Return what of a text that begins with userinfo, host and port is these."""
    return cast("re.Match[str]", (_SPECIAL_AUTHORITY if scheme in DEFAULT_PORTS else _AUTHORITY).match(text))[0]


def split_port(text: str) -> tuple[str, str | None]:
    """Return host and port of a text without userinfo; None where it has no colon for a port."""
    name, port = cast("re.Match[str]", _HOST_AND_PORT.fullmatch(text)).groups()
    return name, port


def parse_file_host(text: str) -> str:
    """Return the host of a file's URL, "" for this machine; raise ValueError for what is none."""
    host = parse_host(text, is_special=True) if text else ""
    return "" if host == "localhost" else host


def _host_and_port(text: str, scheme: str, has_userinfo: bool) -> tuple[str, str]:
    name, port = split_port(text)
    if not name and (scheme in DEFAULT_PORTS or has_userinfo or port is not None):
        raise ValueError("its host is empty")
    host = parse_host(name, is_special=scheme in DEFAULT_PORTS)
    if port and not (port.isascii() and port.isdecimal()):
        raise ValueError(f"its port is no number: {port!r}")
    return host, parse_port(port, scheme) if port else ""


def parse_port(digits: str, scheme: str) -> str:
    """Return the port that digits say, "" for the scheme's own; raise ValueError above 65535."""
    port = digits.lstrip("0") or "0"
    if len(port) > 5 or int(port) > 65535:
        raise ValueError("its port is above 65535")
    return "" if port == DEFAULT_PORTS.get(scheme) else port


def join_path(segments: list[str], text: str, scheme: str) -> str:
    """Return the path of `segments` and then those of `text`, whose dot segments are resolved (path state)."""
    if scheme in DEFAULT_PORTS:
        text = text.replace("\\", "/")
    *parents, last = text.split("/")
    for segment in parents:
        _add(segments, segment, scheme)
    if not _add(segments, last, scheme):
        segments.append("")
    return "".join(f"/{segment}" for segment in segments)


def _add(segments: list[str], segment: str, scheme: str) -> bool:
    if _ONE_DOT.fullmatch(segment):
        return False
    if _TWO_DOTS.fullmatch(segment):
        _shorten(segments, scheme)
        return False
    if scheme == "file" and not segments and _DRIVE.fullmatch(segment):
        segment = segment[0] + ":"
    segments.append(quote(segment, safe=_IN_PATH))
    return True


def _shorten(segments: list[str], scheme: str) -> list[str]:
    if segments and not (scheme == "file" and _is_drive(segments)):
        segments.pop()
    return segments


def _is_drive(segments: list[str]) -> bool:
    return len(segments) == 1 and _DRIVE.fullmatch(segments[0]) is not None and segments[0][1] == ":"
