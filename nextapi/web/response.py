"""`Response` of the Fetch standard, and Next's `NextResponse`."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator, Mapping
from copy import copy
from io import BytesIO
from itertools import tee
from typing import Any, ClassVar, NamedTuple, Protocol, Self, TypeVar, cast, overload

from nextapi.errors import BodyUsedError, StatusError
from nextapi.http.headers import check_header_value
from nextapi.http.json import dumps
from nextapi.http.message import Body
from nextapi.http.sizes import Limit
from nextapi.http.streaming import Source, chunks
from nextapi.text import utf8
from nextapi.web.body import Readable
from nextapi.web.content import TEXT, BodyInit, content_of, read_content
from nextapi.web.cookies import ResponseCookies
from nextapi.web.headers import Headers, HeadersInit, headers_of
from nextapi.web.request import NextRequest
from nextapi.web.url import URL

__all__ = [
    "NextResponse",
    "Passage",
    "Response",
    "is_passage",
    "pairs_of",
    "passage_of",
    "response_of",
    "take_parts",
]

_JSON = ("content-type", "application/json")
_NULL_BODY = frozenset({204, 205, 304})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NO_LIMIT = Limit(float("inf"), "no")

ResponseT = TypeVar("ResponseT", bound="Response")
ResponseT_co = TypeVar("ResponseT_co", bound="Response", covariant=True)


class _BuildJson(Protocol[ResponseT_co]):
    def __call__(
        self, value: object, *, status: int = 200, status_text: str = "", headers: HeadersInit | None = None
    ) -> ResponseT_co: ...


class _Json:
    """`json`: of the class it makes a response, of a response it reads the body."""

    @overload
    def __get__(self, response: None, owner: type[ResponseT]) -> _BuildJson[ResponseT]: ...
    @overload
    def __get__(self, response: Response, owner: type[Response]) -> Callable[[], Any]: ...
    def __get__(self, response: Response | None, owner: type[Any]) -> object:
        return owner._from_json if response is None else response._loads


class Response(Readable):
    """An answer: body, status, reason phrase and headers (WHATWG Fetch).

    A body of text, of a form or of search params brings its Content-Type unless `headers` say one. `status` is 200 to
    599, else `StatusError`; with 204, 205 and 304 there is no body. A header that must not go on the wire is a
    `HeaderError`.
    """

    status_text: str = ""
    """The reason phrase; "" is the standard one."""
    url: str = ""
    """Where it came from: `fetch` says so."""
    type: str = "default"
    """"error" for `Response.error()`, "default" for all others."""
    _content: bytes | Source | None = None
    _headers: Headers | None = None

    json: ClassVar[_Json] = _Json()
    """`Response.json(value, status=, headers=)` is a response of JSON; `response.json()` is what its body says."""

    redirected: bool = False
    """Whether a redirect led here: `fetch` says so."""

    def __init__(
        self,
        body: BodyInit | None = None,
        *,
        status: int = 200,
        status_text: str = "",
        headers: HeadersInit | None = None,
    ) -> None:
        if status.__class__ is not int or not 200 <= status <= 599:
            raise _noted(
                StatusError('init["status"] must be in the range of 200 to 599, inclusive.'), f"not {status!r}"
            )
        if status_text:
            check_header_value("status text", status_text)
            self.status_text = status_text
        self._status = status
        self._pairs = [] if headers is None else Headers(headers)._pairs
        if body is None:
            return
        if status in _NULL_BODY:
            raise _no_body_with(status)
        if isinstance(body, str):  # most bodies
            content_type: str | None = TEXT
            self._content = utf8(body)
        else:
            self._content, content_type = content_of(body)
        if content_type and (headers is None or all(name != "content-type" for name, _ in self._pairs)):
            self._pairs.append(("content-type", content_type))

    @classmethod
    def _from_json(
        cls,
        value: object,
        *init: object,
        status: int = 200,
        status_text: str = "",
        headers: HeadersInit | None = None,
    ) -> Self:
        if init:
            name = cls.__name__
            raise TypeError(
                f"JavaScript's object of options is keywords here: {name}.json(value, status=201, headers=...)"
            )
        response = cls(status=status, status_text=status_text, headers=headers)
        if status in _NULL_BODY:
            raise _no_body_with(status)
        response._content = dumps(value)
        if headers is None or all(name != "content-type" for name, _ in response._pairs):
            response._pairs.append(_JSON)
        return response

    @classmethod
    def redirect(cls, url: str | URL, status: int = 302) -> Self:
        """Return a redirect to `url`, absolute or a path; `status` is 301, 302, 303, 307 or 308, else `StatusError`."""
        return cls._to(url, status)

    @classmethod
    def _to(cls, url: str | URL, status: int, headers: HeadersInit | None = None) -> Self:
        if status not in _REDIRECTS:
            error = StatusError('Failed to execute "redirect" on "response": Invalid status code')
            raise _noted(error, f"{status!r} is none of 301, 302, 303, 307 and 308")
        response = cls(status=status, headers=headers)
        response.headers.set("location", location(url))
        return response

    @classmethod
    def error(cls) -> Self:
        """Return what stands for a network error: a handler that returns it has failed."""
        response = cls()
        response._status, response.type = 0, "error"
        return response

    @property
    def status(self) -> int:
        """The status code; 0 for `Response.error()`."""
        return self._status

    @property
    def ok(self) -> bool:
        """Whether the status is one of success, 200 to 299."""
        return 200 <= self._status <= 299

    @property
    def headers(self) -> Headers:
        """The headers, which may be changed until the response is returned."""
        if self._headers is None:
            self._headers = headers_of(self._pairs)
        return self._headers

    @property
    def body(self) -> Iterator[bytes] | AsyncIterator[str | bytes] | None:
        """The body in chunks, read once; None where there is none. An async stream is an async iterator."""
        content = self._content
        if content is None:
            return None
        return self._async_chunks(content) if isinstance(content, AsyncIterable) else self._chunks()

    def _chunks(self) -> Iterator[bytes]:
        content = take_parts(self)[2]
        if isinstance(content, bytes):
            yield content
        elif content is not None:
            yield from chunks(cast("Iterator[bytes]", content))

    async def _async_chunks(self, content: AsyncIterable[str | bytes]) -> AsyncIterator[str | bytes]:
        take_parts(self)
        async for chunk in content:
            yield chunk

    def clone(self) -> Self:
        """Return a copy with a body of its own; raise `BodyUsedError` where it was read.

        An async stream has one reader only: its response has no copy, which is a `TypeError`.
        """
        if self._is_used:
            raise BodyUsedError
        content = self._content
        if isinstance(content, AsyncIterable):
            raise TypeError("a response whose body is an async stream cannot be cloned: read it, and make two of it")
        made = copy(self)
        made._pairs, made._headers = self._pairs.copy(), None
        if content is not None and not isinstance(content, bytes):
            self._content, made._content = tee(chunks(content))
        return made

    def close(self) -> None:
        """Be done with the body, read or not: what makes it is closed, such as the connection of `fetch`."""
        if close := getattr(self._content, "close", None):
            close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> Body | None:
        content = self._content
        if content is None:
            return None
        data = read_content(content)
        return Body(len(data), BytesIO(data).read, lambda: BytesIO(data))

    def _limit(self) -> Limit:
        return _NO_LIMIT

    def _call_on_close(self) -> None:
        return None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._status}>"


ErrorT = TypeVar("ErrorT", bound=Exception)


def _noted(error: ErrorT, note: str) -> ErrorT:
    """Return an error, whose message is Next's, with a note, which its traceback shows."""
    error.add_note(note)
    return error


