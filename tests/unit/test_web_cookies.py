"""Cookies as `@edge-runtime/cookies` reads and writes them (recorded), and where nextapi differs on purpose."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.http import parse_date

from nextapi.errors import HeaderError, ReadonlyHeadersError
from nextapi.web.cookies import (
    CookieOptions,
    RequestCookie,
    RequestCookies,
    ResponseCookie,
    ResponseCookies,
    parse_set_cookie,
)
from nextapi.web.headers import Headers, ReadonlyHeaders, request_headers

DATA = Path(__file__).parents[1] / "conformance/data"
VECTORS = json.loads((DATA / "unit_vectors.json").read_text("utf-8"))
NEW_YEAR = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
OPTIONS = {"maxAge": "max_age", "httpOnly": "http_only", "sameSite": "same_site"}
GONE = "Expires=Thu, 01 Jan 1970 00:00:00 GMT"

# Cookies that nextapi writes otherwise or refuses, by name and options, and why.
WRITTEN_OTHERWISE: dict[tuple[str, str], tuple[str | type[Exception], str]] = {
    ("a", "sameSite=True"): ("a=1; SameSite=strict", "SameSite=true is no policy: browsers take it for Lax"),
    ("a", "sameSite=bogus"): (ValueError, "no policy"),
    ("a", "priority=bogus"): (ValueError, "no priority"),
    ("a", "maxAge=x"): (TypeError, "no number"),
    ("a", "path=/a;b"): (HeaderError, "it would begin another attribute"),
    ("a b", ""): (HeaderError, "no token"),
    ("", ""): (HeaderError, "no token"),
    ("a;", ""): (HeaderError, "no token: it would end the cookie"),
    ("\xe9", ""): (HeaderError, "no token"),
}

# Set-Cookie lines that nextapi reads otherwise, and why.
READ_OTHERWISE: dict[str, tuple[dict[str, Any] | None, str]] = {
    "a=1; Expires=garbage": ({"name": "a", "value": "1"}, "an invalid date is none"),
    "a=%zz": ({"name": "a", "value": "%zz"}, "Next's fails"),
    "=1": (None, "without a name it is no cookie"),
    "a=; Path=/": ({"name": "a", "value": "", "path": "/"}, "Next's loses what is falsy"),
    "a=1; Path": ({"name": "a", "value": "1"}, "RFC 6265, 5.2.4: the path is the default one"),
    "a=1; Max-Age=0": ({"name": "a", "value": "1", "max_age": 0}, "Next's loses what is falsy"),
}


def _key(vector: dict[str, Any]) -> tuple[str, str]:
    options = vector["options"]
    if len(options) > 1:
        return vector["name"], " ".join(sorted(options))
    return vector["name"], "".join(f"{name}={value}" for name, value in options.items())


def _said(cookie: ResponseCookie | None) -> dict[str, Any] | None:
    """What a cookie says beside the defaults."""
    if cookie is None:
        return None
    given = {field.name: getattr(cookie, field.name) for field in fields(cookie)}
    return {name: value for name, value in given.items() if value is not None and value is not False}


# --- RequestCookies


@pytest.mark.parametrize("vector", VECTORS["cookieParse"], ids=lambda vector: ascii(vector["in"]))
def test_reads_a_cookie_header_as_next(vector: dict[str, Any]) -> None:
    """A Cookie header is read as recorded: the last wins, quotes stay, what has no "=" is "true"."""
    cookies = RequestCookies(request_headers({"HTTP_COOKIE": vector["in"]}))
    expected = [tuple(pair) for pair in vector["edge"]["ok"]]
    assert [(cookie.name, cookie.value) for cookie in cookies.get_all()] == expected
    assert [(name, cookie.value) for name, cookie in cookies] == expected
    assert len(cookies) == len(expected)


def test_repeated_cookie_keeps_its_place() -> None:
    """Of two with one name the last wins, in the place of the first; one that is unreadable does not win."""
    cookies = RequestCookies(Headers({"cookie": "a=1; b=2; a=3; b=%zz"}))
    assert str(cookies) == "a=3; b=2"


def test_request_cookies_as_recorded() -> None:
    """What each method of a request's cookies gives, and what becomes of the header, are as Next's."""
    headers = Headers({"cookie": "a=1; b=2; a=%20z"})
    cookies = RequestCookies(headers)
    assert cookies.get("a") == RequestCookie("a", " z")
    assert cookies.get("nope") is None
    assert (cookies.has("a"), cookies.has("nope"), "a" in cookies, "nope" in cookies) == (True, False, True, False)
    assert cookies.get_all() == [RequestCookie("a", " z"), RequestCookie("b", "2")]
    assert (cookies.get_all("a"), cookies.get_all("nope")) == ([RequestCookie("a", " z")], [])
    assert list(cookies) == [("a", RequestCookie("a", " z")), ("b", RequestCookie("b", "2"))]
    assert (len(cookies), str(cookies)) == (2, "a=%20z; b=2")
    assert cookies.set("new", "x y") is cookies
    assert cookies.delete("a") is True
    assert headers["cookie"] == "b=2; new=x%20y"
    assert len(cookies.clear()) == 0
    assert "cookie" not in headers


def test_request_cookie_is_set_from_an_object_or_number() -> None:
    """`set` takes a cookie, and numbers as JavaScript writes them."""
    headers = Headers()
    RequestCookies(headers).set(RequestCookie("a", "1;")).set("b", 2.0).set("c", None).set(name="d", value="x")
    assert headers["cookie"] == "a=1%3B; b=2; c=; d=x"


def test_request_cookies_are_deleted_by_names() -> None:
    """`delete` takes several names, and says whether one of them was there."""
    cookies = RequestCookies(Headers({"cookie": "a=; b=2; c=3"}))
    assert [cookies.delete(["a", "c"]), cookies.delete("a"), cookies.delete(["x", "b"])] == [True, False, True]
    assert len(cookies) == 0


def test_other_cookies_go_back_as_they_came() -> None:
    """Names that could not be set stay where the header is written anew."""
    headers = Headers({"cookie": 'a b=1; "q"=2; n\xe9=3; v'})
    RequestCookies(headers).set("x", "1")
    assert headers["cookie"] == 'a b=1; "q"=2; n\xe9=3; v=true; x=1'


@pytest.mark.parametrize("name", ["", "a=b", "a;b", "a b", "a\r\nx", "\xe9"], ids=ascii)
def test_request_cookie_with_a_bad_name_is_refused(name: str) -> None:
    """A name that would be read as another cookie is refused, and nothing changes."""
    headers = Headers({"cookie": "a=1"})
    with pytest.raises(HeaderError, match="A cookie's name is a token"):
        RequestCookies(headers).set(name, "1")
    assert headers["cookie"] == "a=1"


def test_readonly_cookies_are_not_written() -> None:
    """Cookies of headers that can be read alone cannot be changed."""
    with pytest.raises(ReadonlyHeadersError):
        RequestCookies(ReadonlyHeaders({"cookie": "a=1"})).set("a", "2")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_request_cookie_is_read_back(value: str) -> None:
    """Any value that is set is read back from the header as it was."""
    headers = Headers()
    RequestCookies(headers).set("a", value)
    assert RequestCookies(headers).get("a") == RequestCookie("a", value)


# --- ResponseCookie


@pytest.mark.parametrize("vector", VECTORS["cookieSerialize"], ids=lambda vector: ascii(_key(vector)))
def test_writes_a_line_as_next(vector: dict[str, Any]) -> None:
    """A line has Next's order of attributes and its spellings; what would break out of the line is refused."""
    options = {OPTIONS.get(name, name): value for name, value in vector["options"].items()}
    if options.get("expires") == "D":
        options["expires"] = NEW_YEAR
    expected, _ = WRITTEN_OTHERWISE.get(_key(vector), (vector["edge"].get("ok", TypeError), ""))
    cookie = ResponseCookie(vector["name"], vector["value"], **{"path": None, **options})
    if isinstance(expected, str):
        assert str(cookie) == expected
    else:
        with pytest.raises(expected):
            str(cookie)


