"""The cookies of a request and of a response in the web dialect: npm's `@edge-runtime/cookies`, which Next has there.

It reads and writes otherwise than the pages dialect: the last of two cookies with one name wins, quotes stay, a cookie
without "=" is "true", and one whose escapes cannot be decoded is none. What is written is checked, as theirs is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, TypedDict, cast, overload

from werkzeug.http import parse_date

from nextapi.http.cookies import (
    PRIORITIES,
    SAME_SITES,
    checked_attribute,
    cookie_pair,
    expires_attribute,
    known_word,
)
from nextapi.http.json import number_text
from nextapi.text import decode_uri_component, encode_uri_component
from nextapi.web.headers import Headers

if TYPE_CHECKING:
    from typing import Self, Unpack

__all__ = [
    "CookieAttributes",
    "CookieOptions",
    "CookieValue",
    "RequestCookie",
    "RequestCookies",
    "ResponseCookie",
    "ResponseCookies",
    "parse_set_cookie",
]

CookieValue: TypeAlias = str | int | float | None
"""A cookie's value: a number is written as JavaScript writes it, None is empty."""

SameSite: TypeAlias = Literal["strict", "lax", "none", "Strict", "Lax", "None"]
Priority: TypeAlias = Literal["low", "medium", "high", "Low", "Medium", "High"]

_SEPARATOR = re.compile("; *")
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RequestCookie(NamedTuple):
    """A cookie that the client sent."""

    name: str
    value: str


class RequestCookies:
    """The cookies of a request's Cookie header (Next's `RequestCookies`).

    `set`, `delete` and `clear` rewrite that header of the `Headers` that it was made from, and drop it where no cookie
    is left. Iteration gives pairs of a name and its `RequestCookie`; `in` asks for a name.
    """

    __slots__ = ("_headers", "_values")

    def __init__(self, headers: Headers) -> None:
        self._headers = headers
        self._values: dict[str, str] | None = None

    def _parsed(self) -> dict[str, str]:
        if self._values is None:
            self._values = _parse(self._headers.get("cookie", ""))
        return self._values

    def get(self, name: str) -> RequestCookie | None:
        """Return the cookie `name`, or None."""
        value = self._parsed().get(name)
        return None if value is None else RequestCookie(name, value)

    def get_all(self, name: str | None = None) -> list[RequestCookie]:
        """Return all cookies, or those called `name`, which are one at most."""
        return [RequestCookie(key, value) for key, value in self._parsed().items() if name is None or key == name]

    def has(self, name: str) -> bool:
        """Say whether the cookie `name` is there."""
        return name in self._parsed()

    @overload
    def set(self, name: str, value: CookieValue) -> Self: ...
    @overload
    def set(self, cookie: RequestCookie, /) -> Self: ...
    def set(self, name: str | RequestCookie, value: CookieValue = None) -> Self:
        """Set a cookie and rewrite the header; raise `HeaderError` for a name that is no token."""
        if isinstance(name, RequestCookie):
            name, value = name
        text = _text(name, value)
        cookie_pair(name, text)
        self._parsed()[name] = text
        return self._rewrite()

    def delete(self, names: str | Iterable[str]) -> bool:
        """Drop the cookie, or the cookies, of these names and rewrite the header; say whether any was there."""
        values = self._parsed()
        found = [values.pop(name, None) for name in ((names,) if isinstance(names, str) else names)]
        self._rewrite()
        return any(value is not None for value in found)

    def clear(self) -> Self:
        """Drop all cookies."""
        self._values = {}
        return self._rewrite()

    def _rewrite(self) -> Self:
        self._headers.set("cookie", str(self) or None)
        return self

    def __contains__(self, name: object) -> bool:
        return name in self._parsed()

    def __iter__(self) -> Iterator[tuple[str, RequestCookie]]:
        return iter([(cookie.name, cookie) for cookie in self.get_all()])

    def __len__(self) -> int:
        return len(self._parsed())

    def __str__(self) -> str:
        # Names are the client's, and go back as they came.
        return "; ".join(f"{name}={encode_uri_component(value)}" for name, value in self._parsed().items())

    def __repr__(self) -> str:
        return f"RequestCookies({str(self)!r})"


