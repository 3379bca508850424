"""What is done beside requests: on threads of their own, in a clean context, and not too much of it at once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextvars import Context
from functools import partial
from threading import Lock, Thread
from time import monotonic, time
from typing import Generic, TypeVar

from nextapi.cache.asked import Asked
from nextapi.cache.host import CacheHost
from nextapi.cache.making import RETRY_SECONDS, Maker
from nextapi.cache.notes import Notes
from nextapi.cache.outage import Outage
from nextapi.cache.pages import Found, Lease, Pages
from nextapi.cache.visit import Revalidator
from nextapi.errors import RevalidateError, StoreError

__all__ = ["Background", "CleanThread"]

T = TypeVar("T")

_logger = logging.getLogger("nextapi")


class CleanThread(Generic[T]):
    """Work on a thread of its own: none of the context variables or thread's locals of who starts it.

    `leave` is called on the thread at its end.
    """

    def __init__(self, work: Callable[[], T], leave: Callable[[], None]) -> None:
        self._work = work
        self._leave = leave
        self._result: T | None = None
        self._error: BaseException | None = None
        self._thread = Thread(target=Context().run, args=(self._run,), name="nextapi-page", daemon=True)

    def start(self) -> None:
        """Begin, and do not wait."""
        self._thread.start()

    def result(self, seconds: float) -> T:
        """Begin, and return what the work returns; raise what it raises, TimeoutError if it takes longer."""
        self._thread.start()
        self._thread.join(seconds)
        if self._thread.is_alive():
            raise TimeoutError
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]  # it has ended, and not by an error

    def _run(self) -> None:
        try:
            self._result = self._work()
        except BaseException as error:
            self._error = error
        finally:
            self._leave()


class Background:
    """Has pages made beside requests, `most` of them at once; of one process.

    One that takes longer than `timeout` seconds gives its place to another.
    """

    def __init__(
        self,
        maker: Maker,
        pages: Pages,
        cache: Revalidator,
        host: CacheHost,
        timeout: float,
        outage: Outage,
        notes: Notes,
    ) -> None:
        self.most = 1
        self._maker = maker
        self._pages = pages
        self._cache = cache
        self._host = host
        self._timeout = timeout
        self._outage = outage
        self._notes = notes
        self._lock = Lock()
        self._places: dict[object, float] = {}
        """When each that is made gives its place up."""
        self._leases: set[Lease] = set()

    def make(self, asked: Asked, found: Found, lease: Lease | None = None) -> None:
        """Have a page made by another thread, unless somebody makes it, or this process makes enough.

        `lease` is the right to do so, where that is had already.
        """
        # Who asks for many new pages as one user leaves a thread to those that are served old meanwhile.
        most = self.most if found.entry is not None else max(self.most - 1, 1)
        can = not self._notes.is_failed(asked.key.url) and self._outage.may_try()
        place = self._take_place(most) if can else None
        if place is None:
            if lease is not None:
                self._maker.end(lease)
            return
        try:
            lease = lease or self._maker.lease(found)
            if lease is not None:
                self._leases.add(lease)
                CleanThread(partial(self._make, asked, found, place, lease), self._host.leave_thread).start()
                return
        except StoreError as error:
            self._outage.note(error)
        except RuntimeError:  # there can be no more threads
            _logger.warning("page cache: %s is not made anew", asked.key.url, exc_info=True)
        self._end(place, lease)

    def leave(self) -> None:
        """End the leases of what is being made: this process ends, and its threads with it, and nobody is to wait."""
        leases = list(self._leases)
        for lease in leases:
            if self._outage.may_try():
                self._maker.end(lease)
        if leases:
            self._host.leave_thread()

    def _make(self, asked: Asked, found: Found, place: object, lease: Lease) -> None:
        try:
            # Who had the lease before may have made the page since it was looked for.
            now = self._pages.find(asked.key, asked.environ)
            if now.entry is None or not now.entry.is_fresh(time()):
                self._maker.make(asked, now, self._cache)
        except StoreError as error:
            self._outage.note(error)
        except BaseException as error:  # such as gevent's Timeout: nobody else is told
            shown = None if isinstance(error, RevalidateError) else error
            _logger.error("page cache: %s was not made anew: %s", asked.key.url, error, exc_info=shown)
            self._notes.note_failed(asked.key.url, RETRY_SECONDS[0])
            self._maker.keep_on(found)
        finally:
            self._end(place, lease)

    def _take_place(self, most: int) -> object | None:
        now = monotonic()
        with self._lock:
            # An app that does not come back has its place for as long as it has the lease.
            self._places = {place: end for place, end in self._places.items() if end > now}
            if len(self._places) >= most:
                return None
            place = object()
            self._places[place] = now + self._timeout
            return place

    def _end(self, place: object, lease: Lease | None) -> None:
        with self._lock:
            self._places.pop(place, None)
        if lease is not None:
            self._leases.discard(lease)
            self._maker.end(lease)
