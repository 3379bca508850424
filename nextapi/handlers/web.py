"""What handlers of the web dialect and middleware have in common: they are called, awaited, and what they return
becomes the application's response.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import cast

from nextapi.errors import HTTPError, NoAnswerError
from nextapi.handlers.host import HandlerHost
from nextapi.handlers.sources import new_run, open_source
from nextapi.http.headers import check_header_value
from nextapi.http.message import Relayed, Request, Stream, reason_phrase
from nextapi.http.message import Response as Message
from nextapi.http.streaming import ReadableFile, Source
from nextapi.running import call_masked
from nextapi.web.response import NextResponse, Response, is_passage, pairs_of, response_of, take_parts
from nextapi.web.scope import Scope, after, enter, leave

__all__ = ["NextFetchEvent", "WebHandlers"]

# What the server says itself, beside what another one has said in an answer of `fetch`.
_UPSTREAMS_OWN = frozenset({"date", "server"})

# What is the server's to say (PEP 3333), and the length, which is that of the body.
_NOT_SENT = frozenset(
    {
        "connection",
        "content-length",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "trailers",
        "transfer-encoding",
        "upgrade",
    }
)


class WebHandlers:
    """Calls the functions of one file, and makes messages of their responses.

    With `is_relative` the Location of a redirect to the request's own origin is sent as a path, as Next does for edge
    handlers and middleware. With `may_pass` a function may return None, which is `NextResponse.next()`.
    """

    def __init__(self, file: Path, host: HandlerHost, is_relative: bool, may_pass: bool = False) -> None:
        self._file = file
        self._host = host
        self._is_relative = is_relative
        self._may_pass = may_pass

    def call(self, scope: Scope, function: Callable[..., object], *arguments: object) -> Response:
        """Return what a function returns for the request of `scope`; an exception of its passes through."""
        token = enter(scope)
        try:
            response = function(*arguments)
            if isinstance(response, Response):
                return response
            if isinstance(response, Awaitable):
                scope.run = new_run(scope.request, self._host, self._file)
                response = scope.run.finish(response)
            if response is None and self._may_pass:
                return NextResponse.next()
            if not isinstance(response, Response):
                raise NoAnswerError(f"{self._file}: {_no_response(function, response)}")
            return response
        except HTTPError as error:
            if scope.is_changed and 300 <= error.status <= 399:
                error.headers += tuple(("Set-Cookie", line) for line in scope.set_cookies())
            raise
        finally:
            leave(token)

    def to_message(self, response: Response, scope: Scope) -> Message:
        """Return a response as the application's."""
        status, pairs, content = take_parts(response)
        if status == 0:
            raise NoAnswerError(f"{self._file}: Response.error() was returned, which is no answer")
        if response.__class__ is not Response and is_passage(response):
            raise NoAnswerError(
                f"{self._file}: NextResponse.next() and rewrite() are answers of middleware: return a Response"
            )
        if response.status_text:
            check_header_value("status text", response.status_text)  # it can be set later
        headers = self._headers(response, pairs, scope)
        made = Message(status, headers, b"", response.status_text)
        if status == 204 or status == 304:
            return made
        request = scope.request
        is_head = request.method == "HEAD"
        if content is None or isinstance(content, bytes):
            data = content or b""
            length = str(len(data))
            if not is_head:
                made.body = data
            elif not data:
                length = _declared_length(response) or length
            headers.append(("content-length", length))
            return made
        if declared := _declared_length(response):
            headers.append(("content-length", declared))
        made.body = content if isinstance(content, Stream) else self._stream(content, scope)
        return made

    def _stream(self, source: Source, scope: Scope) -> Stream:
        if isinstance(source, Iterator) and not isinstance(source, ReadableFile):
            source = _InScope(source, scope)
        token = enter(scope)  # an async source is run in a context that is copied here
        try:
            return open_source(source, scope.request, self._host, self._file, scope.run)
        finally:
            leave(token)

    def to_headers(self, response: Response, scope: Scope) -> list[tuple[str, str]]:
        """Return the header lines of a response, with those of `cookies()`, without what is the server's to say."""
        return self._headers(response, pairs_of(response), scope)

    def _headers(self, response: Response, pairs: list[tuple[str, str]], scope: Scope) -> list[tuple[str, str]]:
        if len(pairs) == 1 and pairs[0][0] == "content-type":  # most responses
            headers = [pairs[0]]
        else:
            headers = self._joined(scope.request, pairs, bool(response.url))
        if scope.is_changed:
            _add_cookies(headers, scope)
        return headers

    def _joined(self, request: Request, pairs: list[tuple[str, str]], is_forwarded: bool) -> list[tuple[str, str]]:
        """Return header lines with the values of repeated ones joined, but for cookies, as Fetch has them."""
        values: dict[str, str] = {}
        cookies = []
        for name, value in pairs:
            if name == "set-cookie":
                cookies.append((name, value))
            elif name not in _NOT_SENT and not (is_forwarded and name in _UPSTREAMS_OWN):
                values[name] = f"{values[name]}, {value}" if name in values else value
        if self._is_relative and "location" in values:
            values["location"] = self._relative(request, values["location"])
        return [*values.items(), *cookies]

    def _relative(self, request: Request, location: str) -> str:
        origin = self._host.origin(request)
        # Never "//host", which would be another site; browsers leave tabs out.
        beyond = (f"{origin}//", f"{origin}/\\", f"{origin}/\t")
        is_own = location.startswith(f"{origin}/") and not location.startswith(beyond)
        return location.removeprefix(origin) if is_own else location

    def from_message(self, message: Message, request: Request) -> Response:
        """Return the application's response as one of the web dialect, for middleware to look at and to change."""
        if isinstance(message.body, Relayed):
            message = self._host.unpack(message.body, request)
        body = message.body if isinstance(message.body, bytes) else _Steps(cast("Stream", message.body).unreported())
        reason = message.status_line.partition(" ")[2]
        reason = "" if reason == reason_phrase(message.status) else reason
        return response_of(message.status, reason, [(name.lower(), value) for name, value in message.headers], body)


