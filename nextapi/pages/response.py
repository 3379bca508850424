"""`res`: the answer as a handler of `pages/api` makes it (Next's NextApiResponse).

What is written is collected, and sent when the handler has returned, unless it can go out at once. Whatever would be
lost on the way to the client, a second answer or a header after the body, is an exception at the call.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, Self, cast, overload
from wsgiref.util import is_hop_by_hop

from nextapi.cache.targets import check_path
from nextapi.cache.visit import visit_of
from nextapi.draft import Draft
from nextapi.errors import AnsweredError, RedirectError
from nextapi.http.conditional import is_fresh, strong_etag
from nextapi.http.headers import check_header_name, check_header_value
from nextapi.http.json import dumps
from nextapi.http.message import Request, Response, Stream
from nextapi.http.sizes import format_size
from nextapi.http.streaming import Source, is_source
from nextapi.pages.values import (
    GivenHeader,
    HeaderValue,
    body_bytes,
    header_lines,
    header_texts,
    header_value,
    read_status,
)
from nextapi.web.events import EventStream
from nextapi.web.response import pairs_of, take_parts

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    DataT = TypeVar("DataT", default=Any)
else:
    from typing import TypeVar

    DataT = TypeVar("DataT")

__all__ = [
    "NextApiResponse",
    "flush_to",
    "has_begun",
    "preview_data",
    "source_of",
    "take",
    "to_head",
    "to_response",
    "to_stream_response",
]

# How far an answer is; one that was streamed has ended, too.
_OPEN, _HEADERS_FINAL, _ENDED, _STREAMED = range(4)

_JSON = ("Content-Type", "application/json; charset=utf-8")
_logger = logging.getLogger("nextapi")


class NextApiResponse(Generic[DataT]):
    """The answer.

    `status`, `set_header` and their like return `res`, to be chained; `json`, `send`, `end` and `redirect` complete it.
    A call that comes too late for the client to see its effect raises `AnsweredError`.
    """

    _message = ""
    _body = b""
    _source: Source | None = None
    _written: list[bytes] | None = None
    _flush: Callable[[], object] | None = None
    _wire: Callable[[bytes], object] | None = None
    _has_begun = False

    def __init__(self, request: Request, draft: Draft) -> None:
        self._request = request
        self._draft = draft
        self._state = _OPEN
        self._status = 200
        self._headers: dict[str, tuple[str, HeaderValue]] = {}
        self._are_lines = True  # `_headers` has a text for each name, and goes out as it is
        if request.preset:
            for name, value in request.preset:
                self.append_header(name, value if name != "set-cookie" else [value])

    @property
    def headers_sent(self) -> bool:
        """Whether status and headers are final (Node's `headersSent`)."""
        return self._state != _OPEN

    @property
    def writable_ended(self) -> bool:
        """Whether the answer is complete (Node's `writableEnded`)."""
        return self._state >= _ENDED

    # Status

    @property
    def status_code(self) -> int:
        """The status code; assigned, it is checked as by `status`."""
        return self._status

    @status_code.setter
    def status_code(self, code: int) -> None:
        self.status(code)

    def status(self, code: int) -> Self:
        """Set the status code, 200 to 999; raise `StatusError` for any other."""
        if code.__class__ is not int or not 200 <= code <= 999:
            code = read_status(code)
        if self._state != _OPEN:
            raise self._too_late(f"status {code}")
        self._status = code
        return self

    @property
    def status_message(self) -> str:
        """The reason phrase; "" is the standard one."""
        return self._message

    @status_message.setter
    def status_message(self, message: str) -> None:
        if self._state != _OPEN:
            raise self._too_late(f"status message {message!r}")
        check_header_value("status message", message)
        self._message = message

    # Headers

    def set_header(self, name: str, value: GivenHeader) -> Self:
        """Set a header in place of what was set under the name; a list is one header line for each of its items.

        Raises `HeaderError` for a name or value that must not go on the wire.
        """
        if self._state != _OPEN:
            raise self._too_late(f"header {name!r}")
        check_header_name(name)
        key = name.lower()
        checked = header_value(name, value)
        if key == "set-cookie" and isinstance(checked, list):
            checked = list(dict.fromkeys(checked))  # as Next does
        self._headers[key] = (name, checked)
        if not isinstance(checked, str) or is_hop_by_hop(key):
            self._are_lines = False
        return self

    def append_header(self, name: str, value: GivenHeader) -> Self:
        """Add further lines of a header to what was set; raise `HeaderError` as `set_header` does."""
        known = self._headers.get(name.lower())
        if known is None:
            return self.set_header(name, value)
        before, after = known[1], header_value(name, value)
        if self._state != _OPEN:
            raise self._too_late(f"header {name!r}")
        self._headers[name.lower()] = (known[0], [*header_texts(before), *header_texts(after)])
        self._are_lines = False
        return self

    def get_header(self, name: str) -> str | int | float | list[str] | None:
        """Return what was set: a number or a list where one was, None where nothing was."""
        known = self._headers.get(name.lower())
        return known[1] if known else None

    def get_headers(self) -> dict[str, str | int | float | list[str]]:
        """Return all headers that were set, by lower-case name."""
        return {key: value for key, (_, value) in self._headers.items()}

    def get_header_names(self) -> list[str]:
        """Return the names of all headers that were set, in lower case."""
        return list(self._headers)

    def has_header(self, name: str) -> bool:
        """Say whether the header was set."""
        return name.lower() in self._headers

    def remove_header(self, name: str) -> None:
        """Take the header back, if it was set."""
        if self._state != _OPEN:
            raise self._too_late(f"header {name!r}")
        self._headers.pop(name.lower(), None)

    @overload
    def write_head(self, status: int, headers: Mapping[str, GivenHeader] | None = None, /) -> Self: ...
    @overload
    def write_head(self, status: int, message: str, headers: Mapping[str, GivenHeader] | None = None, /) -> Self: ...
    def write_head(
        self,
        status: int,
        message: str | Mapping[str, GivenHeader] | None = None,
        headers: Mapping[str, GivenHeader] | None = None,
        /,
    ) -> Self:
        """Set status, reason phrase and headers at once; from then on they stand (Node's `writeHead`).

        Raises `StatusError` and `HeaderError` as `status` and `set_header` do.
        """
        self.status(status)
        if isinstance(message, str):
            self.status_message = message
        else:
            headers = message
        for name, value in (headers or {}).items():
            self.set_header(name, value)
        self.flush_headers()
        return self

    def flush_headers(self) -> None:
        """Declare status and headers final."""
        self._state = max(self._state, _HEADERS_FINAL)

    # Draft mode

    def set_draft_mode(self, enable: bool = True) -> Self:
        """Have the client in draft mode from its next request on, or no more, by a cookie.

        Raises `DraftError` where there is no secret to make it from, unless the server has one process.
        """
        return self.append_header("Set-Cookie", [self._draft.mode_cookie(enable, self._is_one_of_many())])

    def set_preview_data(self, data: object, max_age: float | None = None, path: str = "/") -> Self:
        """Have the client in draft mode, with data that its requests bring along, by two cookies.

        `data` is what JSON has text for, up to some 1,000 bytes of it; the client cannot read or change them. They end
        after `max_age` seconds, with the browser unless said. Cookies are sent for what is below `path` only.
        Raises `DraftError` where there is no secret, unless the server has one process, where there is too much data,
        or the extra `preview` is not installed.
        """
        return self.append_header("Set-Cookie", self._draft.data_cookies(data, max_age, path, self._is_one_of_many()))

    def clear_preview_data(self, path: str = "/") -> Self:
        """End draft mode and its data; `path` is the one that they were set for."""
        return self.append_header("Set-Cookie", self._draft.clearing_cookies(path))

    def _is_one_of_many(self) -> bool:
        """Say whether the server has several processes (PEP 3333)."""
        return bool(self._request.environ.get("wsgi.multiprocess", True))

    def revalidate(self, path: str, *, only_generated: bool = False) -> None:
        """Have a page made anew, before this returns, for all who ask for it from now on (Next's `res.revalidate`).

        `path` begins with "/". All pages of it are dropped, of every host and query, and the one of this request's host
        is made by a request of its own. Django: where a transaction is open, once it has committed. `only_generated` is
        for pages that were asked for before. Where no page cache is before the app, there is nothing to do. Raises
        `RevalidateError`, with Next's message, for what is no path, and where the page cannot be made: the old one
        stays then; `StoreError` while the store cannot be used.
        """
        check_path(path)
        if (visit := visit_of(self._request.environ)) is not None:
            visit.cache.remake(path, visit, only_generated)

    # Body

    def json(self, data: DataT) -> None:
        """Answer `data` as JSON; raise `SerializationError` where JSON has no text for it.

        After `write` or `write_head`, it completes the body, and the headers stand as they are (as in Next).
        """
        if self._state >= _ENDED:
            raise self._too_late("json()")
        body = dumps(data)
        if self._state == _OPEN:
            self._headers["content-type"] = _JSON
            self._send(body)
        else:
            self.end(body)

    def send(self, data: DataT | str | bytes | Source | EventStream | None) -> None:
        """Answer text, bytes, a stream, or else JSON; None is an empty body (Next's `res.send`).

        A stream is an iterator or async iterator of text or bytes, or a readable file. It is sent chunk by chunk once
        the handler has returned, without ETag, and is closed then. An `EventStream` brings its headers, unless they are
        set.
        """
        if self._state >= _ENDED:
            raise self._too_late("send()")
        if data is None:
            self.end()
            return
        is_text, is_bytes = isinstance(data, str), isinstance(data, bytes | bytearray | memoryview)
        if not is_text and not is_bytes and not isinstance(data, dict | list):
            if isinstance(data, EventStream):
                self._send_events(data)
                return
            if is_source(data):
                self._send_stream(data)
                return
        body = body_bytes(data) if is_text or is_bytes else dumps(data)
        if self._state != _OPEN:
            self.end(body)
            return
        self._send(body)
        # The type comes after the tag, as in Next: what is not sent has none.
        if is_text or self._status in (204, 304):
            return
        if is_bytes:
            self._headers.setdefault("content-type", ("Content-Type", "application/octet-stream"))
        else:
            self._headers["content-type"] = _JSON

    @overload
    def redirect(self, url: str, /) -> Self: ...
    @overload
    def redirect(self, status: int, url: str, /) -> Self: ...
    def redirect(self, status: int | str | None = None, url: str | None = None, /) -> Self:
        """Answer a redirect: `redirect("/login")`, or `redirect(303, "/login")`; 307 unless said.

        The URL goes out as it is, relative or absolute, of this site or another: check what a client sent before it is
        passed on. Raises `RedirectError` where there is no URL, `HeaderError` where it holds what a header cannot.
        """
        code, target = (307, status) if isinstance(status, str) else (status, url)
        if not isinstance(code, int) or not isinstance(target, str):
            raise RedirectError(
                "Invalid redirect arguments. Please use a single argument URL, e.g. res.redirect('/destination') "
                "or use a status code and URL, e.g. res.redirect(307, '/destination')."
            )
        self.set_header("Location", target).status(code)
        self._end(target.encode())
        return self

    def write(self, data: str | bytes | int | float | list[str]) -> bool:
        """Add to the body. Status and headers stand from the first call on; `end()` completes the answer.

        From an `async def` handler the body is sent as it is written, on every host; from a `def` handler on bare WSGI
        alone. Elsewhere it is sent as a whole. Returns True, as Node does where more can be taken; raises `TypeError`
        for what is no text, bytes or value of a header.
        """
        if self._state >= _ENDED:
            raise self._too_late("write()")
        piece = body_bytes(data)
        self._state = _HEADERS_FINAL
        if self._written is None:
            self._written = []
        self._written.append(piece)
        self._send_written()
        return True

    def end(self, data: str | bytes | int | float | list[str] | None = None) -> Self:
        """Complete the answer, with `data` at the end of its body; what `get_header` returned can be given too.

        Raises `TypeError` for what is neither that nor text or bytes.
        """
        if self._state >= _ENDED:
            raise self._too_late("end()")
        body = body_bytes(data) if data is not None else b""
        if self._written is None:
            self._end(body)
        else:
            self._written.append(body)
            self._state = _ENDED
            self._send_written()
            self._body = b"".join(self._written)
            if self._has_begun:
                self._source, self._state = iter(self._written), _STREAMED
        return self

    def _too_late(self, what: str) -> AnsweredError:
        if self._state >= _ENDED:
            return AnsweredError(f"{what} after the answer was complete: return from the handler once it has answered")
        return AnsweredError(
            f"{what} after the headers were final: set status and headers before write(), write_head() and "
            "flush_headers(), and complete the answer by end()"
        )

    def _send(self, body: bytes) -> None:
        """Complete the answer with a body that has an ETag, or with 304 where the client has that body."""
        if self._status == 204 or self._status == 304:
            for key in ("content-type", "content-length"):
                self._headers.pop(key, None)
        else:
            etag = strong_etag(body)
            self._headers["etag"] = ("ETag", etag)
            request = self._request
            if "HTTP_IF_NONE_MATCH" in request.environ and is_fresh(request.headers, etag):
                self._status = 304
        self._body = body
        self._state = _ENDED

    def _send_stream(self, source: Source) -> None:
        if self._state != _OPEN:
            raise self._too_late("send() of a stream")
        self._headers.setdefault("content-type", ("Content-Type", "application/octet-stream"))
        self._source = source
        self._state = _STREAMED

    def _send_events(self, events: EventStream) -> None:
        if self._state == _OPEN:
            for name, value in pairs_of(events):
                self._headers.setdefault(name, (name.title(), value))
        self._send_stream(cast("Source", take_parts(events)[2]))

    def _send_written(self) -> None:
        """Have what was written sent, where it can be before the handler has returned."""
        if self._flush is not None:
            self._flush()
            return
        request = self._request
        if request.start_response is not None and not request.is_held and _may_have_body(self):
            head = to_head(self)
            self._wire = request.start_response(head.status_line, head.headers)
            request.start_response, self._has_begun = None, True
        if self._wire is not None:  # granian has none, nor has middleware that does not return it
            self._wire(take(self))

    def _end(self, body: bytes) -> None:
        self._body = body
        self._state = _ENDED

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._status}{' complete' if self._state >= _ENDED else ''}>"


