"""A route handler: `GET`, `POST` and their like in a file `route.py` below `app` (Next's Route Handlers)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from nextapi.cache.policy import PRIVATE
from nextapi.errors import DynamicError, HTTPError
from nextapi.handlers.config import EDGE_RUNTIMES
from nextapi.handlers.edge import edge_query
from nextapi.handlers.host import HandlerHost
from nextapi.handlers.segment import SegmentConfig
from nextapi.handlers.web import WebHandlers
from nextapi.http.message import Request, Response, Stream
from nextapi.types import RouteContext
from nextapi.web.request import NextRequest, Site, request_of, was_looked_at
from nextapi.web.scope import Scope

__all__ = ["METHODS", "RouteEndpoint"]

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
"""The functions of a module that are its handlers."""


class RouteEndpoint:
    """The handlers of a `route.py`, by method; HEAD and OPTIONS answer by themselves where there are none for them."""

    kind = "route"

    def __init__(
        self,
        handlers: Mapping[str, tuple[Callable[..., object], int]],
        options: SegmentConfig,
        file: Path,
        site: Site,
        host: HandlerHost,
    ) -> None:
        self.options = options
        self._file = file
        self._functions = dict(handlers)
        if "GET" in handlers:
            self._functions.setdefault("HEAD", handlers["GET"])
        self.methods = tuple(sorted({*self._functions, "OPTIONS"}))
        self._handlers = WebHandlers(file, host, site.limit)
        self._site = site
        self._host = host
        self._is_edge = options.runtime in EDGE_RUNTIMES
        self._is_static = options.dynamic == "force-static"
        self._says_cache_control = bool(options.cache_control) or options.dynamic == "error"

    def answer(self, request: Request, params: dict[str, Any]) -> Response:
        """Return the answer of the method's handler; an exception of its passes through."""
        request.failure = b""  # as Next has it
        found = self._functions.get(request.method)
        if found is None:
            return self._answer_without(request.method)
        function, count = found
        if self._is_static and request.method in ("GET", "HEAD") and not self._is_draft(request):
            _forget_asker(request)
        # In Next's edge runtime the path's parameters are in the query, too.
        pairs = edge_query(request, params) if self._is_edge and params else None
        seen = request_of(request, self._site, pairs)
        handlers, scope = self._handlers, Scope(request, self._host)
        arguments = (seen, RouteContext(params)) if count == 2 else (seen,) if count else ()
        message = handlers.to_message(handlers.call(scope, function, *arguments), scope)
        if self._says_cache_control:
            self._set_cache_control(message, scope, seen)
        return message

    def _answer_without(self, method: str) -> Response:
        if method == "OPTIONS":
            return Response(204, [("allow", ", ".join(self.methods))], b"")
        if method in METHODS:
            raise HTTPError(405, "", {"allow": ", ".join(self.methods)})
        raise HTTPError(400, "")  # as Next has it for methods that no file can have a handler for

    def _is_draft(self, request: Request) -> bool:
        return self._host.draft.is_on(request.environ.get("HTTP_COOKIE", ""))

    def _set_cache_control(self, message: Response, scope: Scope, seen: NextRequest) -> None:
        """Say for how long an answer may be kept; one that may depend on who asked is nobody else's."""

        def is_dynamic() -> bool:
            return not self._is_static and (scope.is_dynamic or was_looked_at(seen))

        if is_dynamic() and self.options.dynamic == "error":
            raise DynamicError(f'{self._file}: with `dynamic = "error"` it reads no cookies or headers, and it did')
        if scope.request.method not in ("GET", "HEAD"):
            return
        headers = message.headers
        if self._is_draft(scope.request):  # a draft, whatever it says itself
            headers[:] = [*(pair for pair in headers if pair[0] != "cache-control"), ("cache-control", PRIVATE)]
            return
        if self._is_static:
            headers.append(("no-vary-search", "params"))
        if any(name == "cache-control" for name, _ in headers):
            return
        value = PRIVATE if is_dynamic() else self.options.cache_control
        if not value:
            return
        headers.append(("cache-control", value))
        if value is not PRIVATE and isinstance(message.body, Stream):
            message.body = self._checked(message.body, is_dynamic, scope.request)

    def _checked(self, stream: Stream, is_dynamic: Callable[[], bool], request: Request) -> Stream:
        """Return a stream that fails at its end if it has come to depend on who asked: its head has said the contrary,
        and what was cut is not kept.
        """

        def chunks() -> Iterator[bytes]:
            yield from stream.unreported()
            if is_dynamic():
                raise DynamicError(
                    f"{self._file}: its stream asked for cookies or headers after its head had said that it is the "
                    "same for all: ask for them before the Response is returned"
                )

        return Stream(chunks(), partial(self._host.report, request))


def _forget_asker(request: Request) -> None:
    """Take out of a request what is not the same for all who ask: headers, cookies and query."""
    host = request.environ.get("HTTP_HOST")
    request.replace_headers({} if host is None else {"HTTP_HOST": host})
    request.query_string = ""
