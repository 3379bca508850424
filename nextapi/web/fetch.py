"""`fetch` of the WHATWG Fetch standard, blocking: a request to another server, whose answer is a `Response`.

The connections are urllib3's, which the extra `fetch` installs. What is the standard's is here: redirects, which
headers are whose, and bodies that are streams in both directions. The answer has no header that is about the connection
it came by, and none that its bytes belie, so a handler can return it as it is.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import AsyncIterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from nextapi.errors import ExtraError, FetchError, FetchTimeoutError, HeaderError, URLError
from nextapi.http.headers import check_header_name, check_header_value, named_by_connection
from nextapi.http.streaming import chunks
from nextapi.text import TOKEN
from nextapi.web.content import BodyInit, content_of
from nextapi.web.headers import Headers, HeadersInit
from nextapi.web.request import NextRequest
from nextapi.web.response import Response, response_of
from nextapi.web.url import URL

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

__all__ = ["TIMEOUT", "Timeout", "fetch"]

Timeout: TypeAlias = float | tuple[float | None, float | None] | None
"""Seconds for both, or (to connect, to wait for the next bytes); None is for ever."""

TIMEOUT: Timeout = (10, 30)
"""How long `fetch` waits unless it is told."""

_MOST_REDIRECTS = 20
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NULL_BODY = frozenset({204, 205, 304})
_FORBIDDEN_METHODS = frozenset({"CONNECT", "TRACE", "TRACK"})
_BLOCK = 1 << 16

_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# Whose connection it is says them: the standard's forbidden request-headers, as far as a server has a use for them.
_NOT_THE_CALLERS = _HOP_BY_HOP | {"accept-encoding", "content-length", "expect", "host", "http2-settings"}
_ABOUT_BODY = ("content-encoding", "content-language", "content-location", "content-type")
_CREDENTIALS = ("authorization", "cookie")

_METHOD = re.compile(TOKEN)
_LENGTH = re.compile("[0-9]{1,18}")
_SCHEME = re.compile("[A-Za-z][A-Za-z0-9+.-]*:")


class _Request(NamedTuple):
    """What is sent: of a stream, `length` is how many bytes it has, None where nobody knows."""

    method: str
    url: URL
    headers: Headers
    content: bytes | Iterator[bytes] | None
    length: int | None


def fetch(
    url: str | URL | NextRequest,
    *,
    method: str | None = None,
    headers: HeadersInit | None = None,
    body: BodyInit | None = None,
    redirect: Literal["follow", "manual", "error"] = "follow",
    timeout: Timeout = TIMEOUT,
) -> Response:
    """Send a request to `url`, http or https, and return the answer once its headers are here (WHATWG Fetch).

    The body of the answer is read from the server as it is asked for; a handler that returns the answer sends it on
    piece by piece. A status such as 404 or 500 is an answer, see `Response.ok`. `method` is GET unless said. `body` is
    what a `Response` takes, but for an async stream. `url` may also be a request, whose method, headers and body are
    sent where none are given.

    `redirect` says what is done with a redirect: up to 20 are followed, it is the answer, or it is an error. `timeout`
    are the seconds to connect and to wait for the next bytes, one number for both or a pair; None is for ever. Nothing
    is sent twice because it failed.

    Raises `FetchError`, an `OSError`, where no answer comes, or not all of it while the body is read: where the reason
    is the timeout it is a `TimeoutError`, too. `URLError`, a ValueError, is a URL that is not absolute, or names a
    user; `HeaderError` a header that must not go on the wire; `TypeError` an argument that cannot be; `ExtraError` that
    urllib3 is not installed.
    """
    if redirect not in ("follow", "manual", "error"):
        raise TypeError(f'redirect is "follow", "manual" or "error", not {redirect!r}')
    if isinstance(url, NextRequest):
        method = url.method if method is None else method
        headers = url.headers if headers is None else headers
        body = url.body if body is None else body
        url = url.url
    request = _request(_target(url), "GET" if method is None else method, Headers(headers), body)
    redirects = 0
    while True:
        raw = _send(request, timeout)
        location = raw.headers.get("location") if raw.status in _REDIRECTS else None
        if location is None or redirect == "manual":
            return _response(raw, request, redirects > 0)
        _discard(raw)
        if redirect == "error":
            raise _error(request, f'{raw.status} is a redirect, and redirect="error" forbids it')
        if redirects == _MOST_REDIRECTS:
            raise _error(request, f"more than {_MOST_REDIRECTS} redirects")
        redirects += 1
        request = _follow(request, raw.status, location)


def _target(url: str | URL) -> URL:
    if isinstance(url, str) and not _SCHEME.match(url.strip()):
        raise URLError(
            f'fetch() needs an absolute URL, such as "https://example.com/api", not {url!r}: '
            "URL(path, request.url) makes one of a path"
        )
    parsed = URL(url)
    if parsed.protocol not in ("http:", "https:"):
        raise URLError(f"fetch() knows http: and https:, not {parsed.protocol}")
    if parsed.username or parsed.password:
        raise URLError(
            f"the URL for {parsed.origin} names a user or a password: send a header instead, "
            'headers={"authorization": ...}'
        )
    return parsed


def _request(url: URL, method: str, headers: Headers, body: BodyInit | None) -> _Request:
    if not isinstance(method, str) or not _METHOD.fullmatch(method) or method.upper() in _FORBIDDEN_METHODS:
        raise TypeError(f"fetch() cannot send the method {method!r}")
    method = method.upper()
    content: bytes | Iterator[bytes] | None = None
    length = None
    if body is not None:
        if method in ("GET", "HEAD"):
            raise TypeError(f"Request with GET/HEAD method cannot have body: {method}")
        source, content_type = content_of(body)
        if isinstance(source, AsyncIterable):
            raise TypeError("fetch() cannot send an async stream, as it blocks: give it bytes, an iterator or a file")
        if content_type and "content-type" not in headers:
            headers.set("content-type", content_type)
        if isinstance(source, bytes):
            content = source
        else:
            length = _length(source, headers)
            content = chunks(source) if length is None else _exactly(chunks(source), length)
    # Not what Connection names: a client would choose which headers are sent that are put beside its own.
    for name in _NOT_THE_CALLERS:
        headers.delete(name)
    # What is encoded has another length and other ranges than what a handler passes on.
    is_plain = method == "HEAD" or "range" in headers
    headers.set("accept-encoding", "identity" if is_plain else "gzip, deflate")
    for name, value in (("accept", "*/*"), ("user-agent", "nextapi")):
        if name not in headers:
            headers.set(name, value)
    return _Request(method, url, headers, content, length)


def _length(source: object, headers: Headers) -> int | None:
    """Return how long a stream is, as a file on disk or the headers that came with it say: some servers, those of WSGI
    above all, cannot read a body in chunks.
    """
    if isinstance(source, io.RawIOBase | io.BufferedIOBase) and source.seekable():
        position = source.tell()
        length = source.seek(0, io.SEEK_END) - position
        source.seek(position)
        return length
    said = headers.get("content-length")
    return int(said) if said is not None and _LENGTH.fullmatch(said) else None


def _exactly(pieces: Iterator[bytes], length: int) -> Iterator[bytes]:
    """Yield pieces that are `length` bytes in all: what is beyond would be read as the next request."""
    left = length
    for piece in pieces:
        left -= len(piece)
        if left < 0:
            break
        yield piece
    if left:
        raise ValueError(f"the body is {'longer' if left < 0 else 'shorter'} than its length of {length} bytes")


def _send(request: _Request, timeout: Timeout) -> BaseHTTPResponse:
    """Return urllib3's answer, whose body is not read yet."""
    manager = _manager()
    from urllib3 import HTTPHeaderDict, Timeout
    from urllib3.exceptions import HTTPError

    url, content = request.url, request.content
    connect, read = timeout if isinstance(timeout, tuple) else (timeout, timeout)
    headers = HTTPHeaderDict(request.headers.multi_items())
    if request.length is not None:
        headers["content-length"] = str(request.length)
    limits = Timeout(connect=connect, read=read)
    try:
        pool = manager.connection_from_host(url.hostname, int(url.port) if url.port else None, url.protocol[:-1])
        return pool.urlopen(
            request.method,
            url.pathname + url.search,
            body=content,
            headers=headers,
            timeout=limits,
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
        )
    except HTTPError as error:
        raise _failed(request, error) from error


