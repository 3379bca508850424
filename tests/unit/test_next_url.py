"""`NextURL`, against recorded answers of Next's."""

from __future__ import annotations

import copy
import itertools
import json
import re
from pathlib import Path
from time import process_time
from typing import Any

import pytest

from nextapi.errors import URLError
from nextapi.web.next_url import NextURL, next_url_of
from nextapi.web.url import URL

DATA = Path(__file__).parents[1] / "conformance/data"
VECTORS = json.loads((DATA / "unit_vectors.json").read_text("utf-8"))
NAMES = {"basePath": "base_path", "defaultLocale": "default_locale"}

# Left out: what `i18n` makes of paths. API routes are not localised, and nextapi has no option for it. And addresses of
# the machine itself, which Next calls localhost.
PARSED = [
    vector
    for vector in VECTORS["nextUrl"]
    if "i18n" not in vector["options"].get("nextConfig", {}) and not re.search(r"//(127\.|\[::1)", vector["in"])
]
# Left out: the setter of `locale`, which can do nothing but raise.
MUTATED = [vector for vector in VECTORS["nextUrlMutations"] if vector["set"] != "locale"]


def parts(url: NextURL, expected: dict[str, Any]) -> dict[str, Any]:
    """Return what `expected` has, of `url`."""
    return {name: str(url) if name == "toString" else getattr(url, NAMES.get(name, name)) for name in expected}


@pytest.mark.parametrize("vector", PARSED, ids=lambda vector: ascii(vector["in"]))
def test_parses_as_next(vector: dict[str, Any]) -> None:
    """Every part is what Next's has."""
    config = vector["options"].get("nextConfig", {})
    url = NextURL(vector["in"], base_path=config.get("basePath", ""), trailing_slash=config.get("trailingSlash", False))
    assert parts(url, vector["ok"]) == vector["ok"]


@pytest.mark.parametrize("vector", MUTATED, ids=lambda vector: f"{vector['set']}={vector['value']}")
def test_sets_as_next(vector: dict[str, Any]) -> None:
    """A part that is set changes what it changes in Next."""
    url = NextURL(vector["in"])
    setattr(url, NAMES.get(vector["set"], vector["set"]), vector["value"])
    assert parts(url, vector["ok"]) == vector["ok"]


def test_there_are_vectors() -> None:
    """The two lists are not empty, or the tests above would say nothing."""
    assert len(PARSED) == 13
    assert len(MUTATED) == 11


def test_locales_cannot_be_set() -> None:
    """There is no locale to set."""
    url = NextURL("http://e.com/")
    with pytest.raises(AttributeError):
        url.locale = "fr"
    with pytest.raises(AttributeError):
        url.default_locale = "fr"  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("text", "base_path", "pathname"),
    [
        ("http://e.com/base/", "/base", ("/base", "/")),
        ("http://e.com/base//a", "/base", ("/base", "//a")),
        ("http://e.com/basex", "/base", ("", "/basex")),
        ("http://e.com/BASE/a", "/base", ("", "/BASE/a")),
        ("http://e.com/a/b/c", "a/b/", ("/a/b", "/c")),
        ("http://e.com/a", "/", ("", "/a")),
    ],
)
def test_takes_the_prefix_off(text: str, base_path: str, pathname: tuple[str, str]) -> None:
    """Only a path that is the prefix, or goes on below it, loses it; the whole text keeps it."""
    url = NextURL(text, base_path=base_path)
    assert (url.base_path, url.pathname) == pathname
    assert str(url) == text


def test_a_set_path_stays_below_the_prefix() -> None:
    """`pathname` is set without the prefix, which the text goes on to have."""
    url = NextURL("http://e.com/base/a?x=1#f", base_path="/base")
    url.pathname = "/login"
    assert str(url) == "http://e.com/base/login?x=1#f"
    url.pathname = "/"
    assert str(url) == "http://e.com/base?x=1#f"
    url.base_path = ""
    assert str(url) == "http://e.com/?x=1#f"


@pytest.mark.parametrize(
    ("text", "trailing_slash", "after"),
    [
        ("http://e.com/a/", False, "http://e.com/login/"),
        ("http://e.com/a", True, "http://e.com/login"),
        ("http://e.com/", True, "http://e.com/login/"),
        ("http://e.com/", False, "http://e.com/login"),
    ],
)
def test_keeps_the_form_of_the_end(text: str, trailing_slash: bool, after: str) -> None:
    """A path has a trailing slash if the one that was parsed had it; where that was "/", if the option says so."""
    url = NextURL(text, trailing_slash=trailing_slash)
    url.pathname = "/login"
    assert str(url) == after
    url.pathname = "/login/"
    assert str(url) == after


def test_setting_the_href_begins_anew() -> None:
    """A new href is taken apart as the first one was."""
    url = NextURL("http://e.com/base/a", base_path="/base")
    url.href = "http://e.com/other"
    assert (url.base_path, url.pathname) == ("", "/other")
    url.href = "http://127.0.0.1:1/base/x/"
    assert (url.base_path, url.pathname, str(url)) == ("/base", "/x/", "http://127.0.0.1:1/base/x/")
    with pytest.raises(URLError):
        url.href = "nothing"
    assert str(url) == "http://127.0.0.1:1/base/x/"