@pytest.mark.parametrize("vector", VECTORS["parseSetCookie"], ids=lambda vector: ascii(vector["in"]))
def test_reads_a_line_as_next(vector: dict[str, Any]) -> None:
    """A Set-Cookie line is read as recorded."""
    if vector["in"] in READ_OTHERWISE:
        expected, _ = READ_OTHERWISE[vector["in"]]
    elif vector["out"]["ok"] is None:
        expected = None
    else:
        expected = {OPTIONS.get(name, name): value for name, value in vector["out"]["ok"].items() if value is not None}
        if "expires" in expected:
            expected["expires"] = datetime.fromisoformat(expected["expires"])
    assert _said(parse_set_cookie(vector["in"])) == expected


def test_every_exception_is_a_vector() -> None:
    """The tables of exceptions name recorded cases only."""
    assert set(WRITTEN_OTHERWISE) <= {_key(vector) for vector in VECTORS["cookieSerialize"]}
    assert set(READ_OTHERWISE) <= {vector["in"] for vector in VECTORS["parseSetCookie"]}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("a=100%2525", {"name": "a", "value": "100%25"}),  # Next's decodes twice
        (" a = 1 ;PATH = /x", {"name": "a ", "value": " 1", "path": "/x"}),
        ("a=1; Max-Age=1; Max-Age=2", {"name": "a", "value": "1", "max_age": 2}),
        ("a=1; Max-Age=-1.5", {"name": "a", "value": "1", "max_age": -1.5}),
        ("a=1; Max-Age=" + "9" * 5000, {"name": "a", "value": "1"}),
        ("a=1; Expires=Wed, 02 Jan 99999999999999999999 03:04:05 GMT", {"name": "a", "value": "1"}),
        (";", None),
    ],
    ids=ascii,
)
def test_reads_odd_lines(line: str, said: dict[str, Any] | None) -> None:
    """Whatever a line says, it is read as far as it can be."""
    assert _said(parse_set_cookie(line)) == said


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SECONDS = st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1)).map(
    lambda date: date.replace(microsecond=0, tzinfo=UTC)
)


