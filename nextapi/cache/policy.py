"""What the headers of an answer say about keeping it in a shared cache (RFC 9111, RFC 5861).

Headers are pairs, as WSGI has them: names in any case, lines repeated. A page opts in by `s-maxage` alone: browsers and
proxies are meant by `max-age` and Expires, which frameworks set by themselves. What cannot be read speaks against
keeping. Nothing here knows a store, a clock or a request.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from nextapi.http.headers import named_by_connection

__all__ = [
    "MAX_TAGS",
    "MAX_TAG_LENGTH",
    "PRIVATE",
    "Lifetime",
    "Pairs",
    "age",
    "cache_control",
    "ignores_query",
    "kept_headers",
    "lifetime",
    "private_headers",
    "refusal",
    "tags",
    "vary_names",
    "with_lifetime",
]

Pairs: TypeAlias = Sequence[tuple[str, str]]

PRIVATE = "private, no-cache, no-store, max-age=0, must-revalidate"
"""The Cache-Control of what is for one visitor alone, as Next writes it."""

MAX_TAGS = 128
MAX_TAG_LENGTH = 256
"""Next's limits, of a page's tags and of the characters of one."""

_YEAR = 31_536_000
_MAX_SECONDS = 2**31

# What stands between commas, of which a quoted string may have some. A quote that never ends is a character like any
# other, so that it hides no directive.
_ITEM = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^,])+')
_DIGITS = re.compile(r"[0-9]+")

# Those that RFC 9110, 15.1, lets be kept by default, and redirects, which it lets be kept where headers say so. 206 and
# 304 answer what one client asked for; 405 and above are about the request.
_STATUSES = frozenset((200, 203, 204, 301, 302, 303, 307, 308, 404, 410))
_PRIVATE_DIRECTIVES = ("private", "no-store", "no-cache")
_VARY_REFUSALS = {
    "cookie": "Cookie: something read the session or the cookies; leave that out of the page",
    "authorization": "Authorization: the page depends on who is logged in; leave that out of it",
    "*": "*: no other request is answered by this page; name the headers that it depends on",
}

# For one connection alone (RFC 9110, 7.6.1), and what each who passes the page on says anew. Date stays: it is when the
# page was made (RFC 9110, 6.6.1), and agrees with the Age that it is served with.
_DROPPED = frozenset(
    ("age", "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "x-nextjs-cache")
)


@dataclass(frozen=True, slots=True)
class Lifetime:
    """For how many seconds a page is fresh, and for how many more it is served while it is made anew."""

    fresh: int
    stale: int


def lifetime(headers: Pairs) -> Lifetime | None:
    """Return for how long a page may be kept; None where it does not say `s-maxage`.

    Fresh is `s-maxage` less the Age that the page came with (RFC 9111, 4.2), stale is `stale-while-revalidate` (RFC
    5861, 3), which `must-revalidate` and `proxy-revalidate` forbid (RFC 9111, 5.2.2). Of several values the smallest
    holds, and one that is no number is 0 (RFC 9111, 4.2.1). Numbers above 2^31 are 2^31 (RFC 9111, 1.2.2).
    """
    # Asked for every answer of the host, of which few are pages.
    for name, value in headers:
        if len(name) == 13 and name.lower() == "cache-control" and "s-maxage" in value.lower():
            break
    else:
        return None
    directives = list(_directives(headers))
    fresh = _smallest(directives, "s-maxage")
    if fresh is None:
        return None
    stale = _smallest(directives, "stale-while-revalidate") or 0
    if any(name in ("must-revalidate", "proxy-revalidate") for name, _ in directives):
        stale = 0
    left = fresh - age(headers)
    return Lifetime(max(left, 0), max(stale + min(left, 0), 0))


def refusal(status: int, headers: Pairs) -> str | None:
    """Return why an answer that says `s-maxage` must not be kept, as a clause for a log line; None where it may be.

    Sources: RFC 9111, 3, and beyond it what shows that the answer was made for one visitor.
    """
    if status not in _STATUSES:
        return f"its status is {status}: pages are kept with {', '.join(map(str, sorted(_STATUSES)))}"
    for name, _ in _directives(headers):
        if name in _PRIVATE_DIRECTIVES:
            return f"its Cache-Control says {name} beside s-maxage: leave one of them out"
    for name, value in headers:
        match name.lower():
            case "set-cookie":
                cookie = value.partition("=")[0].strip()[:64]
                return f"its Set-Cookie sets {cookie!r}: leave out of the page what sets a cookie or writes the session"
            case "content-range":
                return "its Content-Range says that it is a part: leave ranges to the server, or s-maxage out"
            case "transfer-encoding":
                return "it has a Transfer-Encoding, which is the server's to say: leave it out"
    varies = vary_names(headers)
    for name, reason in _VARY_REFUSALS.items():
        if name in varies:
            return f"its Vary names {reason}"
    names = tags(headers)
    if len(names) > MAX_TAGS:
        return f"its Cache-Tag has {len(names)} tags: {MAX_TAGS} are the most"
    for tag in names:
        if len(tag) > MAX_TAG_LENGTH:
            return f"its Cache-Tag has a tag of {len(tag)} characters, {tag[:32]!r}...: {MAX_TAG_LENGTH} are the most"
    life = lifetime(headers)
    if life is None:
        return "its Cache-Control does not say s-maxage"
    if not life.fresh and not life.stale:
        return "its s-maxage is over at once: it is 0, no number, or below its Age"
    return None


def vary_names(headers: Pairs) -> tuple[str, ...]:
    """Return the names of the request's headers that a page depends on (RFC 9110, 12.5.5): lower-case, sorted.

    A page that is compressed depends on Accept-Encoding, also where its Vary forgot it.
    """
    names = {item.lower() for item in _listed(headers, "vary")}
    if any(item.lower() != "identity" for item in _listed(headers, "content-encoding")):
        names.add("accept-encoding")
    return tuple(sorted(names))


def tags(headers: Pairs) -> tuple[str, ...]:
    """Return the tags of a page's Cache-Tag lines in their order, each once."""
    return tuple(dict.fromkeys(_listed(headers, "cache-tag")))


