"""`URL`, against ada, the parser of Node.js, and by hand where ada's answer is not the standard's."""

from __future__ import annotations

import copy
import json
import pickle
import re
from contextlib import suppress
from itertools import chain
from pathlib import Path

import ada_url
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextapi import URLSearchParams
from nextapi.errors import NextApiError, URLError
from nextapi.web.url import URL
from nextapi.web.url_parser import PLAIN

SETTABLE = ("href", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash")
PARTS = (*SETTABLE, "origin")


def parts(url: URL | ada_url.URL) -> dict[str, str]:
    """Return every part of `url` by its name."""
    return {name: getattr(url, name) for name in PARTS}


def own(text: str, base: str | None) -> dict[str, str] | None:
    """Return what nextapi makes of `text`, None for an error."""
    url = URL.parse(text, base)
    return None if url is None else parts(url)


def ada(text: str, base: str | None) -> dict[str, str] | None:
    """Return what ada makes of `text`, None for an error."""
    try:
        return parts(ada_url.URL(text, base))
    except ValueError:
        return None


LISTS: dict[str, list[str]] = json.loads(Path(__file__).with_name("urls.json").read_text("utf-8"))
# What URLs are put together of. No "xn--": ada takes Punycode that decodes to nothing.
PIECES = st.sampled_from(LISTS.pop("pieces"))
COMMON = LISTS["what requests have"]
CHARACTERS = [
    *(f"{scheme}://e.com/{chr(n)}x?{chr(n)}x#{chr(n)}x" for scheme in ("http", "a") for n in range(256)),
    *(f"{scheme}://x{chr(n)}:x{chr(n)}@e.com" for scheme in ("http", "a") for n in range(256)),
    *(f"{scheme}://x{chr(n)}x/" for scheme in ("http", "a") for n in range(128)),
    *(f"a:x{chr(n)}x?y" for n in range(256)),
]
BASES = [
    *(
        "http://e.com:81/a/b?q#f",
        "https://u:p@e.com",
        "file:///C:/a/b?q",
        "file://h/a",
        "file:///",
        "a://u@h:1/a/b?q#f",
    ),
    *("a:/b/c", "a:///b", "a:b", "mailto:x?q#f", "a://h", "nothing"),
]
RELATIVE = [
    *(
        "",
        "a",
        "a/b",
        "/a",
        "//h/a",
        "///h",
        "?x",
        "#x",
        "?",
        "#",
        ".",
        "..",
        "./",
        "../",
        "../../../a",
        "a/../../b?x#y",
    ),
    *(
        "%2e%2E/a",
        r"\a",
        r"\\h\a",
        r"/\h",
        r"..\a",
        "a:",
        "a:x",
        "http:",
        "http:x",
        "http:/x",
        "http:?x",
        "https:x",
        "//",
        "///",
    ),
    *(
        "file:x",
        "file:",
        "C:",
        "C|",
        "C|/x",
        "/C|/x",
        "c:\\x",
        "C|x",
        "?C|",
        " /a ",
        "a b",
        "é",
        "//u:p@h:9/x",
        "/.//x",
        ".//x",
    ),
    *(
        "..//x",
        "//[::1",
        "//:80",
        "//h:99999",
        "a?b?c",
        ":",
        ":80",
        "@",
        "/?",
        "/#",
        "file:/x",
        "file:///x",
        "file:?x",
        "file:#x",
    ),
]


@pytest.mark.parametrize("texts", [*LISTS.values(), CHARACTERS], ids=[*LISTS, "characters"])
def test_parses_as_ada(texts: list[str]) -> None:
    """A text without a base has the parts that ada finds in it, or is no URL for either."""
    for text in texts:
        assert own(text, None) == ada(text, None), text


@pytest.mark.parametrize("base", BASES)
def test_resolves_as_ada(base: str) -> None:
    """A text, relative or not, means against a base what it means to ada."""
    for text in chain(RELATIVE, *LISTS.values()):
        assert own(text, base) == ada(text, base), text


STARTS = st.sampled_from(["", "", "http://", "https://", "http:", "file:", "file://", "file:///", "a:", "a://"])
JOINED = st.lists(PIECES, max_size=7).map("".join)


@given(STARTS, JOINED, st.none() | st.sampled_from(BASES))
def test_parses_any_text_as_ada(start: str, text: str, base: str | None) -> None:
    """Texts of the pieces that URLs have, in any order, mean what they mean to ada."""
    assert own(start + text, base) == ada(start + text, base)


@given(st.sampled_from(["http://e.com/", "a://h/", "a:x", "http://e.com/?", "http://e.com/#", "http://u"]), st.text())
def test_encodes_any_text_as_ada(start: str, text: str) -> None:
    """Any characters are encoded in a path, a query and a fragment as ada encodes them."""
    if start == "http://u":
        text = text.replace("/", "").replace("\\", "").replace("?", "").replace("#", "") + "@e.com"
    assert own(start + text, None) == ada(start + text, None)


@given(
    st.sampled_from([*COMMON, *BASES[:-1], "ws://[::1]/", "a:x  ?q #f"]).filter(URL.can_parse),
    st.lists(
        st.tuples(st.sampled_from(SETTABLE), JOINED | st.sampled_from(["", "h:8", "h:", "h:x", "9x", "a:b", "h"]))
    ),
)
def test_sets_as_ada(text: str, changes: list[tuple[str, str]]) -> None:
    """Parts that are set one after the other leave the URL that they leave in ada; both refuse the same hrefs."""
    url, other = URL(text), ada_url.URL(text)
    for name, value in changes:
        if name == "href" and ada(value, None) is None:
            with pytest.raises(URLError):
                url.href = value
        else:
            setattr(url, name, value)
            with suppress(ValueError):  # ada says that it could not; the standard says nothing
                setattr(other, name, value)
        assert parts(url) == parts(other), (name, value)


@given(STARTS, JOINED, st.none() | st.sampled_from(BASES))
def test_the_text_of_a_url_is_that_url(start: str, text: str, base: str | None) -> None:
    """What `href` writes is read as the same URL."""
    url = URL.parse(start + text, base)
    if url is not None:
        assert parts(URL(url.href)) == parts(url)


@given(st.from_regex(PLAIN, fullmatch=True))
def test_the_short_way_parses_as_ada(text: str) -> None:
    """A text that the one expression splits has the parts that ada finds in it."""
    assert own(text, None) == ada(text, None)


def test_the_short_way_is_there_for_common_urls() -> None:
    """Some common URLs are split by the expression, some are not: the tests above test both ways."""
    assert {bool(PLAIN.fullmatch(text)) for text in COMMON} == {True, False}


@pytest.mark.parametrize(
    ("text", "base", "message"),
    [
        ("/a", None, "'/a' is no URL: a relative URL needs a base"),
        ("", None, "'' is no URL: a relative URL needs a base"),
        ("/a", "mailto:x", "'/a' with the base 'mailto:x' is no URL: its base has a path that nothing is relative to"),
        ("http://", None, "'http://' is no URL: its host is empty"),
        ("http://a b/", None, "'http://a b/' is no URL: a host cannot have ' '"),
        ("http://e.com:x/", None, "'http://e.com:x/' is no URL: its port is no number: 'x'"),
        ("http://e.com:99999/", None, "'http://e.com:99999/' is no URL: its port is above 65535"),
        ("http://1.2.3.4.5", None, "'http://1.2.3.4.5' is no URL: its host is no IPv4 address"),
        ("http://[::1", None, "'http://[::1' is no URL: its host is no IPv6 address"),
        ("http://xn--!", None, "'http://xn--!' is no URL: the label 'xn--!' of its host is no Punycode"),
        ("http://\u0301", None, "'http://\u0301' is no URL: the label '\u0301' of its host cannot be encoded"),
        ("http://a\u2024b", None, "'http://a\u2024b' is no URL: a character of its host is a dot and more"),
        ("a", "b", "'b' is no URL: a relative URL needs a base"),
    ],
)
def test_errors_say_what_is_wrong(text: str, base: str | None, message: str) -> None:
    """A `URLError` names the text and the reason; it is a ValueError, and one of nextapi's."""
    with pytest.raises(URLError, match=f"^{re.escape(message)}$") as caught:
        URL(text, base)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, NextApiError)
    assert not URL.can_parse(text, base)
    assert URL.parse(text, base) is None


