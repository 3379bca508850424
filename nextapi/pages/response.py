"""`res`: the answer as a handler of `pages/api` makes it (Next's NextApiResponse).

What is written is collected, and sent when the handler has returned. Whatever would be lost on the way to the client, a
second answer or a header after the body, is an exception at the call.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Generic, Self, overload
from wsgiref.util import is_hop_by_hop

from nextapi.errors import AnsweredError, HeaderError, RedirectError, StatusError
from nextapi.http.conditional import is_fresh, strong_etag
from nextapi.http.headers import check_header_name, check_header_value
from nextapi.http.json import dumps, number_text
from nextapi.http.message import Request, Response
from nextapi.http.sizes import format_size
from nextapi.text import utf8

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    DataT = TypeVar("DataT", default=Any)
else:
    from typing import TypeVar

    DataT = TypeVar("DataT")

__all__ = ["NextApiResponse", "to_response"]

HeaderValue = str | int | float | Iterable[str]
_Value = str | int | float | list[str]

# How far an answer is.
_OPEN, _HEADERS_FINAL, _ENDED = range(3)

_JSON = ("Content-Type", "application/json; charset=utf-8")
_logger = logging.getLogger("nextapi")


class NextApiResponse(Generic[DataT]):
    """The answer.

    `status`, `set_header` and their like return `res`, to be chained; `json`, `send`, `end` and `redirect` complete it.
    """

    _message = ""
    _body = b""
    _written: bytearray | None = None

    def __init__(self, request: Request) -> None:
        self._request = request
        self._state = _OPEN
        self._status = 200
        self._headers: dict[str, tuple[str, _Value]] = {}
        self._are_lines = True  # `_headers` has a text for each name, and goes out as it is

    @property
    def headers_sent(self) -> bool:
        """Whether status and headers are final (Node's `headersSent`)."""
        return self._state != _OPEN

    @property
    def writable_ended(self) -> bool:
        """Whether the answer is complete (Node's `writableEnded`)."""
        return self._state == _ENDED

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
            code = _status_code(code)
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
        check_header_value("status message", message)
        self._message = message

    # Headers

    def set_header(self, name: str, value: HeaderValue) -> Self:
        """Set a header in place of what was set under the name; a list is one header line for each of its items.

        Raises `HeaderError` for a name or value that must not go on the wire.
        """
        if self._state != _OPEN:
            raise self._too_late(f"header {name!r}")
        check_header_name(name)
        key = name.lower()
        checked = _header_value(name, value)
        if key == "set-cookie" and isinstance(checked, list):
            checked = list(dict.fromkeys(checked))  # as Next does
        self._headers[key] = (name, checked)
        if not isinstance(checked, str) or is_hop_by_hop(key):
            self._are_lines = False
        return self

    def append_header(self, name: str, value: HeaderValue) -> Self:
        """Add further lines of a header to what was set."""
        known = self._headers.get(name.lower())
        if known is None:
            return self.set_header(name, value)
        before, after = known[1], _header_value(name, value)
        if self._state != _OPEN:
            raise self._too_late(f"header {name!r}")
        self._headers[name.lower()] = (known[0], [*_texts(before), *_texts(after)])
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
    def write_head(self, status: int, headers: Mapping[str, HeaderValue] | None = None, /) -> Self: ...
    @overload
    def write_head(self, status: int, message: str, headers: Mapping[str, HeaderValue] | None = None, /) -> Self: ...
    def write_head(
        self,
        status: int,
        message: str | Mapping[str, HeaderValue] | None = None,
        headers: Mapping[str, HeaderValue] | None = None,
        /,
    ) -> Self:
        """Set status, reason phrase and headers at once; from then on they stand (Node's `writeHead`)."""
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

    # Body

    def json(self, data: DataT) -> None:
        """Answer `data` as JSON; raise `SerializationError` where JSON has no text for it.

        After `write` or `write_head`, it completes the body, and the headers stand as they are (as in Next).
        """
        if self._state == _ENDED:
            raise self._too_late("json()")
        body = dumps(data)
        if self._state == _OPEN:
            self._headers["content-type"] = _JSON
            self._send(body)
        else:
            self.end(body)

    def send(self, data: DataT | str | bytes | None) -> None:
        """Answer text, bytes, or else JSON; None is an empty body (Next's `res.send`)."""
        if self._state == _ENDED:
            raise self._too_late("send()")
        if data is None:
            self.end()
        else:
            is_text, is_bytes = isinstance(data, str), isinstance(data, bytes | bytearray | memoryview)
            body = _body_bytes(data) if is_text or is_bytes else dumps(data)
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
        """Add to the body. Status and headers stand from the first call on; `end()` completes the answer."""
        if self._state == _ENDED:
            raise self._too_late("write()")
        self._state = _HEADERS_FINAL
        if self._written is None:
            self._written = bytearray()
        self._written += _body_bytes(data)
        return True

    def end(self, data: str | bytes | int | float | list[str] | None = None) -> Self:
        """Complete the answer, with `data` at the end of its body; what `get_header` returned can be given too."""
        if self._state == _ENDED:
            raise self._too_late("end()")
        body = _body_bytes(data) if data is not None else b""
        self._end(bytes(self._written + body) if self._written is not None else body)
        return self

    def _too_late(self, what: str) -> AnsweredError:
        if self._state == _ENDED:
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

    def _end(self, body: bytes) -> None:
        self._body = body
        self._state = _ENDED

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._status}{' complete' if self._state == _ENDED else ''}>"


