"""Cookies as npm's `cookie` reads and writes them (recorded), and where nextapi differs on purpose."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextapi.errors import HeaderError
from nextapi.http.cookies import CookieSerializeOptions, parse_cookie, serialize_cookie

DATA = Path(__file__).parents[1] / "conformance/data"
VECTORS = json.loads((DATA / "unit_vectors.json").read_text("utf-8"))
NEW_YEAR = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
EXPIRES = "Expires=Wed, 02 Jan 2030 03:04:05 GMT"
NEWER = "Partitioned; Priority=High"
OPTIONS = {"maxAge": "max_age", "httpOnly": "http_only", "sameSite": "same_site"}

# Cookie headers that nextapi reads otherwise, and why.
INHERITED = "npm's loses names that JavaScript's objects inherit"
PARSED_OTHERWISE = {
    "__proto__=1": ([["__proto__", "1"]], INHERITED),
    "constructor=1": ([["constructor", "1"]], INHERITED),
    "toString=1; a=1": ([["toString", "1"], ["a", "1"]], INHERITED),
    "2=b; 1=a": ([["2", "b"], ["1", "a"]], "JavaScript's objects put integer-like keys first"),
}

# Cookies that nextapi writes otherwise or refuses, by name and options, and why.
WRITTEN_OTHERWISE: dict[tuple[str, str], tuple[str | type[Exception], str]] = {
    ("a", "domain expires httpOnly maxAge partitioned path priority sameSite secure"): (
        f"a=1; Max-Age=60; Domain=example.com; Path=/; {EXPIRES}; HttpOnly; Secure; {NEWER}; SameSite=Lax",
        "npm's version in Next knows neither Partitioned nor Priority",
    ),
    ("a", "priority=bogus"): (ValueError, "npm's version in Next does not look at it"),
    ("a", "path=/a;b"): (HeaderError, "it would begin another attribute"),
    ("a b", ""): (HeaderError, "no token"),
    ("a;", ""): (HeaderError, "no token: it would end the cookie"),
    ("\xe9", ""): (HeaderError, "no token"),
}


def _key(vector: dict[str, Any]) -> tuple[str, str]:
    options = vector["options"]
    if len(options) > 1:
        return vector["name"], " ".join(sorted(options))
    return vector["name"], "".join(f"{name}={value}" for name, value in options.items())


def _serialize(vector: dict[str, Any]) -> str:
    options = {OPTIONS.get(name, name): value for name, value in vector["options"].items()}
    if options.get("expires") == "D":
        options["expires"] = NEW_YEAR
    return serialize_cookie(vector["name"], vector["value"], **options)


@pytest.mark.parametrize("vector", VECTORS["cookieParse"], ids=lambda vector: ascii(vector["in"]))
def test_parses_as_npm_cookie(vector: dict[str, Any]) -> None:
    """A Cookie header is read as npm's `cookie` 0.4 reads it, in order of appearance."""
    expected, _ = PARSED_OTHERWISE.get(vector["in"], (vector["pages"]["ok"], ""))
    assert [list(pair) for pair in parse_cookie(vector["in"]).items()] == expected


@pytest.mark.parametrize(
    ("header", "cookies"),
    [
        # what Next.js 16 does
        ("a=; a=1", {"a": ""}),
        ('a="x\\"y"', {"a": 'x\\"y'}),
        ('a="%22"', {"a": '"'}),
        ("a=%E9", {"a": "%E9"}),
        ("a=%ED%A0%80", {"a": "%ED%A0%80"}),
        ("a=\xc3\xa9", {"a": "\xc3\xa9"}),
        ("a=\xc3\x85", {"a": "\xc3\x85"}),  # "Å": JavaScript's trim() leaves U+0085 where it is
        ("hasOwnProperty=1", {"hasOwnProperty": "1"}),
    ],
    ids=ascii,
)
def test_parses_a_cookie_header(header: str, cookies: dict[str, str]) -> None:
    """The first of two wins, quotes go, escapes are decoded where they all can be, and other bytes stay."""
    assert parse_cookie(header) == cookies


@pytest.mark.parametrize("vector", VECTORS["cookieSerialize"], ids=lambda vector: ascii(_key(vector)))
def test_serializes_as_npm_cookie(vector: dict[str, Any]) -> None:
    """A cookie is written as npm's `cookie` 0.4 writes it, and what that refuses is refused."""
    error: type[Exception] | tuple[type[Exception], ...] = (TypeError, ValueError, AttributeError)
    expected, _ = WRITTEN_OTHERWISE.get(_key(vector), (vector["pages"].get("ok", error), ""))
    if isinstance(expected, str):
        assert _serialize(vector) == expected
    else:
        with pytest.raises(expected):
            _serialize(vector)


