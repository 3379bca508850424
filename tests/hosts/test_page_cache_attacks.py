"""What somebody may send so that others are given it, or nobody is given a page: none of it holds."""

from __future__ import annotations

import os
import threading
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from io import BytesIO
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import override_settings
from django.urls import include, path
from werkzeug.test import Client, run_wsgi_app

from nextapi.adapters.django import create_urlpatterns
from nextapi.adapters.django.page_cache import DjangoCacheHost
from nextapi.adapters.wsgi import PageCache
from nextapi.cache.memory import MemoryStore
from nextapi.routing.paths import raw_path
from tests.support.mounts import configure_django, django_project
from tests.support.page_cache import ALL, MINUTE, FailingStore, settle
from tests.support.trees import write_files

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

View = Callable[["WSGIEnvironment"], tuple[str, list[tuple[str, str]], str]]


def page(body: str, *headers: tuple[str, str], status: str = "200 OK") -> tuple[str, list[tuple[str, str]], str]:
    return status, [("Content-Type", "text/plain"), ("Cache-Control", MINUTE), *headers], body


def environ_of(target: str = "/", method: str = "GET", **more: Any) -> WSGIEnvironment:
    """Return the environ that gunicorn makes of a request's target."""
    path, _, query = target.partition("?")
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "RAW_URI": target,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.1",
        "REMOTE_PORT": "50000",
        "HTTP_HOST": "example.com",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
        "wsgi.input_terminated": True,
        "wsgi.errors": BytesIO() and _Nowhere(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "gunicorn.socket": None,
        **more,
    }


class _Nowhere:
    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None: ...


class RawSite:
    """A view behind a page cache, asked by environs as gunicorn makes them."""

    def __init__(self, view: View, **options: Any) -> None:
        self.store = options.pop("store", None) or MemoryStore()
        self.seen: list[WSGIEnvironment] = []
        self._view = view
        self.cache = PageCache(self._app, self.store, **options)

    def _app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.seen.append(environ)
        status, headers, body = self._view(environ)
        start_response(status, headers)
        return [body.encode()]

    def ask(self, target: str = "/", method: str = "GET", **more: Any) -> tuple[str, dict[str, str], str]:
        """Return state, headers in lower case, and body, once nothing is made beside requests any more."""
        chunks, status, headers = run_wsgi_app(self.cache, environ_of(target, method, **more), buffered=True)
        body = b"".join(chunks).decode()
        if close := getattr(chunks, "close", None):
            close()
        settle()
        names = {name.lower(): value for name, value in headers}
        return names.get("x-nextjs-cache", status), names, body


# Who asked


@pytest.mark.parametrize("name", ["HTTP_COOKIE", "HTTP_AUTHORIZATION"])
def test_a_page_that_varies_by_the_asker_is_not_made_of_the_asker(name: str) -> None:
    """To nobody it says Vary, to somebody it forgets to: it is never rendered for the cache with what they have."""
    header = name.removeprefix("HTTP_").title()

    def view(environ: WSGIEnvironment) -> Any:
        return page(f"hello {environ[name]}") if name in environ else page("hello", ("Vary", header))

    site = RawSite(view)
    assert site.ask(**{name: "ann"})[2] == "hello ann"
    assert site.ask()[2] == "hello"


def test_a_page_made_of_a_header_is_kept_for_that_header_alone() -> None:
    """What is made with a header of the asker's, because Vary named it once, varies by it, whatever it says then."""

    def view(environ: WSGIEnvironment) -> Any:
        user = environ.get("HTTP_X_USER")
        return page(f"hello {user}") if user else page("hello", ("Vary", "X-User"))

    site = RawSite(view)
    site.ask(HTTP_X_USER="mallory")
    assert site.ask()[2] == "hello"
    assert site.ask(HTTP_X_USER="mallory")[2] == "hello mallory"


