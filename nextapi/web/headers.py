"""`Headers` of the WHATWG Fetch standard: pairs in order, looked up without case, checked as they are set.

`Headers._pairs` is what is sent: (lower-case name, value). A request's headers stay in WSGI's environ until more is
asked than the value of one of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast, overload

from nextapi.errors import HeaderError, HTTPError, ReadonlyHeadersError
from nextapi.http.headers import MAX_HEADERS, EnvironHeaders, check_header_name, check_header_value
from nextapi.http.json import number_text
from nextapi.web.pairs import set_pair

__all__ = ["GivenValue", "Headers", "HeadersInit", "ReadonlyHeaders", "headers_of", "request_headers"]

T = TypeVar("T")

GivenValue: TypeAlias = str | int | float | None
"""A header's value: numbers are written as JavaScript writes them, None leaves the header out."""

HeadersInit: TypeAlias = (
    "Mapping[str, GivenValue | list[str] | tuple[str, ...]] | Mapping[str, str] | Iterable[tuple[str, GivenValue]]"
)
"""What `Headers` are made of: a mapping, in which a list is a header that is repeated, or pairs."""

_WHITESPACE = " \t\r\n"


class Headers(MutableMapping[str, str]):
    """Header lines in order, by name without case (WHATWG Fetch, 5.1).

    Made from a mapping (a list repeats the header, None leaves it out), pairs or other `Headers`. As a mapping it has
    each name once, in lower case and sorted, with the values of repeated lines joined by ", "; `multi_items()` has all
    lines, `get_set_cookie()` those that cannot be joined. Names and values that must not go on the wire are a
    `HeaderError`, which is a `TypeError`.
    """

    __slots__ = ("_pairs",)

    _pairs: list[tuple[str, str]]

    def __init__(self, init: HeadersInit | None = None) -> None:
        if isinstance(init, Headers):
            self._pairs = init._pairs.copy()
            return
        self._pairs = []
        if init is None:
            return
        pairs = cast("Mapping[str, Any]", init).items() if isinstance(init, Mapping) else _checked_pairs(init)
        for name, value in pairs:
            for line in value if isinstance(value, list | tuple) else (value,):
                self.append(name, line)

    @overload
    def get(self, name: str) -> str | None: ...
    @overload
    def get(self, name: str, default: str | T) -> str | T: ...
    def get(self, name: str, default: object = None) -> object:
        """Return the value of the header `name`, repeated ones joined by ", ", or `default`."""
        name = name.lower()
        values = [value for key, value in self._pairs if key == name]
        return ", ".join(values) if values else default

    def get_all(self, name: str) -> list[str]:
        """Return the values of all lines of `name` in order."""
        name = name.lower()
        return [value for key, value in self._pairs if key == name]

    def get_set_cookie(self) -> list[str]:
        """Return the values of all Set-Cookie lines (Fetch's `getSetCookie`)."""
        return self.get_all("set-cookie")

    def has(self, name: str) -> bool:
        """Say whether the header `name` is there."""
        return name in self

    def set(self, name: str, value: GivenValue) -> None:
        """Give the first line of `name` this value and drop its others; None drops them all."""
        line = _line(name, value)
        if line is None:
            self.delete(name)
            return
        set_pair(self._pairs, *line)

    def append(self, name: str, value: GivenValue) -> None:
        """Add a line at the end, beside those that `name` has; None adds none."""
        line = _line(name, value)
        if line is not None:
            self._pairs.append(line)

    def delete(self, name: str) -> None:
        """Drop all lines of `name`."""
        name = name.lower()
        self._pairs[:] = [pair for pair in self._pairs if pair[0] != name]

    def multi_items(self) -> list[tuple[str, str]]:
        """Return all lines as (lower-case name, value), in the order in which they were added."""
        return self._pairs.copy()

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __setitem__(self, name: str, value: str) -> None:
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        self.delete(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({key for key, _ in self._pairs}))

    def __len__(self) -> int:
        return len({key for key, _ in self._pairs})

    def __copy__(self) -> Headers:
        return Headers(self)

    def __repr__(self) -> str:
        return f"Headers({self._pairs!r})"


class _RequestHeaders(Headers):
    """Headers that are in a WSGI environ, and are copied from it when more than one value is asked for."""

    __slots__ = ("_environ",)

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._environ: EnvironHeaders | None = EnvironHeaders(environ)

    if not TYPE_CHECKING:

        def __getattr__(self, name):
            # Called where a slot is empty, as that of the pairs is until they are asked for.
            if name != "_pairs":
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            environ = self._environ
            self._pairs = [(name, environ[name]) for name in environ]
            if len(self._pairs) > MAX_HEADERS:  # some servers take any number, and all are looked through for each
                raise HTTPError(431, "Request Header Fields Too Large")
            self._environ = None
            return self._pairs

    @overload
    def get(self, name: str) -> str | None: ...
    @overload
    def get(self, name: str, default: str | T) -> str | T: ...
    def get(self, name: str, default: object = None) -> object:
        # The environ has "_" where the header has "-".
        if self._environ is None or "_" in name:
            return super().get(name, default)
        return self._environ.get(name, default)


class ReadonlyHeaders(Headers):
    """Headers that can be read alone: a view of others, or made as `Headers` are (Next's `ReadonlyHeaders`)."""

    __slots__ = ("_source",)

    def __init__(self, init: HeadersInit | None = None) -> None:
        self._source = init if isinstance(init, Headers) else Headers(init)

    @property
    def _pairs(self) -> list[tuple[str, str]]:  # type: ignore[override]  # nothing here assigns it
        return self._source._pairs

    @overload
    def get(self, name: str) -> str | None: ...
    @overload
    def get(self, name: str, default: str | T) -> str | T: ...
    def get(self, name: str, default: object = None) -> object:
        return self._source.get(name, default)

    def set(self, name: str, value: GivenValue) -> None:
        """Raise `ReadonlyHeadersError`."""
        raise ReadonlyHeadersError

    def append(self, name: str, value: GivenValue) -> None:
        """Raise `ReadonlyHeadersError`."""
        raise ReadonlyHeadersError

    def delete(self, name: str) -> None:
        """Raise `ReadonlyHeadersError`."""
        raise ReadonlyHeadersError


def headers_of(pairs: list[tuple[str, str]]) -> Headers:
    """Return Headers that take over `pairs`, whose names are in lower case and which were checked before."""
    headers = Headers.__new__(Headers)
    headers._pairs = pairs
    return headers


def request_headers(environ: Mapping[str, Any]) -> Headers:
    """Return the headers of a WSGI environ (PEP 3333), read as they are asked for; a change leaves the environ alone.

    Values are text of one character a byte, as WSGI has them.
    """
    return _RequestHeaders(environ)


def _checked_pairs(init: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    for pair in init:
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise TypeError(f"Headers are made from a mapping or (name, value) pairs, not from {pair!r}")
        yield pair[0], pair[1]


def _line(name: str, value: object) -> tuple[str, str] | None:
    check_header_name(name)
    if isinstance(value, str):
        text = value.strip(_WHITESPACE)
        check_header_value(name, text)
    elif value is None:
        return None
    elif isinstance(value, int | float) and not isinstance(value, bool):
        text = number_text(value)
    else:
        raise HeaderError(f'The value of header "{name}" is text or a number', value, "ERR_HTTP_INVALID_HEADER_VALUE")
    return name.lower(), text
