"""What an adapter hands to the application, and what it gets back.

Neither knows a framework. A request has WSGI's parts, with the path as the client sent it; a response is a status,
header pairs in order, and the body, whole or as a stream.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from http import HTTPStatus
from types import SimpleNamespace
from typing import IO, Any, TypeAlias

from werkzeug.datastructures import FileStorage

from nextapi.http.headers import EnvironHeaders

__all__ = [
    "Body",
    "FormEntries",
    "Relayed",
    "Request",
    "Response",
    "StartResponse",
    "Stream",
    "read_fully",
    "reason_phrase",
]

StartResponse: TypeAlias = Callable[[str, list[tuple[str, str]]], Callable[[bytes], object]]
"""WSGI's, as far as it is used: it sends status and headers, and returns what sends pieces of the body."""

FormEntries: TypeAlias = tuple[list[tuple[str, str]], list[tuple[str, FileStorage]]]
"""The fields and the files of a form, by name and in order."""

_logger = logging.getLogger("nextapi")

_PHRASES = {int(status): status.phrase for status in HTTPStatus}
_STATUS_LINES = {status: f"{status} {phrase}" for status, phrase in _PHRASES.items()}


def reason_phrase(status: int) -> str:
    """Return the standard reason phrase of `status` (RFC 9110, 15.1), "Unknown" for a number that has none."""
    return _PHRASES.get(status, "Unknown")


class Body:
    """A request's body, not read yet.

    `length` is the Content-Length in bytes, None where the body comes in chunks. `read(size)` returns `size` bytes from
    its beginning, fewer only if it is shorter; `open()` gives all of it as a readable binary file. One of the two is
    called, once, unless `is_kept`. `form` is the body as a multipart form, where the host has read it as one.
    """

    __slots__ = ("form", "is_kept", "length", "open", "read")

    def __init__(
        self,
        length: int | None,
        read: Callable[[int], bytes],
        open: Callable[[], IO[bytes]],
        form: FormEntries | None = None,
        is_kept: bool = False,
    ) -> None:
        self.length = length
        self.read = read
        self.open = open
        self.form = form
        self.is_kept = is_kept


def read_fully(stream: IO[bytes], size: int) -> bytes:
    """Return `size` bytes of a stream, which may give fewer at a time, and all that there is if it is shorter."""
    data = stream.read(size)
    if len(data) == size:
        return data
    pieces = [data]
    while data and (size := size - len(data)):
        data = stream.read(size)
        pieces.append(data)
    return b"".join(pieces)


