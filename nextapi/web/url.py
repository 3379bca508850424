"""`URL` of the WHATWG URL standard: text is parsed into parts, each can be set, and the URL is text again.

A plain http(s) URL, in which nothing has to change, is split by one expression. All else goes through the standard's
parser, whose states are branches here. https://url.spec.whatwg.org has the meaning of every part.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from nextapi.errors import URLError
from nextapi.http.query import decode_pairs
from nextapi.text import utf8
from nextapi.web.host import parse_host
from nextapi.web.search_params import URLSearchParams

if TYPE_CHECKING:
    from typing import Self

__all__ = ["URL"]

_DEFAULT_PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443", "ftp": "21", "file": ""}
"""The special schemes."""

# What `quote` leaves alone: the printable characters outside of the standard's percent-encode sets.
_IN_OPAQUE = "".join(map(chr, range(0x20, 0x7F)))
_IN_FRAGMENT = re.sub('[ "<>`]', "", _IN_OPAQUE)
_IN_QUERY = re.sub('[ "#<>]', "", _IN_OPAQUE)
_IN_SPECIAL_QUERY = _IN_QUERY.replace("'", "")
_IN_PATH = re.sub("[?^`{}]", "", _IN_QUERY)
_IN_USERINFO = re.sub(r"[/:;=@\[\\\]|]", "", _IN_PATH)

_DOTS = r"(?:\.|%2[eE])"
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_PLAIN = re.compile(
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
_SCHEME = re.compile("([A-Za-z][A-Za-z0-9+.-]*):")
_SCHEME_VALUE = re.compile("([A-Za-z][A-Za-z0-9+.-]*)(?::.*)?", re.DOTALL)
_AUTHORITY = re.compile("[^/?#]*")
_SPECIAL_AUTHORITY = re.compile(r"[^/\\?#]*")
_HOST_AND_PORT = re.compile(r"((?:\[[^\]]*(?:\]|\Z)|[^:\[])*+)(?::(.*))?", re.DOTALL)
_PATH_AND_REST = re.compile(r"([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL)
_ONE_DOT = re.compile(_DOTS)
_TWO_DOTS = re.compile(_DOTS + "{2}")
_DRIVE = re.compile("[A-Za-z][:|]")
_BEGINS_WITH_DRIVE = re.compile(r"[A-Za-z][:|](?:[/\\?#]|\Z)")
_DIGITS = re.compile("[0-9]*")
_STRIPPED = "".join(map(chr, range(0x21)))
_WITHOUT_TABS = str.maketrans("", "", "\t\n\r")


class URL:
    """A URL as the WHATWG URL standard has it: `URL("../b?x=1", "http://localhost/a/")`.

    `text` and `base` are text or a `URL`. Raises `URLError`, a ValueError, where the text is no URL, or is relative and
    has no base. `str()` is the whole, as `href` is; two URLs are equal if their texts are. Setting a part to what it
    cannot be leaves it as it was, as the standard says; only `href` raises. A URL can change, so it has no hash.
    """

    __slots__ = (
        "_fragment",
        "_host",
        "_is_opaque",
        "_params",
        "_password",
        "_path",
        "_port",
        "_query",
        "_scheme",
        "_username",
    )

    _scheme: str
    _host: str | None
    _port: str
    _path: str
    _query: str | None
    _fragment: str | None

    def __init__(self, text: str | URL, base: str | URL | None = None) -> None:
        self._params: URLSearchParams | None = None
        self._parse(text, base)

    def _parse(self, text: str | URL, base: str | URL | None) -> None:
        if isinstance(text, URL):
            text = text.href
        elif not isinstance(text, str):
            raise TypeError(f"a URL is made from text or a URL, not {text!r}")
        if base is not None:
            base = base if type(base) is URL else URL(base)  # another class has another text
        match = _PLAIN.fullmatch(text)
        if match is not None:
            scheme, host, port, path, query, fragment = match.groups()
            if port is None or (int(port) < 65536 and port != _DEFAULT_PORTS[scheme]):
                self._scheme = scheme
                self._username = self._password = ""
                self._host = host
                self._port = port or ""
                self._path = path or "/"
                self._is_opaque = False
                self._query = query
                self._fragment = fragment
                return
        try:
            self._parse_any(text, base)
        except ValueError as error:
            against = f" with the base {base.href!r}" if isinstance(base, URL) else ""
            raise URLError(f"{text!r}{against} is no URL: {error}") from None

    def _parse_any(self, text: str, base: URL | None) -> None:
        """Set all parts from any text (basic URL parser); raise ValueError, with the reason, before any is set."""
        text = _clean(text.strip(_STRIPPED))
        match = _SCHEME.match(text)
        scheme = match[1].lower() if match else ""
        rest = text[match.end() :] if match else text
        if not match and base is None:
            raise ValueError("a relative URL needs a base")
        if base is not None and (not match or (scheme == base._scheme and scheme in _DEFAULT_PORTS)):
            scheme = base._scheme
            if base._is_opaque and not rest.startswith("#"):
                raise ValueError("its base has a path that nothing is relative to")
        else:
            base = None
        is_special = scheme in _DEFAULT_PORTS
        slashes = ("/", "\\") if is_special else ("/",)
        username = password = port = ""
        host: str | None = None
        segments: list[str] = []
        is_opaque = has_no_path = False

        if scheme == "file":
            host = ""
            if rest.startswith(slashes):
                if rest.startswith(slashes, 1):
                    found = cast("re.Match[str]", _SPECIAL_AUTHORITY.match(rest, 2))
                    if _DRIVE.fullmatch(found[0]):
                        rest = rest[2:]
                    else:
                        host, rest = _file_host(found[0]), rest[found.end() :]
                        rest = rest[1:] if rest.startswith(slashes) else rest
                else:
                    rest = rest[1:]
                    if base is not None:
                        host = base._host
                        first = base._path.split("/")[1:2]
                        if _is_drive(first) and not _BEGINS_WITH_DRIVE.match(rest):
                            segments = first
                base = None
            elif base is not None and _BEGINS_WITH_DRIVE.match(rest):
                host, base = base._host, None
        elif (base is None and is_special) or (rest.startswith(slashes) and rest.startswith(slashes, 1)):
            rest = rest.lstrip("/\\") if is_special else rest[2:]
            found = cast("re.Match[str]", (_SPECIAL_AUTHORITY if is_special else _AUTHORITY).match(rest))
            rest = rest[found.end() :]
            userinfo, at, authority = found[0].rpartition("@")
            if at:
                username, _, password = (quote(part, safe=_IN_USERINFO) for part in userinfo.partition(":"))
            host, port = _host_and_port(authority, scheme, bool(at))
            base = None
            has_no_path = not is_special and not rest.startswith("/")
            rest = rest[1:] if rest.startswith(slashes) else rest
        elif rest.startswith(slashes):
            rest = rest[1:]
            if base is not None:
                username, password, host, port = base._username, base._password, base._host, base._port
                base = None
        elif base is None:
            is_opaque = True

        own_path, query, fragment = cast("re.Match[str]", _PATH_AND_REST.fullmatch(rest)).groups()
        if base is not None:
            username, password, host, port = base._username, base._password, base._host, base._port
            is_opaque = base._is_opaque
            if not own_path:
                path = base._path
                query = base._current_query() if query is None else query
            else:
                path = _join(_shorten(base._path.split("/")[1:], scheme), own_path, scheme)
        elif has_no_path:
            path = ""
        elif is_opaque:
            path = quote(own_path, safe=_IN_OPAQUE)
            if path.endswith(" ") and len(rest) > len(own_path):
                path = path[:-1] + "%20"
        else:
            path = _join(segments, own_path, scheme)

        self._scheme = scheme
        self._username = username
        self._password = password
        self._host = host
        self._port = port
        self._path = path
        self._is_opaque = is_opaque
        self._query = query if query is None else _encode_query(query, scheme)
        self._fragment = fragment if fragment is None else quote(fragment, safe=_IN_FRAGMENT)

    @classmethod
    def can_parse(cls, text: str | URL, base: str | URL | None = None) -> bool:
        """Say whether `URL(text, base)` is a URL."""
        return cls.parse(text, base) is not None

    @classmethod
    def parse(cls, text: str | URL, base: str | URL | None = None) -> Self | None:
        """Return `URL(text, base)`, or None where that is no URL."""
        try:
            return cls(text, base)
        except URLError:
            return None

    @property
    def href(self) -> str:
        """The whole URL; setting it to what is no URL raises `URLError`."""
        return self._text()

    @href.setter
    def href(self, value: str) -> None:
        self._parse(value, None)
        self._read_params()

    def _text(self) -> str:
        authority = ""
        if self._host is not None:
            userinfo = f"{self._username}:{self._password}" if self._password else self._username
            authority = f"//{userinfo}@{self.host}" if userinfo else f"//{self.host}"
        elif not self._is_opaque and self._path.startswith("//"):
            authority = "/."  # or the path would be read as a host
        return f"{self._scheme}:{authority}{self._path}{self._suffix()}"

    @property
    def origin(self) -> str:
        """Scheme, host and port: "http://localhost:3000"; "null" where the scheme has no origin."""
        if self._scheme == "blob":
            inner = URL.parse(self._path)
            return inner.origin if inner is not None and inner._scheme in ("http", "https") else "null"
        is_tuple = self._scheme in _DEFAULT_PORTS and self._scheme != "file"
        return f"{self._scheme}://{self.host}" if is_tuple else "null"

    @property
    def protocol(self) -> str:
        """The scheme and a colon: "http:"."""
        return self._scheme + ":"

    @protocol.setter
    def protocol(self, value: str) -> None:
        match = _SCHEME_VALUE.fullmatch(_clean(value))
        if match is None:
            return
        scheme = match[1].lower()
        if (scheme in _DEFAULT_PORTS) != (self._scheme in _DEFAULT_PORTS):
            return
        if scheme == "file" and (self._username or self._password or self._port):
            return
        if self._scheme == "file" and not self._host:
            return
        self._scheme = scheme
        if self._port == _DEFAULT_PORTS.get(scheme):
            self._port = ""

    @property
    def username(self) -> str:
        """The user's name, percent-encoded; "" where there is none."""
        return self._username

    @username.setter
    def username(self, value: str) -> None:
        if self._host and self._scheme != "file":
            self._username = quote(utf8(value), safe=_IN_USERINFO)

    @property
    def password(self) -> str:
        """The password, percent-encoded; "" where there is none."""
        return self._password

    @password.setter
    def password(self, value: str) -> None:
        if self._host and self._scheme != "file":
            self._password = quote(utf8(value), safe=_IN_USERINFO)

    @property
    def host(self) -> str:
        """The host, and the port if it is not the scheme's own: "localhost:3000"."""
        host = self._host or ""
        return f"{host}:{self._port}" if self._port else host

    @host.setter
    def host(self, value: str) -> None:
        self._set_host(value, with_port=True)

    @property
    def hostname(self) -> str:
        """The host alone: "localhost", "[::1]"."""
        return self._host or ""

    @hostname.setter
    def hostname(self, value: str) -> None:
        self._set_host(value, with_port=False)

    def _set_host(self, value: str, *, with_port: bool) -> None:
        if self._is_opaque:
            return
        is_special = self._scheme in _DEFAULT_PORTS
        found = cast("re.Match[str]", (_SPECIAL_AUTHORITY if is_special else _AUTHORITY).match(_clean(value)))
        try:
            if self._scheme == "file":
                self._host = _file_host(found[0])
                return
            name, port = cast("re.Match[str]", _HOST_AND_PORT.fullmatch(found[0])).groups()
            if port is not None and not (with_port and name):
                return
            if not name and (is_special or self._username or self._password or self._port):
                return
            self._host = parse_host(name, is_special=is_special)
        except ValueError:
            return
        if port is not None:
            self._set_port(port)

    @property
    def port(self) -> str:
        """The port, as text; "" for the scheme's own."""
        return self._port

    @port.setter
    def port(self, value: str) -> None:
        if not self._host or self._scheme == "file":
            return
        if value:
            self._set_port(_clean(value))
        else:
            self._port = ""

    def _set_port(self, value: str) -> None:
        digits = cast("re.Match[str]", _DIGITS.match(value))[0]
        if digits:
            try:
                self._port = _parse_port(digits, self._scheme)
            except ValueError:
                return

    @property
    def pathname(self) -> str:
        """The path, percent-encoded: "/a%20b"."""
        return self._path

    @pathname.setter
    def pathname(self, value: str) -> None:
        if self._is_opaque:
            return
        value = _clean(value)
        is_special = self._scheme in _DEFAULT_PORTS
        if not value and not is_special:
            self._path = "/" if self._host is None else ""
            return
        begins = value.startswith(("/", "\\") if is_special else "/")
        self._path = _join([], value[1:] if begins else value, self._scheme)

    @property
    def search(self) -> str:
        """The query with its question mark, percent-encoded: "?a=1"; "" where it is empty."""
        query = self._current_query()
        return f"?{query}" if query else ""

    @search.setter
    def search(self, value: str) -> None:
        self._query = _encode_query(_clean(value.removeprefix("?")), self._scheme) if value else None
        self._read_params()

    @property
    def search_params(self) -> URLSearchParams:
        """The query's parameters: a change to them changes the URL, and the other way round."""
        if self._params is None:
            self._params = URLSearchParams()
            self._read_params()
        return self._params

    @property
    def hash(self) -> str:
        """The fragment with its "#", percent-encoded; "" where it is empty."""
        return f"#{self._fragment}" if self._fragment else ""

    @hash.setter  # noqa: A003  # the property, not the builtin
    def hash(self, value: str) -> None:
        self._fragment = quote(_clean(value.removeprefix("#")), safe=_IN_FRAGMENT) if value else None

    def _suffix(self) -> str:
        query = self._current_query()
        text = "" if query is None else f"?{query}"
        return text if self._fragment is None else f"{text}#{self._fragment}"

    def _current_query(self) -> str | None:
        # The text is made again when it is asked for, not at each change: the parameters need no way back to the URL.
        params = self._params
        if params is not None and params._is_changed:
            self._query = str(params) or None
            params._is_changed = False
        return self._query

    def _read_params(self) -> None:
        if self._params is not None:
            self._params._pairs = decode_pairs(self._query or "")
            self._params._is_changed = False

    def __getstate__(self) -> object:
        # For copies: they have parameters of their own.
        self._current_query()
        _, slots = cast("tuple[None, dict[str, object]]", super().__getstate__())
        return None, {**slots, "_params": None}

    def __str__(self) -> str:
        return self.href

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.href!r})"

    def __eq__(self, other: object) -> bool:
        return self.href == other.href if isinstance(other, URL) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it can change