def test_every_exception_is_a_vector() -> None:
    """The tables of exceptions name recorded cases only."""
    assert set(PARSED_OTHERWISE) <= {vector["in"] for vector in VECTORS["cookieParse"]}
    assert set(WRITTEN_OTHERWISE) <= {_key(vector) for vector in VECTORS["cookieSerialize"]}


@pytest.mark.parametrize("vector", VECTORS["encodeURIComponent"], ids=lambda vector: str(vector["codeUnits"]))
def test_value_is_encoded_as_by_encode_uri_component(vector: dict[str, Any]) -> None:
    """A cookie's value is encoded by JavaScript's encodeURIComponent; a lone surrogate is an error there and here."""
    text = b"".join(unit.to_bytes(2, "little") for unit in vector["codeUnits"]).decode("utf-16-le", "surrogatepass")
    if "error" in vector:
        with pytest.raises(ValueError, match="surrogates not allowed"):
            serialize_cookie("a", text)
    else:
        assert serialize_cookie("a", text) == f"a={vector['ok']}"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_written_value_is_read_back(value: str) -> None:
    """Any value that is written is read back as it was."""
    assert parse_cookie(serialize_cookie("a", value) + "; b=1") == {"a": value, "b": "1"}


@pytest.mark.parametrize(
    ("options", "written"),
    [
        ({"same_site": "strict"}, "SameSite=Strict"),
        ({"same_site": "Lax"}, "SameSite=Lax"),
        ({"same_site": "none"}, "SameSite=None"),
        ({"priority": "low"}, "Priority=Low"),
        ({"priority": "medium"}, "Priority=Medium"),
        ({"priority": "high"}, "Priority=High"),
        ({"partitioned": True}, "Partitioned"),
        ({"path": ""}, "Path="),
        ({"expires": datetime(2030, 1, 2, 3, 4, 5)}, EXPIRES),
        ({"expires": NEW_YEAR.astimezone(timezone(timedelta(hours=5)))}, EXPIRES),
    ],
    ids=str,
)
def test_writes_an_attribute(options: dict[str, Any], written: str) -> None:
    """An attribute is written in its standard spelling; a naive `expires` is in UTC, an aware one is turned to it."""
    assert serialize_cookie("a", "1", **options) == f"a=1; {written}"


def test_attribute_that_is_off_is_not_written() -> None:
    """False and None leave an attribute out."""
    plain = serialize_cookie("a", "1", same_site=False, http_only=False, secure=False, partitioned=False, max_age=None)
    assert plain == "a=1"


@pytest.mark.parametrize(
    ("name", "value", "options"),
    [
        ("", "1", {}),
        ("a=b", "1", {}),
        ("a\r\nX", "1", {}),
        ("a\n", "1", {}),
        ("a", "1", {"path": "/\r\nX: y"}),
        ("a", "1", {"path": "/\n"}),
        ("a", "1", {"domain": "e.test; Secure"}),
        ("a", "1", {"domain": "\xe9.test"}),
        ("a", "x;y", {"encode": str}),
        ("a", "x\ny", {"encode": str}),
    ],
    ids=ascii,
)
def test_refuses_what_would_leave_its_place(name: str, value: str, options: dict[str, Any]) -> None:
    """A name, value, path or domain that could end the cookie or the header is a `HeaderError`."""
    with pytest.raises(HeaderError):
        serialize_cookie(name, value, **options)


def test_own_encoding_takes_the_place_of_percent_encoding() -> None:
    """`encode` writes the value instead of percent-encoding it."""
    assert serialize_cookie("a", "x=y/z", encode=str.upper) == "a=X=Y/Z"


def test_refusal_names_what_there_is() -> None:
    """An unknown `same_site` is refused with the values that there are."""
    with pytest.raises(ValueError, match="same_site is one of strict, lax, none, not 'bogus'"):
        serialize_cookie("a", "1", same_site="bogus")  # type: ignore[arg-type]


def test_the_options_are_the_keywords() -> None:
    """`CookieSerializeOptions` has each keyword of `serialize_cookie`, with its type."""
    keywords = serialize_cookie.__kwdefaults__
    assert get_type_hints(CookieSerializeOptions) == {
        name: hint for name, hint in get_type_hints(serialize_cookie).items() if name in keywords
    }
