"""How an answer of the app becomes a stored page (RFC 9111, 3)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from time import time
from typing import TYPE_CHECKING

from nextapi.cache.asked import Asked
from nextapi.cache.capture import Answer
from nextapi.cache.entry import Entry
from nextapi.cache.notes import Notes
from nextapi.cache.outage import Outage
from nextapi.cache.pages import Found, Key, Lease, Pages
from nextapi.cache.policy import age, kept_headers, lifetime, refusal, tags, vary_names, with_lifetime
from nextapi.cache.rendering import Rendered, Renderer
from nextapi.cache.visit import Revalidator
from nextapi.errors import EntrySizeError, StoreError
from nextapi.http.conditional import strong_etag

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

__all__ = ["RETRY_SECONDS", "Maker"]

RETRY_SECONDS = (3, 30)
"""For so long at least and at most a page is served that could not be made anew (Next's numbers)."""


class Maker:
    """Makes pages, and keeps them; who makes one has its lease, for `timeout` seconds at most."""

    def __init__(self, renderer: Renderer, pages: Pages, timeout: float, outage: Outage, notes: Notes) -> None:
        self._renderer = renderer
        self._pages = pages
        self._timeout = timeout
        self._outage = outage
        self._notes = notes

    def lease(self, found: Found) -> Lease | None:
        """Return the right to make a page, None while another has it; raise `StoreError` while the store is gone."""
        return self._pages.lease(found.name, self._timeout)

    def end(self, lease: Lease) -> None:
        """End a lease."""
        try:
            self._pages.end(lease)
        except StoreError as error:  # it ends by itself
            self._outage.note(error)

    def make(self, asked: Asked, found: Found, cache: Revalidator) -> Entry | None:
        """Make a page of a clean request, and keep it; return None where the answer is no page.

        Raises what `Renderer.render` raises.
        """
        return self.keep_rendered(self._renderer.render(asked, found, cache), found)

    def keep_rendered(self, rendered: Rendered, found: Found, is_remade: bool = False) -> Entry | None:
        """Keep what a clean request was answered by, if it is a page; else make the page void that was there.

        With `is_remade` all other pages of its path are void from now on, and `StoreError` is raised.
        """
        key, answer, environ = rendered
        if answer is None:
            self.warn_of_size(key)
        elif (reason := refusal(answer.status, answer.headers)) is None:
            self._notes.note_page(key.path)
            return self.keep(key, answer, environ, found, is_remade)
        elif lifetime(answer.headers) is not None:
            self.warn_of(key, reason)
        self._notes.note_no_page(key.path)
        self._notes.note_failed(key.url, RETRY_SECONDS[1])
        self._drop(key, found, is_remade)
        return None

    def keep(self, key: Key, answer: Answer, environ: WSGIEnvironment, found: Found, is_remade: bool = False) -> Entry:
        """Return an answer as a page, which is kept if it is whole.

        `environ` is that of the request, `found` what there was when that came. `is_remade` is as in `keep_rendered`.
        """
        entry, is_whole = _entry_of(key, answer, found)
        try:
            is_kept = is_whole and self._pages.keep(key, entry, environ, found.marks, tags(entry.headers), is_remade)
            if is_kept:
                self._outage.note_written()
            elif is_remade:
                self._pages.expire([key.path])
        except EntrySizeError as error:  # the body alone would have fitted
            self._notes.note_no_page(key.path)
            self._notes.note_failed(key.url, RETRY_SECONDS[1])
            self.warn_of(key, str(error))
            self._drop(key, found, is_remade)
        except StoreError as error:
            if is_remade:
                raise
            self._outage.note(error)
        return entry

    def keep_on(self, found: Found) -> None:
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

    def warn_of(self, key: Key, reason: str) -> None:
        """Log why a page is not kept, once."""
        self._notes.warn(f"{key.sent_path} says s-maxage and is not kept: {reason}")

    def warn_of_size(self, key: Key) -> None:
        """Log that a page is too large to be kept, once."""
        self.warn_of(key, f"its body has more than {self._renderer.limit} bytes, the store's limit")

    def _drop(self, key: Key, found: Found, is_remade: bool) -> None:
        """Make the pages of a path void that is none any more."""
        if found.entry is not None or is_remade:
            self._pages.expire([key.path])


def _entry_of(key: Key, answer: Answer, found: Found) -> tuple[Entry, bool]:
    """Return an answer as a page, and whether it is whole: as long as it says."""
    life = lifetime(answer.headers)
    assert life is not None, "it is a page"
    headers, body = kept_headers(answer.headers), answer.body
    if answer.status == 204:  # it has no body, and does not say how long that is (RFC 9110, 8.6)
        body = b""
        headers = [pair for pair in headers if pair[0].lower() != "content-length"]
    size, names = str(len(body)), {name.lower() for name, _ in headers}
    is_whole = all(value == size for name, value in headers if name.lower() == "content-length")
    if "content-length" not in names and answer.status != 204:
        headers.append(("Content-Length", size))
    if "etag" not in names and answer.status == 200:
        headers.append(("ETag", strong_etag(body)))
    old = age(answer.headers)  # of a cache behind this one
    vary = tuple(sorted({*found.vary, *vary_names(headers)}))
    entry = Entry(key.url, answer.status_line, headers, body, time() - old, life.fresh + old, life.stale, vary, {})
    return entry, is_whole