@pytest.mark.parametrize(
    "text", ["xn--", "xn--a\u0301", "xn--99999999", "xn--a-", "xn--zca.xn--mnchen-3yA-", "xn--ASCII-"]
)
def test_refuses_bad_punycode(text: str) -> None:
    """A label that says it is Punycode has to be (UTS #46, 4); ada takes some of these."""
    assert not URL.can_parse(f"http://{text}/")


def test_refuses_labels_that_are_too_long() -> None:
    """A label outside of ASCII has at most 63 characters: they take the square of their number in time."""
    assert URL.can_parse("http://" + "é" * 63)
    assert not URL.can_parse("http://" + "é" * 64)
    assert URL.can_parse("http://" + "e" * 64)


@pytest.mark.parametrize("thing", [None, 1, b"http://e.com", ["http://e.com"]], ids=repr)
def test_takes_text_and_urls_only(thing: object) -> None:
    """Anything else is a TypeError, as a text and as a base."""
    with pytest.raises(TypeError, match="a URL is made from text or a URL, not"):
        URL(thing)  # type: ignore[arg-type]
    if thing is not None:
        with pytest.raises(TypeError, match="a URL is made from text or a URL, not"):
            URL("http://e.com/", thing)  # type: ignore[arg-type]


def test_lone_surrogates_are_replaced() -> None:
    """A lone surrogate is written as U+FFFD, a pair as the character that it stands for, wherever it is set."""
    url = URL("http://e.com/\ud800?\ud83d\ude00#\udc00")
    assert url.href == "http://e.com/%EF%BF%BD?%F0%9F%98%80#%EF%BF%BD"
    url.username = url.pathname = url.search = "\ud800"
    assert url.href == "http://%EF%BF%BD@e.com/%EF%BF%BD?%EF%BF%BD#%EF%BF%BD"


