"""What a page cache takes from the settings of Flask and Django: hosts, proxies, and Django's transactions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from threading import get_ident
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

import pytest
from django.core.cache.backends.locmem import LocMemCache
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from werkzeug.middleware.proxy_fix import ProxyFix

from nextapi import revalidate_path, revalidate_tag
from nextapi.adapters.django import DjangoStore
from nextapi.adapters.wsgi import PageCache
from tests.support.mounts import configure_django
from tests.support.sites import Site, serving
from tests.support.trees import write_files

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Serve = Callable[..., Site]

ROUTE = "def handler(req, res):\n    res.revalidate(req.query['path']) or res.json('done')\n"


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Return a function that has a site in a host, with settings of its framework."""
    with ExitStack() as stack:

        def make(host: str, options: dict[str, Any] | None = None, **settings: Any) -> Site:
            root = write_files(tmp_path / "web", {"pages/api/revalidate.py": ROUTE})
            return stack.enter_context(serving(host, root, settings, **(options or {})))

        yield make


def states(site: Site, base_url: str, **headers: str) -> list[str | None]:
    """Return what the cache says to two requests, for a page of that URL."""
    found = []
    for _ in range(2):
        answer = site.ask(
            "/a", base_url=base_url, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        found.append(answer.headers.get("x-nextjs-cache"))
        site.settle()
    return found


KEPT = ["MISS", "HIT"]
NOT_KEPT = [None, None]


# Hosts


@pytest.mark.parametrize(
    ("host", "setting"),
    [("flask", {"TRUSTED_HOSTS": ["shop.com", ".b.com"]}), ("django", {"ALLOWED_HOSTS": ["shop.com", ".b.com"]})],
)
def test_hosts_of_the_settings(serve: Serve, host: str, setting: dict[str, Any]) -> None:
    """Pages are kept for the hosts that the app takes; the app refuses the others, and the cache keeps nothing."""
    site = serve(host, **setting)
    site.page("/a")
    assert states(site, "http://shop.com") == KEPT
    assert states(site, "http://www.b.com:8000") == KEPT
    assert states(site, "http://evil.com") == NOT_KEPT
    assert site.ask("/a", base_url="http://evil.com").status_code == 400


@pytest.mark.parametrize("host", ["flask", "django"])
def test_hosts_of_the_cache(serve: Serve, host: str) -> None:
    """`hosts` of the cache says for which of them pages are kept."""
    site = serve(host, {"hosts": ["shop.com"]})
    site.page("/a")
    assert states(site, "http://shop.com") == KEPT
    assert states(site, "http://www.b.com") == NOT_KEPT


def test_the_host_that_flask_names(serve: Serve) -> None:
    """Whoever answers no request has pages made for SERVER_NAME and PREFERRED_URL_SCHEME."""
    site = serve("flask", SERVER_NAME="shop.com", PREFERRED_URL_SCHEME="https")
    page = site.page("/a")
    site.cache.revalidate("/a")
    (environ,) = page.environs
    assert (environ["HTTP_HOST"], environ["wsgi.url_scheme"]) == ("shop.com", "https")
    assert site.ask("/a", base_url="https://shop.com").headers["x-nextjs-cache"] == "HIT"


def test_the_host_that_django_names(serve: Serve) -> None:
    """That is the first of ALLOWED_HOSTS that is one, with https where the project redirects to it."""
    site = serve(
        "django", ALLOWED_HOSTS=[".b.com", "shop.com"], SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")
    )
    page = site.page("/a")
    site.cache.revalidate("/a")
    (environ,) = page.environs
    assert (environ["HTTP_HOST"], environ["wsgi.url_scheme"]) == ("shop.com", "https")


# Proxies


def test_django_believes_no_proxy_by_itself(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """Requests with headers of proxies go round, with one warning that says which settings there are."""
    site = serve("django")
    site.page("/a")
    assert states(site, "http://shop.com", X_Forwarded_Host="evil.com") == NOT_KEPT
    assert states(site, "http://shop.com", X_Forwarded_For="1.2.3.4") == NOT_KEPT
    warned = [text for text in caplog.messages if "go round it" in text and "X-Forwarded-Host" in text]
    assert len(warned) == 1
    assert "USE_X_FORWARDED_HOST" in warned[0]
    assert "but only one whose header the proxy sets itself" in warned[0], "else clients say it"


def test_django_behind_a_proxy(serve: Serve) -> None:
    """USE_X_FORWARDED_HOST and SECURE_PROXY_SSL_HEADER say whose page it is, and its app sees the same."""
    site = serve(
        "django",
        ALLOWED_HOSTS=["shop.com", "other.com"],
        USE_X_FORWARDED_HOST=True,
        SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
    )
    page = site.page("/a")
    inner = "http://10.0.0.1:8000"
    told = {"X_Forwarded_Host": "shop.com", "X_Forwarded_Proto": "https", "X_Forwarded_For": "1.2.3.4"}
    assert states(site, inner, **told) == KEPT
    assert site.ask("/a", base_url="https://shop.com").headers["x-nextjs-cache"] == "HIT"
    assert states(site, inner, **{**told, "X_Forwarded_Host": "other.com"}) == KEPT
    assert states(site, inner, **{**told, "X_Forwarded_Proto": "http"}) == KEPT
    assert states(site, inner, **{**told, "X_Forwarded_Host": "evil.com"}) == NOT_KEPT
    assert states(site, inner, **told, Forwarded="host=evil.com") == NOT_KEPT
    same = {"X_Forwarded_Server": "proxy-1", "X_Forwarded_Port": "443", "X_Forwarded_Scheme": "https"}
    assert states(site, inner, **told, **same) == ["HIT", "HIT"]
    assert states(site, inner, **told, X_Forwarded_Port="8443") == NOT_KEPT
    assert {environ["HTTP_HOST"] for environ in page.environs if "HTTP_X_FORWARDED_HOST" not in environ} == {
        "shop.com",
        "other.com",
    }


def test_django_below_a_prefix_that_a_proxy_takes_off(serve: Serve) -> None:
    """With FORCE_SCRIPT_NAME a path is that of the URL, as `reverse` makes it, and with the prefix left out as well."""
    site = serve("django", FORCE_SCRIPT_NAME="/ba\u00e9/")
    page = site.page("/a")
    assert site.see("/a") == ("MISS", "page 1")
    for number, path in enumerate(["/ba%C3%A9/a", "/a"], 2):
        assert site.get(f"/api/revalidate?path={quote(path)}").json == "done"
        assert site.see("/a") == ("HIT", f"page {number}")
    assert page.environs[-1]["PATH_INFO"] == "/a"
    site.cache.revalidate_path("/ba\u00e9/a")
    assert site.see("/a")[0] == "MISS"
    escaped = [site.page("/b/c"), site.see("/b%2Fc"), site.see("/b/c")]
    assert escaped[1:] == [("MISS", "page 1"), ("MISS", "page 2")]


def test_django_below_a_prefix_that_no_request_has_named(serve: Serve) -> None:
    """Whoever answers no request has pages below FORCE_SCRIPT_NAME made, and expires them, before the first request."""
    site = serve("django", FORCE_SCRIPT_NAME="/base")
    site.page("/a")
    assert site.cache.revalidate("http://example.com/base/a")
    assert site.see("/a") == ("HIT", "page 1")
    other = PageCache(site.cache.app, site.store)
    other.revalidate_path("/a")
    assert site.see("/a") == ("MISS", "page 2")


def test_flask_behind_a_proxy(serve: Serve) -> None:
    """A ProxyFix around the app or around the cache says whose page it is."""
    site = serve("flask", TRUSTED_HOSTS=["shop.com"])
    site.page("/a")
    told = {"X_Forwarded_Host": "shop.com", "X_Forwarded_Proto": "https"}
    assert states(site, "http://10.0.0.1", **told) == NOT_KEPT
    site.app.wsgi_app = ProxyFix(site.cache, x_host=1, x_proto=1)  # type: ignore[attr-defined]  # it is Flask
    assert states(site, "http://10.0.0.1", **told) == KEPT
    assert states(site, "http://10.0.0.1", **{**told, "X_Forwarded_Host": "evil.com"}) == NOT_KEPT


# Django's transactions

Atomic = Callable[[str], AbstractContextManager[object]]


@contextmanager
def another_database(name: str) -> Iterator[None]:
    """Have a database "other" beside the default one, whose connections are no request's alone."""
    configure_django()
    connections.settings["other"] = {**connections.settings["default"], "NAME": name, "CONN_MAX_AGE": None}
    try:
        yield
    finally:
        BaseDatabaseWrapper.close(connections["other"])  # that of SQLite leaves one in memory open
        del connections.settings["other"]
        del connections["other"]


@contextmanager
def rolled_back(using: str) -> Iterator[None]:
    """Open a transaction that is rolled back."""
    with transaction.atomic(using=using):
        yield
        transaction.set_rollback(True, using=using)


CALLS: dict[str, Callable[[Site], object]] = {
    "revalidate_path": lambda site: revalidate_path("/a"),
    "revalidate_tag": lambda site: revalidate_tag("t"),
    "remade": lambda site: site.cache.revalidate("/a", origin="http://example.com"),
}


@pytest.mark.parametrize("call", CALLS)
def test_it_waits_for_the_commit(serve: Serve, call: str) -> None:
    """In an atomic block nothing happens before the commit, and then all of it; a rollback changes nothing."""
    site = serve("django")
    page = site.page("/a", headers=[("Cache-Tag", "t")])
    seen: list[tuple[str | None, str]] = []

    def change(environ: WSGIEnvironment) -> str:
        atomic = rolled_back if environ["QUERY_STRING"] else transaction.atomic
        with atomic(using="default"):
            CALLS[call](site)
            with transaction.atomic():
                seen.append(site.see("/a"))
        return "changed"

    site.page("/change", "", make=change)
    site.see("/a")
    site.get("/change?rollback")
    assert (seen.pop(), site.see("/a"), page.asked) == (("HIT", "page 1"), ("HIT", "page 1"), 1)
    site.get("/change")
    assert seen == [("HIT", "page 1")]
    assert site.see("/a") == ("HIT" if call == "remade" else "MISS", "page 2")


def test_the_savepoint_that_is_rolled_back(serve: Serve) -> None:
    """What was asked for in a savepoint that is rolled back does not happen, what was asked for around it does."""
    site = serve("django")
    site.page("/a")
    site.page("/b")

    def change(environ: WSGIEnvironment) -> str:
        with transaction.atomic():
            revalidate_path("/b")
            with transaction.atomic():
                revalidate_path("/a")
                transaction.set_rollback(True)
        return "changed"

    site.page("/change", "", make=change)
    for path in ("/a", "/b", "/change"):
        site.get(path)
    assert [site.see(path)[0] for path in ("/a", "/b")] == ["HIT", "MISS"]


@pytest.fixture
def two_databases() -> Iterator[None]:
    with another_database(":memory:"):
        yield


@pytest.mark.usefixtures("two_databases")
def test_several_databases(serve: Serve) -> None:
    """It is done after each commit, as the transaction of another database may yet be rolled back."""
    site = serve("django")
    site.page("/a")
    seen: list[str | None] = []

    def change(environ: WSGIEnvironment) -> str:
        first, second = environ["QUERY_STRING"].split(",")
        with suppress(ZeroDivisionError), transaction.atomic(using=first):
            with transaction.atomic(using=second):
                revalidate_path("/a")
                seen.append(site.see("/a")[0])
            seen.append(site.see("/a")[0])
            if fails:
                raise ZeroDivisionError
        return "changed"

    site.page("/change", "", make=change)
    for query, fails in (("default,other", False), ("other,default", False), ("other,default", True)):
        site.see("/a")
        site.get(f"/change?{query}")
        assert seen[-2:] == ["HIT", "MISS"]
        assert site.see("/a")[0] == ("HIT" if fails else "MISS")


def test_what_fails_after_the_commit_is_logged(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody is there to be told: the caller's request is answered, and the log has it."""
    site = serve("django")
    page = site.page("/a")
    site.see("/a")

    def change(environ: WSGIEnvironment) -> str:
        with transaction.atomic():
            CALLS["remade"](site)
        return "changed"

    site.page("/change", "", make=change)
    page.status = 500
    with caplog.at_level(logging.ERROR):
        assert site.get("/change").text == "changed"
    assert "what waited for the commit failed" in caplog.text
    assert "Failed to revalidate /a: Invalid response 500" in caplog.text
    assert site.see("/a") == ("HIT", "page 1")


def test_a_page_is_not_made_in_the_callers_transaction(serve: Serve, tmp_path: Path) -> None:
    """It is made on a thread of its own, which has no transaction open, and closes its connections."""
    site = serve("django")
    opened: list[Any] = []

    def make(environ: WSGIEnvironment) -> str:
        connection = connections["other"]
        connection.ensure_connection()
        opened.append((connection, connection.in_atomic_block))
        return "page"

    site.page("/a", make=make)
    with another_database(str(tmp_path / "other.sqlite3")):
        site.cache.revalidate("/a", origin="http://example.com")
        assert opened[0][0] is not connections["other"]
    ((connection, is_atomic),) = opened
    assert not is_atomic
    assert connection.connection is None


class NotedCache(LocMemCache):
    """A backend that has something open from its first use on."""

    in_use: ClassVar[set[int]] = set()

    def get_many(self, *arguments: Any, **named: Any) -> Any:
        self.in_use.add(get_ident())
        return super().get_many(*arguments, **named)

    def add(self, *arguments: Any, **named: Any) -> bool:
        self.in_use.add(get_ident())
        return super().add(*arguments, **named)

    def close(self, **_: Any) -> None:
        self.in_use.discard(get_ident())


def test_a_thread_that_has_made_a_page_leaves_no_cache_open(serve: Serve) -> None:
    """Django has one of each thread, and closes it after a request of its own alone."""
    NotedCache.in_use.clear()
    backend = f"{NotedCache.__module__}.{NotedCache.__qualname__}"
    site = serve("django", {"store": DjangoStore()}, CACHES={"default": {"BACKEND": backend}})
    site.page("/a", "s-maxage=0, stale-while-revalidate=600")
    site.see("/a")
    assert site.see("/a") == ("STALE", "page 1")
    site.settle()
    assert NotedCache.in_use <= {get_ident()}
    assert site.see("/a") == ("STALE", "page 2")
