"""The request that is being answered, for functions that are not given it: `cookies()`, `headers()`, `draft_mode()`
and `after()` (Next's `next/headers` and `next/server`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar, Token
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, overload

from nextapi.cache.visit import current_visit
from nextapi.draft import Draft
from nextapi.errors import ScopeError
from nextapi.http.cookies import parse_cookie
from nextapi.http.message import Request
from nextapi.running import Run
from nextapi.web.cookies import (
    CookieAttributes,
    CookieOptions,
    CookieValue,
    RequestCookies,
    ResponseCookie,
    ResponseCookies,
    parse_set_cookie,
)
from nextapi.web.headers import Headers, ReadonlyHeaders, request_headers

if TYPE_CHECKING:
    from typing import Self, Unpack

__all__ = [
    "Cookies",
    "DraftMode",
    "Scope",
    "ScopeHost",
    "after",
    "cookies",
    "current_environ",
    "draft_mode",
    "enter",
    "headers",
    "leave",
]


class ScopeHost(Protocol):
    """What the functions of this module need of the host."""

    draft: Draft
    """The cookies of draft mode, made from the host's secret unless an option says another."""

    def call_after(self, request: Request, function: Callable[[], object]) -> None:
        """Have a function called once the answer has been sent, the handler's or one to its failure.

        It has the context variables of now, without those of the host.
        """

    def new_run(self, name: str) -> Run:
        """Return what runs the coroutines of a request; `name` is what the log says of it."""
        ...


class Scope:
    """A request that is being answered, and what its answer gets beside what is returned.

    `is_dynamic` says that cookies or headers were asked for, on which the answer may depend then; `is_changed`, that
    there are cookies to be set.
    """

    is_dynamic = False
    is_changed = False
    jar: Cookies | None = None
    draft_mode: DraftMode | None = None
    cleared: Sequence[str] = ()
    """Set-Cookie lines beside those of the jar."""
    run: Run | None = None
    """What has run the handler, where that is a coroutine."""

    def __init__(self, request: Request, host: ScopeHost) -> None:
        self.request = request
        self.host = host

    def set_cookies(self) -> list[str]:
        """Return the Set-Cookie lines of what was set."""
        return [*self.cleared, *(self.jar.changes() if self.jar is not None else ())]


_scope: ContextVar[Scope] = ContextVar("nextapi_scope")


def enter(scope: Scope) -> Token[Scope]:
    """Make `scope` the current one, until `leave`."""
    return _scope.set(scope)


def leave(token: Token[Scope]) -> None:
    """Make the scope current again that was so before."""
    _scope.reset(token)


def current_environ() -> Mapping[str, Any] | None:
    """Return the environ of the request that is being answered by a route handler, an edge handler or middleware."""
    scope = _scope.get(None)
    return None if scope is None else scope.request.environ


def _current(function: str) -> Scope:
    scope = _scope.get(None)
    if scope is None:
        raise ScopeError(
            f"`{function}` was called outside a request scope: call it while a route handler, an edge handler or "
            "middleware runs; in a test have `nextapi.testing.call` run the handler"
        )
    return scope


