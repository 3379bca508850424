"""`NextRequest`: a request of the web dialect (WHATWG Fetch's Request, with Next's additions)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from io import BufferedReader, BytesIO, RawIOBase
from types import SimpleNamespace
from typing import IO, Any, Self
from urllib.parse import unquote

from nextapi.errors import BodyUsedError
from nextapi.http.body import keep_body
from nextapi.http.message import Body, Request
from nextapi.http.query import decode_pairs, encode_pairs, group_pairs, query_text
from nextapi.http.sizes import Limit
from nextapi.running import call_waiting
from nextapi.web.body import Readable
from nextapi.web.content import BodyInit, content_of, read_content
from nextapi.web.cookies import RequestCookies
from nextapi.web.headers import Headers, HeadersInit, request_headers
from nextapi.web.next_url import NextURL, next_url_of
from nextapi.web.url import URL

__all__ = ["NextRequest", "Site", "changed_headers", "environ_of", "message_of", "request_of", "was_looked_at"]

_NULL_BODY = frozenset({"GET", "HEAD"})
_EMPTY = Body(0, lambda size: b"", BytesIO, is_kept=True)
_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class Site:
    """What the requests of an endpoint have in common.

    `origin` says a request's origin, "https://example.com". `limit` is how much of a body is read. `geo_headers` are
    the names of the headers that say where a client is. With `has_prefix`, URLs have what stands before the mount. With
    `keeps_body` the body is left for who comes after, and then the stream, too, is held to the limit.
    """

    origin: Callable[[Request], str]
    limit: Limit
    geo_headers: Mapping[str, str]
    has_prefix: bool = True
    keeps_body: bool = False


class NextRequest(Readable):
    """A request: method, URL, headers, cookies and the body, parsed as they are asked for.

    Handlers are given one; made by hand it has an absolute `url`, and `body` is what a `Response` takes; a stream is
    read to its end.
    """

    _headers: Headers | None = None
    _cookies: RequestCookies | None = None
    _next_url: NextURL | None = None
    _pairs: list[tuple[str, str]] | None = None

    def __init__(
        self,
        url: str | URL,
        *,
        method: str = "GET",
        headers: HeadersInit | None = None,
        body: BodyInit | None = None,
    ) -> None:
        parsed, given, kept = URL(url), Headers(headers), None
        if body is not None:
            content, content_type = content_of(body)
            data = read_content(content)
            kept = Body(len(data), lambda size: BytesIO(data).read(size), lambda: BytesIO(data), is_kept=True)
            if content_type is not None and "content-type" not in given:
                given.set("content-type", content_type)
        environ: dict[str, Any] = {"wsgi.url_scheme": parsed.protocol.removesuffix(":"), "HTTP_HOST": parsed.host}
        environ |= environ_of(given)
        query_string = parsed.search.removeprefix("?")
        self._request = Request(method.upper(), parsed.pathname, query_string, environ, kept, None)
        origin = parsed.origin
        self._site = Site(lambda _: origin, Limit(float("inf"), "no"), {})

    @property
    def method(self) -> str:
        """The method, in upper case as clients send it."""
        return self._request.method

    @property
    def url(self) -> str:
        """The absolute URL, with the origin that the host says; the query is rebuilt by name, as Next does."""
        pairs = self._query()
        query = f"?{encode_pairs(pairs)}" if pairs else ""
        request, site = self._request, self._site
        path = request.sent[0] if request.sent is not None else request.path
        return f"{site.origin(request)}{request.prefix if site.has_prefix else ''}{path}{query}"

    def _query(self) -> list[tuple[str, str]]:
        if self._pairs is None:
            request = self._request
            query_string = request.sent[1] if request.sent is not None else request.query_string
            self._pairs = group_pairs(decode_pairs(query_text(query_string))) if query_string else []
        return self._pairs

    @property
    def next_url(self) -> NextURL:
        """The URL in its parts; `clone()` it to make another."""
        if self._next_url is None:
            request, site = self._request, self._site
            path = request.sent[0] if request.sent is not None else request.path
            prefix = request.prefix if site.has_prefix else ""
            self._next_url = next_url_of(lambda: site.origin(request), prefix, path, self._query().copy())
        return self._next_url

    @property
    def headers(self) -> Headers:
        """The headers; a change is seen here alone, and where `NextResponse.next(request=...)` passes them on."""
        if self._headers is None:
            self._headers = request_headers(self._request.environ)
        return self._headers

    @property
    def cookies(self) -> RequestCookies:
        """The cookies; of two with one name the last. A change is one of the header `cookie`."""
        if self._cookies is None:
            self._cookies = RequestCookies(self.headers)
        return self._cookies

    @property
    def ip(self) -> str | None:
        """The client's address, as far as the host knows it (CGI's REMOTE_ADDR)."""
        return self._request.environ.get("REMOTE_ADDR") or None

    @property
    def geo(self) -> dict[str, str]:
        """Where the client is, {"country": "SE", "city": "Lund"}, as far as headers of the option `geo_headers` say."""
        headers = self._request.headers
        found = {field: headers.get(name) for field, name in self._site.geo_headers.items()}
        return {field: unquote(value) for field, value in found.items() if value}

    @property
    def state(self) -> SimpleNamespace:
        """What middleware leaves for the handler: `request.state.user = user`."""
        return self._request.state

    @property
    def raw(self) -> Any:
        """The host's own request: Flask's `Request`, Django's `HttpRequest`, WSGI's environ."""
        return self._request.raw

    def json(self) -> Any:
        """Return what the body says as JSON in UTF-8, whatever its Content-Type.

        Raises `BodyError`, a `ValueError`, where it is none: the client gets a 400 unless it is caught. Raises as
        `bytes` does, too.
        """
        return self._loads()

    @property
    def body(self) -> BufferedReader | None:
        """The body as a readable binary file, read once and unbounded; None for GET and HEAD."""
        if self._request.method in _NULL_BODY:
            return None
        return BufferedReader(_BodyStream(self), _BLOCK)

    def clone(self) -> Self:
        """Return a request with a body of its own to read; raise `BodyUsedError` where this one's was read."""
        if self._is_used:
            raise BodyUsedError
        keep_body(self._request, self._site.limit)
        made = type(self).__new__(type(self))
        made._request, made._site, made._pairs = self._request, self._site, self._pairs
        if self._headers is not None:
            made._headers = Headers(self._headers)
        return made

    def _open(self) -> Body | None:
        request = self._request
        if request.method in _NULL_BODY:
            return None
        if request.body is None:
            return _EMPTY
        if self._site.keeps_body:
            keep_body(request, self._site.limit)
        return request.body

    def _limit(self) -> Limit:
        return self._site.limit

    def _call_on_close(self) -> Callable[[Callable[[], object]], None] | None:
        return self._request.call_on_close

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.method} {self.url}>"