def test_an_empty_header_is_not_the_same_as_none() -> None:
    def view(environ: WSGIEnvironment) -> Any:
        return page("with" if "HTTP_ACCEPT_LANGUAGE" in environ else "without", ("Vary", "Accept-Language"))

    site = RawSite(view)
    assert site.ask(HTTP_ACCEPT_LANGUAGE="")[2] == "with"
    assert site.ask()[2] == "without"
    assert site.ask(HTTP_ACCEPT_LANGUAGE="")[2] == "with"


ASKER = {
    "HTTP_COOKIE": "a=b",
    "HTTP_AUTHORIZATION": "Basic YTpi",
    "HTTP_PROXY_AUTHORIZATION": "Basic YTpi",
    "HTTP_RANGE": "bytes=0-1",
    "HTTP_IF_MATCH": '"a"',
    "HTTP_REFERER": "http://evil/",
    "HTTP_ORIGIN": "http://evil",
    "HTTP_X_ORIGINAL_URL": "/admin",
    "HTTP_X_REWRITE_URL": "/admin",
    "HTTP_X_HTTP_METHOD_OVERRIDE": "DELETE",
    "HTTP_X_HOST": "evil",
    "HTTP_X_FORWARDED_HOST": "evil",
    "HTTP_X_FORWARDED_FOR": "203.0.113.1",
    "HTTP_X_USER": "ann",
    "HTTP_SEC_USER": "ann",
    "HTTP_TRANSFER_ENCODING": "chunked",
    "REMOTE_USER": "ann",
    "AUTH_TYPE": "Basic",
    "REMOTE_IDENT": "ann",
    "SSL_CLIENT_S_DN": "CN=ann",
    "GEOIP_COUNTRY_CODE": "DE",
    "CONTENT_TYPE": "application/json",
    "CONTENT_LENGTH": "2",
    "shop.user": "ann",
    "REQUEST_URI": "http://evil/",
    "RAW_URI": "/#evil",
}


@pytest.mark.parametrize("name", ASKER)
def test_nothing_of_who_asked_is_in_what_is_kept(name: str) -> None:
    def view(environ: WSGIEnvironment) -> Any:
        return page(str(environ.get(name)))

    site = RawSite(view)
    asked = site.ask(**{name: ASKER[name]})
    assert asked[2] == ASKER[name]
    if not name.startswith("HTTP_X_FORWARDED"):
        assert asked[1]["cache-control"].startswith("private")
    assert site.ask()[2] != ASKER[name]


@pytest.mark.parametrize(
    "more",
    [
        {"RAW_URI": "/a/b?evil"},
        {"REQUEST_URI": "/a/b?evil"},
        {"RAW_URI": "b"},
        {"RAW_URI": "", "QUERY_STRING": "utm=evil"},
    ],
)
def test_what_a_target_says_beside_is_not_in_what_is_kept(more: dict[str, str]) -> None:
    names = ("RAW_URI", "REQUEST_URI", "QUERY_STRING")
    site = RawSite(lambda environ: page(repr([environ.get(name) for name in names])), ignored_params=["utm"])
    site.ask("/a/b", **more)
    assert site.ask("/a/b")[::2] == ("HIT", repr(["/a/b", "/a/b", ""]))


def test_variables_of_the_process_are_nobodys() -> None:
    """As wsgiref adds them to each request; one that differs may be about who asks."""
    site = RawSite(lambda _: page("a"))
    assert site.ask("/a", PATH=os.environ["PATH"])[1]["cache-control"] == MINUTE
    assert site.ask("/b", PATH="/evil")[1]["cache-control"].startswith("private")


@pytest.mark.parametrize("target", ["", "*"])
def test_what_is_no_path_has_no_page(target: str) -> None:
    site = RawSite(lambda _: page("a"))
    for _ in range(2):
        assert site.ask("/", PATH_INFO=target)[0] == "200 OK"


