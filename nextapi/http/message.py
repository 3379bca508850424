"""What an adapter hands to the application, and what it gets back.

Neither knows a framework. A request has WSGI's parts, with the path as the client sent it; a response is a status,
header pairs in order, and the body.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import IO, Any

from nextapi.http.headers import EnvironHeaders

__all__ = ["Body", "Request", "Response", "reason_phrase"]

_PHRASES = {int(status): status.phrase for status in HTTPStatus}
_STATUS_LINES = {status: f"{status} {phrase}" for status, phrase in _PHRASES.items()}


def reason_phrase(status: int) -> str:
    """Return the standard reason phrase of `status` (RFC 9110, 15.1), "Unknown" for a number that has none."""
    return _PHRASES.get(status, "Unknown")


class Body:
    """A request's body, not read yet.

    `length` is the Content-Length in bytes, None where the body comes in chunks. `read(size)` returns `size` bytes from
    its beginning, fewer only if it is shorter; `open()` gives all of it as a readable binary file. One of the two is
    called, once.
    """

    __slots__ = ("length", "open", "read")

    def __init__(self, length: int | None, read: Callable[[int], bytes], open: Callable[[], IO[bytes]]) -> None:
        self.length = length
        self.read = read
        self.open = open


class Request:
    """A request as the application sees it.

    `path` is below the mount and percent-encoded as it was sent, `prefix` what stands before it; `query_string` has
    one character a byte; `environ` has the headers, under WSGI's names; `body` is None where there is none; `raw` is
    the host's own request.
    """

    __slots__ = ("body", "environ", "method", "path", "prefix", "query_string", "raw")

    def __init__(
        self,
        method: str,
        path: str,
        query_string: str,
        environ: Mapping[str, Any],
        body: Body | None,
        raw: Any,
        prefix: str = "",
    ) -> None:
        self.method = method
        self.path = path
        self.query_string = query_string
        self.environ = environ
        self.body = body
        self.raw = raw
        self.prefix = prefix

    @property
    def headers(self) -> EnvironHeaders:
        """The headers by lower-case name."""
        return EnvironHeaders(self.environ)


class Response:
    """An answer: status, header pairs and body; `status_line` has the standard reason phrase unless `reason` is given.

    `error` is the exception that was raised instead of an answer, where one was: a host's transaction has failed then.
    """

    __slots__ = ("body", "error", "headers", "status", "status_line")

    def __init__(
        self,
        status: int,
        headers: list[tuple[str, str]],
        body: bytes,
        reason: str = "",
        error: Exception | None = None,
    ) -> None:
        self.status = status
        self.status_line = f"{status} {reason}" if reason else _STATUS_LINES.get(status) or f"{status} Unknown"
        self.headers = headers
        self.body = body
        self.error = error