def _clean(text: str) -> str:
    """Return `text` without tabs and line ends, and with U+FFFD for lone surrogates."""
    if not text.isascii():
        text = utf8(text).decode()
    return text.translate(_WITHOUT_TABS)


def _encode_query(text: str, scheme: str) -> str:
    return quote(text, safe=_IN_SPECIAL_QUERY if scheme in _DEFAULT_PORTS else _IN_QUERY)


def _file_host(text: str) -> str:
    host = parse_host(text, is_special=True) if text else ""
    return "" if host == "localhost" else host


def _host_and_port(text: str, scheme: str, has_userinfo: bool) -> tuple[str, str]:
    name, port = cast("re.Match[str]", _HOST_AND_PORT.fullmatch(text)).groups()
    if not name and (scheme in _DEFAULT_PORTS or has_userinfo or port is not None):
        raise ValueError("its host is empty")
    host = parse_host(name, is_special=scheme in _DEFAULT_PORTS)
    if port and not (port.isascii() and port.isdecimal()):
        raise ValueError(f"its port is no number: {port!r}")
    return host, _parse_port(port, scheme) if port else ""


def _parse_port(digits: str, scheme: str) -> str:
    port = digits.lstrip("0") or "0"
    if len(port) > 5 or int(port) > 65535:
        raise ValueError("its port is above 65535")
    return "" if port == _DEFAULT_PORTS.get(scheme) else port


def _join(segments: list[str], text: str, scheme: str) -> str:
    """Return the path of `segments` and then those of `text`, whose dot segments are resolved (path state)."""
    if scheme in _DEFAULT_PORTS:
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