def test_a_void_page_is_made_without_context_of_the_asker() -> None:
    """Middleware around the page cache notes who asks: what is made for all does not see it."""
    user: ContextVar[str] = ContextVar("user", default="nobody")
    site = RawSite(lambda _: page(user.get()))
    assert site.ask()[2] == "nobody"
    site.cache.revalidate_path("/")
    token = user.set("ann")
    site.ask(HTTP_X_USER="ann")
    user.reset(token)
    assert site.ask()[2] == "nobody"


def test_a_page_that_ignores_queries_is_not_made_of_one() -> None:
    site = RawSite(lambda environ: page(environ["QUERY_STRING"], ("No-Vary-Search", "params")))
    site.ask("/?evil")
    assert site.ask()[2] == ""
    assert site.ask("/?other")[2] == ""


@pytest.mark.parametrize("name", ["CDN-Cache-Control", "Surrogate-Control", "Cloudflare-CDN-Cache-Control", "Expires"])
def test_what_is_for_one_alone_says_so_to_every_cache(name: str) -> None:
    """A CDN in front takes the Cache-Control that is meant for it alone in place of the other (RFC 9213)."""
    site = RawSite(lambda environ: page(environ.get("HTTP_COOKIE", ""), (name, "max-age=60")))
    assert name.lower() not in site.ask(HTTP_COOKIE="ann")[1]
    assert name.lower() in site.ask()[1]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_is_for_one_alone_says_so_without_a_store(method: str) -> None:
    store = FailingStore()
    store.gone = ALL
    site = RawSite(lambda environ: page(environ.get("HTTP_COOKIE", "")), store=store)
    assert site.ask("/", method, HTTP_COOKIE="ann")[1]["cache-control"].startswith("private")
    assert site.ask("/", method, HTTP_COOKIE="ann")[1]["cache-control"].startswith("private")
    assert site.ask("/", method)[1]["cache-control"] == MINUTE


def test_the_first_to_ask_does_not_name_the_server() -> None:
    """On a Unix socket gunicorn takes SERVER_NAME and SERVER_PORT from the Host header."""
    names = ("HTTP_HOST", "SERVER_NAME", "SERVER_PORT")
    site = RawSite(lambda environ: page(" ".join(environ[name] for name in names)))
    site.ask("/evil", HTTP_HOST="evil:1", SERVER_NAME="evil", SERVER_PORT="1")
    for scheme, host, said in (
        ("http", "example.com", "example.com 80"),
        ("https", "example.com", "example.com 443"),
        ("https", "example.com:8443", "example.com 8443"),
        ("http", "[::1]", "[::1] 80"),
        ("http", "[::1]:8000", "[::1] 8000"),
    ):
        asker = {"wsgi.url_scheme": scheme, "HTTP_HOST": host}
        site.ask(**asker, HTTP_COOKIE="a=b")
        assert site.ask(**asker)[::2] == ("HIT", f"{host} {said}")


# URLs


HOSTS = [
    "example.com",
    "EXAMPLE.com",
    "example.com.",
    "example.com:80",
    "example.com:443",
    "example.com:8000",
    "[::1]:80",
]
NO_HOSTS = [
    "",
    "example.com, evil",
    "evil@example.com",
    "example.com/",
    "example.com:",
    "example .com",
    "example.com:x",
]
TARGETS = ["/a", "/a/", "//a", "/a;b", "/a?", "/a?b", "/a?b=1&b=2", "/a?b=2&b=1", "/a?b;c", "/a?b&amp;c", "/a?b?c"]
SPELLINGS = {
    "/a/b": "/a/b",
    "/a%2Fb": "/a/b",
    "/a%2fb": "/a/b",
    "/a/x/../b": "/a/x/../b",
    "/a/x/%2e%2e/b": "/a/x/../b",
    "/a%2fx%2f..%2fb": "/a/x/../b",
    "/a/b%00.css": "/a/b\0.css",
    "/a%5Cb": "/a\\b",
    "/a%3Fb": "/a?b",
    "/a%23b": "/a#b",
    "/a%3Bb": "/a;b",
    "/a%C3%A4": "/a\xc3\xa4",
    "/a%E4": "/a\xe4",
    "/a%25E4": "/a%E4",
    "/a%20b": "/a b",
    "/a+b": "/a+b",
    "http://evil/a/b": "/a/b",
    "/a/b#evil": "/a/b",
    "/evil": "/a/b",
    "": "/a/b",
}


