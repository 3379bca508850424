"""A shared HTTP cache before a WSGI application (RFC 9111): what is served from it, and what goes to the application.

A page opts in by `s-maxage`. It is kept only if nothing of who asked can be in it: made of a request without cookies
and other headers than browsers send to everybody, or of one that is made up here. Everything else goes to the
application, and its answer back, untouched.

While the store is gone, nothing is kept and all is served by the application.
"""

from __future__ import annotations

import atexit
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from threading import get_ident
from time import time
from types import GeneratorType
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from nextapi.cache.answering import answer_from, start_private
from nextapi.cache.asked import Asked, is_personal, page_of
from nextapi.cache.background import Background
from nextapi.cache.capture import Closing, Headers
from nextapi.cache.expiry import Expiry
from nextapi.cache.host import CacheHost, forwarding_headers, normal_host
from nextapi.cache.making import Maker
from nextapi.cache.misses import Misses
from nextapi.cache.notes import Notes
from nextapi.cache.on_demand import OnDemand
from nextapi.cache.outage import Outage
from nextapi.cache.pages import Key, Pages
from nextapi.cache.rendering import Renderer, clean_environ
from nextapi.cache.store import Store
from nextapi.cache.targets import check_path, check_tag, target_of
from nextapi.cache.visit import KEY, NoPages, Visit, Visited, current_visit, entered
from nextapi.errors import OptionError, RevalidateError, StoreError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["CachingApp"]

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})  # RFC 9110, 9.2.1
_MOST_THREADS = 64
_origin = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#]*", re.IGNORECASE).match


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
        self.store = store
        self._host = host
        self._ignored_params = frozenset(ignored_params)
        self._wait = wait
        self._timeout = timeout
        self.debug = debug
        self._pages = Pages(store, version)
        self._notes = Notes()
        self.clean: dict[str, Any] = {}
        """What is in the environ of each request that is made up here, beside what names a page."""
        self._prefix = self._prefix_of(os.environ)  # as gunicorn takes it
        self._begin()
        _apps.add(self)

    def _begin(self) -> None:
        """Have what is of this process: after a fork, threads and locks are the parent's, and what it was at."""
        pages, host, timeout, notes = self._pages, self._host, self._timeout, self._notes
        limit = self.store.max_entry_size
        self._threads: set[int] = set()
        self._outage = outage = Outage()
        self._expiry = Expiry(pages, outage, notes)
        self._renderer = Renderer(self.app, limit, self.clean)
        maker = Maker(self._renderer, pages, timeout, outage, notes)
        self._on_demand = OnDemand(self._renderer, maker, pages, self._expiry, host, timeout, outage)
        self._background = Background(maker, pages, self._on_demand, host, timeout, outage, notes)
        self._misses = Misses(
            self.app, limit, self._wait, pages, maker, self._background, self._on_demand, outage, notes
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self.debug:
            self._refuse_loop()
            environ[KEY] = visit = Visit(NoPages(), None, "", preview_data=self._preview_data(environ))
            return self._call_within(visit, environ, start_response)
        if get_ident() not in self._threads and len(self._threads) < _MOST_THREADS:
            self._meet(environ)
        asked = page_of(environ, self._host, self._ignored_params)
        if asked is None:
            self._warn_of_forwarding(environ)
        else:
            self._prefix = asked.key.prefix
        data = self._preview_data(environ)
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self._change(asked, environ, start_response, data)
        if data is not False:
            return self._call_app(asked, environ, partial(start_private, start_response), data)
        if asked is None or not self._outage.may_try():
            return self._call_uncached(asked, environ, start_response)
        try:
            self._expiry.catch_up()
            found = self._pages.find(asked.key, environ)
            self._outage.note_read()
        except StoreError as error:
            self._outage.note(error, is_readable=False)
            return self._call_uncached(asked, environ, start_response)
        entry, now = found.entry, time()
        if entry is not None and entry.is_servable(now):
            if entry.is_fresh(now):
                return answer_from(entry, "HIT", environ, start_response)
            body = answer_from(entry, "STALE", environ, start_response)
            return Closing(body, partial(self._background.make, asked, found))
        if environ["REQUEST_METHOD"] == "HEAD":
            return self._call_uncached(asked, environ, start_response)
        environ[KEY] = visit = self._visit(asked, environ)
        with entered(visit):
            answer = self._misses.answer(asked, found, start_response)
        return _within(visit, answer)

    def _meet(self, environ: WSGIEnvironment) -> None:
        """Know one more thread of the server's, which says what it is with the first."""
        if not self._threads:
            self._refuse_loop()
            if environ.get("wsgi.multiprocess") and not self.store.serves_processes:
                raise OptionError(
                    f"page cache: {self.store} is one process's, and this server has several: a page made anew in one "
                    "would stay old in the others. Use SQLiteStore, RedisStore, or DjangoStore with another cache than "
                    "LocMemCache"
                )
            environ["wsgi.errors"].write(f"nextapi: pages are kept in {self.store}\n")
            self._renderer.meet_server(environ)
        self._threads.add(get_ident())
        self._background.most = max(len(self._threads) // 2, 1)

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
                "of yours sets it, put werkzeug's ProxyFix next to the PageCache; in Django set "
                "SECURE_PROXY_SSL_HEADER, USE_X_FORWARDED_HOST or USE_X_FORWARDED_PORT, but only one whose header the "
                "proxy sets itself"
            )

    def _visit(self, asked: Asked | None, environ: WSGIEnvironment, preview_data: Any = False) -> Visit:
        if asked is None:
            return Visit(self._on_demand, None, self._prefix_of(environ), (), preview_data)
        return Visit(self._on_demand, (asked.key.scheme, asked.key.host), asked.key.prefix, (), preview_data)

    def _prefix_of(self, environ: Mapping[str, Any]) -> str:
        forced = self._host.prefix()
        return environ.get("SCRIPT_NAME", "") if forced is None else forced

    def _preview_data(self, environ: WSGIEnvironment) -> Any:
        return self._host.draft.data_of(environ.get("HTTP_COOKIE", ""))

    def _call_app(
        self, asked: Asked | None, environ: WSGIEnvironment, start_response: StartResponse, preview_data: Any = False
    ) -> Iterable[bytes]:
        environ[KEY] = visit = self._visit(asked, environ, preview_data)
        return self._call_within(visit, environ, start_response)

    def _call_within(self, visit: Visit, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with entered(visit):
            body = self.app(environ, start_response)
        return _within(visit, body)

    def _call_uncached(
        self, asked: Asked | None, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Have the app answer as if there were no page cache; a page of somebody's is still no other cache's."""
        is_anybodys = not is_personal(environ) if asked is None else asked.is_plain
        start = start_response if is_anybodys else partial(start_private, start_response)
        return self._call_app(asked, environ, start)

    def _change(
        self, asked: Asked | None, environ: WSGIEnvironment, start_response: StartResponse, preview_data: Any
    ) -> Iterable[bytes]:
        """Have the app answer another method; the pages of a path that it changes are void (RFC 9111, 4.4)."""
        if environ["REQUEST_METHOD"].upper() in _SAFE_METHODS:  # frameworks read "get" as GET
            return self._call_app(asked, environ, start_response, preview_data)
        path = asked.key.path if asked else self._prefix_of(environ) + environ.get("PATH_INFO", "")
        has_returned = False
        last_status = ""

        def start(status: str, headers: Headers, *exc_info: Any) -> Callable[[bytes], object]:
            nonlocal last_status
            last_status = status
            if has_returned:
                self._expiry.expire_changed(path, status)
            return start_response(status, headers, *exc_info)

        body = self._call_app(asked, environ, start, preview_data)
        has_returned = True
        # The app has done what it was asked to, and the server has sent nothing yet, unless it was by `write()`.
        self._expiry.expire_changed(path, last_status)
        return body

    # For who answers no request

    def revalidate(self, path: str, *, origin: str | None = None, only_generated: bool = False) -> bool:
        """Make the page of a path anew, as `res.revalidate` does, for whoever answers no request; say whether the
        page is made and kept, which it is not before the caller's transaction has committed.

        `origin`, "https://example.com", is what the page's URL begins with; where it is left out, `path` may be the
        whole URL, or the app's settings name the host. Raises `RevalidateError` where nothing does, for a host that is
        none of the app's, and as `res.revalidate` raises it.
        """
        if origin is None:
            origin, path = self.named(path)
        else:
            check_path(path)
        scheme, _, name = origin.partition("://")
        host = normal_host(scheme, name)
        if host is None:
            raise _unknown_host(path)
        nobodys = clean_environ(Key(scheme, host, "/", "", "/"), {}, {}, ())
        if self._host.trusted(nobodys) is None:
            raise RevalidateError(f"{path}: no pages are kept for {host}, which is none of the app's hosts")
        if self.debug:
            return False
        within = current_visit()  # of who calls from a page that is being made
        chain = within.chain if within is not None and within.cache is self._on_demand else ()
        visit = Visit(self._on_demand, (scheme, host), self._prefix, chain)
        return self._on_demand.remake(path, visit, only_generated)

    def named(self, path: str) -> tuple[str, str]:
        """Return the origin and the path of the page that `revalidate` makes for a path, or for a whole URL.

        Raises `RevalidateError` for a path where the app's settings name no host, and for what is none.
        """
        if isinstance(path, str) and (found := _origin(path)):
            origin, path = found[0].lower(), path[found.end() :]
            check_path(path)
            return origin, path
        check_path(path)
        if (told := self._host.origin()) is None:
            raise _unknown_host(path)
        return "://".join(told), path

    def revalidate_path(self, path: str) -> None:
        """Make all pages of a path void, of every host and query: the next request has one made.

        Raises `StoreError` while the store is gone, as there may be no later request in this process to do it.
        """
        target = target_of(path, self._prefix, "revalidate_path")
        self._host.when_committed(partial(self._expire, [target.path], ()))

    def revalidate_tag(self, tag: str) -> None:
        """Make all pages with a tag void, which they say by Cache-Tag: the next request has one made; else as
        `revalidate_path`.
        """
        self._host.when_committed(partial(self._expire, (), [check_tag(tag)]))

    def _expire(self, paths: Sequence[str], tags: Sequence[str]) -> None:
        if self.debug:
            return
        if not self._threads and self._pages.are_unused():
            self._notes.warn(
                f"no server keeps pages in {self.store} yet, so nothing is expired: it has to be the store that the "
                "server's log names; a relative path is another file in another working directory"
            )
        self._pages.expire(paths, tags)


def _unknown_host(path: str) -> RevalidateError:
    return RevalidateError(
        f"{path}: which host it is to be made for is not known: give the whole URL, https://example.com{path}"
    )


def _within(visit: Visit, body: Iterable[bytes]) -> Iterable[bytes]:
    # What else is returned has made its pieces, or knows its request: it stays what it is, such as a file.
    return Visited(body, visit) if isinstance(body, GeneratorType | Closing) else body


_apps: WeakSet[CachingApp] = WeakSet()


def _after_fork() -> None:
    for app in _apps:
        app._begin()


def _at_exit() -> None:
    for app in _apps:
        app._background.leave()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