def ignores_query(headers: Pairs) -> bool:
    """Say whether a page is the same whatever the query: `No-Vary-Search: params`.

    Source: draft-ietf-httpbis-no-vary-search, of which only this is read.
    """
    return any(value.strip() in ("params", "params=?1") for name, value in headers if name.lower() == "no-vary-search")


def kept_headers(headers: Pairs) -> list[tuple[str, str]]:
    """Return the headers that are kept with a page: without those for one connection, Age and x-nextjs-cache.

    Date stays: it says when the page was made (RFC 9110, 6.6.1; RFC 9111, 3.1).
    """
    named = named_by_connection(",".join(value for name, value in headers if name.lower() == "connection"))
    kept = []
    for name, value in headers:
        lower = name.lower()
        if lower not in _DROPPED and lower not in named and not lower.startswith("proxy-"):
            kept.append((name, value))
    return kept


def with_lifetime(headers: Pairs, fresh: int) -> list[tuple[str, str]]:
    """Return the headers with `fresh` as `s-maxage`, and `stale-while-revalidate` longer by what that is shorter.

    Next does so to a page that could not be made anew: "s-maxage=60, stale-while-revalidate=31535940" becomes
    "s-maxage=30, stale-while-revalidate=31535970". Other directives stay as they are.
    """
    said = _smallest(list(_directives(headers)), "s-maxage")
    if said is None:
        return list(headers)
    longer = said - fresh

    def change(match: re.Match[str]) -> str:
        item = match[0]
        start = item.partition("=")[0].rstrip()
        name, text = _directive(item)
        if name == "s-maxage":
            return f"{start}={fresh}"
        if name == "stale-while-revalidate" and (stale := _seconds(text)) is not None:
            return f"{start}={max(stale + longer, 0)}"
        return item

    return [(name, _ITEM.sub(change, value) if name.lower() == "cache-control" else value) for name, value in headers]


def private_headers(headers: Pairs) -> list[tuple[str, str]]:
    """Return the headers of an answer as those of one that is for who asked alone."""
    return [*(pair for pair in headers if not _is_for_caches(pair[0].lower())), ("Cache-Control", PRIVATE)]


def cache_control(revalidate: int | Literal[False]) -> str:
    """Return the Cache-Control that Next sets for `revalidate`, a positive number of seconds or False for ever.

    A page is fresh for so long, and served while it is made anew for the rest of a year.
    """
    if revalidate is False:
        return f"s-maxage={_YEAR}"
    if revalidate >= _YEAR:
        return f"s-maxage={revalidate}"
    return f"s-maxage={revalidate}, stale-while-revalidate={_YEAR - revalidate}"


def _is_for_caches(name: str) -> bool:
    # A cache that is named takes its own header in place of Cache-Control (RFC 9213).
    return name.endswith("cache-control") or name in ("expires", "surrogate-control")


def _directives(headers: Pairs) -> Iterator[tuple[str, str]]:
    for name, value in headers:
        if name.lower() == "cache-control":
            yield from map(_directive, _ITEM.findall(value))


def _directive(item: str) -> tuple[str, str]:
    """Return a directive's name in lower case, and its value out of quotes."""
    name, _, text = item.partition("=")
    text = text.strip()
    if text[:1] == text[-1:] == '"':
        text = text[1:-1]
    return name.strip(' \t"').lower(), text


def _smallest(directives: list[tuple[str, str]], wanted: str) -> int | None:
    said = [_seconds(text) or 0 for name, text in directives if name == wanted]
    return min(said, default=None)


def _seconds(text: str) -> int | None:
    """Return a number of seconds (RFC 9111, 1.2.2); None for what is none."""
    if not _DIGITS.fullmatch(text):
        return None
    digits = text.lstrip("0")
    # Python refuses to read a number of thousands of digits.
    return min(int(digits or "0"), _MAX_SECONDS) if len(digits) <= 10 else _MAX_SECONDS


def age(headers: Pairs) -> int:
    """Return the Age of an answer; the first of several counts, and one that is no number does not (RFC 9111, 5.1)."""
    for name, value in headers:
        if name.lower() == "age":
            return _seconds(value.partition(",")[0].strip()) or 0
    return 0


def _listed(headers: Pairs, wanted: str) -> Iterator[str]:
    """Yield the members of a header that is a list, over all its lines (RFC 9110, 5.6.1)."""
    for name, value in headers:
        if name.lower() == wanted:
            for item in value.split(","):
                if item := item.strip():
                    yield item