# What the endpoint asks of an answer: functions, so that handlers see none of it on `res`


def flush_to(res: NextApiResponse[Any], flush: Callable[[], object]) -> None:
    """Have `flush` called whenever something was written, which `take` then takes."""
    if _may_have_body(res):
        res._flush = flush


def preview_data(res: NextApiResponse[Any], cookies: Mapping[str, str]) -> Any:
    """Return the preview data in the cookies of the request, False if there are none; `res` clears what is forged."""
    data = res._draft.read(cookies)
    if data is not None:
        return data
    if not res.headers_sent:
        res.clear_preview_data()
    return False


def take(res: NextApiResponse[Any]) -> bytes:
    """Return what has been written since it was last taken; more may be written meanwhile, by another thread."""
    written = res._written or []
    pieces = written[:]
    del written[: len(pieces)]
    return b"".join(pieces)


def has_begun(res: NextApiResponse[Any]) -> bool:
    """Say whether the server has status and headers already."""
    return res._has_begun


def source_of(res: NextApiResponse[Any]) -> Source | None:
    """Return what is to be sent chunk by chunk, None where the body is there as a whole."""
    return res._source


def to_head(res: NextApiResponse[Any]) -> Response:
    """Return the status and the headers of an answer whose body is yet to come."""
    return Response(res._status, header_lines(res._headers), b"", res._message)


