"""What an `HTTPError` is answered by."""

from __future__ import annotations

from wsgiref.util import is_hop_by_hop

from nextapi.errors import HTTPError
from nextapi.http.accept import prefers_json
from nextapi.http.headers import check_header_name, check_header_value
from nextapi.http.json import dumps
from nextapi.http.message import Request, Response, reason_phrase
from nextapi.text import utf8

__all__ = ["error_response", "text_response"]


def error_response(request: Request, error: HTTPError) -> Response:
    """Return what `error` says: its message as text, or a problem document (RFC 9457) where JSON is preferred."""
    headers = [pair for pair in error.headers if not is_hop_by_hop(pair[0])]
    for name, value in headers:
        check_header_name(name)
        check_header_value(name, value)
    check_header_value("status message", error.reason)
    if error.status >= 400 and prefers_json(request.headers.get("accept")):
        headers.append(("Content-Type", "application/problem+json"))
        problem = {"title": reason_phrase(error.status), "status": error.status, "detail": error.message}
        return text_response(request, error.status, headers, dumps(problem), error.reason, error)
    if error.reason != error.message:  # what Next's body parser answers has no type
        headers.append(("Content-Type", "text/plain; charset=utf-8"))
    return text_response(request, error.status, headers, utf8(error.message), error.reason, error)


def text_response(
    request: Request,
    status: int,
    headers: list[tuple[str, str]],
    body: bytes,
    reason: str = "",
    error: HTTPError | None = None,
) -> Response:
    """Return a response whose body is there as a whole; HEAD, 204 and 304 have none."""
    if status in (204, 304):
        return Response(status, [pair for pair in headers if pair[0].lower() != "content-type"], b"", reason, error)
    headers.append(("Content-Length", str(len(body))))
    return Response(status, headers, b"" if request.method == "HEAD" else body, reason, error)
