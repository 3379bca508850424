"""Django's request and response, and nextapi's."""

from __future__ import annotations

from collections.abc import Container
from contextvars import ContextVar
from functools import partial
from http.cookies import CookieError, Morsel
from io import BytesIO
from typing import IO, Any, cast
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.utils.encoding import repercent_broken_unicode

from nextapi.adapters import wsgi
from nextapi.errors import BodyGoneError
from nextapi.http.message import Body, Request, Response, reason_phrase
from nextapi.routing.paths import after_segments, quote_path, raw_path

__all__ = ["decode_path", "note_sent_path", "noted_path", "read_body", "to_request", "to_response"]

_noted: ContextVar[tuple[dict[str, Any], str, str] | None] = ContextVar("nextapi_sent_path", default=None)
"""The environ that this thread serves, and its path as it was sent: Django decodes the path inside the environ."""


def note_sent_path(environ: dict[str, Any] | None = None, **_: object) -> None:
    """Note the path of a request that begins (a receiver of Django's `request_started`)."""
    _noted.set(None if environ is None else (environ, *raw_path(environ)))


def noted_path() -> str | None:
    """Return the path that was noted, without SCRIPT_NAME, if one was."""
    noted = _noted.get()
    return noted[2] if noted else None


def decode_path(path: str) -> str:
    """Return a path as Django decodes it."""
    return repercent_broken_unicode(unquote_to_bytes(path)).decode()


def to_request(request: WSGIRequest, prefix_segments: int = 0) -> Request:
    """Return Django's request as nextapi's, below an `include` whose prefix has so many segments."""
    noted = _noted.get()
    if noted is not None and noted[0] is request.environ:
        script, path = noted[1:]
    else:  # a request that came by no handler, such as a RequestFactory's
        script, path = quote_path(request.environ.get("SCRIPT_NAME", "")), quote_path(request.path_info)
    cut = after_segments(path, prefix_segments)
    query_string = request.environ.get("QUERY_STRING", "")
    body = read_body(request)
    assert request.method is not None, "a request that came by WSGI has a method"
    return Request(request.method, path[cut:], query_string, request.environ, body, request, script + path[:cut])


def read_body(request: WSGIRequest) -> Body | None:
    """Return the body, from where the project has read it if it has; else Django keeps what it can, for all to see."""
    if hasattr(request, "_body"):
        data = request.body
        return Body(len(data), BytesIO(data).read, lambda: BytesIO(data)) if data else None
    if getattr(request, "_read_started", False):
        return Body(None, _gone, lambda: BytesIO(_gone(0)))
    body = wsgi.read_body(request.environ)
    if body is None or body.length is None:
        return body  # Django itself takes a body without Content-Length for empty
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    stream = cast("IO[bytes]", request)  # it reads as a file, up to Content-Length
    if most is None or body.length <= most:
        return Body(body.length, lambda _: request.body, lambda: stream)
    return Body(body.length, partial(wsgi.read_fully, stream), lambda: stream)


def _gone(_: int) -> bytes:
    raise BodyGoneError(
        "the project read this body before nextapi could: take it from req.raw.POST and req.raw.FILES, and set "
        'config = {"api": {"bodyParser": False}}'
    )


def to_response(response: Response) -> HttpResponse:
    """Return nextapi's response as Django's."""
    return _Response(response)


class _Response(HttpResponse):
    """A response whose headers are as they were given: repeated ones stay so, and none is added.

    Django has one value for a name: it sees the values joined, and a middleware that sets the header anew has its way.
    """

    def __init__(self, response: Response) -> None:
        super().__init__(response.body, reason=response.reason or reason_phrase(response.status))
        self.status_code = response.status  # Django's check ends at 599
        del self.headers["Content-Type"]
        self._repeated: dict[str, list[str]] = {}
        for name, value in response.headers:
            if name.lower() == "set-cookie" and self._add_cookie(value):
                continue
            values = self._repeated.setdefault(name, [])
            values.append(value)
            self.headers[name] = ", ".join(values)

    def _add_cookie(self, line: str) -> bool:
        """Have a Set-Cookie line among the response's cookies; False where Python has no such name for a cookie."""
        name, _, value = line.partition(";")[0].partition("=")
        try:
            morsel = _Line(name.strip(), value.strip(), line)
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
            values = self._repeated.get(name, [])
            if value == ", ".join(values):
                yield from ((name, one) for one in values)
            else:
                yield name, value


class _Line(Morsel[str]):
    """A cookie that goes out as the line that a handler wrote."""

    def __init__(self, name: str, value: str, line: str) -> None:
        super().__init__()
        self.set(name, value, value)
        self._line = line

    def OutputString(self, attrs: Container[str] | None = None) -> str:  # noqa: N802  # the standard library's name
        """Return the line; `attrs`, which `Morsel` has, choose nothing here."""
        return self._line

    def output(self, attrs: Container[str] | None = None, header: str = "Set-Cookie:") -> str:
        """Return the line behind `header`; Django 5 asks for it with none, and wants no space in front."""
        return f"{header} {self._line}" if header else self._line