def to_stream_response(res: NextApiResponse[Any], stream: Stream) -> Response:
    """Return an answer whose body is a stream; 204 and 304 have none."""
    response = to_head(res)
    if res._status in (204, 304):
        response.headers = [
            pair for pair in response.headers if pair[0].lower() not in ("content-type", "content-length")
        ]
    else:
        response.body = stream
    return response


def to_response(res: NextApiResponse[Any], response_limit: int | float | None) -> Response | None:
    """Return an answer as a response, None if it is not complete, or a stream.

    From `response_limit` bytes on, None for never, a warning is logged. Content-Length says what the body is, whatever
    the handler said; a body that HEAD, 204 and 304 cannot have is dropped (RFC 9110, 9.3.2, 15.3.5, 15.4.5).
    """
    if res._state != _ENDED:
        return None
    request, body, status = res._request, res._body, res._status
    if response_limit is not None and len(body) >= response_limit:
        _logger.warning(
            "API response for %s exceeds %s. API Routes are meant to respond quickly.",
            repr(request.path)[1:-1],
            format_size(response_limit),
        )
    fields, length = res._headers, str(len(body))
    if "content-length" in fields:
        declared = header_texts(fields.pop("content-length")[1])
        if request.method == "HEAD" and not body and declared:
            length = declared[0]
    headers: list[tuple[str, str]]
    headers = [*fields.values()] if res._are_lines else header_lines(fields)  # type: ignore[list-item]  # lines have one text
    if status == 204 or status == 304:
        body = b""
    else:
        headers.append(("Content-Length", length))
        if request.method == "HEAD":
            body = b""
    return Response(status, headers, body, res._message)


def _may_have_body(res: NextApiResponse[Any]) -> bool:
    return res._request.method != "HEAD" and res._status not in (204, 304)
