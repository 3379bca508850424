"""The page cache before each host: what is kept, served and made anew, and what goes round it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote
from wsgiref.validate import validator

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from nextapi.errors import RevalidateError, ScopeError
from tests.support.page_cache import MINUTE
from tests.support.sites import Site, serving
from tests.support.trees import write_files

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

PRIVATE = "private, no-cache, no-store, max-age=0, must-revalidate"
YEAR = "s-maxage=60, stale-while-revalidate=31535940"

REVALIDATE = """
import json
from nextapi import revalidate_path, revalidate_tag

def handler(req, res):
    try:
        if "tag" in req.query:
            revalidate_tag(req.query["tag"])
        elif "expire" in req.query:
            revalidate_path(req.query["expire"])
        else:
            path = json.loads(req.query["json"]) if "json" in req.query else req.query["path"]
            res.revalidate(path, only_generated="only" in req.query)
    except Exception as error:
        return res.status(500).json(f"{type(error).__name__}: {error}")
    res.json("done")
"""

MakeSite = Callable[..., Site]


@pytest.fixture
def make_site(host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeSite]:
    """Return a function that has a site of a host, with more files in its tree, settings of the framework and options
    of the cache; time goes on only by `Site.wait`.
    """
    with ExitStack() as stack:

        def make(files: dict[str, str] | None = None, settings: dict[str, Any] | None = None, **options: Any) -> Site:
            root = write_files(tmp_path / "web", {"pages/api/revalidate.py": REVALIDATE, **(files or {})})
            site = stack.enter_context(serving(host, root, settings, **options))
            site.clock.rule(monkeypatch)
            return site

        yield make


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    """Return a site with the API route of REVALIDATE."""
    return make_site()


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Return a function that returns what was logged, as a warning or worse."""
    return lambda: [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


# States


def test_miss_hit_stale_and_gone(site: Site) -> None:
    """The first answer is kept; when its time is over it is served while it is made anew, and then no longer."""
    page = site.page("/a")
    assert site.see("/a") == ("MISS", "page 1")
    site.wait(59)
    assert site.see("/a") == ("HIT", "page 1")
    site.wait(1)
    assert site.see("/a") == ("STALE", "page 1")
    site.settle()
    assert site.see("/a") == ("HIT", "page 2")
    site.wait(660)
    assert site.see("/a") == ("MISS", "page 3")
    assert page.asked == 3


def test_a_hit_is_what_was_kept(site: Site) -> None:
    """Status and headers are those of the page, with Age and an ETag; the page's Cache-Control is what it said."""
    site.page("/a", headers=[("X-Own", "1"), ("Link", "<x>")])
    first = site.get("/a")
    assert "Age" not in first.headers
    site.wait(7.5)
    answer = site.get("/a")
    assert (answer.status_code, answer.text) == (200, "page 1")
    assert answer.headers["Age"] == "7"
    assert answer.headers["Cache-Control"] == first.headers["Cache-Control"] == MINUTE
    assert answer.headers["ETag"] == first.headers["ETag"]
    assert not answer.headers["ETag"].startswith("W/")
    assert answer.headers["Content-Length"] == "6"
    for name in ("X-Own", "Link", "Content-Type"):
        assert answer.headers.getlist(name) == first.headers.getlist(name)
    site.wait(60)
    assert site.get("/a").headers["Age"] == "67"


def test_a_page_that_comes_with_an_age(site: Site) -> None:
    """The time that it was in other caches is of its own (RFC 9111, 4.2.3)."""
    site.page("/a", headers=[("Age", "50")])
    site.see("/a")
    site.wait(9)
    answer = site.get("/a")
    assert (answer.headers["x-nextjs-cache"], answer.headers.getlist("Age")) == ("HIT", ["59"])
    site.wait(1)
    assert site.see("/a")[0] == "STALE"


def test_an_hour_without_stale(site: Site) -> None:
    """Without stale-while-revalidate a page is made anew before it is served again."""
    site.page("/a", "s-maxage=60")
    assert site.see("/a") == ("MISS", "page 1")
    site.wait(60)
    assert site.see("/a") == ("MISS", "page 2")


def test_for_ever(site: Site) -> None:
    """A page of `revalidate=False` is fresh for a year, and made anew by who asks for it to be."""
    site.page("/a", "s-maxage=31536000")
    site.see("/a")
    site.wait(31_535_999)
    assert site.see("/a") == ("HIT", "page 1")
    assert site.get("/api/revalidate?path=/a").json == "done"
    assert site.see("/a") == ("HIT", "page 2")


# Conditional requests and HEAD

MODIFIED = "Tue, 01 Jan 2030 00:00:00 GMT"
EARLIER = "Mon, 31 Dec 2029 23:59:59 GMT"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-None-Match": "{etag}"}, 304),
        ({"If-None-Match": "W/{etag}"}, 304),
        ({"If-None-Match": '"other", {etag}'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"other"'}, 200),
        ({"If-None-Match": '"other"', "If-Modified-Since": MODIFIED}, 200),
        ({"If-None-Match": "{etag}", "If-Modified-Since": EARLIER}, 304),
        ({"If-Modified-Since": MODIFIED}, 304),
        ({"If-Modified-Since": EARLIER}, 200),
        ({"If-Modified-Since": "yesterday"}, 200),
        ({"If-None-Match": '"other"', "If-Match": '"x"'}, 200),
    ],
)
@pytest.mark.parametrize("state", ["HIT", "STALE"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_conditional_requests(site: Site, headers: dict[str, str], status: int, state: str, method: str) -> None:
    """RFC 9110, 13: the cache says 304 to who has the page, whatever was asked to begin with."""
    site.page("/a", headers=[("Last-Modified", MODIFIED)])
    etag = site.get("/a").headers["ETag"]
    site.wait(61 if state == "STALE" else 1)
    asked = {name: value.replace("{etag}", etag) for name, value in headers.items()}
    answer = site.ask("/a", method, headers=asked)
    assert (answer.status_code, answer.headers["x-nextjs-cache"]) == (status, state)
    assert answer.headers["ETag"] == etag
    assert answer.headers["Cache-Control"] == MINUTE
    assert answer.text == ("page 1" if status == 200 and method == "GET" else "")
    assert ("Content-Length" in answer.headers) == (status == 200)


def test_only_a_page_of_status_200_is_compared(site: Site) -> None:
    """A 404 is said as it is."""
    site.page("/a", status=404, headers=[("ETag", '"x"')])
    site.get("/a")
    assert site.get("/a", If_None_Match='"x"').status_code == 404


def test_the_etag_of_a_page_is_its_own(site: Site) -> None:
    """Where the page says one, it is that, weak or not."""
    site.page("/a", headers=[("ETag", 'W/"own"')])
    assert site.get("/a").headers.getlist("ETag") == ['W/"own"']
    assert site.get("/a").headers.getlist("ETag") == ['W/"own"']
    assert site.get("/a", If_None_Match='"own"').status_code == 304


def test_head(site: Site) -> None:
    """HEAD is answered from the page of GET, and by the host where there is none: it makes none."""
    page = site.page("/a")
    assert "x-nextjs-cache" not in site.ask("/a", "HEAD").headers
    assert site.see("/a") == ("MISS", "page 2")
    answer = site.ask("/a", "HEAD")
    assert (answer.headers["x-nextjs-cache"], answer.headers["Content-Length"], answer.text) == ("HIT", "6", "")
    site.wait(61)
    assert site.ask("/a", "HEAD").headers["x-nextjs-cache"] == "STALE"
    site.settle()
    assert site.see("/a") == ("HIT", "page 3")
    assert page.asked == 3


# What is kept

REFUSED: dict[str, dict[str, Any]] = {
    "nothing said": {"cache": ""},
    "max-age": {"cache": "max-age=60"},
    "public": {"cache": "public, max-age=60"},
    "private": {"cache": "s-maxage=60, private"},
    "no-store": {"cache": "s-maxage=60, no-store"},
    "no-cache": {"cache": "no-cache, s-maxage=60"},
    "zero": {"cache": "s-maxage=0"},
    "no number": {"cache": "s-maxage=soon"},
    "Set-Cookie": {"headers": [("Set-Cookie", "a=b")]},
    "Vary: Cookie": {"headers": [("Vary", "Accept, cookie")]},
    "Vary: Authorization": {"headers": [("Vary", "Authorization")]},
    "Vary: *": {"headers": [("Vary", "*")]},
    "partial": {"status": 206, "headers": [("Content-Range", "bytes 0-5/10")]},
    "401": {"status": 401},
    "403": {"status": 403},
    "500": {"status": 500},
    "503": {"status": 503},
    "age": {"headers": [("Age", "700")]},
    "wrong length": {"headers": [("X-Wrong", "1")], "make": lambda _: "x" * 3_000_000},
}


@pytest.mark.parametrize("kind", REFUSED)
def test_never_kept(site: Site, kind: str) -> None:
    """An answer that does not opt in, or that may be somebody's, goes to the client as it is, each time anew."""
    page = site.page("/a", **REFUSED[kind])
    for _ in range(3):
        answer = site.get("/a")
        assert answer.headers.get("x-nextjs-cache") is None
        assert answer.headers.get("Cache-Control", "") == page.cache
        assert answer.status_code == page.status
    assert page.asked == 3


@pytest.mark.parametrize("kind", ["Set-Cookie", "private", "wrong length", "500"])
def test_a_warning_is_said_once(site: Site, kind: str, warnings: Callable[[], list[str]]) -> None:
    """Who says s-maxage and is not kept is told why, once; not of an error, which may be none tomorrow."""
    site.page("/a", **({"cache": MINUTE} | REFUSED[kind]))
    for _ in range(3):
        site.get("/a")
    said = [text for text in warnings() if "page cache" in text]
    assert len(said) == (0 if kind == "500" else 1)
    assert all("/a says s-maxage and is not kept" in text for text in said)


def test_methods_are_not_kept(site: Site) -> None:
    """Only GET makes a page."""
    page = site.page("/a")
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert "x-nextjs-cache" not in site.ask("/a", method).headers
    assert site.see("/a")[0] == "MISS"
    asked = page.asked
    assert site.see("/a")[0] == "HIT"
    assert page.asked == asked


@pytest.mark.parametrize("status", [200, 203, 301, 302, 303, 307, 308, 404, 410])
def test_statuses_that_are_kept(site: Site, status: int) -> None:
    """Pages that are not found and that redirect are pages, as Next has it for `notFound` and `redirect`."""
    location = [("Location", "http://example.com/b")] if 300 <= status < 400 else []
    site.page("/a", status=status, headers=location)
    for state in ("MISS", "HIT"):
        answer = site.get("/a")
        assert (answer.status_code, answer.headers["x-nextjs-cache"], answer.text) == (status, state, "page 1")
        assert answer.headers.getlist("Location") == [value for _, value in location]


def test_a_page_that_becomes_none(site: Site) -> None:
    """When the answer says s-maxage no more, the old one is not served."""
    page = site.page("/a")
    site.see("/a")
    page.cache = ""
    site.wait(61)
    assert site.see("/a") == ("STALE", "page 1")
    site.settle()
    assert site.see("/a") == (None, "page 3")
    page.cache = MINUTE
    assert site.see("/a")[0] == "MISS"
    assert site.see("/a")[0] == "HIT"


# Which page


def test_variants(site: Site) -> None:
    """What Vary names makes another page; what it does not name makes none."""
    page = site.page(
        "/a", headers=[("Vary", "Accept-Language")], make=lambda environ: environ.get("HTTP_ACCEPT_LANGUAGE", "none")
    )
    assert site.see("/a", Accept_Language="de") == ("MISS", "de")
    assert site.see("/a", Accept_Language="en") == ("MISS", "en")
    assert site.see("/a") == ("MISS", "none")
    for language, body in (("de", "de"), ("en", "en")):
        assert site.see("/a", Accept_Language=language, User_Agent="other") == ("HIT", body)
    assert site.see("/a") == ("HIT", "none")
    assert page.asked == 3
    site.wait(61)
    assert site.see("/a", Accept_Language="de") == ("STALE", "de")
    site.settle()
    assert site.see("/a", Accept_Language="de") == ("HIT", "de")
    assert site.see("/a", Accept_Language="en")[0] == "STALE"
    site.settle()


@pytest.mark.parametrize("header", ["Accept", "User-Agent"])
def test_a_client_without_a_header_has_a_variant_too(site: Site, header: str) -> None:
    """Who sends no header that a page varies by gets the page of those, and its own each time it is made."""
    site.page("/a", headers=[("Vary", header)])
    site.get("/a")
    site.get("/api/revalidate?expire=/a")
    assert site.see("/a")[0] == "MISS"
    assert site.see("/a")[0] == "HIT"


def test_the_query_is_part_of_the_name(site: Site) -> None:
    """Each query has a page, as it is written."""
    page = site.page("/a")
    for query in ("", "?x=1", "?x=2", "?x=1&y=2", "?y=2&x=1"):
        assert site.see(f"/a{query}")[0] == "MISS"
        assert site.see(f"/a{query}")[0] == "HIT"
    assert page.asked == 5
    assert [environ["QUERY_STRING"] for environ in page.environs] == ["", "x=1", "x=2", "x=1&y=2", "y=2&x=1"]


def test_params_that_no_page_depends_on(make_site: MakeSite) -> None:
    """They are left out of the name, and of the request that a page is made of, however they are written."""
    site = make_site(ignored_params=["utm_source", "fb clid"])
    page = site.page("/a", make=lambda environ: environ["QUERY_STRING"])
    answer = site.get("/a?utm_source=mail&x=1")
    assert (answer.text, answer.headers["Cache-Control"]) == ("utm_source=mail&x=1", PRIVATE)
    site.settle()
    for query in ("x=1", "utm_source=b&x=1", "x=1&fb+clid", "fb%20clid=%26&x=1&utm%5Fsource=1"):
        assert site.see(f"/a?{query}") == ("HIT", "x=1")
    assert site.see("/a?x=1&utm=1")[0] == "MISS"
    assert page.asked == 3


def test_a_page_that_is_the_same_for_all_queries(site: Site) -> None:
    """With `No-Vary-Search: params` there is one page, and no query of any client is in it."""
    page = site.page("/a", headers=[("No-Vary-Search", "params")], make=lambda environ: environ["QUERY_STRING"])
    assert site.get("/a?<script>").status_code == 200
    site.settle()
    for query in ("", "?x=1", "?<script>"):
        assert site.see(f"/a{query}") == ("HIT", "")
    site.wait(61)
    site.get("/a?evil")
    site.settle()
    assert site.see("/a?evil") == ("HIT", "")
    assert all(environ["QUERY_STRING"] in ("", "evil", "<script>", "%3Cscript%3E") for environ in page.environs)


def test_hosts_and_schemes(site: Site) -> None:
    """Scheme, host and port are of the name, in one spelling."""
    page = site.page("/a")
    for base in ("http://example.com", "http://b.com", "https://example.com", "http://example.com:8000"):
        assert site.ask("/a", base_url=base).headers["x-nextjs-cache"] == "MISS"
    for base in ("http://EXAMPLE.com:80", "https://example.com:443", "http://example.COM:8000"):
        assert site.ask("/a", base_url=base).headers["x-nextjs-cache"] == "HIT"
    assert page.asked == 4


@pytest.mark.parametrize("name", ["a b", "a/b", "evil.com/..", "", "[::1", "a,b"])
def test_a_host_that_is_none(site: Site, name: str) -> None:
    """It goes round the cache: nothing is kept for it."""
    site.page("/a")
    for _ in range(2):
        environ = EnvironBuilder(
            "/a", base_url="http://example.com", environ_overrides={"HTTP_HOST": name}
        ).get_environ()
        # Clients of older werkzeugs cannot read such a host themselves.
        _, _, headers = run_wsgi_app(validator(site.app), environ, buffered=True)
        assert "x-nextjs-cache" not in headers


def test_hosts_that_pages_are_kept_for(make_site: MakeSite) -> None:
    """With `hosts` others are served by the app alone."""
    site = make_site(hosts=["example.com", ".b.com"])
    site.page("/a")
    for base in ("http://example.com", "http://www.b.com", "http://example.com:81"):
        assert site.ask("/a", base_url=base).headers["x-nextjs-cache"] == "MISS"
    for base in ("http://evil.com", "http://example.com.evil.com"):
        assert "x-nextjs-cache" not in site.ask("/a", base_url=base).headers


# Who asks

PERSONAL = [{"Cookie": "user=ann"}, {"Authorization": "Basic eDp5"}, {"X-User": "ann"}, {"X-Real-Ip": "1.2.3.4"}]


@pytest.mark.parametrize("headers", PERSONAL, ids=lambda headers: next(iter(headers)))
def test_a_page_does_not_know_who_asked(site: Site, headers: dict[str, str]) -> None:
    """Who says who they are is answered by the app, for themselves alone; the page is made beside it, of nobody."""
    name = "HTTP_" + next(iter(headers)).upper().replace("-", "_")
    page = site.page("/a", make=lambda environ: f"hello {environ.get(name, 'nobody')}")
    answer = site.ask("/a", headers=headers)
    assert (answer.text, answer.headers["Cache-Control"]) == (f"hello {headers[next(iter(headers))]}", PRIVATE)
    assert answer.headers["x-nextjs-cache"] == "MISS"
    site.settle()
    for asked in ({}, headers, {"Cookie": "user=bob"}):
        answer = site.ask("/a", headers=asked)
        assert (answer.text, answer.headers["x-nextjs-cache"]) == ("hello nobody", "HIT")
        assert answer.headers["Cache-Control"] == MINUTE
    assert page.asked == 2
    environ = page.environs[1]
    sent = {name for name in environ if name.startswith("HTTP_")}
    assert sent == {"HTTP_HOST", "HTTP_ACCEPT", "HTTP_USER_AGENT"}
    assert (environ["REQUEST_METHOD"], environ["HTTP_HOST"]) == ("GET", "example.com")
    assert environ["REMOTE_ADDR"] == "192.0.2.1"


OTHER_REQUESTS: dict[str, dict[str, Any]] = {
    "another spelling of the host": {"environ_overrides": {"HTTP_HOST": "EXAMPLE.com:80"}},
    "a body": {"data": b"body", "content_type": "text/plain"},
    "no-store": {"headers": {"Cache-Control": "no-store"}},
    "a user of the server's": {"environ_overrides": {"REMOTE_USER": "ann"}},
    "a part": {"headers": {"Range": "bytes=0-1"}},
    "a condition": {"headers": {"If-None-Match": '"x"'}},
}


@pytest.mark.parametrize("kind", OTHER_REQUESTS)
def test_a_request_that_is_not_everybodys(site: Site, kind: str) -> None:
    """What is said to it is not kept: the page is made beside it, of a request that has none of that."""
    names = ("HTTP_HOST", "CONTENT_LENGTH", "HTTP_CACHE_CONTROL", "REMOTE_USER", "HTTP_RANGE", "HTTP_IF_NONE_MATCH")
    page = site.page("/a", make=lambda environ: str([environ.get(name) or None for name in names]))
    answer = site.ask("/a", **OTHER_REQUESTS[kind])
    assert (answer.headers["x-nextjs-cache"], answer.headers["Cache-Control"]) == ("MISS", PRIVATE)
    site.settle()
    assert site.see("/a") == ("HIT", "['example.com', None, None, None, None, None]")
    assert page.asked == 2
    site.get("/api/revalidate?expire=/a")
    site.ask("/a", **OTHER_REQUESTS[kind])
    site.settle()
    assert site.see("/a") == ("HIT", "['example.com', None, None, None, None, None]")


@pytest.mark.parametrize("headers", PERSONAL[:2], ids=lambda headers: next(iter(headers)))
def test_a_stale_page_is_made_anew_of_nobody(site: Site, headers: dict[str, str]) -> None:
    """Who gets a stale page, or asks for one that was expired, leaves nothing of themselves in the next."""
    page = site.page("/a", make=lambda environ: f"{sorted(environ.keys() & {'HTTP_COOKIE', 'HTTP_AUTHORIZATION'})}")
    site.get("/a")
    site.wait(61)
    assert site.ask("/a", headers=headers).headers["x-nextjs-cache"] == "STALE"
    site.settle()
    assert site.see("/a") == ("HIT", "[]")
    site.get("/api/revalidate?expire=/a")
    site.ask("/a", headers=headers)
    site.settle()
    assert site.see("/a") == ("HIT", "[]")
    assert page.asked == 4


def test_what_is_not_to_be_had_of_a_clean_request_is_not_tried_each_time(site: Site) -> None:
    """A page that sets a cookie for who has none is not made beside every request of those who have one."""
    page = site.page("/a")
    page.make = lambda environ: (
        page.headers.__setitem__(slice(None), [] if "HTTP_COOKIE" in environ else [("Set-Cookie", "a=b")]) or "page"
    )
    for _ in range(5):
        assert site.get("/a", Cookie="a=b").headers["Cache-Control"] == PRIVATE
        site.settle()
    assert page.asked == 6


def test_cookies_do_not_matter_to_a_hit(site: Site) -> None:
    """A page is everybody's: cookies get it as it is."""
    site.page("/a")
    site.see("/a")
    assert site.see("/a", Cookie="session=1") == ("HIT", "page 1")
    assert site.see("/a", Authorization="Bearer x") == ("HIT", "page 1")


# Changes


@pytest.mark.parametrize(
    ("method", "status", "state"),
    [
        ("POST", 200, "MISS"),
        ("PUT", 204, "MISS"),
        ("DELETE", 200, "MISS"),
        ("POST", 303, "MISS"),
        ("POST", 400, "HIT"),
        ("POST", 500, "HIT"),
        ("OPTIONS", 200, "HIT"),
    ],
)
def test_a_change_expires_its_path(site: Site, method: str, status: int, state: str) -> None:
    """RFC 9111, 4.4: a method that changes things, and succeeds, voids the pages of its path, and no others."""
    page = site.page("/a")
    site.page("/b")
    for path in ("/a", "/a?x", "/b"):
        site.see(path)
    page.status, cache, page.cache = status, page.cache, ""
    assert site.ask("/a?y", method).status_code == status
    page.status, page.cache = 200, cache
    assert [site.see(path)[0] for path in ("/a", "/a?x", "/b")] == [state, state, "HIT"]


def test_a_failed_change_of_what_was_never_kept_writes_nothing(site: Site) -> None:
    """POST to where no pages are leaves the store alone."""
    site.page("/form", cache="")
    before = site.store._size
    site.ask("/form", "POST")
    assert site.store._size == before


# Failures


def fail(environ: WSGIEnvironment) -> str:
    raise ValueError("no database")


def test_a_failed_regeneration_keeps_the_page(site: Site, warnings: Callable[[], list[str]]) -> None:
    """The last good page is served for 30 seconds more, says so, and is then tried again (Next's numbers)."""
    page = site.page("/a")
    site.see("/a")
    page.make = fail
    site.wait(61)
    assert site.see("/a") == ("STALE", "page 1")
    site.settle()
    assert any("http://example.com/a was not made anew" in text for text in warnings())
    answer = site.get("/a")
    assert (answer.headers["x-nextjs-cache"], answer.text) == ("HIT", "page 1")
    assert answer.headers["Cache-Control"] == "s-maxage=30, stale-while-revalidate=630"
    site.wait(29)
    assert site.see("/a")[0] == "HIT"
    page.make = None
    site.wait(1)
    assert site.see("/a") == ("STALE", "page 1")
    site.settle()
    answer = site.get("/a")
    assert (answer.headers["x-nextjs-cache"], answer.headers["Cache-Control"]) == ("HIT", MINUTE)
    assert answer.text != "page 1"


@pytest.mark.parametrize("status", [500, 502, 429])
def test_an_error_is_no_page(site: Site, status: int) -> None:
    """A server's error keeps the last good page, whether it says s-maxage or not; it does so to the page's end."""
    page = site.page("/a")
    site.see("/a")
    page.status = status
    for _ in range(9):
        site.wait(61)
        assert site.see("/a") == ("STALE", "page 1")
        site.settle()
    site.wait(120)
    assert site.get("/a").status_code == status


def test_a_page_that_cannot_be_made_ends(site: Site) -> None:
    """It is not served beyond its own time, however near that is when it fails."""
    page = site.page("/a")
    site.see("/a")
    page.status = 500
    site.wait(650)
    for _ in range(2):
        assert site.see("/a") == ("STALE", "page 1")
        site.settle()
        site.wait(5)
    site.wait(1)
    assert site.get("/a").status_code == 500


def test_a_cold_page_that_fails(site: Site) -> None:
    """Its error is the client's, and the next request tries again."""
    page = site.page("/a", status=500)
    assert site.get("/a").status_code == 500
    page.status = 200
    assert site.see("/a")[0] == "MISS"
    assert site.see("/a")[0] == "HIT"


# On demand: res.revalidate


def test_revalidate(site: Site) -> None:
    """The page is made anew before it returns, for the caller's host; all others of the path are dropped."""
    page = site.page("/a")
    other = site.page("/b")
    for path in ("/a", "/a?x=1", "/b"):
        site.see(path)
    site.ask("/a", base_url="http://other.com")
    assert page.asked == 3
    assert site.get("/api/revalidate?path=/a").json == "done"
    assert page.asked == 4
    assert site.see("/a") == ("HIT", "page 4")
    assert site.see("/a?x=1")[0] == "MISS"
    assert site.ask("/a", base_url="http://other.com").headers["x-nextjs-cache"] == "MISS"
    assert site.see("/b") == ("HIT", "page 1")
    assert other.asked == 1


def test_revalidate_a_page_of_a_query(site: Site) -> None:
    """A path may have a query; one that was never asked for is kept from then on."""
    page = site.page("/a")
    assert site.get("/api/revalidate?path=/a%3Fx=1").json == "done"
    assert site.see("/a?x=1") == ("HIT", "page 1")
    assert page.asked == 1


def test_revalidate_runs_for_nobody(site: Site) -> None:
    """The page is made of a request without what the caller sent."""
    page = site.page("/a")
    site.get("/api/revalidate?path=/a", Cookie="a=b", Authorization="Bearer x", X_User="1")
    (environ,) = page.environs
    assert {name for name in environ if name.startswith("HTTP_")} == {"HTTP_HOST", "HTTP_ACCEPT", "HTTP_USER_AGENT"}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("null", "null"),
        ("1", "1"),
        ('"isr/one"', "isr/one"),
        ('""', ""),
        ('"https://example.com/a"', "https://example.com/a"),
        ("[]", "[]"),
        ("true", "True"),
    ],
)
def test_revalidate_what_is_no_path(site: Site, value: str, shown: str) -> None:
    """Next's message."""
    assert site.get(f"/api/revalidate?json={value}").json == (
        f"RevalidateError: Invalid urlPath provided to revalidate(), must be a path e.g. /blog/post-1, received {shown}"
    )


def test_revalidate_a_page_that_fails(site: Site) -> None:
    """Next's message; the old page is kept, for 30 seconds."""
    page = site.page("/a")
    site.see("/a")
    for make, status in ((fail, 200), (None, 503)):
        page.make, page.status = make, status
        shown = 500 if make else status
        answer = site.get("/api/revalidate?path=/a")
        assert answer.json == f"RevalidateError: Failed to revalidate /a: Invalid response {shown}"
        answer = site.get("/a")
        assert (answer.headers["x-nextjs-cache"], answer.text) == ("HIT", "page 1")
        assert answer.headers["Cache-Control"] == "s-maxage=30, stale-while-revalidate=630"


@pytest.mark.parametrize("path", ["/missing", "/private", "/api/other", "/a/", "/set-cookie", "/redirect"])
def test_revalidate_what_is_no_page(make_site: MakeSite, path: str) -> None:
    """As in Next it raises nothing: there is nothing kept afterwards."""
    site = make_site({"pages/api/other.py": "def handler(req, res):\n    res.json(1)\n"})
    site.page("/private", "private")
    site.page("/set-cookie", headers=[("Set-Cookie", "a=b")])
    site.page("/redirect", "", status=307, headers=[("Location", "http://example.com/private")])
    assert site.get(f"/api/revalidate?path={path}").json == "done"
    assert site.see(path)[0] is None


def test_revalidate_a_page_that_is_none_any_more(site: Site) -> None:
    """The old one is dropped."""
    page = site.page("/a")
    site.see("/a")
    page.cache = ""
    assert site.get("/api/revalidate?path=/a").json == "done"
    assert site.see("/a") == (None, "page 3")


def test_revalidate_drops_the_others_of_what_is_no_page(site: Site) -> None:
    """Where the caller's host has no page of the path, those of others are dropped all the same."""
    page = site.page("/a")
    site.ask("/a", base_url="http://other.com")
    page.cache = ""
    assert site.get("/api/revalidate?path=/a").json == "done"
    page.cache = MINUTE
    assert site.ask("/a", base_url="http://other.com").headers["x-nextjs-cache"] == "MISS"


def test_revalidate_for_a_host_that_nothing_is_kept_for(site: Site) -> None:
    """A caller that has gone round the cache drops the pages of the path, and has none made."""
    page = site.page("/a")
    site.see("/a")
    assert site.get("/api/revalidate?path=/a", X_Forwarded_Host="evil.com").json == "done"
    assert page.asked == 1
    assert site.see("/a") == ("MISS", "page 2")


def test_revalidate_a_page_whose_length_is_wrong(site: Site) -> None:
    """What is cut is not kept; the old page is dropped all the same."""
    page = site.page("/a")
    site.see("/a")
    page.headers = [("Content-Length", "6")]
    page.make = lambda _: "cut"
    assert site.get("/api/revalidate?path=/a").json == "done"
    page.headers, page.make = [], None
    assert site.see("/a")[0] == "MISS"


def test_only_generated(site: Site) -> None:
    """A page that was never asked for is not made then; one that is void is."""
    page = site.page("/a")
    assert site.get("/api/revalidate?path=/a&only=1").json == "done"
    assert page.asked == 0
    site.see("/a")
    assert site.get("/api/revalidate?path=/a&only=1").json == "done"
    assert site.see("/a") == ("HIT", "page 2")
    site.cache.revalidate_path("/a")
    assert site.get("/api/revalidate?path=/a&only=1").json == "done"
    assert site.see("/a") == ("HIT", "page 3")


def test_revalidate_a_slash_at_the_end(site: Site) -> None:
    """`/a/` is `/a`: a redirect that only mends the slash is followed, and the page it leads to is made."""
    page = site.page("/a/")
    site.page("/a", "", status=308, headers=[("Location", "http://example.com/a/")])
    site.see("/a/")
    assert site.get("/api/revalidate?path=/a").json == "done"
    assert site.see("/a/") == ("HIT", "page 2")
    assert page.asked == 2


@pytest.mark.parametrize("path", ["/a=b", "/caf%c3%a9", "/[b]"])
def test_revalidate_a_slash_at_the_end_of_what_is_escaped(site: Site, path: str) -> None:
    """A host may escape the path that it redirects to in a way of its own."""
    decoded = unquote(path, "latin-1")
    target = quote(f"{decoded}/", encoding="latin-1")
    page = site.page(f"{decoded}/")
    site.page(decoded, "", status=301, headers=[("Location", target)])
    assert site.get(f"/api/revalidate?path={quote(path)}").json == "done"
    assert site.see(target) == ("HIT", "page 1")
    assert page.asked == 1


def test_revalidate_half_a_character(site: Site) -> None:
    """What JSON can say and no URL is a path that no page has."""
    assert site.get("/api/revalidate?json=" + quote(r'"/\ud800"')).json == "done"


@pytest.mark.parametrize("path", ["/caf\u00e9", "/a b", "/%E4%B8%AD", "/x%2Fy", "/a'b(c)", "/~x", "/100%25"])
def test_revalidate_any_path(site: Site, path: str) -> None:
    """Unicode and what is escaped are one page, whichever way a client and the caller write it."""
    sent = quote(unquote(path), safe="/'()~")
    if path == "/x%2Fy":
        sent = path
    site.page(unquote(path).encode().decode("latin-1"))
    assert site.see(sent) == ("MISS", "page 1")
    assert site.get(f"/api/revalidate?path={quote(path)}").json == "done"
    assert site.see(sent) == ("HIT", "page 2")
    assert site.get(f"/api/revalidate?expire={quote(path)}").json == "done"
    assert site.see(sent)[0] == "MISS"


@pytest.mark.parametrize(("path", "shown"), [("/a", "/a"), ("/\xe9", "/%C3%A9")])
def test_a_page_that_asks_for_itself(path: str, shown: str, site: Site) -> None:
    """It is an error that names the chain, with a slash at its end too, and not a wait for oneself."""
    errors: list[str] = []

    def make(environ: WSGIEnvironment) -> str:
        for spelling in (path, f"{path}/"):
            try:
                site.cache.revalidate(spelling, origin="http://example.com")
            except RevalidateError as error:
                errors.append(str(error))
        return "page"

    site.page(path.encode().decode("latin-1"), make=make)
    assert site.get(f"/api/revalidate?path={path}").json == "done"
    assert len(errors) == 2
    assert all(f"{shown} -> {shown}" in error for error in errors)


def test_a_chain_of_pages(site: Site) -> None:
    """A page may have another made, but not one that is being made for it."""
    errors: list[str] = []

    def asks(path: str) -> Callable[[WSGIEnvironment], str]:
        def make(environ: WSGIEnvironment) -> str:
            try:
                site.cache.revalidate(path, origin="http://example.com")
            except RevalidateError as error:
                errors.append(str(error))
            return "page"

        return make

    site.page("/a", make=asks("/b"))
    site.page("/b", make=asks("/c"))
    site.page("/c", make=asks("/a"))
    assert site.get("/api/revalidate?path=/a").json == "done"
    (error,) = errors
    assert "/a -> /b -> /c -> /a" in error
    assert [site.see(path)[0] for path in ("/a", "/b", "/c")] == ["HIT"] * 3


def test_a_page_that_takes_too_long(make_site: MakeSite) -> None:
    """After the time limit the caller is told; the old page stays."""
    site = make_site(timeout=0.2)
    page = site.page("/a")
    site.see("/a")
    go = Event()
    page.make = lambda _: str(go.wait(20))
    try:
        answer = site.get("/api/revalidate?path=/a").json
        assert answer == "RevalidateError: Failed to revalidate /a: no answer within 0.2 s"
        assert site.see("/a") == ("HIT", "page 1")
    finally:
        go.set()


# Expiry: revalidate_path and revalidate_tag

ROUTES = {
    "app/expire/route.py": """
from nextapi import Response, revalidate_path, revalidate_tag

def GET(request):
    params = request.next_url.search_params
    (revalidate_tag if params.get("tag") else revalidate_path)(params.get("tag") or params.get("path"))
    return Response("done")
""",
    "app/later/route.py": """
from nextapi import Response, after, revalidate_path

def GET(request):
    after(lambda: revalidate_path("/a"))
    return Response("done")
""",
    "pages/api/edge.py": """
from nextapi import Response, revalidate_path

config = {"runtime": "edge"}

async def handler(request):
    revalidate_path("/a")
    return Response("done")
""",
    "middleware.py": """
from nextapi import NextResponse, revalidate_path

config = {"matcher": "/api/other"}

def middleware(request):
    revalidate_path("/a")
    return NextResponse.next()
""",
    "pages/api/other.py": "def handler(req, res):\n    res.json('done')\n",
}


@pytest.mark.parametrize(
    "path",
    [
        "/expire?path=/a",
        "/expire?tag=t",
        "/later",
        "/api/edge",
        "/api/other",
        "/api/revalidate?expire=/a",
        "/api/revalidate?tag=t",
    ],
)
def test_expiry_from_everywhere(make_site: MakeSite, path: str) -> None:
    """Route handlers, `after`, edge handlers, middleware and API routes: the next request renders, as in Next."""
    site = make_site(ROUTES)
    page = site.page("/a", headers=[("Cache-Tag", "s, t")])
    other = site.page("/b")
    for target in ("/a", "/a?x", "/b"):
        site.see(target)
    answer = site.get(path)
    assert answer.status_code == 200
    answer.close()
    assert page.asked == 2, "nothing is made at once"
    assert [site.see(target)[0] for target in ("/a", "/a?x", "/a", "/b")] == ["MISS", "MISS", "HIT", "HIT"]
    assert other.asked == 1


def test_expiry_from_a_view(host: str, site: Site) -> None:
    """A view of the host calls the same functions, and so does whoever answers no request, of the cache."""
    from nextapi import revalidate_path, revalidate_tag

    def change(environ: WSGIEnvironment) -> str:
        revalidate_path("/a")
        revalidate_tag("t")
        return "done"

    site.page("/a")
    site.page("/t", headers=[("Cache-Tag", "t")])
    site.page("/change", "", make=change)
    for expire in (
        lambda: site.get("/change"),
        lambda: (site.cache.revalidate_path("/a"), site.cache.revalidate_tag("t")),
    ):
        assert [site.see(path)[0] for path in ("/a", "/a", "/t")][1] == "HIT"
        expire()
        assert [site.see(path)[0] for path in ("/a", "/t")] == ["MISS", "MISS"]


def test_expiry_outside_of_requests() -> None:
    """The functions say what to call instead."""
    from nextapi import revalidate_path, revalidate_tag

    for function, argument in ((revalidate_path, "/a"), (revalidate_tag, "t")):
        with pytest.raises(ScopeError, match="of the `PageCache` itself"):
            function(argument)


@pytest.mark.parametrize("tag", ["", " ", "a,b", None, 1])
def test_what_is_no_tag(site: Site, tag: Any) -> None:
    """A tag is one text as Cache-Tag has it."""
    with pytest.raises(RevalidateError, match="takes a tag"):
        site.cache.revalidate_tag(tag)


def test_revalidate_for_nobody(make_site: MakeSite, host: str) -> None:
    """Whoever answers no request has a page made, of a whole URL, or of the host that the settings name."""
    site = make_site(hosts=["example.com"])
    page = site.page("/a")
    site.cache.revalidate("http://example.com/a")
    assert site.see("/a") == ("HIT", "page 1")
    site.cache.revalidate("/a", origin="http://example.com")
    assert site.see("/a") == ("HIT", "page 2")
    site.cache.revalidate("/a")
    assert page.asked == 3
    assert page.environs[2]["HTTP_HOST"] == "example.com"
    site.cache.revalidate("HTTP://EXAMPLE.com/a")
    assert site.see("/a") == ("HIT", "page 4")
    for path in (None, "a", 1):
        with pytest.raises(RevalidateError, match="Invalid urlPath"):
            site.cache.revalidate(path)  # type: ignore[arg-type]
    with pytest.raises(RevalidateError, match="none of the app's hosts"):
        site.cache.revalidate("http://evil.com/a")


def test_without_a_cache_there_is_nothing_to_do(serve_files: Callable[..., Any]) -> None:
    """The same code runs where no page cache is before the app: in route and edge handlers."""
    client = serve_files({"pages/api/revalidate.py": REVALIDATE, **ROUTES})
    for path in ("/api/revalidate?path=/a", "/expire?path=/a", "/later", "/api/edge"):
        assert client.get(path).status_code == 200


# Route handlers, API routes and edge handlers as pages

PAGES = {
    "app/minute/route.py": """
from nextapi import Response
from itertools import count

revalidate = 60
numbers = count(1)

def GET(request):
    return Response(f"page {next(numbers)}")

def POST():
    return Response("posted")
""",
    "app/cookies/route.py": """
from nextapi import Response, cookies

revalidate = 60

def GET():
    return Response(str(cookies().get("a")))
""",
    "app/static/route.py": """
from nextapi import Response, cookies, headers
from itertools import count

dynamic = "force-static"
numbers = count(1)

def GET(request):
    seen = [request.url.partition("?")[2], str(cookies()), headers().get("x-a"), request.headers.get("x-a")]
    return Response(f"{seen} {next(numbers)}")
""",
    "app/dynamic/route.py": """
from nextapi import Response

def GET():
    return Response("dynamic")
""",
    "pages/api/edge.py": """
from nextapi import Response
from itertools import count

config = {"runtime": "edge"}
numbers = count(1)

def handler(request):
    return Response(f"page {next(numbers)}", headers={"Cache-Control": "s-maxage=60, stale-while-revalidate=600"})
""",
    "pages/api/page.py": """
from itertools import count

numbers = count(1)

def handler(req, res):
    res.set_header("Cache-Control", "s-maxage=60, stale-while-revalidate=600")
    res.set_header("Content-Type", "text/plain").send(f"page {next(numbers)}")
""",
}


@pytest.mark.parametrize("path", ["/minute", "/api/edge", "/api/page"])
def test_handlers_are_pages(make_site: MakeSite, path: str) -> None:
    """`revalidate` of a route handler and Cache-Control of any handler use the same cache."""
    site = make_site(PAGES)
    assert site.see(path) == ("MISS", "page 1")
    answer = site.get(path)
    assert (answer.headers["x-nextjs-cache"], answer.text) == ("HIT", "page 1")
    assert answer.headers["Cache-Control"] == (YEAR if path == "/minute" else MINUTE)
    site.wait(61)
    assert site.see(path) == ("STALE", "page 1")
    site.settle()
    assert site.see(path) == ("HIT", "page 2")
    assert site.get(f"/api/revalidate?path={path}").json == "done"
    assert site.see(path) == ("HIT", "page 3")


def test_a_post_to_a_route_handler(make_site: MakeSite) -> None:
    """It is not answered by the page, and expires it."""
    site = make_site(PAGES)
    site.see("/minute")
    assert site.ask("/minute", "POST").text == "posted"
    assert site.see("/minute") == ("MISS", "page 2")


def test_a_route_handler_that_reads_cookies(make_site: MakeSite) -> None:
    """Next makes it dynamic: private, never kept."""
    site = make_site(PAGES)
    for _ in range(2):
        answer = site.get("/cookies", Cookie="a=b")
        assert answer.headers["Cache-Control"] == PRIVATE
        assert "x-nextjs-cache" not in answer.headers
    site.settle()
    assert "x-nextjs-cache" not in site.get("/cookies").headers


def test_a_static_route_handler(make_site: MakeSite) -> None:
    """It sees nothing of who asks, is one for all queries, and kept for a year."""
    site = make_site(PAGES)
    assert site.get("/static?x=1", Cookie="a=b", X_A="1").status_code == 200
    site.settle()
    for query in ("", "?x=1", "?y"):
        answer = site.get(f"/static{query}", X_A="2")
        assert answer.headers["x-nextjs-cache"] == "HIT"
        assert answer.text.startswith("['', '', None, None]")
    assert answer.headers["Cache-Control"] == "s-maxage=31536000"


def test_a_dynamic_route_handler(make_site: MakeSite) -> None:
    """Without settings nothing is kept, as in Next."""
    site = make_site(PAGES)
    for _ in range(2):
        answer = site.get("/dynamic")
        assert "x-nextjs-cache" not in answer.headers
        assert "Cache-Control" not in answer.headers


# Draft mode


def test_draft_mode_goes_round(make_site: MakeSite) -> None:
    """With a valid cookie the page is made for its owner, who is told not to keep it; a forged one gets the page."""
    pytest.importorskip("cryptography")
    site = make_site({"pages/api/draft.py": "def handler(req, res):\n    res.set_draft_mode().json(1)\n", **PAGES})
    page = site.page("/a")
    site.see("/a")
    cookie = site.get("/api/draft").headers["Set-Cookie"].partition(";")[0]
    for number in (2, 3):
        answer = site.get("/a", Cookie=cookie)
        assert (answer.text, answer.headers["Cache-Control"]) == (f"page {number}", PRIVATE)
        assert "x-nextjs-cache" not in answer.headers
    for forged in (cookie[:-1], cookie + "0", "__prerender_bypass=" + "0" * 32):
        assert site.see("/a", Cookie=forged) == ("HIT", "page 1")
    assert site.see("/a") == ("HIT", "page 1")
    assert page.asked == 3
    site.see("/minute")
    answer = site.get("/minute", Cookie=cookie)
    assert (answer.headers["Cache-Control"], answer.text) == (PRIVATE, "page 2")
    assert site.see("/minute") == ("HIT", "page 1")


def test_draft_mode_of_a_tree_with_a_secret_of_its_own(make_site: MakeSite) -> None:
    """The cache knows the option `secret` of the trees behind it; without that editors would be shown the kept page."""
    files = {"pages/api/draft.py": "def handler(req, res):\n    res.set_draft_mode().json(1)\n"}
    site = make_site(files, tree={"secret": "a secret of the tree alone"})
    site.page("/a")
    site.see("/a")
    cookie = site.get("/api/draft").headers["Set-Cookie"].partition(";")[0]
    assert site.get("/a", Cookie=cookie).text == "page 2"
    assert site.see("/a") == ("HIT", "page 1")
