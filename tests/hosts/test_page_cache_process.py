"""What one process of a page cache does with its store, and with what was of the process it was forked from."""

from __future__ import annotations

import logging
import multiprocessing
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from werkzeug.test import Client

from nextapi.adapters.wsgi import PageCache
from nextapi.cache.memory import MemoryStore
from nextapi.cache.outage import Outage
from nextapi.errors import OptionError, StoreError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class App:
    """An app whose pages have as many bytes as their path says; `number` is how many were made."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.number += 1
        start_response("200 OK", [("Cache-Control", "s-maxage=60, stale-while-revalidate=60")])
        return [b"%d" % self.number + b"x" * int(environ["PATH_INFO"][1:])]


def test_a_page_that_is_just_too_large(caplog: pytest.LogCaptureFixture) -> None:
    """It is served uncached, with one warning, and the store goes on."""
    client = Client(PageCache(App(), MemoryStore(max_entry_size=10_000)))
    for _ in range(2):
        assert client.get("/9990").headers["x-nextjs-cache"] == "MISS"
        assert client.get("/10").status_code == 200
    assert client.get("/10").headers["x-nextjs-cache"] == "HIT"
    (warned,) = caplog.messages
    assert warned.startswith("page cache: /9990 says s-maxage and is not kept: a value of ")


class Overtaken(MemoryStore):
    """A store in which another process makes the page before the lease is had."""

    client: Client | None = None

    def add(self, name: str, value: bytes, seconds: float) -> bool:
        if name.startswith("lease:") and self.client is not None:
            client, self.client = self.client, None
            client.get("/1")
        return super().add(name, value, seconds)


def test_a_page_that_another_makes_before_the_lease_is_had() -> None:
    """It is not made a second time."""
    app, store = App(), Overtaken()
    client = Client(PageCache(app, store))
    store.client = Client(PageCache(app, store))
    answer = client.get("/1")
    assert (answer.headers["x-nextjs-cache"], app.number) == ("HIT", 1)


class Gone(MemoryStore):
    """A store that is full, or gone."""

    is_full = is_gone = False

    def get(self, names: Iterable[str]) -> list[bytes | None]:
        if self.is_gone:
            raise StoreError("gone")
        return super().get([*names])

    def set(self, values: Mapping[str, bytes], seconds: float) -> None:
        if self.is_gone or (self.is_full and sum(map(len, values.values())) > 1000):
            raise StoreError("full")
        super().set(values, seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("nextapi.cache.outage.monotonic", lambda: now[0])
    return now


def test_a_store_that_takes_no_page(clock: list[float], caplog: pytest.LogCaptureFixture) -> None:
    """While a store can be read and written, but no page be kept, one line says so, and one that it is back."""
    caplog.set_level(logging.INFO, "nextapi")
    store = Gone()
    client = Client(PageCache(App(), store))
    store.is_full = True
    for _ in range(5):
        assert client.get("/2000").status_code == 200
        clock[0] += 2
    assert caplog.messages == ["page cache: full: pages are served uncached until it is back"]
    store.is_full = False
    assert client.get("/2000").headers["x-nextjs-cache"] == "MISS"
    assert client.get("/2000").headers["x-nextjs-cache"] == "HIT"
    assert caplog.messages[1:] == ["page cache: the store is back"]


def test_a_store_that_is_read_again(clock: list[float], caplog: pytest.LogCaptureFixture) -> None:
    """A store that could not be read is back when it can be; while it is gone, one request a second asks it."""
    caplog.set_level(logging.INFO, "nextapi")
    outage = Outage()
    outage.note(StoreError("gone"), is_readable=False)
    assert outage.is_on()
    clock[0] += 1.5
    assert [outage.is_on(), outage.is_on()] == [False, True]
    outage.note_read()
    assert not outage.is_on()
    assert caplog.messages[1:] == ["page cache: the store is back"]


def test_a_process_that_was_forked(caplog: pytest.LogCaptureFixture) -> None:
    """It finds out anew what its server is, and how many threads it has, whatever its parent was at."""
    cache = PageCache(App(), MemoryStore())
    assert Client(cache).get("/1").status_code == 200
    context = multiprocessing.get_context("fork")
    mine, theirs = context.Pipe()

    def ask() -> None:
        try:
            Client(cache).get("/1", environ_overrides={"wsgi.multiprocess": True})
        except OptionError as error:
            theirs.send(str(error))
        theirs.close()

    process = context.Process(target=ask)
    process.start()
    theirs.close()
    assert "is one process's, and this server has several" in mine.recv()
    process.join()


ENDS = """
import sys
from threading import Event
from werkzeug.test import Client
from nextapi.adapters.wsgi import PageCache

begun = Event()

def app(environ, start_response):
    if environ.get("HTTP_USER_AGENT") == "nextapi":
        begun.set()
        Event().wait()
    start_response("200 OK", [("Cache-Control", "s-maxage=0, stale-while-revalidate=600")])
    return [b"page"]

client = Client(PageCache(app, sys.argv[1]))
client.get("/1")
assert client.get("/1", buffered=True).headers["x-nextjs-cache"] == "STALE"
begun.wait()
"""


def test_a_process_that_ends_while_it_makes_a_page(tmp_path: Path) -> None:
    """Nobody waits for that page, as of a worker that is to be another's: the next request makes it, and it is kept."""
    path = tmp_path / "pages.sqlite3"
    subprocess.run([sys.executable, "-W", "error", "-c", ENDS, str(path)], check=True, timeout=60)
    cache = PageCache(App(), path, wait=0)
    cache.revalidate_path("/1")
    client = Client(cache)
    assert [client.get("/1").headers["x-nextjs-cache"] for _ in range(2)] == ["MISS", "HIT"]


def test_who_keeps_no_pages_needs_no_sqlite() -> None:
    """The module of the standard library is imported once a store needs it."""
    code = (
        "import sys, nextapi.adapters.wsgi, nextapi.cache\n"
        "assert 'sqlite3' not in sys.modules\n"
        "nextapi.cache.SQLiteStore\n"
        "assert 'sqlite3' in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
