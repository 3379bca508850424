"""How pages come to be kept: of an answer that was there, beside requests, and on demand.

Who makes a page beside a request does so on a thread of its own, of a request of nobody's (`rendering.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from threading import Lock
from time import monotonic, sleep, time
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes, urlsplit

from nextapi.cache.asked import Asked, full_path
from nextapi.cache.capture import Answer, Headers, call
from nextapi.cache.entry import Entry
from nextapi.cache.host import CacheHost, normal_host
from nextapi.cache.notes import Notes
from nextapi.cache.outage import Outage
from nextapi.cache.pages import Found, Key, Lease, Pages, environ_name
from nextapi.cache.policy import age, ignores_query, kept_headers, lifetime, refusal, tags, vary_names, with_lifetime
from nextapi.cache.rendering import NOT_GIVEN, Apart, clean_environ
from nextapi.cache.visit import KEY, Visit, check_path, check_tag, entered
from nextapi.errors import EntrySizeError, RevalidateError, StoreError
from nextapi.http.conditional import strong_etag

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

__all__ = ["RETRY_SECONDS", "Maker"]

RETRY_SECONDS = (3, 30)
"""For so long at least and at most a page is served that could not be made anew (Next's numbers)."""

_MOST_UNEXPIRED = 10_000

_logger = logging.getLogger("nextapi")


class Maker:
    """Who makes the pages of an app (`nextapi.cache.visit.Revalidator`); of one process.

    A page of more than `limit` bytes is not kept. To make one takes `timeout` seconds at most. `server` is what the
    server says of itself, and `most_beside` how many pages may be made beside requests at once: both are known once
    there were requests.
    """

    def __init__(
        self,
        app: WSGIApplication,
        pages: Pages,
        host: CacheHost,
        limit: int,
        timeout: float,
        outage: Outage,
        notes: Notes,
    ) -> None:
        self.server: WSGIEnvironment = {}
        self.most_beside = 1
        self._app = app
        self._pages = pages
        self._host = host
        self._limit = limit
        self._timeout = timeout
        self._outage = outage
        self._notes = notes
        self._lock = Lock()
        self._leases: set[Lease] = set()
        self._beside: dict[object, float] = {}
        self._unexpired: dict[tuple[str, str], None] = {}
        self._catching_up = Lock()

    def lease(self, found: Found) -> Lease | None:
        """Return the right to make a page, None while another has it; raise `StoreError` while the store is gone."""
        lease = self._pages.lease(found.name, self._timeout)
        if lease is not None:
            self._leases.add(lease)
        return lease

    def end(self, lease: Lease) -> None:
        """End a lease."""
        self._leases.discard(lease)
        try:
            self._pages.end(lease)
        except StoreError as error:  # it ends by itself
            self._outage.note(error)

    def leave(self) -> None:
        """End the leases of what this process is at: as it ends itself, nobody else is to wait for that."""
        if leases := list(self._leases):
            for lease in leases:
                if not self._outage.is_on():
                    self.end(lease)
            self._host.leave_thread()

    # A page

    def make(self, asked: Asked, found: Found) -> Entry | None:
        """Make a page of a clean request, and keep it; return None where the answer is no page.

        Raises what the app raises, `RevalidateError` where it answers by an error.
        """
        return self._keep_made(*self._render(asked, found), found)

    def _render(
        self, asked: Asked, found: Found, chain: tuple[str, ...] = ()
    ) -> tuple[Key, Answer | None, WSGIEnvironment]:
        """Return what the app answers to a clean request, None for too much, with the page's key and the environ.

        Of who asked it has only the headers that the page says that it varies by, and the query unless the page says
        that it is the same for all.
        """
        key, asker, names = asked.key, asked.environ, set(found.vary)
        while True:
            environ = clean_environ(key, self.server, asker, names)
            environ[KEY] = visit = Visit(self, (key.scheme, key.host), key.prefix, (*chain, key.path))
            with entered(visit):
                answer = call(self._app, environ, _start_nothing, _hold_back, self._limit)
            if not isinstance(answer, Answer):
                _close(answer)
                return key, None, environ
            if answer.status >= 500 or answer.status == 429:
                raise RevalidateError(f"Failed to revalidate {key.path}: Invalid response {answer.status}")
            if key.query and ignores_query(answer.headers):
                key = key._replace(query="")
                continue
            more = {
                name
                for name in vary_names(answer.headers)
                if asker and asker.get(environ_name(name)) != environ.get(environ_name(name))
                if environ_name(name) not in NOT_GIVEN
            } - names
            if not more:
                if forgotten := sorted(names.difference(vary_names(answer.headers))):  # what it was made with
                    answer.headers.append(("Vary", ", ".join(forgotten)))
                return key, answer, environ
            names |= more

    def _keep_made(
        self, key: Key, answer: Answer | None, environ: WSGIEnvironment, found: Found, is_remade: bool = False
    ) -> Entry | None:
        if answer is None:
            self.warn_of_size(key)
        elif (reason := refusal(answer.status, answer.headers)) is None:
            self._notes.note_page(key.path)
            return self.keep(key, answer, environ, found, is_remade)
        elif lifetime(answer.headers) is not None:
            self.warn_of(key, reason)
        self._notes.note_other(key.path)
        self._notes.note_failed(key.url, RETRY_SECONDS[1])
        self._drop(key, found, is_remade)
        return None

    def _drop(self, key: Key, found: Found, is_remade: bool) -> None:
        """Make the pages of a path void that is none any more."""
        if found.entry is not None or is_remade:
            self._pages.expire([key.path])

    def warn_of(self, key: Key, reason: str) -> None:
        """Log why a page is not kept, once."""
        self._notes.warn(f"{key.path} says s-maxage and is not kept: {reason}")

    def warn_of_size(self, key: Key) -> None:
        """Log that a page is too large to be kept, once."""
        self.warn_of(key, f"its body has more than {self._limit} bytes, the store's limit")

    def keep(self, key: Key, answer: Answer, environ: WSGIEnvironment, found: Found, is_remade: bool = False) -> Entry:
        """Return an answer as a page, which is kept if it is whole; with `is_remade` in place of all of its path.

        `environ` is that of the request, `found` what there was when that came.
        """
        life = lifetime(answer.headers)
        assert life is not None, "it is a page"
        headers = kept_headers(answer.headers)
        if answer.status == 204:  # it has no body, and does not say how long that is (RFC 9110, 8.6)
            answer = replace(answer, body=b"")
            headers = [pair for pair in headers if pair[0].lower() != "content-length"]
        size, names = str(len(answer.body)), {name.lower(): value for name, value in headers}
        is_whole = all(value == size for name, value in headers if name.lower() == "content-length")
        if "content-length" not in names and answer.status != 204:
            headers.append(("Content-Length", size))
        if "etag" not in names and answer.status == 200:
            headers.append(("ETag", strong_etag(answer.body)))
        old = age(answer.headers)  # of a cache behind this one
        vary = tuple(sorted({*found.vary, *vary_names(headers)}))
        entry = Entry(
            key.url, answer.status_line, headers, answer.body, time() - old, life.fresh + old, life.stale, vary, {}
        )
        try:
            is_kept = is_whole and self._pages.keep(key, entry, environ, found.marks, tags(headers), is_remade)
            if is_kept:
                self._outage.note_written()
            elif is_remade:
                self._pages.expire([key.path])
        except EntrySizeError as error:  # the body alone would have fitted
            self.warn_of(key, str(error))
            self._drop(key, found, is_remade)
        except StoreError as error:
            if is_remade:
                raise
            self._outage.note(error)
        return entry

    def _serve_on(self, found: Found) -> None:
        """Keep a page that could not be made anew for a short while more, as Next does, but not beyond its time."""
        entry = found.entry
        if entry is None:
            return
        passed, whole = entry.age(time()), entry.fresh + entry.stale
        least, most = RETRY_SECONDS
        retry = min(max(entry.fresh, least), most)
        if passed + retry < whole:
            headers = with_lifetime(entry.headers, retry)
            later = replace(entry, headers=headers, fresh=passed + retry, stale=whole - passed - retry)
            with suppress(StoreError):
                self._pages.keep_on(found, later)

    # Beside requests

    def make_beside(self, asked: Asked, found: Found) -> None:
        """Have a page made by another thread, unless another makes it, or this process makes enough."""
        if self._outage.is_on() or self._notes.is_failed(asked.key.url):
            return
        # Who asks for many new pages as one user leaves a thread to those that are served old meanwhile.
        most = self.most_beside if found.entry is not None else max(self.most_beside - 1, 1)
        place = object()
        with self._lock:
            # An app that does not come back has its place for as long as it has the lease.
            now = monotonic()
            self._beside = {other: end for other, end in self._beside.items() if end > now}
            if len(self._beside) >= most:
                return
            self._beside[place] = now + self._timeout
        lease = None
        try:
            lease = self.lease(found)
            if lease is not None:
                Apart(partial(self._make_apart, asked, found, place, lease), self._host.leave_thread).start()
                return
        except StoreError as error:
            self._outage.note(error)
        except RuntimeError:  # there can be no more threads
            _logger.warning("page cache: %s is not made anew", asked.key.url, exc_info=True)
        self._end_beside(place, lease)

    def _make_apart(self, asked: Asked, found: Found, place: object, lease: Lease) -> None:
        try:
            # Who had the lease before may have made the page since it was looked for.
            now = self._pages.find(asked.key, asked.environ)
            if now.entry is None or not now.entry.is_fresh(time()):
                self.make(asked, now)
        except StoreError as error:
            self._outage.note(error)
        except Exception as error:
            shown = None if isinstance(error, RevalidateError) else error
            _logger.error("page cache: %s was not made anew: %s", asked.key.url, error, exc_info=shown)
            self._notes.note_failed(asked.key.url, RETRY_SECONDS[0])
            self._serve_on(found)
        finally:
            self._end_beside(place, lease)

    def _end_beside(self, place: object, lease: Lease | None) -> None:
        with self._lock:
            self._beside.pop(place, None)
        if lease is not None:
            self.end(lease)

    # On demand

    def expire_path(self, path: str, prefix: str) -> None:
        """Make all pages of a path void, when the store can be written (`Revalidator`)."""
        _, decoded = full_path(check_path(path, "revalidate_path"), prefix)
        self._host.when_committed(partial(self.expire_surely, decoded, ""))

    def expire_tag(self, tag: str) -> None:
        """Make all pages with a tag void, when the store can be written (`Revalidator`)."""
        self._host.when_committed(partial(self.expire_surely, "", check_tag(tag)))

    def expire_surely(self, path: str, tag: str = "") -> None:
        """Make the pages of a path, or with a tag, void: if the store is gone, before it is read again."""
        if self._outage.is_on():
            self._remember(path, tag)
            return
        try:
            self._pages.expire([path] if path else (), [tag] if tag else ())
        except StoreError as error:
            self._remember(path, tag)
            self._outage.note(error)

    def _remember(self, path: str, tag: str = "") -> None:
        if len(self._unexpired) < _MOST_UNEXPIRED:
            self._unexpired[path, tag] = None
        else:
            self._notes.warn(
                f"more than {_MOST_UNEXPIRED} pages and tags were to be expired while the store is gone: others may be "
                "old when it is back"
            )

    def catch_up(self) -> None:
        """Make void what was to be so while the store was gone; raise `StoreError` if it still is."""
        if not self._unexpired:
            return
        with self._catching_up:  # nobody reads before it is done
            late = list(self._unexpired)
            self._pages.expire([path for path, _ in late if path], [tag for _, tag in late if tag])
            for one in late:
                self._unexpired.pop(one, None)

    def remake(self, path: str, visit: Visit, only_generated: bool) -> None:
        """Make a page anew for the visit's host, and all others of its path void (`Revalidator`)."""
        sent, decoded = full_path(check_path(path), visit.prefix)
        if decoded.rstrip("/") in (made.rstrip("/") for made in visit.chain):
            chain = " -> ".join((*visit.chain, decoded))
            raise RevalidateError(f"Failed to revalidate {path}: it is asked for by the making of itself, {chain}")
        self._host.when_committed(partial(self._remake_surely, path, sent, decoded, visit, only_generated))

    def _remake_surely(self, path: str, sent: str, decoded: str, visit: Visit, only_generated: bool) -> None:
        try:
            self._remake(path, sent, decoded, visit, only_generated)
        except StoreError as error:
            self._remember(decoded)
            self._outage.note(error)
            raise

    def _remake(self, path: str, sent: str, decoded: str, visit: Visit, only_generated: bool) -> None:
        if visit.origin is None:  # nothing is kept for this host
            self._pages.expire([decoded])
            return
        sent_path, _, query = sent.partition("?")
        asked = Asked(Key(*visit.origin, sent_path, query, decoded, visit.prefix), {})
        lease = self._lease_path(path, decoded)
        try:
            found = self._pages.find(asked.key, {}, is_sure=not only_generated)
            if only_generated and not found.is_known:
                return
            try:
                key, answer, environ = Apart(
                    partial(self._render_mended, asked, found, visit.chain), self._host.leave_thread
                ).result(self._timeout)
            except TimeoutError:
                raise RevalidateError(f"Failed to revalidate {path}: no answer within {self._timeout:g} s") from None
            except Exception as error:
                self._serve_on(found)
                if isinstance(error, RevalidateError):
                    raise
                raise RevalidateError(f"Failed to revalidate {path}: Invalid response 500") from error
            self._keep_made(key, answer, environ, found, is_remade=True)
        finally:
            self.end(lease)

    def _lease_path(self, path: str, decoded: str) -> Lease:
        """Return the right to make a path's page, when whoever has it is done."""
        deadline, pause = monotonic() + self._timeout, 0.01
        while (lease := self._pages.lease_path(decoded, 2 * self._timeout)) is None:
            if monotonic() > deadline:
                raise RevalidateError(f"Failed to revalidate {path}: another has been at it for {self._timeout:g} s")
            sleep(pause)
            pause = min(pause * 1.5, 0.1)
        return lease

    def _render_mended(
        self, asked: Asked, found: Found, chain: tuple[str, ...]
    ) -> tuple[Key, Answer | None, WSGIEnvironment]:
        """Return the answer to a clean request; a redirect that only mends a slash is followed."""
        key, answer, environ = self._render(asked, found, chain)
        mended = _mended(key, answer)
        if mended is None:
            return key, answer, environ
        return self._render(asked._replace(key=mended), found, chain)


def _mended(key: Key, answer: Answer | None) -> Key | None:
    """Return the key of a page's other spelling, where the answer leads to it: one slash at its end, or none."""
    if answer is None or answer.status not in (301, 302, 307, 308) or lifetime(answer.headers) is not None:
        return None
    parts = urlsplit(next((value for name, value in answer.headers if name.lower() == "location"), ""))
    if parts.path == key.sent_path or parts.path.rstrip("/") != key.sent_path.rstrip("/"):
        return None
    if parts.netloc and normal_host(parts.scheme or key.scheme, parts.netloc) != key.host:
        return None
    return key._replace(sent_path=parts.path, path=unquote_to_bytes(parts.path).decode("latin-1"))


def _hold_back(_: str, __: Headers) -> None:
    return None


def _start_nothing(*_: object) -> Callable[[bytes], object]:
    return lambda _: None


def _close(body: Iterable[bytes]) -> None:
    if close := getattr(body, "close", None):
        close()