@cache  # two threads may make one each at first: the connections of one are not kept then
def _manager() -> PoolManager:
    try:
        from urllib3 import PoolManager
    except ImportError as error:
        raise ExtraError("fetch() needs a library: pip install 'nextapi-wsgi[fetch]'") from error
    return PoolManager(num_pools=64, maxsize=32)


if hasattr(os, "register_at_fork"):
    # A connection that two processes write to mixes their requests.
    os.register_at_fork(after_in_child=_manager.cache_clear)


def _follow(request: _Request, status: int, location: str) -> _Request:
    """Return the request that a redirect leads to (Fetch, HTTP-redirect fetch)."""
    try:
        # Servers send UTF-8 as it is; http.client reads one character a byte.
        url = _target(URL(location.encode("latin-1").decode("utf-8", "replace"), request.url))
    except URLError:
        raise _error(request, f"{status} leads to what is no http(s) URL, or names a user") from None
    if not url.hash:
        url.hash = request.url.hash
    if status != 303 and request.content is not None and not isinstance(request.content, bytes):
        raise _error(request, f"{status} wants the body again, which was a stream: send bytes, or follow it yourself")
    method, content, headers = request.method, request.content, Headers(request.headers)
    if (status in (301, 302) and method == "POST") or (status == 303 and method not in ("GET", "HEAD")):
        method, content = "GET", None
        for name in _ABOUT_BODY:
            headers.delete(name)
    if url.origin != request.url.origin:
        for name in _CREDENTIALS:
            headers.delete(name)
    return _Request(method, url, headers, content, None)


