"""A shared HTTP cache before a WSGI application (RFC 9111): what is served from it, and what goes to the application.

A page opts in by `s-maxage`. It is kept only if nothing of who asked can be in it: made of a request without cookies
and other headers than browsers send to everybody, or of one that is made up here. Everything else goes to the
application, and its answer back, untouched.

While the store is gone, nothing is kept and all is served by the application.
"""

from __future__ import annotations

import atexit
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from contextvars import Context
from functools import partial
from threading import get_ident
from time import monotonic, sleep, time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from weakref import WeakSet

from werkzeug.sansio.http import is_resource_modified

from nextapi.cache.asked import Asked, full_path, is_personal, is_plain, page_of
from nextapi.cache.capture import Answer, Closing, Headers, call
from nextapi.cache.entry import Entry
from nextapi.cache.host import CacheHost, forwarding_headers, normal_host
from nextapi.cache.making import RETRY_SECONDS, Maker
from nextapi.cache.notes import Notes
from nextapi.cache.outage import Outage
from nextapi.cache.pages import Found, Key, Lease, Pages
from nextapi.cache.policy import PRIVATE, ignores_query, lifetime, refusal
from nextapi.cache.rendering import clean_environ, server_facts
from nextapi.cache.store import Store
from nextapi.cache.visit import KEY, NoPages, Visit, check_path, check_tag, current_visit, entered
from nextapi.errors import OptionError, RevalidateError, StoreError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["CachingApp"]

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})  # RFC 9110, 9.2.1
_MOST_THREADS = 64

_logger = logging.getLogger("nextapi")


