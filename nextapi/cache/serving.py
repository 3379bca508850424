"""A shared HTTP cache before a WSGI application (RFC 9111): what is served from it, what is kept, and who makes a page.

A page opts in by `s-maxage`. It is kept only if nothing of who asked can be in it: of a request without cookies and
other headers than browsers send to everybody, or of one that is made up here (`rendering.py`). Everything else goes to
the application, and its answer back, untouched.

While the store is gone, nothing is kept and all is served by the application.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from threading import Lock, get_ident
from time import monotonic, sleep, time
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, unquote_plus, unquote_to_bytes, urlsplit

from werkzeug.http import is_resource_modified

from nextapi.cache.capture import Answer, Closing, Headers, call
from nextapi.cache.entry import Entry
from nextapi.cache.host import CacheHost, forwarding_headers, normal_host
from nextapi.cache.outage import Outage
from nextapi.cache.pages import Found, Key, Lease, Pages, environ_name
from nextapi.cache.policy import (
    PRIVATE,
    ignores_query,
    kept_headers,
    lifetime,
    refusal,
    tags,
    vary_names,
    with_lifetime,
)
from nextapi.cache.rendering import Apart, clean_environ, server_facts
from nextapi.cache.store import Store
from nextapi.cache.visit import KEY, Visit, check_path, check_tag, entered
from nextapi.errors import OptionError, RevalidateError, StoreError
from nextapi.http.conditional import strong_etag
from nextapi.routing.paths import raw_path

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["CachingApp"]

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})  # RFC 9110, 9.2.1

# What browsers say to everybody; a page that differs by it says Vary. All else may be about who asked.
_PLAIN_HEADERS = frozenset(
    f"HTTP_{name}"
    for name in (
        "ACCEPT",
        "ACCEPT_CHARSET",
        "ACCEPT_ENCODING",
        "ACCEPT_LANGUAGE",
        "CACHE_CONTROL",
        "CONNECTION",
        "DNT",
        "HOST",
        "KEEP_ALIVE",
        "PRAGMA",
        "PRIORITY",
        "TE",
        "UPGRADE_INSECURE_REQUESTS",
        "USER_AGENT",
    )
)
_PLAIN_PREFIXES = ("HTTP_SEC_CH_", "HTTP_SEC_FETCH_", "HTTP_SEC_GPC")
_PERSONAL = ("HTTP_COOKIE", "HTTP_AUTHORIZATION", "REMOTE_USER", "AUTH_TYPE")
_BODY = ("CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING")

_RETRY_SECONDS = (3, 30)
"""For so long at least and at most a page is served that could not be made anew (Next's numbers)."""

_MOST_THREADS = 64
_MOST_KNOWN = 4096

_logger = logging.getLogger("nextapi")


class Asked(NamedTuple):
    """A GET or HEAD that a page may answer; `prefix` is the SCRIPT_NAME that the application will see."""

    key: Key
    prefix: str
    environ: WSGIEnvironment


class CachingApp:
    """`app` behind a page cache.

    `ignored_params` are names of the query that no page depends on. Who asks for a page that another is making waits
    for `wait` seconds at most. To make one takes `timeout` seconds at most.
    """

    def __init__(
        self,
        app: WSGIApplication,
        store: Store,
        host: CacheHost,
        ignored_params: Sequence[str] = (),
        wait: float = 5,
        timeout: float = 30,
    ) -> None:
        self.app = app
        self.store = store
        self._pages = Pages(store)
        self._host = host
        self._ignored_params = frozenset(ignored_params)
        self._wait = wait
        self._timeout = timeout
        self._outage = Outage()
        self._lock = Lock()
        self._making = 0
        self._threads: set[int] = set()
        self._server: WSGIEnvironment = {}
        self._others: dict[str, None] = {}
        """Paths whose last answer was no page: they are not waited for."""
        self._warned: set[str] = set()

    # Requests

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if len(self._threads) < _MOST_THREADS:
            self._meet(environ)
        asked = self._asked(environ)
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self._change(asked, environ, start_response)
        if self._is_draft(environ):
            return self._call_app(asked, environ, partial(_start_private, start_response))
        if asked is None or self._outage.is_on():
            return self._call_app(asked, environ, start_response)
        try:
            found = self._pages.find(asked.key, environ)
            self._outage.is_over()
        except StoreError as error:
            self._outage.note(error)
            return self._call_app(asked, environ, start_response)
        entry, now = found.entry, time()
        if entry is not None and entry.is_servable(now):
            if entry.is_fresh(now):
                return _serve(entry, "HIT", environ, start_response)
            body = _serve(entry, "STALE", environ, start_response)
            return Closing(body, partial(self._make_later, asked, found))
        if environ["REQUEST_METHOD"] == "HEAD":
            return self._call_app(asked, environ, start_response)
        with entered(visit := self._visit(asked, environ)):
            environ[KEY] = visit
            return self._miss(asked, found, start_response)

    def _meet(self, environ: WSGIEnvironment) -> None:
        """Know one more thread of the server's, which says what it is with the first."""
        if not self._threads:
            if environ.get("wsgi.multiprocess") and not self.store.serves_processes:
                raise OptionError(
                    f"page cache: {self.store} is one process's, and this server has several: a page made anew in one "
                    "would stay old in the others. Use SQLiteStore, RedisStore or DjangoStore"
                )
            environ["wsgi.errors"].write(f"nextapi: pages are kept in {self.store}\n")
            self._server = server_facts(environ)
        self._threads.add(get_ident())

    def _asked(self, environ: WSGIEnvironment) -> Asked | None:
        """Return what page a request is for; None where none is kept for it."""
        trusted = self._host.trusted(environ)
        if trusted is None:
            if forwarded := forwarding_headers(environ):
                header = forwarded[0].removeprefix("HTTP_").replace("_", "-").title()
                self._warn(
                    f"requests with {header} go round it, as nothing says that the app believes this header: where it "
                    "is set by a proxy of yours, say so by werkzeug's ProxyFix, in Django by USE_X_FORWARDED_HOST and "
                    "SECURE_PROXY_SSL_HEADER"
                )
            return None
        scheme = trusted["wsgi.url_scheme"]
        host = normal_host(scheme, trusted.get("HTTP_HOST", ""))
        info: str = trusted.get("PATH_INFO", "")
        if host is None or not info.startswith("/"):
            return None
        query: str = environ.get("QUERY_STRING", "")
        if query and self._ignored_params:
            query = self._without_ignored(query)
        prefix: str = trusted.get("SCRIPT_NAME", "")
        return Asked(Key(scheme, host, "".join(raw_path(trusted)), query, prefix + info), prefix, environ)

    def _without_ignored(self, query: str) -> str:
        pairs = query.split("&")
        return "&".join(pair for pair in pairs if unquote_plus(pair.partition("=")[0]) not in self._ignored_params)

    def _visit(self, asked: Asked | None, environ: WSGIEnvironment) -> Visit:
        is_draft = self._is_draft(environ)
        if asked is None:
            return Visit(self, None, environ.get("SCRIPT_NAME", ""), is_draft=is_draft)
        return Visit(self, (asked.key.scheme, asked.key.host), asked.prefix, is_draft=is_draft)

    def _call_app(
        self, asked: Asked | None, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        environ[KEY] = visit = self._visit(asked, environ)
        with entered(visit):
            return self.app(environ, start_response)

    def _is_draft(self, environ: WSGIEnvironment) -> bool:
        return self._host.draft.is_on(environ.get("HTTP_COOKIE", ""))

    def _change(self, asked: Asked | None, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Have the app answer another method; the pages of a path that it changes are void (RFC 9111, 4.4)."""
        failed = False

        def start(status: str, headers: Headers, *exc_info: Any) -> Callable[[bytes], object]:
            nonlocal failed
            failed = status >= "4"
            return start_response(status, headers, *exc_info)

        body = self._call_app(asked, environ, start)
        if not failed and environ["REQUEST_METHOD"] not in _SAFE_METHODS and not self._outage.is_on():
            path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
            try:
                if self._pages.has_path(path):
                    self._pages.expire([path])
            except StoreError as error:
                self._outage.note(error)
        return body

    # Pages that are not there

    def _miss(self, asked: Asked, found: Found, start_response: StartResponse) -> Iterable[bytes]:
        environ = asked.environ
        if any(name in environ for name in _PERSONAL):
            return self._watch(asked, found, start_response, is_personal=True)
        is_other = asked.key.path in self._others
        is_plain = _is_plain(asked)
        if is_other or not (is_plain or found.is_known):
            return self._watch(asked, found, start_response, is_personal=not is_plain)
        try:
            lease = self._pages.lease(found.name, self._timeout)
            if lease is None:
                if (entry := self._await(asked, found.name)) is not None:
                    return _serve(entry, "HIT", environ, start_response)
                return self._watch(asked, found, start_response, is_kept=False, is_personal=not is_plain)
        except StoreError as error:
            self._outage.note(error)
            return self.app(environ, start_response)
        if not found.is_known:
            return self._watch(asked, found, start_response, lease)
        try:
            entry = self._make(asked.key, asked.prefix, environ, found)
        except Exception:
            _logger.warning("page cache: %s could not be made of a clean request", asked.key.url, exc_info=True)
            entry = None
        finally:
            self._end(lease)
        if entry is not None:
            return _serve(entry, "MISS", environ, start_response)
        return self._watch(asked, found, start_response, is_personal=not is_plain)

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
        is_personal: bool = False,
        is_kept: bool = True,
    ) -> Iterable[bytes]:
        """Have the app answer the request as it came; keep the answer if it is a page, and of a plain request.

        An answer that may be about who asked is for them alone, and the page is made beside it.
        """
        key = asked.key
        is_wanted = False

        def decide(status_line: str, headers: Headers) -> Headers | None:
            nonlocal is_wanted, lease
            is_wanted = False
            if lifetime(headers) is None:
                self._note_other(key.path)
            else:
                self._others.pop(key.path, None)
                status = int(status_line[:3])
                reason = refusal(status, headers)
                if reason is None:
                    if is_kept and not is_personal and not (key.query and ignores_query(headers)):
                        if lease is None:
                            lease = self._lease(found)
                        if lease is not None:
                            return None
                    else:
                        is_wanted = is_kept
                    return [*(_private(headers) if is_personal else headers), ("x-nextjs-cache", "MISS")]
                # Of what it says to a part or a condition, the page may be one.
                is_wanted = is_personal and status in (206, 304)
                if status < 400 and not is_wanted:
                    self._warn(f"{key.path} says s-maxage and is not kept: {reason}")
            if lease is not None:  # nobody has to wait for what is no page
                self._end(lease)
                lease = None
            return headers

        try:
            answer = call(self.app, asked.environ, start_response, decide, self.store.max_entry_size)
            if isinstance(answer, Answer):
                entry = self._keep(key, answer, asked.environ, found)
                return _serve(entry, "MISS", asked.environ, start_response)
        finally:
            if lease is not None:
                self._end(lease)
        if is_wanted:
            close = getattr(answer, "close", None)
            return Closing(answer, partial(_close_then, close, partial(self._make_later, asked, found)))
        return answer

    def _note_other(self, path: str) -> None:
        if len(self._others) >= _MOST_KNOWN:
            self._others.clear()
        self._others[path] = None

    # Pages that are made

    def _make(self, key: Key, prefix: str, asker: WSGIEnvironment, found: Found) -> Entry | None:
        """Make a page of a clean request and keep it; return None where the answer is no page.

        Of `asker` only the headers are given to the app by which the page says that it varies. Raises what the app
        raises, `RevalidateError` where it answers by an error.
        """
        answer, environ = self._render(key, prefix, asker, found.vary)
        return self._keep_made(key, answer, environ, found)

    def _render(
        self,
        key: Key,
        prefix: str,
        asker: WSGIEnvironment,
        vary: Sequence[str],
        chain: tuple[str, ...] = (),
    ) -> tuple[Answer | None, WSGIEnvironment]:
        names = set(vary)
        while True:
            environ = clean_environ(key, prefix, self._server, asker, names)
            environ[KEY] = visit = Visit(self, (key.scheme, key.host), prefix, (*chain, key.path))
            with entered(visit):
                answer = call(self.app, environ, _start_nothing, _hold_back, self.store.max_entry_size)
            if not isinstance(answer, Answer):
                with suppress(AttributeError):
                    answer.close()  # type: ignore[attr-defined]
                return None, environ
            if answer.status >= 500 or answer.status == 429:
                raise RevalidateError(f"Failed to revalidate {key.path}: Invalid response {answer.status}")
            # It is to be made of all headers that it varies by.
            more = {name for name in vary_names(answer.headers) if environ_name(name) in asker} - names
            if not more:
                return answer, environ
            names |= more

    def _keep_made(
        self, key: Key, answer: Answer | None, environ: WSGIEnvironment, found: Found, is_remade: bool = False
    ) -> Entry | None:
        if answer is None:
            reason: str | None = f"its body has more than {self.store.max_entry_size} bytes, the store's limit"
        else:
            reason = refusal(answer.status, answer.headers)
        if answer is not None and reason is None:
            self._others.pop(key.path, None)
            return self._keep(key, answer, environ, found, is_remade)
        if answer is None or lifetime(answer.headers) is not None:
            self._warn(f"{key.path} says s-maxage and is not kept: {reason}")
        self._note_other(key.path)
        if found.entry is not None or is_remade:
            self._pages.expire([key.path])
        return None

    def _keep(self, key: Key, answer: Answer, environ: WSGIEnvironment, found: Found, is_remade: bool = False) -> Entry:
        """Return an answer as a page, which is kept if it is whole."""
        life = lifetime(answer.headers)
        assert life is not None, "it is a page"
        headers = kept_headers(answer.headers)
        names = {name.lower(): value for name, value in headers}
        is_whole = names.get("content-length", str(len(answer.body))) == str(len(answer.body))
        if answer.status == 200 and "etag" not in names:
            headers.append(("ETag", strong_etag(answer.body)))
        if "content-length" not in names and answer.status != 204:
            headers.append(("Content-Length", str(len(answer.body))))
        vary = tuple(sorted({*found.vary, *vary_names(headers)}))
        entry = Entry(key.url, answer.status_line, headers, answer.body, time(), life.fresh, life.stale, vary, {})
        if is_whole:
            try:
                self._pages.keep(key, entry, environ, found.marks, tags(headers), is_remade)
            except StoreError as error:
                if is_remade:
                    raise
                self._outage.note(error)
        return entry

    def _make_later(self, asked: Asked, found: Found) -> None:
        """Have a page made beside requests, unless another makes it or this process makes enough."""
        if self._outage.is_on():
            return
        with self._lock:
            if self._making >= max(len(self._threads) // 2, 1):
                return
            self._making += 1
        lease = None
        try:
            lease = self._pages.lease(found.name, self._timeout)
            if lease is not None:
                Apart(partial(self._make_apart, asked, found, lease), self._host.leave_thread).start()
                return
        except StoreError as error:
            self._outage.note(error)
        except RuntimeError:  # no more threads can be started
            _logger.warning("page cache: %s is not made anew", asked.key.url, exc_info=True)
        self._end_making(lease)

    def _make_apart(self, asked: Asked, found: Found, lease: Lease) -> None:
        try:
            self._make(asked.key, asked.prefix, asked.environ, found)
        except StoreError as error:
            self._outage.note(error)
        except Exception as error:
            shown = None if isinstance(error, RevalidateError) else error
            _logger.error("page cache: %s was not made anew: %s", asked.key.url, error, exc_info=shown)
            self._serve_on(found)
        finally:
            self._end_making(lease)

    def _end_making(self, lease: Lease | None) -> None:
        with self._lock:
            self._making -= 1
        if lease is not None:
            self._end(lease)

    def _serve_on(self, found: Found) -> None:
        """Keep a page that could not be made anew for a short while more, as Next does, but not beyond its time."""
        if (entry := found.entry) is None:
            return
        age, whole = entry.age(time()), entry.fresh + entry.stale
        least, most = _RETRY_SECONDS
        retry = min(max(entry.fresh, least), most)
        if age + retry >= whole:
            return
        with suppress(StoreError):
            headers = with_lifetime(entry.headers, retry)
            self._pages.keep_on(found, replace(entry, headers=headers, fresh=age + retry, stale=whole - age - retry))

    def _lease(self, found: Found) -> Lease | None:
        try:
            return self._pages.lease(found.name, self._timeout)
        except StoreError as error:
            self._outage.note(error)
            return None

    def _end(self, lease: Lease) -> None:
        try:
            self._pages.end(lease)
        except StoreError as error:  # it ends by itself
            self._outage.note(error)

    def _warn(self, text: str) -> None:
        """Log a warning, once in a process, and a hundred at most."""
        if text not in self._warned and len(self._warned) < 100:
            self._warned.add(text)
            _logger.warning("page cache: %s", text)

    # On demand

    def revalidate(self, path: str, *, origin: str | None = None, only_generated: bool = False) -> None:
        """Make the page of a path anew, as `res.revalidate` does, for whoever answers no request.

        `origin`, "https://example.com", is what the page's URL begins with; where it is left out, `path` may be the
        whole URL, or the app's settings name the host. Raises `RevalidateError` where nothing does, and as
        `res.revalidate` raises it.
        """
        if origin is None and "://" in path.partition("/")[0] + "//":
            parts = urlsplit(path)
            origin, path = f"{parts.scheme}://{parts.netloc}", path.removeprefix(f"{parts.scheme}://{parts.netloc}")
        check_path(path)
        if origin is None:
            found = self._host.origin()
        else:
            scheme, _, name = origin.partition("://")
            host = normal_host(scheme, name)
            found = (scheme, host) if host is not None else None
        if found is None:
            raise RevalidateError(
                f"{path}: which host it is to be made for is not known: give the whole URL, https://example.com{path}"
            )
        self.remake(path, Visit(self, found, ""), only_generated)

    def revalidate_path(self, path: str) -> None:
        """Make all pages of a path void, of every host and query: the next request has one made."""
        self.expire_path(path, "")

    def revalidate_tag(self, tag: str) -> None:
        """Make all pages with a tag void, which they say by Cache-Tag: the next request has one made."""
        self.expire_tag(tag)

    def expire_path(self, path: str, prefix: str) -> None:
        """Make all pages of a path void (`Revalidator`)."""
        _, decoded = _full_path(check_path(path), prefix)
        self._host.when_committed(partial(self._pages.expire, [decoded]))

    def expire_tag(self, tag: str) -> None:
        """Make all pages with a tag void (`Revalidator`)."""
        self._host.when_committed(partial(self._pages.expire, (), [check_tag(tag)]))

    def remake(self, path: str, visit: Visit, only_generated: bool) -> None:
        """Make a page anew for the visit's host, and all others of its path void (`Revalidator`)."""
        sent, decoded = _full_path(check_path(path), visit.prefix)
        if decoded in visit.chain:
            chain = " -> ".join((*visit.chain, decoded))
            raise RevalidateError(
                f"Failed to revalidate {path}: it is being made by the page that asks for it, {chain}"
            )
        self._host.when_committed(partial(self._remake, path, sent, decoded, visit, only_generated))

    def _remake(self, path: str, sent: str, decoded: str, visit: Visit, only_generated: bool) -> None:
        if visit.origin is None:  # nothing is kept for this host
            self._pages.expire([decoded])
            return
        sent_path, _, query = sent.partition("?")
        key = Key(*visit.origin, sent_path, query, decoded)
        lease = self._lease_path(path, decoded)
        try:
            found = self._pages.find(key, {})
            if only_generated and not found.is_known:
                return
            try:
                answer, environ, key = self._render_apart(key, visit)
            except TimeoutError:
                raise RevalidateError(f"Failed to revalidate {path}: no answer within {self._timeout:g} s") from None
            except Exception as error:
                self._serve_on(found)
                if isinstance(error, RevalidateError):
                    raise
                raise RevalidateError(f"Failed to revalidate {path}: Invalid response 500") from error
            self._keep_made(key, answer, environ, found, is_remade=True)
        finally:
            self._end(lease)

    def _lease_path(self, path: str, decoded: str) -> Lease:
        """Return the right to make a path's page, when whoever has it is done."""
        deadline, pause = monotonic() + self._timeout, 0.01
        while (lease := self._pages.lease_path(decoded, 2 * self._timeout)) is None:
            if monotonic() > deadline:
                raise RevalidateError(f"Failed to revalidate {path}: another is at it for {self._timeout:g} s")
            sleep(pause)
            pause = min(pause * 1.5, 0.1)
        return lease

    def _render_apart(self, key: Key, visit: Visit) -> tuple[Answer | None, WSGIEnvironment, Key]:
        """Have the app answer a clean request beside this one; a redirect that only mends a slash is followed."""

        def render() -> tuple[Answer | None, WSGIEnvironment, Key]:
            answer, environ = self._render(key, visit.prefix, {}, (), visit.chain)
            if (mended := _mended(key, answer)) is None:
                return answer, environ, key
            return *self._render(mended, visit.prefix, {}, (), visit.chain), mended

        return Apart(render, self._host.leave_thread).result(self._timeout)


def _mended(key: Key, answer: Answer | None) -> Key | None:
    """Return the key of a page's other spelling, where the answer leads to it: one slash at its end, or none."""
    if answer is None or answer.status not in (301, 302, 307, 308) or lifetime(answer.headers) is not None:
        return None
    location = next((value for name, value in answer.headers if name.lower() == "location"), "")
    parts = urlsplit(location)
    if parts.path == key.sent_path or parts.path.rstrip("/") != key.sent_path.rstrip("/"):
        return None
    if parts.netloc and normal_host(parts.scheme, parts.netloc) != key.host:
        return None
    return key._replace(sent_path=parts.path, path=unquote_to_bytes(parts.path).decode("latin-1"))


def _full_path(path: str, prefix: str) -> tuple[str, str]:
    """Return the path with its query as a client would send it, and the path alone, decoded; both from the root on."""
    sent = quote(path.partition("#")[0], safe="/%:@!$&'()*+,;=~?[]")
    decoded = unquote_to_bytes(sent.partition("?")[0]).decode("latin-1")
    if prefix and decoded != prefix and not decoded.startswith(f"{prefix}/"):
        return quote(prefix, encoding="latin-1") + sent, prefix + decoded
    return sent, decoded


def _is_plain(asked: Asked) -> bool:
    """Say whether a request has nothing but what a page's name has, and what browsers say to everybody."""
    environ, key = asked.environ, asked.key
    for name in environ:
        if name.startswith("HTTP_") and name not in _PLAIN_HEADERS and not name.startswith(_PLAIN_PREFIXES):
            return False
    return (
        environ.get("HTTP_HOST") == key.host
        and environ.get("QUERY_STRING", "") == key.query
        and environ.get("CONTENT_LENGTH") in (None, "", "0")
        and "no-store" not in environ.get("HTTP_CACHE_CONTROL", "")
        and environ.get("RAW_URI", "/").startswith("/")
    )


def _serve(entry: Entry, state: str, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """Answer a GET or HEAD by a page (RFC 9111, 4)."""
    headers = [*entry.headers, ("x-nextjs-cache", state)]
    if state != "MISS":
        headers.append(("Age", str(entry.age(time()))))
    if ("HTTP_IF_NONE_MATCH" in environ or "HTTP_IF_MODIFIED_SINCE" in environ) and entry.status_line[:3] == "200":
        names = {name.lower(): value for name, value in headers}
        if not is_resource_modified(environ, names.get("etag"), last_modified=names.get("last-modified")):
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
    return [*(pair for pair in headers if pair[0].lower() != "cache-control"), ("Cache-Control", PRIVATE)]


def _hold_back(_: str, __: Headers) -> None:
    return None


def _start_nothing(*_: object) -> Callable[[bytes], object]:
    return lambda _: None


def _close_then(close: Callable[[], object] | None, then: Callable[[], object]) -> None:
    try:
        if close is not None:
            close()
    finally:
        then()