def _response(raw: BaseHTTPResponse, request: _Request, is_redirected: bool) -> Response:
    if raw.status < 200:
        _close(raw)
        raise _error(request, f"the server ended with the status {raw.status}, which is no answer")
    headers = Headers()
    try:
        check_header_value("status text", raw.reason or "")
        for name, value in raw.headers.items():
            check_header_name(name)
            check_header_value(name, value)
            headers._pairs.append((name.lower(), value))
    except HeaderError as error:
        _close(raw)
        raise _error(request, f"the answer has a header that is none: {error}") from error
    for name in _HOP_BY_HOP | named_by_connection(headers.get("connection")):
        headers.delete(name)
    content: bytes | Iterator[bytes] | None = None
    if request.method == "HEAD" or raw.status in _NULL_BODY:
        _discard(raw)
    else:
        encodings = [coding.strip().lower() for coding in headers.get("content-encoding", "").split(",")]
        is_decoded = set(encodings) <= set(raw.CONTENT_DECODERS)
        if is_decoded:
            headers.delete("content-encoding")
        if is_decoded or getattr(raw, "chunked", False) or not _LENGTH.fullmatch(headers.get("content-length", "")):
            headers.delete("content-length")
        content = _Content(raw, request, is_decoded)
    response = response_of(raw.status, raw.reason or "", headers._pairs, content)
    response.url = request.url.href.partition("#")[0]
    response.redirected = is_redirected
    return response


class _Content:
    """The body of an answer, in pieces as they come. With the last one, the connection goes back to its pool."""

    __slots__ = ("_is_decoded", "_raw", "_request")

    def __init__(self, raw: BaseHTTPResponse, request: _Request, is_decoded: bool) -> None:
        self._raw = raw
        self._request = request._replace(content=None)
        self._is_decoded = is_decoded

    def __iter__(self) -> _Content:
        return self

    def __next__(self) -> bytes:
        from urllib3.exceptions import HTTPError

        try:
            piece = self._raw.read1(_BLOCK, decode_content=self._is_decoded)
        except HTTPError as error:
            self.close()
            raise _failed(self._request, error) from error
        if not piece:
            raise StopIteration
        return piece

    def close(self) -> None:
        """End the connection, unless all was read: then it is no longer this body's."""
        _close(self._raw)


def _close(raw: BaseHTTPResponse) -> None:
    raw.close()
    raw.release_conn()


def _discard(raw: BaseHTTPResponse) -> None:
    """Be done with an answer; if little of its body is left that is read, so that the connection can be used again."""
    if (left := getattr(raw, "length_remaining", None)) is not None and left <= _BLOCK:
        raw.drain_conn()
    _close(raw)


def _error(request: _Request, reason: str) -> FetchError:
    return FetchError(f"fetch failed: {request.method} {request.url.origin}: {reason}")


def _failed(request: _Request, error: Exception) -> FetchError:
    """Return what stands for an error of urllib3. Path and query are left out, which may hold secrets."""
    from urllib3.exceptions import ConnectTimeoutError, ReadTimeoutError

    last = error.args[-1] if error.args else None
    inner = last if isinstance(last, Exception) else error.__cause__
    if isinstance(error, ReadTimeoutError) or isinstance(inner, TimeoutError):
        what = "connect" if isinstance(error, ConnectTimeoutError) else "answer"
        return FetchTimeoutError(
            f"fetch failed: {request.method} {request.url.origin}: the server did not {what} in time "
            "(the argument timeout says how long that is)"
        )
    return _error(request, str(inner or error))