class Cookies:
    """The cookies of the request, and over them what is set here, which is read at once and sent with the answer."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._sent = {
            cookie.name: ResponseCookie(cookie.name, cookie.value)
            for cookie in RequestCookies(request_headers(scope.request.environ)).get_all()
        }
        self._set = ResponseCookies(Headers())

    def get(self, name: str) -> ResponseCookie | None:
        """Return the cookie `name`, or None; one that was deleted here is there, without a value."""
        return self._set.get(name) or self._sent.get(name)

    def get_all(self, name: str | None = None) -> list[ResponseCookie]:
        """Return all cookies, or those called `name`, which are one at most."""
        known = {**self._sent, **dict(self._set)}
        return [cookie for key, cookie in known.items() if name is None or key == name]

    def has(self, name: str) -> bool:
        """Say whether the cookie `name` is there, or was deleted here."""
        return name in self

    @overload
    def set(self, name: str, value: CookieValue, **options: Unpack[CookieOptions]) -> Self: ...
    @overload
    def set(self, cookie: ResponseCookie, /) -> Self: ...
    def set(self, name: str | ResponseCookie, value: CookieValue = None, **options: Unpack[CookieOptions]) -> Self:
        """Set a cookie, for the rest of this request and with its answer; see `ResponseCookies.set`."""
        if isinstance(name, ResponseCookie):
            self._set.set(name)
        else:
            self._set.set(name, value, **options)
        self._scope.is_changed = True
        return self

    def delete(self, name: str, **attributes: Unpack[CookieAttributes]) -> Self:
        """Have the client drop the cookie `name`; its path and domain have to be those that it was set with."""
        self._set.delete(name, **attributes)
        self._scope.is_changed = True
        return self

    def changes(self) -> list[str]:
        """Return the Set-Cookie lines of what was set and deleted here."""
        return [str(cookie) for cookie in self._set.get_all()]

    def __contains__(self, name: object) -> bool:
        return name in self._set or name in self._sent

    def __iter__(self) -> Iterator[tuple[str, ResponseCookie]]:
        return iter([(cookie.name, cookie) for cookie in self.get_all()])

    def __len__(self) -> int:
        return len(self.get_all())

    def __str__(self) -> str:
        return "; ".join(map(str, self.get_all()))


def cookies() -> Cookies:
    """Return the cookies of the request that is answered, to be read and to be set (Next's `cookies`).

    Raises `ScopeError` where none is.
    """
    return _cookies(_current("cookies"))


def _cookies(scope: Scope) -> Cookies:
    scope.is_dynamic = True
    if scope.jar is None:
        scope.jar = Cookies(scope)
    return scope.jar


def headers() -> ReadonlyHeaders:
    """Return the headers of the request that is answered (Next's `headers`); raise `ScopeError` where none is."""
    scope = _current("headers")
    scope.is_dynamic = True
    return ReadonlyHeaders(request_headers(scope.request.environ))


class DraftMode:
    """Draft mode, as this request has it and the client's next ones shall have it (Next's `draftMode`)."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._data: Any = None
        """None until the cookies are read."""

    @property
    def is_enabled(self) -> bool:
        """Whether the client is in draft mode; cookies of it that are forged or stale are cleared by the answer."""
        return self.preview_data is not False

    @property
    def preview_data(self) -> Any:
        """The data of `res.set_preview_data`: {} where there are none, False outside of draft mode."""
        if self._data is None:
            scope = self._scope
            data = scope.host.draft.read(parse_cookie(scope.request.environ.get("HTTP_COOKIE", "")))
            if data is None:
                scope.cleared, scope.is_changed = scope.host.draft.clearing_cookies("/"), True
            self._data = False if data is None else data
        return self._data

    def enable(self) -> None:
        """Have the client in draft mode from now on; raise `DraftError` as `res.set_draft_mode` does."""
        self._set(True)

    def disable(self) -> None:
        """End the client's draft mode."""
        self._set(False)

    def _set(self, enable: bool) -> None:
        scope = self._scope
        is_shared = bool(scope.request.environ.get("wsgi.multiprocess", True))
        cookie = parse_set_cookie(scope.host.draft.mode_cookie(enable, is_shared))
        assert cookie is not None, "draft mode's cookie has a name"
        _cookies(scope).set(cookie if enable else replace(cookie, value=""))
        self._data = {} if enable else False


class _DraftModeOfView(DraftMode):
    """Draft mode in a view of the host's behind a page cache, which cannot set cookies by it."""

    def __init__(self, preview_data: Any) -> None:
        self._data = preview_data

    def _set(self, enable: bool) -> None:
        raise ScopeError(
            "draft mode is switched by a route: call `res.set_draft_mode()`, or `draft_mode()` in a route handler"
        )


def draft_mode() -> DraftMode:
    """Return the draft mode of the request that is answered (Next's `draftMode`); raise `ScopeError` where none is.

    In a view of the host's it can be asked behind a page cache.
    """
    if _scope.get(None) is None and (visit := current_visit()) is not None:
        return _DraftModeOfView(visit.preview_data)
    scope = _current("draft_mode")
    if scope.draft_mode is None:
        scope.draft_mode = DraftMode(scope)
    return scope.draft_mode


def after(work: Callable[[], object] | Awaitable[object]) -> None:
    """Have `work` done once the answer has been sent, or the handler has failed: a function, which may be `async`, or
    an awaitable (Next's `after`).

    It runs in the worker that has answered, which takes no other request meanwhile, with the context variables of now.
    What it raises is logged. Raises `ScopeError` where no request is answered.
    """
    scope = _current("after")
    if not callable(work) and not isinstance(work, Awaitable):
        raise TypeError(f"after() takes a function or an awaitable, not {work!r}")
    scope.host.call_after(scope.request, partial(_do, work, scope))


def _do(work: Callable[[], object] | Awaitable[object], scope: Scope) -> None:
    returned = work() if callable(work) else work
    if isinstance(returned, Awaitable):
        run = scope.host.new_run(f"after {scope.request.method} {scope.request.path}")
        try:
            run.finish(returned)
        finally:
            run.close()