def facts_of(environ: WSGIEnvironment) -> tuple[str, ...]:
    """Return what an application can tell of a URL, also one that reads the path as it was sent."""
    scheme, host = environ["wsgi.url_scheme"], environ["HTTP_HOST"].lower()
    host = host.removesuffix({"http": ":80", "https": ":443"}[scheme])
    return (scheme, host, environ["SCRIPT_NAME"], environ["PATH_INFO"], environ["QUERY_STRING"], *raw_path(environ))


def test_what_the_app_tells_apart_shares_no_page() -> None:
    """Each of these is asked for after all others, in both directions."""
    site = RawSite(lambda environ: page(repr(facts_of(environ))))
    asked = [
        *(
            environ_of(target, **{"HTTP_HOST": host, "wsgi.url_scheme": scheme})
            for target in TARGETS
            for host in (*HOSTS, *NO_HOSTS)
            for scheme in ("http", "https")
        ),
        *(environ_of(target, PATH_INFO=path, QUERY_STRING="") for target, path in SPELLINGS.items()),
        environ_of("/a/b", SCRIPT_NAME="/a", PATH_INFO="/b"),
        environ_of("/b", SCRIPT_NAME="/a", PATH_INFO="/b"),
    ]
    states = []
    for environ in [*asked, *reversed(asked)]:
        chunks, _, headers = run_wsgi_app(site.cache, dict(environ), buffered=True)
        assert b"".join(chunks).decode() == repr(facts_of(environ))
        states.append((headers.get("x-nextjs-cache"), environ["HTTP_HOST"]))
        settle()
    assert {host for state, host in states if state == "HIT"} == {*HOSTS}
    assert {host for state, host in states if state is None} == {*NO_HOSTS}


def test_ignored_parameters_hide_nothing() -> None:
    site = RawSite(lambda environ: page(environ["QUERY_STRING"]), ignored_params=["utm"])
    for query in ("utm=1;x=2", "utm=1", "%75tm=evil", "utm=a&utm=b", "&utm=", "utm"):
        site.ask(f"/?{query}")
    assert site.ask("/")[2] == ""
    assert site.ask("/?x=2&utm=1")[2] == "x=2&utm=1"
    assert site.ask("/?x=2")[2] == "x=2"
    assert site.ask("/?UTM=1")[2] == "UTM=1"


# Load


def test_a_page_made_anew_that_is_too_large_leaves_no_old_one() -> None:
    size = 10
    site = RawSite(lambda _: page("x" * size), store=MemoryStore(max_entry_size=2000))
    site.ask()
    assert site.ask()[0] == "HIT"
    size = 1990
    site.cache.revalidate("http://example.com/")
    assert site.ask()[2] == "x" * size


class Forgetful(MemoryStore):
    """As Django's DummyCache."""

    def get(self, names: Any) -> Any:
        return [None] * len(names)


def test_a_store_that_keeps_nothing_is_not_asked_for_ever() -> None:
    site = RawSite(lambda _: page("a", ("Cache-Tag", "b")), store=Forgetful())
    thread = threading.Thread(target=site.ask, daemon=True)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()


@pytest.mark.parametrize("method", ["get", "Head"])
def test_a_safe_method_in_other_letters_expires_nothing(method: str) -> None:
    """Flask and Django take it for GET."""
    site = RawSite(lambda _: page("a"))
    site.ask()
    site.ask("/", method)
    assert site.ask()[0] == "HIT"