class CachingApp:
    """`app` behind a page cache, which keeps its pages in `store`.

    `ignored_params` are names of the query that no page depends on. Who asks for a page that another is making waits
    for `wait` seconds at most. To make one takes `timeout` seconds at most. With `debug` nothing is kept. What another
    `version` of the app has made is not served.
    """

    def __init__(
        self,
        app: WSGIApplication,
        store: Store,
        host: CacheHost,
        ignored_params: Sequence[str] = (),
        wait: float = 5,
        timeout: float = 30,
        debug: bool = False,
        version: str = "",
    ) -> None:
        self.app = app
        self._is_idle = debug
        self.store = store
        self._host = host
        self._ignored_params = frozenset(ignored_params)
        self._wait = wait
        self._pages = Pages(store, version)
        self._outage = Outage()
        self._notes = Notes()
        self._timeout = timeout
        self._maker = self._new_maker()
        self._threads: set[int] = set()
        self._prefix = os.environ.get("SCRIPT_NAME", "")  # as gunicorn takes it
        _apps.add(self)

    def _after_fork(self) -> None:
        # The threads, and what they were at, are the parent's.
        self._threads = set()
        self._outage = Outage()
        self._maker = self._new_maker()

    def _new_maker(self) -> Maker:
        limit = self.store.max_entry_size
        return Maker(self.app, self._pages, self._host, limit, self._timeout, self._outage, self._notes)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self._is_idle:
            self._refuse_loop()
            environ[KEY] = visit = Visit(NoPages(), None, "", is_draft=self._is_draft(environ))
            with entered(visit):
                return self.app(environ, start_response)
        if get_ident() not in self._threads and len(self._threads) < _MOST_THREADS:
            self._meet(environ)
        asked = page_of(environ, self._host, self._ignored_params)
        if asked is None:
            self._warn_of_forwarding(environ)
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self._change(asked, environ, start_response)
        if self._is_draft(environ):
            return self._call_app(asked, environ, partial(_start_private, start_response))
        if asked is None or self._outage.is_on():
            return self._call_uncached(asked, environ, start_response)
        try:
            self._maker.catch_up()
            found = self._pages.find(asked.key, environ)
            self._outage.note_read()
        except StoreError as error:
            self._outage.note(error, is_readable=False)
            return self._call_uncached(asked, environ, start_response)
        entry, now = found.entry, time()
        if entry is not None and entry.is_servable(now):
            if entry.is_fresh(now):
                return _serve(entry, "HIT", environ, start_response)
            body = _serve(entry, "STALE", environ, start_response)
            return Closing(body, partial(self._maker.make_beside, asked, found))
        if environ["REQUEST_METHOD"] == "HEAD":
            return self._call_uncached(asked, environ, start_response)
        environ[KEY] = visit = self._visit(asked, environ)
        with entered(visit):
            return self._miss(asked, found, start_response)

    def _meet(self, environ: WSGIEnvironment) -> None:
        """Know one more thread of the server's, which says what it is with the first."""
        if not self._threads:
            self._refuse_loop()
            if environ.get("wsgi.multiprocess") and not self.store.serves_processes:
                raise OptionError(
                    f"page cache: {self.store} is one process's, and this server has several: a page made anew in one "
                    "would stay old in the others. Use SQLiteStore, RedisStore or DjangoStore"
                )
            environ["wsgi.errors"].write(f"nextapi: pages are kept in {self.store}\n")
            self._maker.server = server_facts(environ)
        self._threads.add(get_ident())
        self._maker.most_beside = max(len(self._threads) // 2, 1)

    def _refuse_loop(self) -> None:
        if getattr(self.app, "wsgi_app", None) is self:
            raise OptionError(
                "the page cache is before an app that asks the page cache: write app.wsgi_app = PageCache(app.wsgi_app)"
            )

    def _warn_of_forwarding(self, environ: WSGIEnvironment) -> None:
        if forwarded := forwarding_headers(environ):
            name = next((name for name in forwarded if name != "HTTP_X_FORWARDED_FOR"), forwarded[0])
            header = name.removeprefix("HTTP_").replace("_", "-").title()
            self._notes.warn(
                f"requests with {header} go round it, as nothing says that the app believes this header: where a proxy "
                "of yours sets it, put werkzeug's ProxyFix next to the PageCache, in Django set "
                "USE_X_FORWARDED_HOST or SECURE_PROXY_SSL_HEADER"
            )

    def _visit(self, asked: Asked | None, environ: WSGIEnvironment) -> Visit:
        is_draft = self._is_draft(environ)
        if asked is None:
            return Visit(self._maker, None, environ.get("SCRIPT_NAME", ""), is_draft=is_draft)
        self._prefix = asked.key.prefix
        return Visit(self._maker, (asked.key.scheme, asked.key.host), asked.key.prefix, is_draft=is_draft)

    def _is_draft(self, environ: WSGIEnvironment) -> bool:
        return self._host.draft.is_on(environ.get("HTTP_COOKIE", ""))

    def _call_app(
        self, asked: Asked | None, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        environ[KEY] = visit = self._visit(asked, environ)
        with entered(visit):
            return self.app(environ, start_response)

    def _call_uncached(
        self, asked: Asked | None, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Have the app answer as if there were no page cache; a page of somebody's is still no other cache's."""
        start = partial(_start_private, start_response) if is_personal(environ) else start_response
        return self._call_app(asked, environ, start)

    def _change(self, asked: Asked | None, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Have the app answer another method; the pages of a path that it changes are void (RFC 9111, 4.4)."""
        if environ["REQUEST_METHOD"].upper() in _SAFE_METHODS:  # frameworks read "get" as GET
            return self._call_app(asked, environ, start_response)
        path = asked.key.path if asked else environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        has_returned = False
        last_status = ""

        def start(status: str, headers: Headers, *exc_info: Any) -> Callable[[bytes], object]:
            nonlocal last_status
            last_status = status
            if has_returned:
                self._expire_changed(path, status)
            return start_response(status, headers, *exc_info)

        body = self._call_app(asked, environ, start)
        has_returned = True
        # The app has done what it was asked to, and the server has sent nothing yet, unless it was by `write()`.
        self._expire_changed(path, last_status)
        return body

    def _expire_changed(self, path: str, status: str) -> None:
        if not "2" <= status < "4":
            return
        try:
            has_pages = self._outage.is_on() or self._pages.has_path(path)
        except StoreError as error:
            self._outage.note(error, is_readable=False)
            has_pages = True
        if has_pages:
            self._maker.expire_surely(path)

    def _miss(self, asked: Asked, found: Found, start_response: StartResponse) -> Iterable[bytes]:
        environ = asked.environ
        if is_personal(environ):
            return self._watch(asked, found, start_response, is_personal=True)
        # What was a page is one, whatever the last answer to another query of its path was.
        is_other = self._notes.is_failed(asked.key.url) if found.is_known else self._notes.is_other(asked.key.path)
        if is_other:
            return self._watch(asked, found, start_response, is_personal=None)
        plain = is_plain(asked)
        if not (plain or found.is_known):
            return self._watch(asked, found, start_response, is_personal=True)
        lease = None
        try:
            lease = self._maker.lease(found)
            if lease is None:
                if (entry := self._await(asked, found.name)) is not None:
                    return _serve(entry, "HIT", environ, start_response)
                return self._watch(asked, found, start_response, is_kept=False, is_personal=not plain)
            # Who had the lease may have made the page since it was looked for.
            found = self._pages.find(asked.key, environ)
            if found.entry is not None and found.entry.is_servable(time()):
                self._maker.end(lease)
                return _serve(found.entry, "HIT", environ, start_response)
        except StoreError as error:
            self._outage.note(error)
            if lease is not None:  # the store may be back before it ends by itself
                self._maker.end(lease)
            return self.app(environ, start_response if plain else partial(_start_private, start_response))
        if not found.is_known:
            return self._watch(asked, found, start_response, lease)
        try:
            # Middleware before the page cache may have noted in the context who asks.
            entry = Context().run(self._maker.make, asked, found)
            if entry is not None:
                return _serve(entry, "MISS", environ, start_response)
        except StoreError as error:
            self._outage.note(error)
        except Exception as error:  # the app will say the same of the request itself, unless it lacked something
            _logger.warning("page cache: %s could not be made of a clean request: %r", asked.key.url, error)
            self._notes.note_failed(asked.key.url, RETRY_SECONDS[0])
        finally:
            self._maker.end(lease)
        return self._watch(asked, found, start_response, is_personal=not plain)

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

    def _watch(
        self,
        asked: Asked,
        found: Found,
        start_response: StartResponse,
        lease: Lease | None = None,
        is_personal: bool | None = False,
        is_kept: bool = True,
    ) -> Iterable[bytes]:
        """Have the app answer the request as it came; keep the answer if it is a page, and of a plain request.

        An answer that may be about who asked is for them alone, and the page is made beside it. Whether it may be is
        found out where `is_personal` is None, for what was no page the last time, and is one.
        """
        key = asked.key
        is_wanted = is_held = False

        def decide(status_line: str, headers: Headers) -> Headers | None:
            nonlocal is_wanted, is_held, is_personal, lease
            is_wanted = is_held = False
            is_meant = lifetime(headers) is not None
            if is_personal is None and is_meant:
                is_personal = not is_plain(asked)
            status = int(status_line[:3]) if is_meant else 0
            reason = refusal(status, headers) if is_meant else "it is none"
            if is_personal is False:
                (self._notes.note_page if reason is None else self._notes.note_other)(key.path)
            if reason is None:
                if is_kept and not is_personal and not (key.query and ignores_query(headers)):
                    if lease is None:
                        lease = self._lease(found)
                    if lease is not None:
                        is_held = True
                        return None
                else:
                    is_wanted = is_kept
                return [*(_private(headers) if is_personal else headers), ("x-nextjs-cache", "MISS")]
            if is_meant:
                # Of what it says to a part or a condition, the page may be one.
                is_wanted = bool(is_personal) and status in (206, 304)
                if status < 400 and not is_wanted:
                    self._maker.warn_of(key, reason)
            if lease is not None:  # nobody has to wait for what is no page
                self._maker.end(lease)
                lease = None
            # Not every cache in front obeys Vary.
            return _private(headers) if is_meant and is_personal else headers

        try:
            answer = call(self.app, asked.environ, start_response, decide, self.store.max_entry_size)
            if isinstance(answer, Answer):
                entry = self._maker.keep(key, answer, asked.environ, found)
                return _serve(entry, "MISS", asked.environ, start_response)
            if is_held:  # nobody has to wait for what is too large
                self._notes.note_other(key.path)
                self._maker.warn_of_size(key)
        finally:
            if lease is not None:
                self._maker.end(lease)
        if is_wanted:
            close = getattr(answer, "close", None)
            return Closing(answer, partial(_close_then, close, partial(self._maker.make_beside, asked, found)))
        return answer

    def _lease(self, found: Found) -> Lease | None:
        try:
            return self._maker.lease(found)
        except StoreError as error:
            self._outage.note(error)
            return None

    # For who answers no request

    def revalidate(self, path: str, *, origin: str | None = None, only_generated: bool = False) -> None:
        """Make the page of a path anew, as `res.revalidate` does, for whoever answers no request.

        `origin`, "https://example.com", is what the page's URL begins with; where it is left out, `path` may be the
        whole URL, or the app's settings name the host. Raises `RevalidateError` where nothing does, for a host that is
        none of the app's, and as `res.revalidate` raises it.
        """
        if origin is None and isinstance(path, str) and "://" in path.partition("/")[0] + "//":
            parts = urlsplit(path)
            origin, path = f"{parts.scheme}://{parts.netloc}", path.removeprefix(f"{parts.scheme}://{parts.netloc}")
        check_path(path)
        if origin is None:
            scheme, name = self._host.origin() or ("", "")
        else:
            scheme, _, name = origin.partition("://")
        host = normal_host(scheme, name)
        if host is None:
            raise RevalidateError(
                f"{path}: which host it is to be made for is not known: give the whole URL, https://example.com{path}"
            )
        asked = clean_environ(Key(scheme, host, "/", "", "/"), self._maker.server, {}, ())
        if self._host.trusted(asked) is None:
            raise RevalidateError(f"{path}: no pages are kept for {host}, which is none of the app's hosts")
        within = current_visit()  # of who calls from a page that is being made
        chain = within.chain if within is not None and within.cache is self._maker else ()
        self._maker.remake(path, Visit(self._maker, (scheme, host), self._prefix, chain), only_generated)

    def revalidate_path(self, path: str) -> None:
        """Make all pages of a path void, of every host and query: the next request has one made.

        Raises `StoreError` while the store is gone, as there may be no later request in this process to do it.
        """
        _, decoded = full_path(check_path(path, "revalidate_path"), self._prefix)
        self._host.when_committed(partial(self._expire, [decoded], ()))

    def revalidate_tag(self, tag: str) -> None:
        """Make all pages with a tag void, which they say by Cache-Tag: the next request has one made; else as
        `revalidate_path`.
        """
        self._host.when_committed(partial(self._expire, (), [check_tag(tag)]))

    def _expire(self, paths: Sequence[str], tags: Sequence[str]) -> None:
        if self._is_idle:
            return
        if not self._threads and self._pages.are_unused():
            self._notes.warn(
                f"no server keeps pages in {self.store} yet, so nothing is expired: it has to be the store that the "
                "server's log names; a relative path is another file in another working directory"
            )
        self._pages.expire(paths, tags)


_apps: WeakSet[CachingApp] = WeakSet()


def _after_fork() -> None:
    for app in _apps:
        app._after_fork()


def _at_exit() -> None:
    # The threads that make pages beside requests are ended wherever they are.
    for app in _apps:
        app._maker.leave()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)


def _serve(entry: Entry, state: str, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """Answer a GET or HEAD by a page (RFC 9111, 4)."""
    headers = [*entry.headers, ("x-nextjs-cache", state)]
    if state != "MISS":
        headers.append(("Age", str(entry.age(time()))))
    if ("HTTP_IF_NONE_MATCH" in environ or "HTTP_IF_MODIFIED_SINCE" in environ) and entry.status_line[:3] == "200":
        names = {name.lower(): value for name, value in headers}
        # Of If-Match and its like a cache leaves the word to the application (RFC 9111, 4.3.2).
        if not is_resource_modified(
            http_if_none_match=environ.get("HTTP_IF_NONE_MATCH"),
            http_if_modified_since=environ.get("HTTP_IF_MODIFIED_SINCE"),
            etag=names.get("etag"),
            last_modified=names.get("last-modified"),
        ):
            about_body = ("content-length", "content-type", "content-encoding", "content-language")
            headers = [pair for pair in headers if pair[0].lower() not in about_body]
            start_response("304 Not Modified", headers)
            return [b""]
    start_response(entry.status_line, headers)
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else entry.body]


def _start_private(
    start_response: StartResponse, status: str, headers: Headers, *exc_info: Any
) -> Callable[[bytes], object]:
    return start_response(status, _private(headers) if lifetime(headers) is not None else headers, *exc_info)


def _private(headers: Headers) -> Headers:
    """Return the headers of an answer that is for who asked alone."""
    return [*(pair for pair in headers if not _is_for_caches(pair[0].lower())), ("Cache-Control", PRIVATE)]


def _is_for_caches(name: str) -> bool:
    # A cache that is named takes its own header in place of Cache-Control (RFC 9213).
    return name.endswith("cache-control") or name in ("expires", "surrogate-control")


def _close_then(close: Callable[[], object] | None, then: Callable[[], object]) -> None:
    try:
        if close is not None:
            close()
    finally:
        then()