def _no_body_with(status: int) -> TypeError:
    error = TypeError(f"Response constructor: Invalid response status code {status}")
    return _noted(error, f"a response with status {status} has no body: leave it out")


def location(url: str | URL) -> str:
    """Return where a redirect to `url` leads, as a header has it."""
    return str(url) if isinstance(url, URL) or "://" not in url else str(URL(url))


def pairs_of(response: Response) -> list[tuple[str, str]]:
    """Return a response's header lines, names in lower case."""
    return response._pairs


def response_of(
    status: int, status_text: str, pairs: list[tuple[str, str]], content: bytes | Source | None
) -> Response:
    """Return a response of what is known to be right: header lines with names in lower case, any status."""
    response = Response()
    response._status, response.status_text = status, status_text
    response._pairs, response._content = pairs, content
    return response


def is_passage(response: Response) -> bool:
    """Say whether a response is made by `NextResponse.next()` or `rewrite()`, which no handler can answer with."""
    return getattr(response, "_passage", None) is not None


def take_parts(response: Response) -> tuple[int, list[tuple[str, str]], bytes | Source | None]:
    """Return a response's status, its header lines, and what its body is made of, which counts as read then.

    Raises `BodyUsedError` where it was read before.
    """
    if response._is_used:
        raise BodyUsedError
    content = response._content
    response._is_used = content is not None
    return response._status, response._pairs, content


