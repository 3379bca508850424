"""How a stored page answers a request (RFC 9111, 4)."""

from __future__ import annotations

from collections.abc import Callable
from time import time
from typing import TYPE_CHECKING, Any

from werkzeug.sansio.http import is_resource_modified

from nextapi.cache.capture import Headers
from nextapi.cache.entry import Entry
from nextapi.cache.policy import lifetime, private_headers

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = ["answer_from", "start_private"]

_ABOUT_BODY = frozenset(("content-length", "content-type", "content-encoding", "content-language"))


def answer_from(entry: Entry, state: str, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """Answer a GET or HEAD by a page; `state` is what x-nextjs-cache says: HIT, STALE or MISS."""
    headers = [*entry.headers, ("x-nextjs-cache", state)]
    if state != "MISS":
        headers.append(("Age", str(entry.age(time()))))
    if ("HTTP_IF_NONE_MATCH" in environ or "HTTP_IF_MODIFIED_SINCE" in environ) and entry.status_line[:3] == "200":
        names = {name.lower(): value for name, value in headers}
        # Of If-Match and its like a cache leaves the word to the application (RFC 9111, 4.3.2).
        if not is_resource_modified(
            http_if_none_match=environ.get("HTTP_IF_NONE_MATCH"),
            http_if_modified_since=environ.get("HTTP_IF_MODIFIED_SINCE"),
            etag=names.get("etag"),
            last_modified=names.get("last-modified"),
        ):
            start_response("304 Not Modified", [pair for pair in headers if pair[0].lower() not in _ABOUT_BODY])
            return [b""]
    start_response(entry.status_line, headers)
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else entry.body]


def start_private(
    start_response: StartResponse, status: str, headers: Headers, *exc_info: Any
) -> Callable[[bytes], object]:
    """Start an answer that is for who asked alone: no other cache keeps it, whatever `s-maxage` it says."""
    return start_response(status, private_headers(headers) if lifetime(headers) is not None else headers, *exc_info)