class Request:
    """A request as the application sees it.

    `path` is below the mount and percent-encoded as it was sent, `prefix` what stands before it; `query_string` has
    one character a byte; `environ` has the headers, under WSGI's names; `body` is None where there is none; `raw` is
    the host's own request. `start_response` is there where an answer can be sent piece by piece before the handler has
    returned, until one is. `closers` are called when the answer has been sent or is there as a whole, or none will be;
    `afters` only once an answer has been sent, the handler's or one to its failure. Where middleware has rewritten path
    and query, `sent` are those that the client asked for.
    """

    # What every request is asked for is the instance's: the class has it at seven times the price.
    closers: list[Callable[[], object]] | None
    afters: list[Callable[[], object]] | None
    preset: list[tuple[str, str]] | None
    """Header lines that a handler of `pages/api` finds set."""
    sent: tuple[str, str] | None = None
    is_held = False
    """Whether middleware may change what the handler makes: none of it is sent before that is over."""
    is_admitted = False
    """Whether middleware has a CORS policy that lets it pass the same-origin guard."""
    client: Request | None = None
    """The request as the client sent it, where middleware before the host has changed it."""
    rest: Callable[..., Response] | None = None
    """What answers where no route does: it is given the request, and what middleware has said of it or None."""
    failure = b"Internal Server Error"
    """What bare WSGI answers where an exception is the end of it."""
    _state: SimpleNamespace | None = None

    def __init__(
        self,
        method: str,
        path: str,
        query_string: str,
        environ: dict[str, Any],
        body: Body | None,
        raw: Any,
        prefix: str = "",
        start_response: StartResponse | None = None,
    ) -> None:
        self.method = method
        self.path = path
        self.query_string = query_string
        self.environ = environ
        self.body = body
        self.raw = raw
        self.prefix = prefix
        self.start_response = start_response
        self.closers = self.afters = self.preset = None

    def call_on_close(self, closer: Callable[[], object]) -> None:
        """Have `closer` called when the answer has been sent; the last one added is called first."""
        if self.closers is None:
            self.closers = []
        self.closers.append(closer)

    def close(self) -> None:
        """Call the closers, each once; what one raises is logged."""
        while self.closers:
            try:
                self.closers.pop()()
            except Exception:
                _logger.exception("%s %r: closing failed", self.method, self.path)

    def call_after(self, function: Callable[[], object]) -> None:
        """Have `function` called by `finish`, behind those that were added before it."""
        if self.afters is None:
            self.afters = []
        self.afters.append(function)

    def finish(self) -> None:
        """Call the closers, and then what was to be called after all else, each once; called by the adapter."""
        self.close()
        while self.afters:
            try:
                self.afters.pop(0)()
            except Exception:
                _logger.exception("%s %r: what was to be done after it failed", self.method, self.path)

    def replace_headers(self, headers: dict[str, str]) -> None:
        """Give the request other headers, as an environ has them; the host's own request keeps its own."""
        kept = {
            name: value
            for name, value in self.environ.items()
            if not name.startswith("HTTP_") and name not in ("CONTENT_TYPE", "CONTENT_LENGTH")
        }
        self.environ = kept | headers

    @property
    def state(self) -> SimpleNamespace:
        """What middleware leaves for those that come after it, as attributes."""
        if self._state is None:
            self._state = SimpleNamespace()
        return self._state

    @state.setter
    def state(self, state: SimpleNamespace) -> None:
        self._state = state

    @property
    def headers(self) -> EnvironHeaders:
        """The headers by lower-case name."""
        return EnvironHeaders(self.environ)


class Stream:
    """A response's body in chunks, bytes each, made while it is sent.

    `report` is told of an exception that comes when the answer has begun: it passes on to the server, which cuts the
    connection. What makes the chunks is closed by the request's closers, also if nothing was read.
    """

    __slots__ = ("_chunks", "_first", "_report")

    def __init__(self, chunks: Iterator[bytes], report: Callable[[Exception], object]) -> None:
        self._chunks = chunks
        self._report = report
        self._first: bytes | None = None

    def begin(self) -> None:
        """Have the first chunk made, so that an exception on the way to it is still the handler's."""
        self._first = next(self._chunks, b"")

    def unreported(self) -> Iterator[bytes]:
        """Return the chunks, for who makes another stream of them, which reports what fails."""
        return self._chunks

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> bytes:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        try:
            return next(self._chunks)
        except StopIteration:
            raise
        except Exception as error:
            self._report(error)
            raise


class Relayed:
    """In place of a body: the host's own response, which is the answer, whatever is said beside it."""

    __slots__ = ("response",)

    def __init__(self, response: Any) -> None:
        self.response = response


class Response:
    """An answer: status, header pairs and body; `status_line` has the standard reason phrase unless `reason` is given.

    `error` is the exception that was raised instead of an answer, where one was: a host's transaction has failed then.
    """

    __slots__ = ("body", "error", "headers", "status", "status_line")

    def __init__(
        self,
        status: int,
        headers: list[tuple[str, str]],
        body: bytes | Stream | Relayed,
        reason: str = "",
        error: Exception | None = None,
    ) -> None:
        self.status = status
        self.status_line = f"{status} {reason}" if reason else _STATUS_LINES.get(status) or f"{status} Unknown"
        self.headers = headers
        self.body = body
        self.error = error

    def set_status(self, status: int) -> None:
        """Give the answer another status, with its standard reason phrase."""
        self.status = status
        self.status_line = _STATUS_LINES.get(status) or f"{status} Unknown"