def to_response(res: NextApiResponse[Any], response_limit: int | float | None) -> Response | None:
    """Return an answer as a response, None if it is not complete.

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
        declared = _texts(fields.pop("content-length")[1])
        if request.method == "HEAD" and not body and declared:
            length = declared[0]
    headers: list[tuple[str, str]]
    headers = [*fields.values()] if res._are_lines else _lines(fields)  # type: ignore[list-item]  # lines have one text
    if status == 204 or status == 304:
        body = b""
    else:
        headers.append(("Content-Length", length))
        if request.method == "HEAD":
            body = b""
    return Response(status, headers, body, res._message)


def _lines(fields: dict[str, tuple[str, _Value]]) -> list[tuple[str, str]]:
    """Return a header line for each value of each field but those that are the server's to say (PEP 3333)."""
    return [(name, text) for name, value in fields.values() if not is_hop_by_hop(name) for text in _texts(value)]


def _texts(value: _Value) -> list[str]:
    if isinstance(value, list):
        return value
    return [value if isinstance(value, str) else number_text(value)]


def _status_code(code: object) -> int:
    """Return the status that `code` says, as Node takes it: text of a number, a fraction cut off."""
    try:
        number = int(float(code))  # type: ignore[arg-type]  # whatever it is, float says whether it is a number
    except (TypeError, ValueError, OverflowError):
        number = 0
    if not 200 <= number <= 999 or isinstance(code, bool):
        raise StatusError(f"Invalid status code: {code!r}")
    return number


def _header_value(name: str, value: object) -> _Value:
    """Return a header's value as text, number or list of texts; raise `HeaderError` if it cannot go on the wire."""
    if isinstance(value, str):
        check_header_value(name, value)
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray | Mapping):
        lines: list[str] = []
        for line in value:
            checked = _header_value(name, line)
            if isinstance(checked, list):
                raise HeaderError(f'A list in header "{name}" holds text', value, "ERR_HTTP_INVALID_HEADER_VALUE")
            lines.extend(_texts(checked))
        return lines
    raise HeaderError(f'Invalid value for header "{name}"', value, "ERR_HTTP_INVALID_HEADER_VALUE")


def _body_bytes(data: object) -> bytes:
    if isinstance(data, str):
        return utf8(data)
    if isinstance(data, bytes | bytearray | memoryview):
        return bytes(data)
    if isinstance(data, list) and all(isinstance(line, str) for line in data):
        return utf8(", ".join(data))
    if isinstance(data, int | float) and not isinstance(data, bool):
        return number_text(data).encode()
    raise TypeError(
        f"write() and end() take text or bytes, not {type(data).__name__}: json() and send() take other values"
    )
