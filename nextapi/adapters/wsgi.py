"""nextapi as a WSGI application (PEP 3333): `gunicorn "nextapi.adapters.wsgi:create_app('web')"`."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable
from functools import partial
from os import PathLike
from pathlib import Path
from typing import IO, TYPE_CHECKING, Unpack, cast

from werkzeug.wsgi import LimitedStream

from nextapi.app import Application, build
from nextapi.http.message import Body, Request, Response
from nextapi.options import OptionSettings, read_options
from nextapi.routing.paths import raw_path

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["WSGIApp", "create_app", "read_body", "read_fully", "to_request", "to_response"]

# Methods that have a body only if a header says so.
_READING = frozenset({"GET", "HEAD"})

_logger = logging.getLogger("nextapi")


def create_app(
    root: str | PathLike[str], *, fallback: WSGIApplication | None = None, **options: Unpack[OptionSettings]
) -> WSGIApp:
    """Return a WSGI application for the folder `root`, which is relative to the working directory.

    What no route names goes to `fallback`, untouched; without one it is a 404. Raises `TreeError` with all faults
    of the tree, `OptionError` for an option that cannot be.
    """
    settings = read_options(options)
    return WSGIApp(build(Path(root).absolute(), settings, _Host()), fallback, settings.debug)


class _Host:
    checks_paths = False

    def trusted_host(self, request: Request) -> str | None:
        return request.headers.get("host")

    def report(self, request: Request, error: Exception) -> None:
        _logger.error("%s %r raised after its answer was complete", request.method, request.path, exc_info=error)


class WSGIApp:
    """The WSGI application; `application` is what it serves."""

    def __init__(self, application: Application, fallback: WSGIApplication | None = None, debug: bool = False) -> None:
        self.application = application
        self._fallback = fallback
        self._debug = debug

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self._fallback is not None and self.application.match(raw_path(environ)[1]).route is None:
            return self._fallback(environ, start_response)
        try:
            response = self.application.handle(to_request(environ))
        except Exception as error:
            method = environ.get("REQUEST_METHOD", "")
            _logger.error("%s %r failed", method, environ.get("PATH_INFO"), exc_info=error)
            response = self._failed(method)
        return to_response(response, start_response)

    def _failed(self, method: str) -> Response:
        body, headers = b"Internal Server Error", []
        if self._debug:
            body, headers = (
                traceback.format_exc().encode("utf-8", "replace"),
                [("Content-Type", "text/plain; charset=utf-8")],
            )
        headers.append(("Content-Length", str(len(body))))
        return Response(500, headers, b"" if method == "HEAD" else body)


def to_request(environ: WSGIEnvironment) -> Request:
    """Return the request that a WSGI environ says."""
    prefix, path = raw_path(environ)
    method, query_string = environ["REQUEST_METHOD"], environ.get("QUERY_STRING", "")
    return Request(method, path, query_string, environ, read_body(environ), environ, prefix)


def read_body(environ: WSGIEnvironment) -> Body | None:
    """Return the body of a request, not read yet; None where the environ says that there is none.

    Beyond Content-Length nothing is read. A body without one is read only where the server says that it ends by itself.
    """
    length = environ.get("CONTENT_LENGTH")
    if length and length.isascii() and length.isdigit():
        if length == "0":
            return None
        stream = environ["wsgi.input"]
        return Body(int(length), partial(read_fully, stream), partial(_limited, stream, int(length)))
    if not environ.get("wsgi.input_terminated"):
        return None
    if "HTTP_TRANSFER_ENCODING" not in environ and environ["REQUEST_METHOD"] in _READING:
        return None
    stream = environ["wsgi.input"]
    return Body(None, partial(read_fully, stream), lambda: stream)


def read_fully(stream: IO[bytes], size: int) -> bytes:
    """Return `size` bytes of a stream, which may give fewer at a time, and all that there is if it is shorter."""
    data = stream.read(size)
    if len(data) == size:
        return data
    pieces = [data]
    while data and (size := size - len(data)):
        data = stream.read(size)
        pieces.append(data)
    return b"".join(pieces)


def _limited(stream: IO[bytes], length: int) -> IO[bytes]:
    return cast("IO[bytes]", LimitedStream(stream, length))


def to_response(response: Response, start_response: StartResponse) -> Iterable[bytes]:
    """Start a response, and return its body."""
    start_response(response.status_line, response.headers)
    return (response.body,)