def test_a_change_expires_a_path_when_it_is_made() -> None:
    """An application that begins late makes its change while its body is read."""
    state = "old"

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        nonlocal state
        if environ["REQUEST_METHOD"] == "POST":
            yield b""
            run_wsgi_app(cache, environ_of(), buffered=True)  # another asks meanwhile
            state = "new"
        status, headers, body = page(state)
        start_response(status, headers)
        yield body.encode()

    cache = PageCache(app, MemoryStore())

    def ask(method: str = "GET") -> str:
        chunks, _, _ = run_wsgi_app(cache, environ_of("/", method), buffered=True)
        return b"".join(chunks).decode()

    assert ask() == "old"
    ask("POST")
    assert ask() == "new"


def test_long_paths_fill_no_memory() -> None:
    site = RawSite(lambda _: ("200 OK", [], "no page"))
    for number in range(50):  # what is made once
        site.ask(f"/{number}{'x' * 7_000}")
    tracemalloc.start()
    try:
        for number in range(500):
            site.seen.clear()
            site.ask(f"/a{number}{'x' * 7_000}")
        assert tracemalloc.get_traced_memory()[0] < 500_000
    finally:
        tracemalloc.stop()


def test_many_paths_fill_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nextapi.cache.notes._MOST_PATHS", 3)
    site = RawSite(lambda environ: ("200 OK", [], "a") if "HTTP_COOKIE" not in environ else page("a"))
    for number in range(10):
        site.ask(f"/{number}")
        site.ask(f"/made{number}", HTTP_COOKIE="a=b")
    notes = site.cache._notes
    assert (len(notes._no_pages) <= 3, len(notes._failed) <= 3) == (True, True)
    assert (bool(notes._no_pages), bool(notes._failed)) == (True, True)


def test_a_url_that_is_no_page_keeps_no_other_from_being_made() -> None:
    """What cannot be made of a clean request is not tried again for a while: that URL, and not all of its path."""

    def view(environ: WSGIEnvironment) -> Any:
        if environ["QUERY_STRING"] == "evil" and "HTTP_X_EVIL" not in environ:
            return "400 Bad Request", [], "bad"
        return page("good")

    site = RawSite(view)
    site.ask("/?evil", HTTP_X_EVIL="1")
    site.ask("/", HTTP_COOKIE="a=b")
    assert site.ask()[0] == "HIT"


def test_a_page_without_content_has_none() -> None:
    """What an app sends with 204 all the same would be the beginning of the connection's next answer."""
    site = RawSite(lambda _: page("body", ("Content-Length", "4"), status="204 No Content"))
    for state in ("MISS", "HIT"):
        asked = site.ask()
        assert (asked[0], asked[2]) == (state, "")
        assert "content-length" not in asked[1]


def test_clients_behind_a_proxy_are_asked_about_once() -> None:
    """Django is asked what it believes of a host, and not anew for every address."""
    configure_django()
    with override_settings(USE_X_FORWARDED_HOST=True, ALLOWED_HOSTS=["example.com"]):
        host = DjangoCacheHost(b"", None)
        for number in range(9):
            environ = environ_of(HTTP_X_FORWARDED_HOST="example.com", HTTP_X_FORWARDED_FOR=f"192.0.2.{number}")
            assert host.trusted(environ) is not None
        assert len(host._known) == 1


ROUTES = {
    "def": "def POST(request):\n    Row.objects.create(name='a')\n",
    "async def": "async def POST(request):\n    await Row.objects.acreate(name='a')\n",
}
API_ROUTES = {
    "def": "def handler(req, res):\n    Row.objects.create(name='a')\n",
    "async def": "async def handler(req, res):\n    await Row.objects.acreate(name='a')\n",
}


