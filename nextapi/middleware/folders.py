"""`_middleware.py` in a folder: what stands around the routes below it, from the outermost folder to the innermost.

The function is in charge of the request: it calls the handler by `call_next`, once or not at all, and what it returns
is the answer. A handler that has failed has failed for the host's transaction, too, whatever is made of its answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from functools import partial
from inspect import CORO_CREATED, getcoroutinestate
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

from nextapi.errors import BuildError, CallNextError, ConfigError, HandlerError, HTTPError, NoAnswerError, TreeError
from nextapi.handlers.host import HandlerHost
from nextapi.handlers.refusals import error_response
from nextapi.handlers.signature import handler_problem
from nextapi.handlers.web import WebHandlers
from nextapi.http.message import Request
from nextapi.http.message import Response as Message
from nextapi.running import Run, current_run
from nextapi.web.cors import policy_of
from nextapi.web.request import NextRequest, Site, changed_headers, environ_of, message_of, request_of
from nextapi.web.response import Response, is_passage
from nextapi.web.scope import Scope

__all__ = ["Answer", "FolderMiddleware", "folder_middleware"]

Answer: TypeAlias = Callable[[Request, dict[str, Any]], Message]


class FolderMiddleware:
    """A `middleware(request, call_next)` around the endpoints of a folder."""

    def __init__(self, function: Callable[..., object], file: Path, site: Site, host: HandlerHost) -> None:
        self.file = file
        self.policy = policy_of(function)
        self._function = function
        self._host = host
        self._handlers = WebHandlers(file, host, is_relative=False)
        self._site = replace(site, keeps_body=True)

    def around(self, answer: Answer) -> Answer:
        """Return what answers a request by the middleware, which calls `answer`, or answers itself."""
        return partial(self._answer, answer)

    def _answer(self, answer: Answer, request: Request, params: dict[str, Any]) -> Message:
        request.is_held = True
        seen, scope = request_of(request, self._site), Scope(request, self._host)
        inside = _Inside(self.file, answer, request, params, seen, self._handlers)
        try:
            response = self._handlers.call(scope, self._function, seen, inside.call_next)
        except Exception as error:
            if inside.is_waiting():
                error.add_note(f"{self.file}: {_NOT_AWAITED}")
            raise
        finally:
            inside.is_over = True
        if inside.is_waiting():
            raise CallNextError(f"{self.file}: {_NOT_AWAITED}")
        if is_passage(response):
            raise NoAnswerError(
                f"{self.file}: NextResponse.next() and rewrite() are for middleware.py: here `return "
                "call_next(request)` lets a request pass"
            )
        inside.forget_length(response)
        message = self._handlers.to_message(response, scope)
        message.error = inside.error
        return message


_NOT_AWAITED = "call_next() was not awaited: write `response = await call_next(request)`, as middleware is `async def`"


class _Inside:
    """What stands behind the middleware for one request, to be called once."""

    def __init__(
        self,
        file: Path,
        answer: Answer,
        request: Request,
        params: dict[str, Any],
        seen: NextRequest,
        handlers: WebHandlers,
    ) -> None:
        self._file = file
        self._answer = answer
        self._request = request
        self._params = params
        self._seen = seen
        self._handlers = handlers
        self._outer = current_run()
        self._was_called = False
        self._coroutine: Coroutine[Any, Any, Response] | None = None
        self._response: Response | None = None
        self.error: Exception | None = None
        """What the handler raised."""
        self.is_over = False
        """Whether the middleware has returned."""

    def call_next(self, request: NextRequest | None = None) -> Response | Awaitable[Response]:
        """Return what the next middleware or the handler answers, an awaitable of it in a coroutine."""
        if self._was_called or self.is_over:
            how = "after the middleware had answered" if self.is_over else "a second time: the handler has run"
            raise CallNextError(f"{self._file}: call_next() was called {how}")
        request = self._seen if request is None else request
        if not isinstance(request, NextRequest) or message_of(request) is not self._request:
            raise CallNextError(
                f"{self._file}: call_next() takes the request that the middleware was given, or a clone of it, not "
                f"{request!r}: what the handler is to see is changed by request.headers"
            )
        self._was_called = True
        run = current_run()
        if run is None or run is self._outer or not run.is_in_loop():
            return self._call(request)
        self._coroutine = self._wait(run, request)
        return self._coroutine

    def _call(self, request: NextRequest) -> Response:
        if (headers := changed_headers(request)) is not None:
            self._request.replace_headers(environ_of(headers))
        try:
            message = self._answer(self._request, self._params)
        except HTTPError as error:
            message = error_response(self._request, error)
        except Exception as error:
            self.error = error
            raise
        self.error = message.error
        self._response = self._handlers.from_message(message, self._request)
        return self._response

    async def _wait(self, run: Run, request: NextRequest) -> Response:
        response, error = await run.call_outside(partial(self._outcome, request))
        if error is not None:
            try:
                raise error
            finally:
                del error  # it holds this frame
        assert response is not None, "it did not fail"
        return response

    def _outcome(self, request: NextRequest) -> tuple[Response | None, BaseException | None]:
        # Not raised: a future changes some exceptions, and takes no StopIteration.
        try:
            return self._call(request), None
        except BaseException as error:
            return None, error

    def is_waiting(self) -> bool:
        """Say whether `call_next` was called by a coroutine that did not await it; it will not go on."""
        coroutine = self._coroutine
        if coroutine is None or getcoroutinestate(coroutine) != CORO_CREATED:
            return False
        coroutine.close()
        self._coroutine = None
        return True

    def forget_length(self, response: Response) -> None:
        """Take the handler's Content-Length off another response that was given its headers: it has its own body."""
        if self._response is None or response is self._response:
            return
        length = self._response.headers.get("content-length")
        if length is not None and response.headers.get("content-length") == length:
            response.headers.delete("content-length")


def folder_middleware(module: ModuleType, file: Path, site: Site, host: HandlerHost) -> FolderMiddleware:
    """Return the middleware of a module `_middleware.py`; raise `TreeError` with all that is wrong with it."""
    function = getattr(module, "middleware", None)
    form = "def middleware(request, call_next)"
    faults: list[BuildError] = []
    if function is None:
        faults.append(HandlerError(f"{file}: there is no `middleware`: define `{form}`", file))
    elif problem := handler_problem("middleware", function, form, 2):
        faults.append(HandlerError(f"{file}: {problem}", file))
    if hasattr(module, "config"):
        say = "there is no matcher for a folder's middleware, which is for all that is below: leave `config` out"
        faults.append(ConfigError(f"{file}: {say}", file))
    if faults:
        raise TreeError(f"{file} is no middleware", faults)
    assert callable(function), "it was checked"
    return FolderMiddleware(function, file, site, host)
