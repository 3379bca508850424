"""`URL` of the WHATWG URL standard: text is parsed into parts, each can be set, and the URL is text again.

A plain http(s) URL, in which nothing has to change, is split by one expression. All else goes through the standard's
parser. https://url.spec.whatwg.org has the meaning of every part.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from nextapi.errors import URLError
from nextapi.http.query import decode_pairs
from nextapi.web.host import parse_host
from nextapi.web.search_params import URLSearchParams
from nextapi.web.url_parser import (
    DEFAULT_PORTS,
    PLAIN,
    Parts,
    clean,
    encode_fragment,
    encode_query,
    encode_userinfo,
    join_path,
    leading_authority,
    parse_file_host,
    parse_port,
    parse_url,
    split_port,
)

if TYPE_CHECKING:
    from typing import Self

__all__ = ["URL"]

_SCHEME_VALUE = re.compile("([A-Za-z][A-Za-z0-9+.-]*)(?::.*)?", re.DOTALL)
_DIGITS = re.compile("[0-9]*")


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
        match = PLAIN.fullmatch(text)
        if match is not None:
            scheme, host, port, path, query, fragment = match.groups()
            if port is None or (int(port) < 65536 and port != DEFAULT_PORTS[scheme]):
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
            (
                self._scheme,
                self._username,
                self._password,
                self._host,
                self._port,
                self._path,
                self._is_opaque,
                self._query,
                self._fragment,
            ) = parse_url(text, None if base is None else base._current_parts())
        except ValueError as error:
            against = f" with the base {base.href!r}" if isinstance(base, URL) else ""
            raise URLError(f"{text!r}{against} is no URL: {error}") from None

    def _current_parts(self) -> Parts:
        return Parts(
            self._scheme,
            self._username,
            self._password,
            self._host,
            self._port,
            self._path,
            self._is_opaque,
            self._current_query(),
            self._fragment,
        )

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
        is_tuple = self._scheme in DEFAULT_PORTS and self._scheme != "file"
        return f"{self._scheme}://{self.host}" if is_tuple else "null"

    @property
    def protocol(self) -> str:
        """The scheme and a colon: "http:"."""
        return self._scheme + ":"

    @protocol.setter
    def protocol(self, value: str) -> None:
        match = _SCHEME_VALUE.fullmatch(clean(value))
        if match is None:
            return
        scheme = match[1].lower()
        if (scheme in DEFAULT_PORTS) != (self._scheme in DEFAULT_PORTS):
            return
        if scheme == "file" and (self._username or self._password or self._port):
            return
        if self._scheme == "file" and not self._host:
            return
        self._scheme = scheme
        if self._port == DEFAULT_PORTS.get(scheme):
            self._port = ""

    @property
    def username(self) -> str:
        """The user's name, percent-encoded; "" where there is none."""
        return self._username

    @username.setter
    def username(self, value: str) -> None:
        if self._host and self._scheme != "file":
            self._username = encode_userinfo(value)

    @property
    def password(self) -> str:
        """The password, percent-encoded; "" where there is none."""
        return self._password

    @password.setter
    def password(self, value: str) -> None:
        if self._host and self._scheme != "file":
            self._password = encode_userinfo(value)

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
        is_special = self._scheme in DEFAULT_PORTS
        authority = leading_authority(clean(value), self._scheme)
        try:
            if self._scheme == "file":
                self._host = parse_file_host(authority)
                return
            name, port = split_port(authority)
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
            self._set_port(clean(value))
        else:
            self._port = ""

    def _set_port(self, value: str) -> None:
        digits = cast("re.Match[str]", _DIGITS.match(value))[0]
        if digits:
            try:
                self._port = parse_port(digits, self._scheme)
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
        value = clean(value)
        is_special = self._scheme in DEFAULT_PORTS
        if not value and not is_special:
            self._path = "/" if self._host is None else ""
            return
        begins = value.startswith(("/", "\\") if is_special else "/")
        self._path = join_path([], value[1:] if begins else value, self._scheme)

    @property
    def search(self) -> str:
        """The query with its question mark, percent-encoded: "?a=1"; "" where it is empty."""
        query = self._current_query()
        return f"?{query}" if query else ""

    @search.setter
    def search(self, value: str) -> None:
        self._query = encode_query(clean(value.removeprefix("?")), self._scheme) if value else None
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
        self._fragment = encode_fragment(clean(value.removeprefix("#"))) if value else None

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
