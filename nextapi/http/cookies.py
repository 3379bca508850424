"""The Cookie and Set-Cookie headers as Next's API routes read and write them: npm's `cookie` 0.4.

The first of two cookies with one name wins, surrounding quotes are dropped, values are percent-decoded where that is
possible. What is written is checked (RFC 6265, 4.1.1), which npm's is not: a cookie that ends the header, or begins
another attribute, is an error here. The parts of a Set-Cookie line are for those who write it in another order.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal, TypedDict

from werkzeug.http import http_date

from nextapi.errors import HeaderError
from nextapi.text import TOKEN, WHITESPACE, decode_uri_component, encode_uri_component

__all__ = [
    "PRIORITIES",
    "SAME_SITES",
    "CookieSerializeOptions",
    "checked_attribute",
    "cookie_pair",
    "expires_attribute",
    "known_word",
    "parse_cookie",
    "serialize_cookie",
]

# RFC 9110, 5.6.2: a token. npm's `cookie` lets every visible character pass.
_NAME = re.compile(TOKEN)
_ATTRIBUTE = re.compile(r"[\x20-\x3a\x3c-\x7e]*")
SAME_SITES = {"strict": "Strict", "lax": "Lax", "none": "None"}
PRIORITIES = {"low": "Low", "medium": "Medium", "high": "High"}


class CookieSerializeOptions(TypedDict, total=False):
    """The keywords of `serialize_cookie`, for functions that hand them on (npm `CookieSerializeOptions`)."""

    path: str | None
    max_age: float | None
    expires: datetime | None
    domain: str | None
    http_only: bool
    secure: bool
    same_site: Literal["strict", "lax", "none", "Strict", "Lax", "None"] | bool | None
    partitioned: bool
    priority: Literal["low", "medium", "high"] | None
    encode: Callable[[str], str] | None


def parse_cookie(header: str) -> dict[str, str]:
    """Return the cookies of a Cookie header, name to value (npm `cookie.parse`)."""
    cookies: dict[str, str] = {}
    if not header:
        return cookies
    for part in header.split(";"):
        name, equals, value = part.partition("=")
        if not equals:
            continue
        name = name.strip(WHITESPACE)
        if name in cookies:
            continue
        value = value.strip(WHITESPACE)
        if value.startswith('"'):
            value = value[1:-1]
        cookies[name] = _decode(value)
    return cookies


def _decode(value: str) -> str:
    try:
        return decode_uri_component(value)
    except ValueError:
        return value


def serialize_cookie(
    name: str,
    value: str,
    *,
    path: str | None = None,
    max_age: float | None = None,
    expires: datetime | None = None,
    domain: str | None = None,
    http_only: bool = False,
    secure: bool = False,
    same_site: Literal["strict", "lax", "none", "Strict", "Lax", "None"] | bool | None = None,
    partitioned: bool = False,
    priority: Literal["low", "medium", "high"] | None = None,
    encode: Callable[[str], str] | None = None,
) -> str:
    """Return a Set-Cookie header value (npm `cookie.serialize`).

    `value` is percent-encoded, or goes through `encode`. `max_age` is in seconds, cut to an integer; `expires` is
    aware or in UTC; `same_site=True` is Strict. Raises `HeaderError` for a name, path or domain that cannot be
    written, ValueError for an unknown `same_site` or `priority`.
    """
    parts = [cookie_pair(name, value, encode)]
    if max_age is not None:
        parts.append(f"Max-Age={int(max_age)}")
    if domain is not None:
        parts.append(checked_attribute(name, "Domain", domain))
    if path is not None:
        parts.append(checked_attribute(name, "Path", path))
    if expires is not None:
        parts.append(expires_attribute(expires))
    if http_only:
        parts.append("HttpOnly")
    if secure:
        parts.append("Secure")
    if partitioned:
        parts.append("Partitioned")
    if priority is not None:
        parts.append(f"Priority={PRIORITIES[known_word(PRIORITIES, priority, 'priority')]}")
    if same_site:
        word = "strict" if same_site is True else known_word(SAME_SITES, same_site, "same_site")
        parts.append(f"SameSite={SAME_SITES[word]}")
    return "; ".join(parts)


def cookie_pair(name: str, value: str, encode: Callable[[str], str] | None = None) -> str:
    """Return "name=value", the value percent-encoded or through `encode`; raise `HeaderError` for a bad one of both."""
    if not _NAME.fullmatch(name):
        raise HeaderError("A cookie's name is a token, of letters, digits and !#$%&'*+-.^_`|~", name)
    text = encode_uri_component(value) if encode is None else encode(value)
    if not _ATTRIBUTE.fullmatch(text):
        raise HeaderError(f"Invalid character in the value of cookie {name!r}", text)
    return f"{name}={text}"


def checked_attribute(name: str, attribute: str, setting: str) -> str:
    """Return "attribute=setting" for the cookie `name`; raise `HeaderError` where it would begin another attribute."""
    if not _ATTRIBUTE.fullmatch(setting):
        raise HeaderError(f"Invalid character in {attribute} of cookie {name!r}", setting)
    return f"{attribute}={setting}"


def expires_attribute(expires: datetime) -> str:
    """Return "Expires=date" for a date that is aware or in UTC."""
    return f"Expires={http_date(expires if expires.tzinfo else expires.replace(tzinfo=UTC))}"


def known_word(spellings: dict[str, str], value: str, option: str) -> str:
    """Return `value` in lower case, raise ValueError unless `spellings` has it."""
    if value.lower() not in spellings:
        raise ValueError(f"{option} is one of {', '.join(spellings)}, not {value!r}")
    return value.lower()