def test_host_is_that_of_the_request() -> None:
    """A loopback address stays, unlike in Next: to the browser "localhost" is another site, with other cookies."""
    assert NextURL("http://127.0.0.1:3000/a").host == "127.0.0.1:3000"
    assert NextURL("http://[::1]/a").host == "[::1]"


@pytest.mark.parametrize(
    ("text", "build_id", "pathname"),
    [
        ("http://e.com/_next/data/b/index.json", "b", "/"),
        ("http://e.com/_next/data/b/a/c.json?x=1", "b", "/a/c"),
        ("http://e.com/_next/data/b/a", None, "/_next/data/b/a"),
        ("http://e.com/_next/data/b/a.json/c.json", "b", "/a.json/c"),
        ("http://e.com/_next/data.json", None, "/_next/data.json"),
    ],
)
def test_reads_the_path_of_page_data(text: str, build_id: str | None, pathname: str) -> None:
    """The path of a page's data is the page's, and the text keeps the build's id."""
    url = NextURL(text)
    assert (url.build_id, url.pathname, str(url)) == (build_id, pathname, text)
    url.build_id = None
    assert url.pathname == pathname
    assert str(url) == f"http://e.com{pathname}{url.search}"


def test_a_clone_goes_its_own_way() -> None:
    """A clone has all that the URL has, and neither changes with the other."""
    url = NextURL("http://u@e.com/base/a/?x=1", base_path="/base", trailing_slash=True)
    url.search_params.set("x", "2")
    twin = url.clone()
    assert type(twin) is NextURL
    assert (twin, twin.base_path, twin.pathname, twin.username) == (url, "/base", "/a/", "u")
    twin.search_params.append("y", "3")
    twin.pathname = "/login"
    assert str(twin) == "http://e.com/base/login/?x=2&y=3"
    assert str(url) == "http://e.com/base/a/?x=2"
    twin.href = "http://e.com/base/c"
    assert twin.base_path == "/base"


def test_is_a_url() -> None:
    """It is taken where a URL is, as a text to parse and as a base, with its prefix."""
    url = NextURL("http://e.com/base/a", base_path="/base")
    assert URL(url).pathname == "/base/a"
    assert URL("b", url).href == "http://e.com/base/b"
    assert NextURL("b", url, base_path="/base").pathname == "/b"
    assert url == URL("http://e.com/base/a")
    assert repr(url) == "NextURL('http://e.com/base/a')"
    assert str(NextURL("mailto:a@e.com")) == "mailto:a@e.com"
    with pytest.raises(URLError, match="needs a base"):
        NextURL("/a")
    assert NextURL.parse("/a") is None


PATHS = [
    "/",
    "/a",
    "/a/",
    "/a//b",
    "/a/./b",
    "/a/../b",
    "/%61",
    "/a b",
    "/é",
    "/a%zz",
    "/_next/data/x/a.json",
    "/a.b/c-d~e",
]


@pytest.mark.parametrize("path", PATHS)
def test_url_of_a_request_is_that_of_its_text(path: str) -> None:
    """It is made from parts, and piece by piece as it is asked for: with the same outcome, whatever comes first."""
    firsts = "href", "search", "search_params", "pathname", "base_path", "clone", "copy", "build_id"
    for prefix, pairs, first in itertools.product(["", "/v2"], [[], [("a", "1 2"), ("b", "")]], firsts):
        check_url_of_a_request(path, prefix, pairs, first)


def check_url_of_a_request(path: str, prefix: str, pairs: list[tuple[str, str]], first: str) -> None:
    """Hold that a URL made from parts is that of its text, where `first` is what is asked for at first."""
    url = next_url_of(lambda: "http://e.com:8080", prefix, path, list(pairs))
    query = "?a=1+2&b=" if pairs else ""
    same = NextURL(f"http://e.com:8080{prefix}{path}{query}", base_path=prefix)
    if first == "clone":
        url = url.clone()
    elif first == "copy":
        url = copy.deepcopy(url)
    else:
        assert getattr(url, first) == getattr(same, first) or first == "search_params"
    names = "href", "origin", "host", "port", "pathname", "search", "hash", "base_path", "build_id"
    assert {name: getattr(url, name) for name in names} == {name: getattr(same, name) for name in names}
    assert url.search_params.multi_items() == pairs
    assert repr(url) == repr(same)
    url.search_params.append("c", "3")
    url.pathname = "/new"
    same.search_params.append("c", "3")
    same.pathname = "/new"
    assert str(url) == str(same)
    with pytest.raises(AttributeError, match="zzz"):
        url.zzz  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize(("path", "build_id"), [("b.json", "b"), ("b/.json", "b"), (".json", "")])
def test_page_data_of_no_page_is_that_of_the_root(path: str, build_id: str) -> None:
    """Without a page's name it is the root's."""
    url = NextURL(f"http://e.com/_next/data/{path}")
    assert (url.build_id, url.pathname) == (build_id, "/")


def test_a_long_path_takes_no_longer_than_it_is() -> None:
    """A client cannot have the server look at one path for ever: what looks like a page's data is looked at once."""
    path = "/_next/data/a" + ".json" * 20_000 + "x"
    began = process_time()
    assert NextURL(f"http://localhost{path}").pathname == path
    assert process_time() - began < 1