class CookieAttributes(TypedDict, total=False):
    """The keywords of `ResponseCookies.delete`."""

    path: str | None
    domain: str | None
    http_only: bool | None
    secure: bool | None
    same_site: SameSite | bool | None
    partitioned: bool | None
    priority: Priority | None


class CookieOptions(CookieAttributes, total=False):
    """The keywords of `ResponseCookies.set`, for functions that hand them on."""

    max_age: float | None
    expires: datetime | float | None


@dataclass(frozen=True, slots=True)
class ResponseCookie:
    """A cookie for the client; `str()` is its Set-Cookie line.

    `max_age` is in seconds; `expires` is a date, aware or in UTC, or milliseconds since 1970. `same_site` and
    `priority` are written as they are spelled, `same_site=True` is strict. `str()` raises `HeaderError` for a name,
    path or domain that cannot be written, ValueError for an unknown `same_site` or `priority`.
    """

    name: str
    value: str
    path: str | None = "/"
    max_age: float | None = None
    expires: datetime | float | None = None
    domain: str | None = None
    http_only: bool | None = None
    secure: bool | None = None
    same_site: SameSite | bool | None = None
    partitioned: bool | None = None
    priority: Priority | None = None

    def __str__(self) -> str:
        parts = [cookie_pair(self.name, self.value)]
        if self.path:
            parts.append(checked_attribute(self.name, "Path", self.path))
        if self.expires is not None:
            parts.append(expires_attribute(_date(self.expires)))
        if self.max_age is not None:
            parts.append(f"Max-Age={number_text(self.max_age)}")
        if self.domain:
            parts.append(checked_attribute(self.name, "Domain", self.domain))
        if self.secure:
            parts.append("Secure")
        if self.http_only:
            parts.append("HttpOnly")
        if self.same_site:
            same_site = "strict" if self.same_site is True else self.same_site
            known_word(SAME_SITES, same_site, "same_site")
            parts.append(f"SameSite={same_site}")
        if self.partitioned:
            parts.append("Partitioned")
        if self.priority:
            known_word(PRIORITIES, self.priority, "priority")
            parts.append(f"Priority={self.priority}")
        return "; ".join(parts)


