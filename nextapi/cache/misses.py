"""What is done where no stored page can be served: who makes the page, who waits for it, and what becomes of what the
app answers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextvars import Context
from functools import partial
from time import monotonic, sleep, time
from typing import TYPE_CHECKING

from nextapi.cache.answering import answer_from, start_private
from nextapi.cache.asked import Asked, is_personal
from nextapi.cache.background import Background
from nextapi.cache.capture import Answer, Closing, Headers, call
from nextapi.cache.entry import Entry
from nextapi.cache.making import RETRY_SECONDS, Maker
from nextapi.cache.notes import Notes
from nextapi.cache.outage import Outage
from nextapi.cache.pages import Found, Lease, Pages
from nextapi.cache.policy import ignores_query, lifetime, private_headers, refusal
from nextapi.cache.visit import Revalidator
from nextapi.errors import StoreError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["Misses"]

_logger = logging.getLogger("nextapi")


class Misses:
    """Answers a GET for which no stored page can be served.

    `limit` is how many bytes of an answer are held back at most. Who asks for a page that another is making waits for
    `wait` seconds at most.
    """

    def __init__(
        self,
        app: WSGIApplication,
        limit: int,
        wait: float,
        pages: Pages,
        maker: Maker,
        background: Background,
        cache: Revalidator,
        outage: Outage,
        notes: Notes,
    ) -> None:
        self._app = app
        self._limit = limit
        self._wait = wait
        self._pages = pages
        self._maker = maker
        self._background = background
        self._cache = cache
        self._outage = outage
        self._notes = notes

    def answer(self, asked: Asked, found: Found, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request by a page that is made now, here or elsewhere, or by what the app says to it."""
        environ = asked.environ
        asked = Asked(asked.key, environ.copy())  # what came: the app writes in its own
        if is_personal(environ) or self._is_no_page(asked, found):
            return self._ask_app(asked, found, environ, start_response)
        lease = None
        try:
            lease = self._maker.lease(found)
            if lease is None:
                if (entry := self._await(asked, found.name)) is not None:
                    return answer_from(entry, "HIT", environ, start_response)
                return self._ask_app(asked, found, environ, start_response, is_kept=False)
            # Who had the lease may have made the page since it was looked for.
            found = self._pages.find(asked.key, environ)
            if found.entry is not None and found.entry.is_servable(time()):
                self._maker.end(lease)
                return answer_from(found.entry, "HIT", environ, start_response)
        except StoreError as error:
            self._outage.note(error)
            if lease is not None:  # the store may be back before it ends by itself
                self._maker.end(lease)
            return self._app(environ, start_response if asked.is_plain else partial(start_private, start_response))
        if not found.is_known:
            return self._ask_app(asked, found, environ, start_response, lease)
        if (entry := self._make(asked, found, lease)) is not None:
            return answer_from(entry, "MISS", environ, start_response)
        return self._ask_app(asked, found, environ, start_response)

    def _is_no_page(self, asked: Asked, found: Found) -> bool:
        """Say whether there is probably no page, so that nobody is to wait for one."""
        # What was a page is one, whatever the last answer to another query of its path was.
        return self._notes.is_failed(asked.key.url) if found.is_known else self._notes.is_no_page(asked.key.path)

    def _await(self, asked: Asked, name: str) -> Entry | None:
        """Return the page that another is making, None if it does not come in time or at all."""
        deadline, pause = monotonic() + self._wait, 0.01
        while monotonic() < deadline:
            sleep(pause)
            pause = min(pause * 1.5, 0.1)
            is_leased = self._pages.is_leased(name)
            entry = self._pages.find(asked.key, asked.environ).entry
            if entry is not None and entry.is_servable(time()):
                return entry
            if not is_leased:
                return None
        return None

    def _make(self, asked: Asked, found: Found, lease: Lease) -> Entry | None:
        """Return a known page, made of a clean request; None if that was to no avail."""
        try:
            # Middleware before the page cache may have noted in the context who asks.
            return Context().run(self._maker.make, asked, found, self._cache)
        except StoreError as error:
            self._outage.note(error)
        except Exception as error:  # the app will say the same of the request itself, unless it lacked something
            _logger.warning("page cache: %s could not be made of a clean request: %r", asked.key.url, error)
            self._notes.note_failed(asked.key.url, RETRY_SECONDS[0])
        finally:
            self._maker.end(lease)
        return None

    def _lease(self, found: Found) -> Lease | None:
        try:
            return self._maker.lease(found)
        except StoreError as error:
            self._outage.note(error)
            return None

    def _ask_app(
        self,
        asked: Asked,
        found: Found,
        environ: WSGIEnvironment,
        start_response: StartResponse,
        lease: Lease | None = None,
        is_kept: bool = True,
    ) -> Iterable[bytes]:
        """Have the app answer the request as it came, and keep the answer if it is a page, and for everybody.

        Without `is_kept` it is not kept: another makes the page.
        """
        verdict = _Verdict(asked, lease, partial(self._lease, found) if is_kept else None, self._maker, self._notes)
        try:
            answer = call(self._app, environ, start_response, verdict, self._limit)
            if isinstance(answer, Answer):
                entry = self._maker.keep(asked.key, answer, asked.environ, found)
                return answer_from(entry, "MISS", asked.environ, start_response)
            if verdict.is_held:  # nobody has to wait for what is too large
                self._notes.note_no_page(asked.key.path)
                self._maker.warn_of_size(asked.key)
            if verdict.wants_page:
                if (lease := verdict.give_lease()) is not None:  # others wait, and not for how fast this client reads
                    self._background.make(asked, found, lease)
                    return answer
                return Closing(answer, partial(self._background.make, asked, found))
        finally:
            verdict.end_lease()
        return answer


