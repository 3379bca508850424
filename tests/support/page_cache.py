"""What tests of the page cache in one process are written with: apps, clients, a clock, and stores that fail."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from threading import Event
from typing import TYPE_CHECKING, Any
from wsgiref.validate import validator

import pytest
from werkzeug.test import Client, TestResponse

from nextapi.cache.memory import MemoryStore
from nextapi.errors import StoreError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["ALL", "MINUTE", "PAGE", "Clock", "FailingStore", "HookedStore", "Numbered", "ask", "settle", "state"]

MINUTE = "s-maxage=60, stale-while-revalidate=600"
PAGE = [("Content-Type", "text/plain"), ("Cache-Control", MINUTE)]

_TIMES = (
    *("answering.time", "background.time", "making.time", "misses.time", "serving.time"),
    *("background.monotonic", "memory.monotonic", "notes.monotonic", "outage.monotonic"),
)


class Clock:
    """The time of the page cache, which goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def rule(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take the place of the clocks that the page cache looks at; who waits for another does so in real time."""
        for name in _TIMES:
            monkeypatch.setattr(f"nextapi.cache.{name}", self)


def ask(app: WSGIApplication, path: str = "/a", method: str = "GET", **options: Any) -> TestResponse:
    """Return what a client gets, who reads all of it; the app has to be WSGI for it."""
    options.setdefault("base_url", "http://example.com")
    return Client(validator(app), use_cookies=False).open(path, method=method, buffered=True, **options)


def state(answer: TestResponse) -> str | None:
    """Return what the page cache says of an answer."""
    return answer.headers.get("x-nextjs-cache")


def settle() -> None:
    """Wait until nothing is made beside requests."""
    for thread in threading.enumerate():
        if thread.name == "nextapi-page":
            thread.join(20)
            assert not thread.is_alive(), "a page is never done"


class Numbered:
    """An application that counts its answers, in `count`, and waits for `hold` before each."""

    def __init__(self, headers: Sequence[tuple[str, str]] = PAGE, hold: Event | None = None) -> None:
        self.count = 0
        self._headers = headers
        self._hold = hold
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with self._lock:
            self.count += 1
            number = self.count
        if self._hold is not None:
            assert self._hold.wait(20)
        start_response("200 OK", list(self._headers))
        return [b"page %d" % number]


class HookedStore(MemoryStore):
    """A store in which something happens before each operation, as another process may do it."""

    def before(self, operation: str, names: Collection[str]) -> None:
        """Do nothing yet: `operation` is the method, `names` what it is for, a mapping of values where it is `set`."""

    def get(self, names: Sequence[str]) -> list[bytes | None]:
        self.before("get", names)
        return super().get(names)

    def set(self, values: Mapping[str, bytes], seconds: float) -> None:
        self.before("set", values)
        super().set(values, seconds)

    def add(self, name: str, value: bytes, seconds: float) -> bool:
        self.before("add", [name])
        return super().add(name, value, seconds)

    def remove(self, name: str, value: bytes) -> None:
        self.before("remove", [name])
        super().remove(name, value)


ALL = frozenset({"get", "set", "add", "remove"})
"""The operations of a store."""


class FailingStore(HookedStore):
    """A store that is gone, for the operations in `gone`, or full for what has more than a thousand bytes."""

    gone: Collection[str] = ()
    is_full = False

    def before(self, operation: str, names: Collection[str]) -> None:
        if operation in self.gone:
            raise StoreError("the store is gone")
        if self.is_full and isinstance(names, Mapping) and sum(map(len, names.values())) > 1000:
            raise StoreError("the store is full")
