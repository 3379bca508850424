"""What an answer's headers say about keeping it: for how long, by which names, and why not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextapi.cache.policy import (
    MAX_TAG_LENGTH,
    MAX_TAGS,
    PRIVATE,
    Lifetime,
    cache_control,
    kept_headers,
    lifetime,
    refusal,
    tags,
    vary_names,
    with_lifetime,
)

KEPT = ("Cache-Control", "s-maxage=60")


def says(*values: str) -> list[tuple[str, str]]:
    return [("Cache-Control", value) for value in values]


# For how long


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Content-Type", "text/html"), ("Expires", "Thu, 01 Jan 2099 00:00:00 GMT")],
        says("max-age=60"),
        says("public, max-age=60, stale-while-revalidate=60"),
        says("xs-maxage=60"),
        says('private="a, s-maxage=5"'),
        says('a="\\", s-maxage=5"'),
        [("X-Cache-Control", "s-maxage=60"), ("Last-Modified", "s-maxage=60")],
    ],
    ids=str,
)
def test_nothing_but_s_maxage_opts_in(headers: list[tuple[str, str]]) -> None:
    """An answer that does not say `s-maxage` asks for nothing."""
    assert lifetime(headers) is None
    assert refusal(200, headers)
    assert with_lifetime(headers, 30) == headers


@pytest.mark.parametrize(
    ("values", "fresh", "stale"),
    [
        (["s-maxage=60"], 60, 0),
        (["s-maxage=60, stale-while-revalidate=600"], 60, 600),
        (["S-MaxAge=60,STALE-while-revalidate=600"], 60, 600),
        (['s-maxage="60", stale-while-revalidate="600"'], 60, 600),
        (["s-maxage=60", "stale-while-revalidate=600"], 60, 600),
        (['public, x="a, s-maxage=5", max-age=1, s-maxage=60'], 60, 0),
        ([' s-maxage = 60 ,, stale-while-revalidate\t= "600" '], 60, 600),
        (["s-maxage=60, s-maxage=5"], 5, 0),
        (["s-maxage=5", "s-maxage=60"], 5, 0),
        (["s-maxage=60, stale-while-revalidate=9, stale-while-revalidate=8"], 60, 8),
        (["s-maxage=0, stale-while-revalidate=600"], 0, 600),
        (["s-maxage=00060"], 60, 0),
        (["s-maxage=1999999999"], 1_999_999_999, 0),
        (["s-maxage=4294967296"], 2**31, 0),
        (["s-maxage=" + "9" * 10_000], 2**31, 0),
        (["s-maxage=" + "0" * 10_000 + "7"], 7, 0),
        (["s-maxage=60, must-revalidate, stale-while-revalidate=600"], 60, 0),
        (["s-maxage=60, stale-while-revalidate=600", "Proxy-Revalidate"], 60, 0),
        (['s-maxage=60, x="proxy-revalidate", stale-while-revalidate=600'], 60, 600),
    ],
    ids=lambda value: ascii(value)[:60],
)
def test_lifetime(values: list[str], fresh: int, stale: int) -> None:
    """Directives count in any case, over all lines, out of quotes; the smallest number holds."""
    assert lifetime(says(*values)) == Lifetime(fresh, stale)
    assert lifetime([("cache-control", value) for value in values]) == Lifetime(fresh, stale)


@pytest.mark.parametrize("number", ["", "=", "=-1", "=+1", "=1.5", "=1e3", "=0x10", "=1 2", "='60'", '="60', "=\xb2"])
def test_number_that_is_none_is_0(number: str) -> None:
    """What is no number (RFC 9111, 1.2.2) is over at once."""
    assert lifetime(says(f"s-maxage{number}, stale-while-revalidate=5")) == Lifetime(0, 5)
    assert lifetime(says(f"s-maxage=5, stale-while-revalidate{number}")) == Lifetime(5, 0)
    assert lifetime(says(f"s-maxage=5, s-maxage{number}")) == Lifetime(0, 0)


@pytest.mark.parametrize(
    ("age", "fresh", "stale"),
    [
        ("0", 60, 600),
        ("20", 40, 600),
        ("60", 0, 600),
        ("100", 0, 560),
        ("9999999999", 0, 0),
        ("20, 50", 40, 600),
        ("-5", 60, 600),
        ("x, 50", 60, 600),
        ("", 60, 600),
    ],
)
def test_age_is_taken_off(age: str, fresh: int, stale: int) -> None:
    """A page that was on its way for a while has less time left; of several Ages the first counts."""
    headers = says("s-maxage=60, stale-while-revalidate=600")
    assert lifetime([*headers, ("AGE", age), ("age", "1")]) == Lifetime(fresh, stale)


@given(st.lists(st.text(st.characters(max_codepoint=255))))
def test_no_text_is_too_odd_to_read(values: list[str]) -> None:
    """Whatever Cache-Control says is read without an exception, and never below 0."""
    headers = says("s-maxage=60", *values)
    life = lifetime(headers)
    assert life is not None
    assert 0 <= life.fresh <= 60
    assert life.stale >= 0
    refusal(200, headers)
    changed = with_lifetime(headers, 30)
    assert len(changed) == len(headers)
    assert lifetime(changed) is not None


# Why not


@pytest.mark.parametrize("status", [200, 203, 204, 301, 302, 303, 307, 308, 404, 410])
def test_statuses_of_pages(status: int) -> None:
    """Whole answers, redirects, and pages that are not there are kept."""
    assert refusal(status, [KEPT]) is None


@pytest.mark.parametrize("status", [100, 201, 206, 300, 304, 400, 401, 403, 405, 429, 500, 503])
def test_other_statuses(status: int) -> None:
    """What depends on one request, and what went wrong, is not kept; the reason names the status first."""
    reason = refusal(status, [KEPT, ("Set-Cookie", "a=b")])
    assert reason is not None
    assert f"status is {status}:" in reason


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        (says("private"), "Cache-Control says private"),
        (says("Private"), "Cache-Control says private"),
        (says('private="set-cookie"'), "Cache-Control says private"),
        (says("max-age=0, no-store"), "Cache-Control says no-store"),
        (says("no-cache"), "Cache-Control says no-cache"),
        (says('NO-CACHE="a, b"'), "Cache-Control says no-cache"),
        (says('x="a, private'), "Cache-Control says private"),
        (says('"private'), "Cache-Control says private"),
        (says(PRIVATE), "Cache-Control says private"),
        ([("set-cookie", "session=secret; Path=/")], "Set-Cookie sets 'session'"),
        ([("Set-Cookie", "")], "Set-Cookie sets ''"),
        ([("Vary", "Cookie")], "Vary names Cookie: something read the session or the cookies; leave that out of the"),
        ([("vary", "Accept"), ("VARY", "Origin, cOOKIE")], "Vary names Cookie"),
        ([("Vary", "Authorization")], "Vary names Authorization"),
        ([("Vary", "*")], "Vary names *"),
        ([("Vary", "Accept, *")], "Vary names *"),
        ([("content-range", "bytes 0-1/2")], "Content-Range"),
        ([("transfer-encoding", "chunked")], "Transfer-Encoding"),
        ([("Age", "60")], "s-maxage is over"),
        (says("s-maxage=0"), "s-maxage is over"),
        ([("Cache-Tag", ",".join(map(str, range(MAX_TAGS + 1))))], f"has {MAX_TAGS + 1} tags"),
        ([("Cache-Tag", "a"), ("Cache-Tag", "x" * (MAX_TAG_LENGTH + 1))], f"a tag of {MAX_TAG_LENGTH + 1} characters"),
    ],
    ids=lambda value: ascii(value)[:60],
)
def test_refusals(pairs: list[tuple[str, str]], words: str) -> None:
    """What is for one visitor, a part, or could miss an expiry is not kept; the reason names the header."""
    for headers in ([KEPT, *pairs], [*pairs, KEPT]):
        reason = refusal(200, headers)
        assert reason is not None
        assert words in reason
        assert "secret" not in reason
        assert "\n" not in reason


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        says("public, max-age=0"),
        says('x="private, no-store"'),
        says("no-cachet, privateer"),
        says("must-revalidate"),
        [("Vary", "Accept-Language, X-Cookie"), ("Content-Encoding", "gzip")],
        [("Cache-Tag", ",".join(map(str, range(MAX_TAGS))))],
        [("Cache-Tag", ",".join(["same"] * (MAX_TAGS + 1)))],
        [("Cache-Tag", "x" * MAX_TAG_LENGTH)],
        [("Age", "59")],
        [("Age", "60"), *says("stale-while-revalidate=1")],
    ],
    ids=lambda value: ascii(value)[:60],
)
def test_no_refusal(pairs: list[tuple[str, str]]) -> None:
    """Whatever else a page says, it may be kept."""
    assert refusal(200, [KEPT, *pairs]) is None


# By which names


@pytest.mark.parametrize(
    ("pairs", "names"),
    [
        ([], ()),
        ([("Vary", "")], ()),
        ([("Vary", "Origin, Accept-Language,, accept"), ("vary", " ACCEPT ")], ("accept", "accept-language", "origin")),
        ([("Content-Encoding", "gzip")], ("accept-encoding",)),
        ([("Content-Encoding", "br"), ("Vary", "Accept-Encoding")], ("accept-encoding",)),
        ([("Content-Encoding", "Identity"), ("Vary", "Origin")], ("origin",)),
        ([("Content-Encoding", "identity, gzip")], ("accept-encoding",)),
    ],
    ids=ascii,
)
def test_vary_names(pairs: list[tuple[str, str]], names: tuple[str, ...]) -> None:
    """Names are lower-case, sorted, each once; what is compressed depends on Accept-Encoding."""
    assert vary_names(pairs) == names


def test_tags() -> None:
    """Tags keep their case and order, each once, over all lines."""
    assert tags([("Cache-Tag", "b, a post,,B"), ("X-Tag", "c"), ("cache-tag", " a post ,\tz")]) == (
        "b",
        "a post",
        "B",
        "z",
    )
    assert tags([("Cache-Tags", "a")]) == ()


# What is kept


def test_kept_headers() -> None:
    """What is for one connection, and what each cache says anew, is left out; the rest stays, repeated or not."""
    kept = [
        ("Content-Type", "text/html"),
        ("Link", "a"),
        ("link", "b"),
        ("Date", "Thu, 01 Jan 2026 00:00:00 GMT"),
        ("Cache-Control", "s-maxage=60"),
        ("ETag", '"a"'),
        ("Proxied", "stays"),
    ]
    dropped = [
        ("Connection", "close, X-Hop"),
        ("connection", "x-other"),
        ("x-hop", "1"),
        ("X-Other", "1"),
        ("Keep-Alive", "timeout=5"),
        ("Proxy-Authenticate", "Basic"),
        ("proxy-connection", "close"),
        ("TE", "trailers"),
        ("Trailer", "X"),
        ("Transfer-Encoding", "chunked"),
        ("Upgrade", "h2c"),
        ("age", "5"),
        ("X-Nextjs-Cache", "MISS"),
    ]
    mixed = [pair for both in zip(dropped, [*kept, *[("X-Kept", "1")] * 6], strict=True) for pair in both]
    assert kept_headers(mixed) == [*kept, *[("X-Kept", "1")] * 6]
    assert kept_headers(kept) == kept


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("s-maxage=60, stale-while-revalidate=31535940", "s-maxage=30, stale-while-revalidate=31535970"),
        ("s-maxage=60", "s-maxage=30"),
        ('public,S-MaxAge="60" , x="a, s-maxage=9",max-age=5', 'public,S-MaxAge=30, x="a, s-maxage=9",max-age=5'),
        ("s-maxage=10, stale-while-revalidate=600", "s-maxage=30, stale-while-revalidate=580"),
        ("s-maxage=0, stale-while-revalidate=5", "s-maxage=30, stale-while-revalidate=0"),
        ("s-maxage, stale-while-revalidate=x", "s-maxage=30, stale-while-revalidate=x"),
        ("s-maxage=60, s-maxage=40, stale-while-revalidate=5", "s-maxage=30, s-maxage=30, stale-while-revalidate=15"),
    ],
)
def test_with_lifetime(before: str, after: str) -> None:
    """The time that a page is not fresh is added to the time that it is stale; all else stays as it is written."""
    around = [("Content-Type", "s-maxage=60"), ("cache-control", before), ("X-A", "s-maxage=60")]
    assert with_lifetime(around, 30) == [around[0], ("cache-control", after), around[2]]


def test_with_lifetime_over_several_lines() -> None:
    """The two directives may stand on lines of their own."""
    assert with_lifetime(says("s-maxage=60", "stale-while-revalidate=10, public"), 30) == says(
        "s-maxage=30", "stale-while-revalidate=40, public"
    )


# What Next says


@pytest.mark.parametrize(
    ("revalidate", "value"),
    [
        (60, "s-maxage=60, stale-while-revalidate=31535940"),
        (1, "s-maxage=1, stale-while-revalidate=31535999"),
        (31_535_999, "s-maxage=31535999, stale-while-revalidate=1"),
        (31_536_000, "s-maxage=31536000"),
        (99_999_999, "s-maxage=99999999"),
        (False, "s-maxage=31536000"),
    ],
)
def test_cache_control(revalidate: int, value: str) -> None:
    """Fresh and stale are a year together, and a page that is kept for ever is fresh for it."""
    assert cache_control(revalidate) == value
    assert refusal(200, says(value)) is None