@pytest.mark.parametrize("call", ["revalidate_path('/rows')", "revalidate_tag('rows')", "res.revalidate('/rows')"])
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_transaction_that_is_rolled_back_expires_nothing(tmp_path: Path, kind: str, call: str) -> None:
    """Nor is a page made anew before it has committed, of which an `async def` handler does not see that it is open."""
    from tests.support.models import Row, atomic_rows

    def rows(_: Any) -> HttpResponse:
        numbers.append(connection.in_atomic_block)
        return HttpResponse("", headers={"Cache-Control": MINUTE, "Cache-Tag": "rows"})

    numbers: list[bool] = []
    is_api = call.startswith("res.")
    body = (API_ROUTES if is_api else ROUTES)[kind]
    text = (
        "from nextapi import Response, revalidate_path, revalidate_tag\n"
        f"from tests.support.models import Row\n{body}    {call}\n    raise ValueError\n"
    )
    files = {"pages/api/a.py" if is_api else "app/api/a/route.py": text}
    tree = include(create_urlpatterns(write_files(tmp_path, files)))
    with atomic_rows(), django_project([path("rows", rows), path("", tree)], ALLOWED_HOSTS=["*"]) as client:
        client = Client(PageCache(client.application, MemoryStore()))
        client.get("/rows")
        assert client.post("/api/a").status_code == 500
        assert Row.objects.count() == 0
        assert client.get("/rows").headers["x-nextjs-cache"] == "HIT"
        assert len(numbers) == 1


def test_new_pages_leave_a_thread_to_old_ones() -> None:
    """Somebody asks for one slow page after the other as a user: pages that are due are made anew all the same."""
    is_over, number = threading.Event(), 0

    def view(environ: WSGIEnvironment) -> Any:
        nonlocal number
        if environ["PATH_INFO"] == "/due":
            number += 1
            return "200 OK", [("Cache-Control", "s-maxage=0, stale-while-revalidate=600")], str(number)
        if "HTTP_COOKIE" not in environ:
            is_over.wait(60)
        return page("slow")

    site = RawSite(view)

    def ask(target: str, **more: Any) -> bytes:
        chunks, _, _ = run_wsgi_app(site.cache, environ_of(target, **more), buffered=True)
        return b"".join(chunks)

    barrier = threading.Barrier(4)

    def meet(_: int) -> None:
        barrier.wait()
        ask("/due")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(meet, range(4)))
    settle()
    for other in range(4):
        ask(f"/{other}", HTTP_COOKIE="a=b")
    try:
        before = number
        ask("/due")
        deadline = monotonic() + 30
        while number == before and monotonic() < deadline:
            sleep(0.01)
        assert number > before
    finally:
        is_over.set()
        settle()


def test_an_expired_page_is_made_once_whatever_its_queries_answer() -> None:
    """Somebody has a query of its path answered by an error: the page is a page nevertheless."""
    number = 0

    def view(environ: WSGIEnvironment) -> Any:
        nonlocal number
        if environ["QUERY_STRING"]:
            return "404 Not Found", [], "none"
        number += 1
        sleep(0.1)
        return page(str(number))

    site = RawSite(view)
    site.ask()
    site.cache.revalidate_path("/")
    site.ask("/?evil")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: run_wsgi_app(site.cache, environ_of()), range(8)))
    assert number == 2


def test_a_page_that_cannot_be_made_costs_no_more_than_without_a_cache() -> None:
    """An expired page whose app fails is tried once of a clean request, and not beside every request."""
    is_failing = False

    def view(_: WSGIEnvironment) -> Any:
        return ("500 Internal Server Error", [], "failed") if is_failing else page("a")

    site = RawSite(view)
    site.ask()
    site.cache.revalidate_path("/")
    is_failing = True
    site.seen.clear()
    for _ in range(5):
        assert site.ask()[2] == "failed"
    assert len(site.seen) == 6
    is_failing = False
    site.ask()
    assert site.ask()[0] == "HIT"


@pytest.mark.parametrize("status", ["fine", "200 OK"])
def test_what_servers_let_pass_is_passed_on(status: str) -> None:
    """An app without a status code, and middleware that does not return `write`."""
    started: list[str] = []

    def app(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response(status, [])
        return [b"a"]

    def start(status: str, *_: Any) -> Any:
        started.append(status)

    cache = PageCache(app, MemoryStore())
    assert b"".join(cache(environ_of(), start)) == b"a"
    assert started == [status]