class _BodyStream(RawIOBase):
    """A request's body as a stream, which takes it when it is first read."""

    _stream: IO[bytes] | None = None

    def __init__(self, request: NextRequest) -> None:
        self._request = request

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        if self._stream is None:
            body = self._request._take()
            self._stream = BytesIO() if body is None else body.open()
        block = call_waiting(partial(self._stream.read, len(buffer)))
        buffer[: len(block)] = block
        return len(block)


def request_of(request: Request, site: Site, pairs: list[tuple[str, str]] | None = None) -> NextRequest:
    """Return the application's request as a handler sees it; `pairs` are its query where that is another."""
    made = NextRequest.__new__(NextRequest)
    made._request, made._site, made._pairs = request, site, pairs
    return made


def was_looked_at(request: NextRequest) -> bool:
    """Say whether a handler has asked for the headers or the cookies, on which its answer may depend then."""
    return request._headers is not None


def changed_headers(request: NextRequest) -> Headers | None:
    """Return the headers that a request was given in place of its own, None where they are its own."""
    headers = request._headers
    if headers is None or headers.multi_items() == request_headers(request._request.environ).multi_items():
        return None
    return headers


def message_of(request: NextRequest) -> Request:
    """Return the application's request that a handler's request is."""
    return request._request


def environ_of(headers: Headers) -> dict[str, str]:
    """Return headers as a WSGI environ has them (PEP 3333)."""
    lines: dict[str, list[str]] = {}
    for name, value in headers.multi_items():
        lines.setdefault(name, []).append(value)
    environ = {
        f"HTTP_{name.upper().replace('-', '_')}": ("; " if name == "cookie" else ", ").join(lines[name])
        for name in sorted(lines)
    }
    for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if value := environ.pop(f"HTTP_{key}", ""):
            environ[key] = value
    return environ