class ResponseCookies:
    """The cookies that a response sets (Next's `ResponseCookies`).

    They are the Set-Cookie lines of the `Headers` that it was made from, whoever wrote them; the last line of a name
    is its cookie. Lines of other names stay as they are. Iteration gives pairs of a name and its `ResponseCookie`; `in`
    asks for a name.
    """

    __slots__ = ("_cookies", "_headers")

    def __init__(self, headers: Headers) -> None:
        self._headers = headers
        self._cookies: dict[str, ResponseCookie] = {}  # by line: what it was written from

    def get(self, name: str) -> ResponseCookie | None:
        """Return the cookie that is set as `name`, or None; one that was deleted is there, without a value."""
        return self._by_name().get(name)

    def get_all(self, name: str | None = None) -> list[ResponseCookie]:
        """Return all cookies, or those called `name`, which are one at most."""
        return [cookie for key, cookie in self._by_name().items() if name is None or key == name]

    def has(self, name: str) -> bool:
        """Say whether the response sets a cookie `name`."""
        return name in self

    @overload
    def set(self, name: str, value: CookieValue, **options: Unpack[CookieOptions]) -> Self: ...
    @overload
    def set(self, cookie: ResponseCookie, /) -> Self: ...
    def set(self, name: str | ResponseCookie, value: CookieValue = None, **options: Unpack[CookieOptions]) -> Self:
        """Set a cookie, in the place of one of that name; `max_age` says when it expires, over `expires`.

        The path is "/" where none is given, and left out where it is empty. Raises `HeaderError` for a name, path or
        domain that cannot be written, ValueError for an unknown `same_site` or `priority`, or a `max_age` beyond dates.
        """
        if isinstance(name, ResponseCookie):
            cookie = replace(name, **options)
        else:
            cookie = ResponseCookie(name, _text(name, value), **options)
        expires = None if cookie.expires is None else _date(cookie.expires)
        if cookie.max_age:
            expires = _from_now(cookie.max_age)
        cookie = replace(cookie, path="/" if cookie.path is None else cookie.path, expires=expires)
        line = str(cookie)
        self._write(cookie.name, line)
        self._cookies[line] = cookie
        return self

    def delete(self, name: str, **attributes: Unpack[CookieAttributes]) -> Self:
        """Have the client drop the cookie `name`; its path and domain have to be those that it was set with."""
        return self.set(name, "", expires=_EPOCH, **attributes)

    def _write(self, name: str, line: str) -> None:
        pairs = self._headers._pairs
        places = [index for index, (key, text) in enumerate(pairs) if key == "set-cookie" and _name(text) == name]
        if not places:
            pairs.append(("set-cookie", line))
            return
        pairs[places[0]] = ("set-cookie", line)
        for index in reversed(places[1:]):
            del pairs[index]

    def _by_name(self) -> dict[str, ResponseCookie]:
        lines = self._headers.get_set_cookie()
        cookies = [self._cookies.get(line) or parse_set_cookie(line) for line in lines]
        return {cookie.name: cookie for cookie in cookies if cookie is not None}

    def __contains__(self, name: object) -> bool:
        return name in self._by_name()

    def __iter__(self) -> Iterator[tuple[str, ResponseCookie]]:
        return iter(self._by_name().items())

    def __len__(self) -> int:
        return len(self._by_name())

    def __str__(self) -> str:
        return "; ".join(self._headers.get_set_cookie())

    def __repr__(self) -> str:
        return f"ResponseCookies({str(self)!r})"


def parse_set_cookie(line: str) -> ResponseCookie | None:
    """Return the cookie of a Set-Cookie line, None where it has no name (RFC 6265, 5.2).

    A value whose escapes cannot be decoded stays as it is; attributes that are unknown or unreadable are left out.
    """
    pair, *attributes = line.split(";")
    name, equals, value = pair.strip().partition("=")
    if not name:
        return None
    given = {}
    for attribute in attributes:
        key, _, setting = attribute.partition("=")
        given[key.strip().lower()] = setting.strip()
    with suppress(ValueError):
        value = decode_uri_component(value)
    max_age = given.get("max-age", "")
    same_site, priority = given.get("samesite", "").lower(), given.get("priority", "").lower()
    return ResponseCookie(
        name,
        value if equals else "true",
        path=given.get("path") or None,
        max_age=_number(max_age) if _NUMBER.fullmatch(max_age) else None,
        expires=_read_date(given.get("expires")),
        domain=given.get("domain") or None,
        http_only="httponly" in given or None,
        secure="secure" in given or None,
        same_site=cast("SameSite", same_site) if same_site in SAME_SITES else None,
        partitioned="partitioned" in given or None,
        priority=cast("Priority", priority) if priority in PRIORITIES else None,
    )


def _parse(header: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for part in _SEPARATOR.split(header):
        if part:
            name, equals, value = part.partition("=")
            try:
                values[name] = decode_uri_component(value) if equals else "true"
            except ValueError:
                continue
    return values


def _text(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number_text(value)
    raise TypeError(f"the value of cookie {name!r} is text or a number, not {value!r}")


def _name(line: str) -> str:
    return line.partition(";")[0].partition("=")[0].strip()


def _date(expires: datetime | float) -> datetime:
    return expires if isinstance(expires, datetime) else _EPOCH + timedelta(milliseconds=expires)


def _read_date(text: str | None) -> datetime | None:
    try:
        return parse_date(text)
    except OverflowError:
        return None


def _from_now(seconds: float) -> datetime:
    try:
        return datetime.now(UTC) + timedelta(seconds=seconds)
    except OverflowError:
        raise ValueError(f"max_age is a number of seconds up to the year 9999, not {seconds!r}") from None


def _number(text: str) -> float:
    return float(text) if "." in text else int(text)
