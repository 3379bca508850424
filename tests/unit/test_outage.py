"""A page cache while its store is gone: clients are answered, nothing that was expired is served, and it recovers."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from nextapi import revalidate_path, revalidate_tag
from nextapi.adapters.wsgi import PageCache
from nextapi.cache.expiry import Expiry
from nextapi.cache.notes import Notes
from nextapi.cache.outage import Outage
from nextapi.cache.pages import Pages
from nextapi.cache.visit import visit_of
from nextapi.errors import StoreError
from tests.support.page_cache import ALL, PAGE, Clock, FailingStore, HookedStore, Numbered, ask, settle, state

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


pytestmark = pytest.mark.usefixtures("settled")


@pytest.mark.parametrize(
    "gone", [ALL, ALL - {"get"}, {"set"}, {"add"}, {"remove"}], ids=lambda gone: "+".join(sorted(gone))
)
def test_pages_are_served_while_the_store_is_gone(
    gone: frozenset[str], clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever of it fails, clients are answered; one log line says so, and it recovers by itself."""
    caplog.set_level(logging.INFO)
    store = FailingStore()
    app = Numbered()
    cache = PageCache(app, store)
    store.gone = gone
    for number in range(1, 4):
        assert ask(cache, f"/{number}").text == f"page {number}"
    assert ask(cache, "/1", "POST").status_code == 200
    lines = [record.getMessage() for record in caplog.records if "served uncached" in record.getMessage()]
    assert len(lines) == 1
    store.gone = frozenset()
    clock.now += 100
    assert state(ask(cache, "/new")) == "MISS"
    assert state(ask(cache, "/new")) == "HIT"
    assert "the store is back" in caplog.text


@pytest.mark.parametrize("gone", [ALL, {"set"}], ids=["all", "set"])
def test_on_demand_says_that_the_store_is_gone(gone: Collection[str], caplog: pytest.LogCaptureFixture) -> None:
    """Who has a page made anew, or expired, is told; so is the log."""
    store = FailingStore()
    cache = PageCache(Numbered(), store)
    ask(cache)
    store.gone = gone
    for call in (
        lambda: cache.revalidate("http://example.com/a"),
        lambda: cache.revalidate_path("/a"),
        lambda: cache.revalidate_tag("t"),
    ):
        with pytest.raises(StoreError, match="gone"):
            call()
    assert caplog.messages == ["page cache: the store is gone: pages are served uncached until it is back"]


def test_a_store_that_goes_while_pages_are_stale(clock: Clock) -> None:
    """A stale page is served, and what cannot be made anew is no error."""
    store = FailingStore()
    app = Numbered()
    cache = PageCache(app, store)
    ask(cache)
    clock.now += 61
    store.gone = ALL - {"get"}
    assert state(ask(cache)) == "STALE"
    settle()
    store.gone = frozenset()
    clock.now += 2
    assert state(ask(cache)) == "STALE"
    settle()
    assert state(ask(cache)) == "HIT"


