"""Django's request and response, and nextapi's."""

from __future__ import annotations

from collections.abc import Callable, Container
from contextvars import ContextVar
from functools import partial
from http.cookies import CookieError, Morsel
from io import BytesIO
from typing import IO, Any, cast
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.utils.encoding import repercent_broken_unicode
from werkzeug.datastructures import FileStorage

from nextapi.adapters import wsgi
from nextapi.errors import BodyGoneError
from nextapi.http.message import Body, FormEntries, Relayed, Request, Response, Stream, read_fully
from nextapi.routing.paths import cut_path, quote_path, raw_path, sent_path

__all__ = [
    "decode_path",
    "from_response",
    "note_request",
    "noted_environ",
    "noted_path",
    "to_body",
    "to_request",
    "to_response",
]

_noted: ContextVar[tuple[str, dict[str, Any] | None]] = ContextVar("nextapi_request", default=("", None))
"""Path and environ of the request that this thread serves: Django's resolvers are given a decoded path, and nothing
else, and streams have nothing at all.
"""


def note_request(environ: dict[str, Any] | None = None, **_: object) -> None:
    """Note a request that begins (a receiver of Django's `request_started`)."""
    # Now: Django's request writes the decoded path over PATH_INFO.
    _noted.set(("".join(raw_path(environ or {})), environ))


def forget_request(**_: object) -> None:
    """Forget a request that has ended (a receiver of Django's `request_finished`)."""
    _noted.set(("", None))


def noted_path() -> str:
    """Return the path of the noted request as it was sent, as far as the server tells, SCRIPT_NAME included."""
    return _noted.get()[0]


def noted_environ() -> dict[str, Any] | None:
    """Return the environ of the noted request, None where there is none."""
    return _noted.get()[1]


def decode_path(path: str) -> str:
    """Return a path as Django decodes it."""
    if "%" not in path and path.isascii():
        return path
    return repercent_broken_unicode(unquote_to_bytes(path)).decode()


def to_request(request: WSGIRequest, below: str) -> Request:
    """Return Django's request as nextapi's: `below` is the part of its decoded path that is below the mount.

    The path as it was sent is believed where it decodes to what Django has: a middleware may have changed that.
    """
    if not hasattr(request, "environ"):
        raise RuntimeError("nextapi serves Django by WSGI: this request came by ASGI")
    sent = sent_path(request.environ)
    cut = cut_path(sent, below, decode_path) if decode_path(sent) in (request.path, request.path_info) else None
    path = sent[cut:] if cut is not None else quote_path(below)
    assert request.method is not None, "a request that came by WSGI has a method"
    return Request(
        request.method,
        path,
        request.environ.get("QUERY_STRING", ""),
        request.environ,
        to_body(request),
        request,
        quote_path(request.path.removesuffix(below)),
    )


def to_body(request: WSGIRequest) -> Body | None:
    """Return the body, from where the project has read it if it has; else Django keeps what it can, for all to see."""
    if hasattr(request, "_body"):
        data = request.body
        return Body(len(data), BytesIO(data).read, lambda: BytesIO(data)) if data else None
    body = wsgi.to_body(request.environ)
    if getattr(request, "_read_started", False):
        return Body(body.length if body else None, _gone, lambda: BytesIO(_gone(0)), _form(request))
    if body is None or body.length is None:
        return body  # Django itself takes a body without Content-Length for empty
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    stream = cast("IO[bytes]", request)  # it reads as a file, up to Content-Length
    if most is None or body.length <= most:
        return Body(body.length, lambda _: request.body, lambda: stream)
    return Body(body.length, partial(read_fully, stream), lambda: stream)


def _gone(_: int) -> bytes:
    raise BodyGoneError(
        "the project read this body before nextapi could: take it from req.raw.POST and req.raw.FILES, and set "
        'config = {"api": {"bodyParser": False}}'
    )


def _form(request: WSGIRequest) -> FormEntries | None:
    """Return the form that the project has had Django read, None where it was none."""
    if request.content_type != "multipart/form-data" or not hasattr(request, "_files"):
        return None
    fields = [(name, value) for name, values in request.POST.lists() for value in values]
    files = [
        (name, FileStorage(file.file, file.name, name, file.content_type, file.size))
        for name, uploads in request.FILES.lists()
        for file in uploads
    ]
    return fields, files