@given(
    st.builds(
        ResponseCookie,
        st.from_regex(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", fullmatch=True),
        TEXT,
        path=st.sampled_from([None, "/", "/a b=c,d"]),
        max_age=st.none() | st.integers(-(10**9), 10**9),
        expires=st.none() | SECONDS,
        domain=st.sampled_from([None, "example.com"]),
        http_only=st.sampled_from([True, None]),
        secure=st.sampled_from([True, None]),
        same_site=st.sampled_from([None, "strict", "lax", "none"]),
        partitioned=st.sampled_from([True, None]),
        priority=st.sampled_from([None, "low", "medium", "high"]),
    )
)
def test_line_is_read_back(cookie: ResponseCookie) -> None:
    """A cookie that is written is read back as it was, with all its attributes."""
    assert parse_set_cookie(str(cookie)) == cookie


# --- ResponseCookies


@pytest.mark.parametrize(
    ("value", "options", "line"),
    [
        ("1", {}, "a=1; Path=/"),
        ("1", {"path": "/sub"}, "a=1; Path=/sub"),
        ("1", {"path": None}, "a=1; Path=/"),
        ("1", {"path": ""}, "a=1"),
        ("1", {"http_only": True}, "a=1; Path=/; HttpOnly"),
        ("1", {"secure": True, "partitioned": True}, "a=1; Path=/; Secure; Partitioned"),
        ("1", {"http_only": False, "secure": False, "partitioned": False, "same_site": False}, "a=1; Path=/"),
        ("1", {"same_site": "lax"}, "a=1; Path=/; SameSite=lax"),
        ("1", {"same_site": "None"}, "a=1; Path=/; SameSite=None"),
        ("1", {"max_age": 0}, "a=1; Path=/; Max-Age=0"),
        ("1", {"expires": NEW_YEAR}, "a=1; Path=/; Expires=Wed, 02 Jan 2030 03:04:05 GMT"),
        ("1", {"expires": NEW_YEAR.timestamp() * 1000}, "a=1; Path=/; Expires=Wed, 02 Jan 2030 03:04:05 GMT"),
        ("1", {"expires": 0}, f"a=1; Path=/; {GONE}"),
        ("1", {"domain": "example.com"}, "a=1; Path=/; Domain=example.com"),
        ("1", {"priority": "high"}, "a=1; Path=/; Priority=high"),
        ("1", {"priority": "Medium"}, "a=1; Path=/; Priority=Medium"),
        ('x y;z,"=%\xe9', {}, "a=x%20y%3Bz%2C%22%3D%25%C3%A9; Path=/"),
        ("", {}, "a=; Path=/"),
        (None, {}, "a=; Path=/"),
        (5, {}, "a=5; Path=/"),
    ],
    ids=ascii,
)
def test_sets_a_cookie_as_recorded(value: Any, options: Any, line: str) -> None:
    """`set` writes the line that Next's does."""
    headers = Headers()
    ResponseCookies(headers).set("a", value, **options)
    assert headers.multi_items() == [("set-cookie", line)]


@pytest.mark.parametrize("max_age", [60, -1, 1.5])
def test_max_age_says_when_it_expires(max_age: float) -> None:
    """`max_age` adds Expires, in the place of one that is given."""
    headers = Headers()
    before = datetime.now(UTC).replace(microsecond=0)
    cookie = ResponseCookies(headers).set("a", "1", max_age=max_age, expires=NEW_YEAR).get("a")
    path, expires, last = headers["set-cookie"].removeprefix("a=1; ").split("; ")
    assert (path, last) == ("Path=/", f"Max-Age={max_age}")
    date = parse_date(expires.removeprefix("Expires="))
    assert date is not None
    assert timedelta(0) <= date - before - timedelta(seconds=max_age) + timedelta(seconds=1) < timedelta(seconds=10)
    assert cookie is not None
    assert isinstance(cookie.expires, datetime)
    assert cookie.max_age == max_age


@pytest.mark.parametrize("max_age", [1e15, -1e15, float("inf")])
def test_max_age_beyond_dates_is_refused(max_age: float) -> None:
    """A `max_age` for which there is no date is a ValueError that names it."""
    with pytest.raises(ValueError, match="max_age is a number of seconds up to the year 9999"):
        ResponseCookies(Headers()).set("a", "1", max_age=max_age)


def test_all_options_as_recorded() -> None:
    """All attributes stand in Next's order."""
    headers = Headers()
    ResponseCookies(headers).set(
        name="a",
        value="1",
        path="/p",
        expires=NEW_YEAR,
        domain="example.com",
        secure=True,
        http_only=True,
        same_site="strict",
        partitioned=True,
        priority="low",
    )
    assert headers["set-cookie"] == (
        "a=1; Path=/p; Expires=Wed, 02 Jan 2030 03:04:05 GMT; Domain=example.com; "
        "Secure; HttpOnly; SameSite=strict; Partitioned; Priority=low"
    )


def test_setting_again_replaces_in_place_and_chains() -> None:
    """A name has one cookie, the last, where the first one was."""
    headers = Headers([("x", "0"), ("set-cookie", "a=0; Path=/a"), ("set-cookie", "b=2"), ("set-cookie", "a=1")])
    cookies = ResponseCookies(headers)
    assert cookies.set("a", "3").set("c", "4") is cookies
    assert headers.get_set_cookie() == ["a=3; Path=/", "b=2", "c=4; Path=/"]
    assert (headers["x"], len(cookies)) == ("0", 3)


def test_what_was_set_is_had_back() -> None:
    """`get` gives what was set, with its options, and Next's default of the path."""
    cookies = ResponseCookies(Headers())
    cookies.set("a", "x y;", same_site="None", path="")
    cookies.set("b", "1")
    assert cookies.get("a") == ResponseCookie("a", "x y;", same_site="None", path="")
    assert cookies.get("b") == ResponseCookie("b", "1", path="/")
    assert cookies.get("c") is None
    assert [cookie.name for cookie in cookies.get_all()] == ["a", "b"]
    assert cookies.get_all("b") == [ResponseCookie("b", "1")]
    assert (cookies.has("a"), "a" in cookies, cookies.has("c")) == (True, True, False)
    assert [name for name, _ in cookies] == ["a", "b"]
    assert str(cookies) == "a=x%20y%3B; SameSite=None; b=1; Path=/"


def test_cookies_are_the_lines_of_the_headers() -> None:
    """Lines that others write are cookies, before and after, and are not rewritten; the last of a name counts."""
    headers = Headers({"set-cookie": "a=%zz; Foo=bar"})
    cookies = ResponseCookies(headers)
    cookies.set("b", "1")
    headers.append("Set-Cookie", "c=3; HttpOnly")
    headers.append("Set-Cookie", "a=2")
    assert headers.get_set_cookie() == ["a=%zz; Foo=bar", "b=1; Path=/", "c=3; HttpOnly", "a=2"]
    assert cookies.get("a") == ResponseCookie("a", "2", path=None)
    assert cookies.get("c") == ResponseCookie("c", "3", path=None, http_only=True)
    headers.delete("set-cookie")
    assert (cookies.get_all(), len(cookies), str(cookies)) == ([], 0, "")


def test_a_cookie_object_is_set() -> None:
    """A cookie that was read is set elsewhere, the path being "/" where it had none, as Next's has it."""
    headers = Headers()
    cookie = parse_set_cookie("a=x%20y; HttpOnly")
    assert cookie is not None
    ResponseCookies(headers).set(cookie)
    assert headers["set-cookie"] == "a=x%20y; Path=/; HttpOnly"


@pytest.mark.parametrize(
    ("attributes", "line"),
    [
        ({}, f"a=; Path=/; {GONE}"),
        ({"path": "/p", "domain": "example.com"}, f"a=; Path=/p; {GONE}; Domain=example.com"),
        (
            {"secure": True, "http_only": True, "same_site": "none"},
            f"a=; Path=/; {GONE}; Secure; HttpOnly; SameSite=none",
        ),
    ],
    ids=str,
)
def test_delete_writes_a_cookie_of_the_past(attributes: Any, line: str) -> None:
    """`delete` sets an empty cookie that has expired, whether there was one or not, and that one is there."""
    headers = Headers({"set-cookie": "a=1; Path=/p"})
    cookies = ResponseCookies(headers).delete("a", **attributes)
    assert headers.get_set_cookie() == [line]
    assert cookies.has("a")
    cookie = cookies.get("a")
    assert cookie is not None
    assert (cookie.value, cookie.expires) == ("", datetime(1970, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("name", "value", "options", "error"),
    [
        ("a b;c", "1", {}, HeaderError),
        ("", "1", {}, HeaderError),
        ("a", "1", {"path": "/; Secure"}, HeaderError),
        ("a", "1", {"domain": "e.test\r\nX: y"}, HeaderError),
        ("a", "1", {"same_site": "bogus"}, ValueError),
        ("a", "1", {"priority": "bogus"}, ValueError),
        ("a", "1", {"httpOnly": True}, TypeError),
        ("a", b"1", {}, TypeError),
        ("a", True, {}, TypeError),
        ("a", "1", {"max_age": "60"}, TypeError),
    ],
    ids=ascii,
)
def test_what_cannot_be_set_leaves_the_headers(name: str, value: Any, options: Any, error: type[Exception]) -> None:
    """What would leave its place in the line, or means nothing, is refused, and the headers are as they were."""
    headers = Headers({"set-cookie": "a=0"})
    with pytest.raises(error):
        ResponseCookies(headers).set(name, value, **options)
    assert headers.multi_items() == [("set-cookie", "a=0")]


def test_the_options_are_the_fields() -> None:
    """`CookieOptions` has each field of `ResponseCookie` beside name and value, with its type."""
    hints = get_type_hints(ResponseCookie)
    assert get_type_hints(CookieOptions) == {
        name: hint for name, hint in hints.items() if name not in ("name", "value")
    }
