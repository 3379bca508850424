"""Another WSGI application's answer (PEP 3333) becomes a `Response`.

The application may do whatever the standard allows: begin late, in its iterable; begin again with `exc_info`, as long
as nothing was sent; `write()`; fail after its first chunk. Its `close()` is called once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from nextapi.http.message import Request, Response, Stream

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import WSGIApplication

__all__ = ["call_application"]


def call_application(application: WSGIApplication, request: Request, report: Callable[[Exception], object]) -> Response:
    """Return what `application` answers to a request, which closes it; what it raises before its first chunk passes
    through, and `report` is told of what comes later.
    """
    head: tuple[str, list[tuple[str, str]]] | None = None
    written: deque[bytes] = deque()
    has_begun = False

    def start_response(
        status: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None = None, /
    ) -> Callable[[bytes], None]:
        nonlocal head
        if exc_info is not None and exc_info[1] is not None:
            try:
                if has_begun:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # PEP 3333: it holds this frame
        elif head is not None:
            raise RuntimeError("start_response() was called a second time, and without exc_info")
        head = status, list(headers)
        return written.append

    iterable = application(dict(request.environ), start_response)
    if close := getattr(iterable, "close", None):
        request.call_on_close(close)
    chunks = _chunks(iterable, written)
    first = next(chunks, b"")  # headers are final with it
    if head is None:
        raise RuntimeError("the WSGI application did not call start_response()")
    has_begun = True
    code, _, reason = head[0].partition(" ")
    status = int(code)
    if status in (204, 304):
        # Not every host leaves out what has no place there, and the client would take it for the next answer.
        return Response(status, head[1], b"", reason)
    if not isinstance(iterable, list | tuple):
        return Response(status, head[1], Stream(chain([first], chunks), report), reason)
    body = b"".join([first, *chunks])
    if body and not any(name.lower() == "content-length" for name, _ in head[1]):
        head[1].append(("Content-Length", str(len(body))))
    return Response(status, head[1], body, reason)


def _chunks(iterable: Iterable[bytes], written: deque[bytes]) -> Iterator[bytes]:
    """Yield what was written, and what is iterated over, in the order that it came."""
    for chunk in iterable:
        yield from _drain(written)
        if not isinstance(chunk, bytes):
            raise TypeError(f"the WSGI application's body is made of bytes (PEP 3333), not of {type(chunk).__name__}")
        if chunk:
            yield chunk
    yield from _drain(written)


def _drain(written: deque[bytes]) -> Iterator[bytes]:
    while written:
        if piece := written.popleft():
            yield piece