def to_response(response: Response, request: Request) -> HttpResponseBase:
    """Return nextapi's response as Django's; one that is no bytes finishes the request at its end."""
    body = response.body
    if isinstance(body, bytes):
        return _Whole(response, body)
    made: HttpResponseBase = body.response if isinstance(body, Relayed) else _Streaming(response, body)
    # As Django's own handler does it: before the end of the request is told, with which connections are closed.
    _closers(made).append(request.finish)
    return made


def _closers(response: HttpResponseBase) -> list[Callable[[], object]]:
    """Return what Django calls when it closes a response, which has no public name."""
    closers: list[Callable[[], object]] = vars(response)["_resource_closers"]
    return closers


def from_response(response: HttpResponseBase, request: Request, report: Callable[[Exception], object]) -> Response:
    """Return Django's response as nextapi's, whose request closes what it holds; `report` is told of a failing stream.

    A template response is rendered, as it is.
    """
    if isinstance(response, SimpleTemplateResponse):
        response = response.render()
    lines = [("Set-Cookie", morsel.OutputString()) for morsel in response.cookies.values()]
    headers = [*response.items(), *lines]
    for close in _closers(response):
        request.call_on_close(close)
    if isinstance(response, StreamingHttpResponse):
        body: bytes | Stream = Stream(iter(response), report)
    else:
        body = cast("HttpResponse", response).content
    return Response(response.status_code, headers, body, response.reason_phrase)


class _AsGiven(HttpResponseBase):
    """A response whose headers are as they were given: repeated ones stay so, and none is added.

    Django has one value for a name: it sees the values joined, and a middleware that sets the header anew has its way.
    """

    def _take_head(self, response: Response, keeps_length: bool) -> None:
        self.status_code = response.status  # Django's check ends at 599
        del self.headers["Content-Type"]
        self._repeated: dict[str, list[str]] = {}
        for name, value in response.headers:
            key = name.lower()
            if key == "content-length" and not keeps_length:
                continue  # Django writes it once the middleware is done with the body
            if key == "set-cookie" and self._add_cookie(value):
                continue
            values = self._repeated.setdefault(key, [])
            values.append(value)
            self.headers[name] = ", ".join(values)

    def _add_cookie(self, line: str) -> bool:
        """Have a Set-Cookie line among the response's cookies; False where Python has no such name for a cookie."""
        try:
            morsel = _Line(line)
        except CookieError:
            return False
        key = morsel.key
        while key in self.cookies:  # one name may have several paths
            key += " "
        dict.__setitem__(self.cookies, key, morsel)
        return True

    def items(self) -> Any:
        """Return the header pairs that go out."""
        for name, value in self.headers.items():
            values = self._repeated.get(name.lower(), [])
            if value == ", ".join(values):
                yield from ((name, one) for one in values)
            else:
                yield name, value


class _Whole(_AsGiven, HttpResponse):
    def __init__(self, response: Response, body: bytes) -> None:
        super().__init__(body, reason=response.status_line.partition(" ")[2])
        self._take_head(response, keeps_length=not body)


class _Streaming(_AsGiven, StreamingHttpResponse):
    def __init__(self, response: Response, body: Stream) -> None:
        super().__init__(body, reason=response.status_line.partition(" ")[2])
        self._take_head(response, keeps_length=True)


class _Line(Morsel[str]):
    """A cookie that goes out as the line that a handler wrote, unless a middleware has changed it."""

    def __init__(self, line: str) -> None:
        super().__init__()
        pair, *attributes = line.split(";")
        name, _, value = pair.partition("=")
        self.set(name.strip(), value.strip(), value.strip())
        for attribute in attributes:
            name, _, setting = attribute.partition("=")
            if name.strip().lower() in self:
                self[name.strip()] = setting.strip() or True
        self._line, self._before = line, (self.value, dict(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return _Line, (self._line,), None, None, iter(self.items())

    def OutputString(self, attrs: Container[str] | None = None) -> str:  # noqa: N802  # the standard library's name
        """Return the line, or what a middleware has made of the cookie."""
        return self._line if (self.value, dict(self)) == self._before else super().OutputString(attrs)

    def output(self, attrs: Container[str] | None = None, header: str = "Set-Cookie:") -> str:
        """Return the same behind `header`; Django 5 asks for it with none, and wants no space in front."""
        text = self.OutputString(attrs)
        return f"{header} {text}" if header else text