class _InScope(Iterator[str | bytes]):
    """An iterator whose steps are made in the scope of a request, and in the context variables of who asks for them."""

    __slots__ = ("_iterator", "_scope")

    def __init__(self, iterator: Iterator[str | bytes], scope: Scope) -> None:
        self._iterator = iterator
        self._scope = scope

    def __next__(self) -> str | bytes:
        token = enter(self._scope)
        try:
            return next(self._iterator)
        finally:
            leave(token)

    def close(self) -> None:
        if close := getattr(self._iterator, "close", None):
            token = enter(self._scope)
            try:
                close()
            finally:
                leave(token)


class _Steps:
    """The chunks of a handler's stream as middleware sees them, which may be a coroutine: each can wait for others."""

    __slots__ = ("_chunks",)

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> _Steps:
        return self

    def __next__(self) -> bytes:
        return call_masked(self._chunks.__next__)


class NextFetchEvent:
    """What edge handlers and middleware take as their second argument (Next's `NextFetchEvent`).

    `source_page` is the pattern of the route, or the name of the middleware's file.
    """

    def __init__(self, source_page: str) -> None:
        self.source_page = source_page

    def wait_until(self, work: Callable[[], object] | Awaitable[object]) -> None:
        """Have `work` done once the answer has been sent: a function, which may be `async`, or an awaitable."""
        after(work)


def _declared_length(response: Response) -> str | None:
    """Return the Content-Length that a handler has given, which is that of a stream, or of the answer to GET."""
    return next((value for name, value in pairs_of(response) if name == "content-length"), None)


def _add_cookies(headers: list[tuple[str, str]], scope: Scope) -> None:
    """Add the cookies that `cookies()` has set; of two with one name the response's own stands."""
    own = {value.partition("=")[0].strip() for name, value in headers if name == "set-cookie"}
    headers.extend(("set-cookie", line) for line in scope.set_cookies() if line.partition("=")[0] not in own)


def _no_response(function: Callable[..., object], returned: object) -> str:
    what = "nothing" if returned is None else f"{type(returned).__name__}, which is no Response"
    name = getattr(function, "__name__", "the handler")
    # That of a folder: the root's may return nothing.
    right = "what call_next() returns, or a Response" if returned is None and name == "middleware" else "a Response"
    return f"{name}() returned {what}: return {right}, such as Response.json(value)"