class _Verdict:
    """What is decided of an answer by its head (`nextapi.cache.capture.Decide`).

    `is_held` says that it is held back, to be kept; `wants_page` that it is not, and the page is to be made beside it.
    Who keeps a page has a lease: `lease`, or what `take_lease` returns, which is None where another makes the page.
    """

    def __init__(
        self,
        asked: Asked,
        lease: Lease | None,
        take_lease: Callable[[], Lease | None] | None,
        maker: Maker,
        notes: Notes,
    ) -> None:
        self.is_held = False
        self.wants_page = False
        self._asked = asked
        self._lease = lease
        self._take_lease = take_lease
        self._maker = maker
        self._notes = notes

    def __call__(self, status_line: str, headers: Headers) -> Headers | None:
        """Return None to hold an answer back, else the headers that it is passed on with."""
        self.is_held = self.wants_page = False
        if lifetime(headers) is None:
            self._note(status_line, is_page=False)
            self.end_lease()  # nobody has to wait for what is no page
            return headers
        is_plain = self._asked.is_plain
        status = int(status_line[:3])
        reason = refusal(status, headers)
        self._note(status_line, is_page=reason is None)
        # Not every cache in front obeys Vary.
        passed = headers if is_plain else private_headers(headers)
        if reason is None:
            if self._take_lease is not None:
                # A page that is the same for all queries is made without this one.
                may_hold = is_plain and not (self._asked.key.query and ignores_query(headers))
                if may_hold and self._lease is None:
                    self._lease = self._take_lease()
                self.is_held = may_hold and self._lease is not None
                self.wants_page = not may_hold
            return None if self.is_held else [*passed, ("x-nextjs-cache", "MISS")]
        # Of what it says to a part or a condition, the page may be one.
        self.wants_page = not is_plain and status in (206, 304)
        if status < 400 and not self.wants_page:
            self._maker.warn_of(self._asked.key, reason)
        self.end_lease()
        return passed

    def _note(self, status_line: str, is_page: bool) -> None:
        """Know whether there is a page; where something of who asks may have mattered, only that there is none."""
        path = self._asked.key.path
        if self._asked.is_plain:
            if is_page == self._notes.is_no_page(path):
                (self._notes.note_page if is_page else self._notes.note_no_page)(path)
        elif not is_page and not is_personal(self._asked.environ) and status_line[:3] not in ("206", "304"):
            self._notes.note_no_page(path)

    def give_lease(self) -> Lease | None:
        """Return the lease, if there is one, to who makes the page from now on."""
        lease, self._lease = self._lease, None
        return lease

    def end_lease(self) -> None:
        """Let others make the page."""
        if self._lease is not None:
            self._maker.end(self._lease)
            self._lease = None