def test_a_store_that_takes_no_page(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """While a store can be read and written, but no page be kept, one line says so, and one that it is back."""
    caplog.set_level(logging.INFO, "nextapi")

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", list(PAGE))
        return [b"x" * 2000]

    store = FailingStore()
    cache = PageCache(app, store)
    store.is_full = True
    for _ in range(5):
        assert ask(cache).status_code == 200
        clock.now += 2
    assert caplog.messages == ["page cache: the store is full: pages are served uncached until it is back"]
    store.is_full = False
    assert [state(ask(cache)) for _ in range(2)] == ["MISS", "HIT"]
    assert caplog.messages[1:] == ["page cache: the store is back"]


def test_a_store_that_can_be_read_again_is_back(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """Where it could not be read, a page that is served from it says so."""
    caplog.set_level(logging.INFO, "nextapi")
    store = FailingStore()
    cache = PageCache(Numbered(), store)
    ask(cache)
    store.gone = ALL
    ask(cache)
    store.gone = ()
    clock.now += 2
    assert state(ask(cache)) == "HIT"
    assert caplog.messages[1:] == ["page cache: the store is back"]


def test_a_page_that_was_written_ends_the_pause(clock: Clock) -> None:
    """Nobody has to wait for what is back."""
    outage = Outage()
    outage.note(StoreError("full"))
    assert not outage.may_try()
    outage.note_written()
    assert [outage.may_try(), outage.may_try()] == [True, True]


def test_a_store_that_goes_while_the_app_answers(clock: Clock) -> None:
    """What was no page and is one now is answered, where the lease for it cannot be had."""
    headers = PAGE[:1]

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", list(headers))
        return [b"page"]

    store = FailingStore()
    cache = PageCache(app, store)
    ask(cache)
    headers = PAGE
    store.gone = {"add"}
    answer = ask(cache)
    assert (answer.status_code, answer.text, state(answer)) == (200, "page", "MISS")


class Stumbling(HookedStore):
    """A store that fails once, after a lease was had."""

    is_failing = False

    def before(self, operation: str, names: Collection[str]) -> None:
        if operation == "add":
            self.is_failing = not self.is_failing and any(name.startswith("lease:") for name in names)
        elif operation == "get" and self.is_failing:
            self.is_failing = False
            raise StoreError("gone")


def test_a_lease_ends_where_the_store_fails_after_it() -> None:
    """Nobody has to wait until it ends by itself."""
    store = Stumbling()
    ask(PageCache(Numbered(), store))
    assert not [name for name in store._kept if name.startswith("lease:")]


def test_a_store_that_is_read_again(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """A store that could not be read is back when it can be; while it is gone, one request a second asks it."""
    caplog.set_level(logging.INFO, "nextapi")
    outage = Outage()
    outage.note(StoreError("gone"), is_readable=False)
    assert not outage.may_try()
    clock.now += 1.5
    assert [outage.may_try(), outage.may_try()] == [True, False]
    outage.note_read()
    assert outage.may_try()
    assert caplog.messages[1:] == ["page cache: the store is back"]


def expiring(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer /a by a page, and expire it, or its tag, where that is asked for."""
    path = environ["PATH_INFO"]
    start_response("200 OK", [*PAGE, ("Cache-Tag", "posts")] if path == "/a" else PAGE[:1])
    if path == "/path":
        revalidate_path("/a")
    if path == "/tag":
        revalidate_tag("posts")
    if path == "/remake" and (visit := visit_of(environ)) is not None:
        with suppress(StoreError):
            visit.cache.remake("/a", visit, False)
    return [b"page"]


@pytest.mark.parametrize("how", [("GET", "/path"), ("GET", "/tag"), ("GET", "/remake"), ("POST", "/a")])
def test_what_is_expired_while_the_store_is_gone(how: tuple[str, str], clock: Clock) -> None:
    """The request does not fail, and the page is expired before the store is read again."""
    store = FailingStore()
    cache = PageCache(expiring, store)
    assert [state(ask(cache, "/a")) for _ in range(2)] == ["MISS", "HIT"]
    store.gone = ALL
    assert ask(cache, how[1], how[0]).status_code == 200
    store.gone = ()
    clock.now += 2
    assert [state(ask(cache, "/a")) for _ in range(2)] == ["MISS", "HIT"]


def test_what_is_remembered_has_a_bound(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Beyond it the log says that pages may be old."""
    monkeypatch.setattr("nextapi.cache.expiry._MOST_LATE", 2)
    store = FailingStore()
    cache = PageCache(expiring, store)
    store.gone = ALL
    for path in ("/0", "/1", "/0"):
        assert ask(cache, path, "POST").status_code == 200
    assert "were to be expired" not in caplog.text
    assert ask(cache, "/2", "POST").status_code == 200
    assert "more than 2 pages and tags were to be expired" in caplog.text


@pytest.mark.parametrize("how", [("GET", "/path"), ("GET", "/tag"), ("POST", "/a"), ("POST", "/path")])
def test_a_store_that_is_gone_is_left_alone(how: tuple[str, str], clock: Clock) -> None:
    """Until the pause is over nobody asks it, who expires a page neither: it may take a second to fail."""

    class Counting(FailingStore):
        count = 0

        def before(self, operation: str, names: Collection[str]) -> None:
            self.count += 1
            super().before(operation, names)

    store = Counting()
    cache = PageCache(expiring, store)
    store.gone = ALL
    ask(cache)
    before = store.count
    for _ in range(3):
        assert ask(cache, how[1], how[0]).status_code == 200
    assert store.count == before


def test_what_is_expired_while_others_catch_up() -> None:
    """A page that is remembered once more while its expiry is written is expired once more."""

    class Busy(HookedStore):
        writes = 0

        def before(self, operation: str, names: Collection[str]) -> None:
            if operation == "set":
                self.writes += 1
                if self.writes == 1:
                    expiry.remember(["/a"])

    store = Busy()
    expiry = Expiry(Pages(store), Outage(), Notes())
    expiry.remember(["/a", "/b"])
    for writes in (1, 2, 2):
        expiry.catch_up()
        assert store.writes == writes