def test_a_url_is_made_from_urls() -> None:
    """A URL is taken where its text is."""
    base = URL("http://e.com/a/b?x=1")
    assert URL(base) == base
    assert URL(base) is not base
    assert URL("../c", base).href == "http://e.com/c"
    assert URL("#f", base).href == "http://e.com/a/b?x=1#f"


def test_urls_compare_by_text_and_have_no_hash() -> None:
    """Two URLs with one text are equal; text is none; a URL that can change is no key."""
    assert URL("http://e.com") == URL("http://E.COM:80/")
    assert URL("http://e.com/?") != URL("http://e.com/")
    assert URL("http://e.com/") != "http://e.com/"
    with pytest.raises(TypeError, match="unhashable"):
        {URL("http://e.com/")}
    assert repr(URL("http://e.com")) == "URL('http://e.com/')"
    assert str(URL("http://e.com")) == "http://e.com/"
    with pytest.raises(AttributeError):
        URL("http://e.com").origin = "x"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        URL("http://e.com").search_params = URLSearchParams()  # type: ignore[misc]


def test_parameters_change_the_url() -> None:
    """Each way to change the parameters is seen in the query; without any, there is none."""
    url = URL("http://e.com/?a=1&b=%20#f")
    params = url.search_params
    assert url.search_params is params
    assert params.multi_items() == [("a", "1"), ("b", " ")]
    assert url.search == "?a=1&b=%20"
    params.append("c", "é")
    assert url.search == "?a=1&b=+&c=%C3%A9"
    params.set("a", "2")
    assert url.href == "http://e.com/?a=2&b=+&c=%C3%A9#f"
    params.delete("b")
    assert str(url) == "http://e.com/?a=2&c=%C3%A9#f"
    params.append("a", "0")
    params.sort()
    assert url == URL("http://e.com/?a=2&a=0&c=%C3%A9#f")
    params.delete("a", "2")
    assert URL("#g", url).search == "?a=0&c=%C3%A9"
    params.delete("a")
    params.delete("c")
    assert url.href == "http://e.com/#f"


def test_the_url_changes_its_parameters() -> None:
    """A query that is set, alone or with the whole, is in the parameters that were taken before."""
    url = URL("http://e.com/?a=1")
    params = url.search_params
    params.append("lost", "1")
    url.search = "b=2"
    assert params.multi_items() == [("b", "2")]
    url.href = "http://e.com/?c=3"
    assert params.multi_items() == [("c", "3")]
    assert url.search == "?c=3"
    url.search = ""
    assert params.size == 0
    params.append("d", "4")
    with pytest.raises(URLError):
        url.href = "nothing"
    assert url.href == "http://e.com/?d=4"


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda url: pickle.loads(pickle.dumps(url))])
def test_copies_have_parameters_of_their_own(copied: object) -> None:
    """A copy has the query as it is, and does not change with what it was copied from."""
    url = URL("http://u:p@e.com:1/a#f")
    url.search_params.append("x", "1")
    twin = copied(url)  # type: ignore[operator]
    assert parts(twin) == parts(url)
    twin.search_params.append("y", "2")
    url.search_params.append("z", "3")
    assert (url.search, twin.search) == ("?x=1&z=3", "?x=1&y=2")
