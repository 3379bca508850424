"""`_middleware.py` in a folder: what stands around the routes below it, from the outermost folder to the innermost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

from nextapi.errors import ConfigError, HandlerError, HTTPError, TreeError
from nextapi.handlers.host import HandlerHost
from nextapi.handlers.refusals import error_response
from nextapi.handlers.web import WebHandlers, handler_problem
from nextapi.http.message import Request
from nextapi.http.message import Response as Message
from nextapi.running import current_run
from nextapi.web.request import NextRequest, Site, changed_headers, environ_of, message_of, request_of
from nextapi.web.response import Response

__all__ = ["Answer", "FolderMiddleware", "folder_middleware"]

Answer: TypeAlias = Callable[[Request, dict[str, Any]], Message]


class FolderMiddleware:
    """A `middleware(request, call_next)` around the endpoints of a folder."""

    def __init__(self, function: Callable[..., object], file: Path, site: Site, host: HandlerHost) -> None:
        self.file = file
        self._function = function
        self._handlers = WebHandlers(file, host, is_relative=False)
        self._site = replace(site, keeps_body=True)

    def around(self, answer: Answer) -> Answer:
        """Return what answers a request by the middleware, which calls `answer`, or answers itself."""
        handlers, site, function = self._handlers, self._site, self._function

        def answer_around(request: Request, params: dict[str, Any]) -> Message:
            request.is_held = True

            def answer_inside(seen: NextRequest) -> Response:
                if message_of(seen) is not request:
                    raise TypeError("call_next() takes the request that the middleware was given, or a clone of it")
                if (headers := changed_headers(seen)) is not None:
                    request.replace_headers(environ_of(headers))
                try:
                    message = answer(request, params)
                except HTTPError as error:
                    message = error_response(request, error)
                return handlers.from_message(message, request)

            seen = request_of(request, site)

            def call_next(changed: NextRequest | None = None) -> Response | Awaitable[Response]:
                run = current_run()
                if run is None or not run.is_in_loop():
                    return answer_inside(changed or seen)
                return run.call_outside(partial(answer_inside, changed or seen))

            return handlers.to_message(handlers.call(request, function, seen, call_next), request)

        return answer_around


def folder_middleware(module: ModuleType, file: Path, site: Site, host: HandlerHost) -> FolderMiddleware:
    """Return the middleware of a module `_middleware.py`; raise `TreeError` with all that is wrong with it."""
    function = getattr(module, "middleware", None)
    form = "def middleware(request, call_next)"
    if function is None:
        fault = HandlerError(f"{file}: there is no `middleware`: define `{form}`", file)
        raise TreeError(f"{file} is no middleware", [fault])
    if problem := handler_problem("middleware", function, form, 2):
        raise TreeError(f"{file} is no middleware", [HandlerError(f"{file}: {problem}", file)])
    if hasattr(module, "config"):
        say = "there is no matcher for a folder's middleware, which is for all that is below: leave `config` out"
        raise TreeError(f"{file} is no middleware", [ConfigError(f"{file}: {say}", file)])
    assert callable(function), "it was checked"
    return FolderMiddleware(function, file, site, host)
