"""A WSGI application is called, and its answer held back where it may be kept, else passed on as it is.

The application may do whatever PEP 3333 allows: begin late, in its iterable; begin again with `exc_info`, as long as
nothing was sent; `write()`; return a file of `wsgi.file_wrapper`. What is passed on is untouched, the iterable is the
application's own then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["Answer", "Closing", "Decide", "Headers", "call"]

Headers: TypeAlias = list[tuple[str, str]]

Decide: TypeAlias = Callable[[str, Headers], Headers | None]
"""What is said of an answer's status line and headers: None to hold it back, else the headers that it is passed on
with."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, of which nothing was sent."""

    status_line: str
    headers: Headers
    body: bytes

    @property
    def status(self) -> int:
        """The status code."""
        return int(self.status_line[:3])


class Closing:
    """A WSGI iterable of `chunks`; once they are closed, `then` is called, whatever became of them."""

    def __init__(self, chunks: Iterable[bytes], then: Callable[[], object]) -> None:
        self._chunks = chunks
        self._then = then

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)

    def close(self) -> None:
        """Close the chunks, if they can be, and call `then`."""
        try:
            if close := getattr(self._chunks, "close", None):
                close()
        finally:
            self._then()


def call(
    app: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse, decide: Decide, limit: int
) -> Answer | Iterable[bytes]:
    """Return an application's whole answer where `decide` says to hold it back; else start it, and return its body.

    An answer of more than `limit` bytes is started, too, as soon as it is seen to be. What the application raises
    before that passes through.
    """
    head = _Head(start_response, decide, limit)
    iterable = app(environ, head.start)
    if head.is_started():
        return iterable
    close = getattr(iterable, "close", _nothing)
    try:
        chunks = iter(iterable)
        for chunk in chunks:
            head.hold(chunk)
            if head.is_started() or head.size > limit:
                head.pass_on()
                return Closing(chain(head.held, chunks), close)
    except BaseException:
        close()
        raise
    if head.is_started():  # by `write()`
        return Closing(head.held, close)
    close()
    if head.said is None:
        raise RuntimeError("the WSGI application did not call start_response()")
    return Answer(*head.said, b"".join(head.held))


class _Head:
    """The `start_response` of an application; `said` is what it was given, and `held` what came of the body, while
    both are held back.
    """

    def __init__(self, start_response: StartResponse, decide: Decide, limit: int) -> None:
        self._start_response = start_response
        self._decide = decide
        self._limit = limit
        self._is_started = False
        self._write_on: Callable[[bytes], object]  # None where middleware forgot to return it
        self.said: tuple[str, Headers] | None = None
        self.held: list[bytes] = []
        self.size = 0

    def is_started(self) -> bool:
        """Say whether the answer is passed on."""
        return self._is_started

    def start(self, status: str, headers: Headers, exc_info: OptExcInfo | None = None, /) -> Callable[[bytes], object]:
        if self._is_started:  # the server knows whether something was sent
            return self._start_response(status, headers, exc_info)
        if self.said is not None and exc_info is None:
            raise RuntimeError("start_response() was called a second time, and without exc_info")
        self.held.clear()  # what came before an error: none of it was sent
        self.size = 0
        passed = self._decide(status, headers)
        if passed is not None:
            self._write_on = self._start_response(status, passed, exc_info)
            self._is_started = True
            return self._write_on
        self.said = status, list(headers)
        return self._write

    def _write(self, data: bytes) -> None:
        if self._is_started:
            self._write_on(data)
            return
        self.hold(data)
        if self.size > self._limit:
            write_on = self.pass_on()
            for held in self.held:
                write_on(held)
            self.held.clear()

    def hold(self, chunk: bytes) -> None:
        """Keep a part of the body."""
        self.held.append(chunk)
        self.size += len(chunk)

    def pass_on(self) -> Callable[[bytes], object]:
        """Start what was held back, unless it is, and return what writes on."""
        if not self._is_started:
            if self.said is None:
                raise RuntimeError("the WSGI application did not call start_response() before its body")
            self._write_on = self._start_response(*self.said)
            self._is_started = True
        return self._write_on


def _nothing() -> None:
    pass