class Passage(NamedTuple):
    """What a middleware's response says beside its headers: the request goes on."""

    target: str | None
    """Where to, None for where it was going."""
    headers: Headers | None
    """The headers that it goes on with, None for its own."""


class NextResponse(Response):
    """A `Response` with cookies, and what middleware returns to let a request pass (Next's `NextResponse`)."""

    _cookies: ResponseCookies | None = None
    _passage: Passage | None = None

    @classmethod
    def redirect(cls, url: str | URL, status: int = 307, *, headers: HeadersInit | None = None) -> Self:
        """Return a redirect to `url`, absolute or a path; `status` is 301, 302, 303, 307 or 308, else `StatusError`."""
        return cls._to(url, status, headers)

    @classmethod
    def next(
        cls,
        *,
        request: NextRequest | Mapping[str, HeadersInit] | None = None,
        status: int = 200,
        headers: HeadersInit | None = None,
    ) -> Self:
        """Return what lets a request go on to where it is going.

        `request` are the headers that it goes on with, in place of its own: `{"headers": ...}`, or a request. `headers`
        are added to the answer. The status is the handler's, whatever is given here.
        """
        return cls._pass(None, request, status, headers)

    @classmethod
    def rewrite(
        cls,
        url: str | URL,
        *,
        request: NextRequest | Mapping[str, HeadersInit] | None = None,
        status: int = 200,
        headers: HeadersInit | None = None,
    ) -> Self:
        """Return what lets a request go on to `url`, absolute or a path, whose answer the client gets for its own URL.

        A URL of another site has to be one of the option `proxy_origins`. It gets the client's headers without Cookie
        and Authorization, unless `request` says which headers it gets: those are sent as they are given, and a copy of
        `request.headers` has these two. For `request` and `headers` see `next`.
        """
        return cls._pass(str(url), request, status, headers)

    @classmethod
    def _pass(
        cls,
        target: str | None,
        request: NextRequest | Mapping[str, HeadersInit] | None,
        status: int,
        headers: HeadersInit | None,
    ) -> Self:
        response = cls(status=status, headers=headers)
        given = request.get("headers") if isinstance(request, Mapping) else request.headers if request else None
        response._passage = Passage(target, None if given is None else Headers(given))
        return response

    @property
    def cookies(self) -> ResponseCookies:
        """The cookies that the answer sets."""
        if self._cookies is None:
            self._cookies = ResponseCookies(self.headers)
        return self._cookies

    def clone(self) -> Self:
        """Return a copy with a body and cookies of its own, see `Response.clone`."""
        made = super().clone()
        made._cookies = None
        return made


def passage_of(response: Response) -> Passage | None:
    """Return how a request goes on that a middleware answered with `response`; None where that is the answer."""
    passage = getattr(response, "_passage", None)
    # Next's own sign, which no other server gives: its answer is the answer.
    if passage is None and not response.url and response.headers.get("x-middleware-next") == "1":
        passage = Passage(None, None)
    return passage
