"""Header names and values: what may go on the wire, and a request's headers as WSGI's environ holds them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, overload

from nextapi.errors import HeaderError
from nextapi.text import TOKEN

__all__ = [
    "MAX_HEADERS",
    "EnvironHeaders",
    "check_header_name",
    "check_header_value",
    "named_by_connection",
]

MAX_HEADERS = 1000
"""A request with more is refused: servers that take any number leave it to what is done with each of them."""

T = TypeVar("T")

_NAME = re.compile(TOKEN)
# RFC 9110, 5.5: a tab, what is visible, and latin-1's upper half.
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


def check_header_name(name: str) -> None:
    """Raise `HeaderError` unless `name` is a token (RFC 9110, 5.1)."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise HeaderError("Header name must be a valid HTTP token", name, "ERR_INVALID_HTTP_TOKEN")


def check_header_value(name: str, value: str) -> None:
    """Raise `HeaderError` where `value` has a control character, a line end, or one outside latin-1."""
    if not _VALUE.fullmatch(value):
        raise HeaderError(f'Invalid character in header content ["{name}"]', value)


def named_by_connection(value: str | None) -> set[str]:
    """Return the names of the headers that are for one connection alone, as its Connection header says (RFC 9110,
    7.6.1).
    """
    return {name.strip().lower() for name in (value or "").split(",")}


class EnvironHeaders(Mapping[str, str]):
    """A request's headers by lower-case name, read from a WSGI environ (PEP 3333) as they are asked for.

    Looking up ignores case. Values are text of one character a byte, as Node's are.
    """

    __slots__ = ("_environ",)

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._environ = environ

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    @overload
    def get(self, name: str) -> str | None: ...
    @overload
    def get(self, name: str, default: str | T) -> str | T: ...
    def get(self, name: str, default: object = None) -> object:
        """Return the value of the header `name`, or `default`."""
        # Asked for on every request, hence not left to Mapping.
        key = name.upper().replace("-", "_")
        if key == "CONTENT_TYPE" or key == "CONTENT_LENGTH":
            # CGI has these two always; empty means that the client did not send them.
            return self._environ.get(key) or default
        return self._environ.get("HTTP_" + key, default)

    def __iter__(self) -> Iterator[str]:
        for key, value in self._environ.items():
            if key.startswith("HTTP_") and key not in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"):
                yield key[5:].replace("_", "-").lower()
            elif key in ("CONTENT_TYPE", "CONTENT_LENGTH") and value:
                yield key.replace("_", "-").lower()

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict(self)!r})"
