"""nextapi as a WSGI application (PEP 3333): `gunicorn "nextapi.adapters.wsgi:create_app('web')"`."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextvars import copy_context
from functools import partial
from os import PathLike
from pathlib import Path
from sys import maxsize
from typing import IO, TYPE_CHECKING, Unpack, cast

from werkzeug.wsgi import LimitedStream

from nextapi.adapters.page_cache import PageCache, find_page_cache
from nextapi.app import Application, Route
from nextapi.building import build_middleware
from nextapi.draft import Draft
from nextapi.http.message import Body, Relayed, Request, Response, read_fully
from nextapi.http.relay import call_application
from nextapi.middleware.handover import HANDED_OVER, AddedOutside, go_on
from nextapi.middleware.passed import Passed
from nextapi.options import Options, OptionSettings, read_options
from nextapi.reloading import LiveTree
from nextapi.routing.paths import raw_path
from nextapi.routing.tree import Captured
from nextapi.running import Run
from nextapi.web.next_url import origin_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["Middleware", "PageCache", "WSGIApp", "WSGIHost", "create_app", "to_body", "to_request", "to_response"]

# Methods that have a body only if a header says so.
_READING = frozenset({"GET", "HEAD"})

_logger = logging.getLogger("nextapi")


def create_app(
    root: str | PathLike[str], *, fallback: WSGIApplication | None = None, **options: Unpack[OptionSettings]
) -> WSGIApp:
    """Return a WSGI application for the folder `root`, which is relative to the working directory.

    What no route names goes to `fallback`, past the tree's `middleware.py` and otherwise untouched; without one it is a
    404. Raises `TreeError` with all faults of the tree, `OptionError` for an option that cannot be.
    """
    settings = read_options(options)
    tree = LiveTree(Path(root).absolute(), settings, WSGIHost(settings))
    return WSGIApp(tree.application, fallback, tree if settings.debug else None)


class WSGIHost:
    """What a server can say and do, for the application (`nextapi.app.Host`)."""

    checks_paths = False
    has_urls = False

    def __init__(self, options: Options) -> None:
        self.draft = Draft(options.secret, options.debug)

    def trusted_host(self, request: Request) -> str | None:
        return request.headers.get("host")

    def origin(self, request: Request) -> str:
        environ = request.environ
        host = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
        return origin_of(environ["wsgi.url_scheme"], host)

    def enter(self, request: Request, route: Route, captured: Captured) -> Response | None:
        return None

    def call_after(self, request: Request, function: Callable[[], object]) -> None:
        request.call_after(partial(copy_context().run, function))

    def unpack(self, relayed: Relayed, request: Request) -> Response:
        return call_application(relayed.response, request, partial(self.report, request))

    def report(self, request: Request, error: Exception) -> None:
        _logger.error("%s %r raised after its answer had begun", request.method, request.path, exc_info=error)

    def new_run(self, name: str) -> Run:
        return Run(name)

    def status_of(self, value: object) -> int | None:
        return None

    def call(self, application: WSGIApplication, request: Request) -> Response:
        return Response(0, [], Relayed(application))  # it is the server that calls it


class WSGIApp:
    """The WSGI application; `application` is what it serves, in debug the newest of the tree `live`.

    An exception of a handler is logged and answered 500; with `raise_errors` set, as in tests, it passes through.
    """

    def __init__(
        self, application: Application, fallback: WSGIApplication | None = None, live: LiveTree | None = None
    ) -> None:
        self.application = application
        self._fallback = fallback
        self._live = live
        self.raise_errors = False

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self._live is not None:
            self._live.refresh()
            self.application = self._live.application
        application = self.application
        fallback = self._fallback
        if (
            fallback is not None
            and application.middleware is None
            and application.match(raw_path(environ)[1]).route is None
        ):
            return fallback(environ, start_response)
        request = to_request(environ, start_response)
        if fallback is not None:
            request.rest = self._answer_rest
        try:
            response = application.handle(request)
            body = response.body
            if isinstance(body, bytes) and request.afters is None:  # most answers, without a call more
                start_response(response.status_line, response.headers)
                return (body,)
            if request.rest is None or not isinstance(response.body, _Rest):
                return to_response(response, request, start_response)
        except Exception as error:
            if self.raise_errors:
                request.finish()
                raise
            _logger.error("%s %r failed", request.method, request.path, exc_info=error)
            if request.start_response is None:
                request.finish()
                raise  # the answer may have begun: the server knows, and cuts the connection then
            request.close()
            return self._fail(request, start_response)
        except BaseException:
            request.finish()
            raise
        return self._call_rest(response.body, request, start_response)

    def _answer_rest(self, request: Request, passed: Passed | None) -> Response:
        assert self._fallback is not None, "it is asked for only where there is one"
        application = self._fallback if passed is None else partial(go_on, self._fallback, request, passed)
        return Response(0, [], _Rest(application))

    @staticmethod
    def _call_rest(rest: Relayed, request: Request, start_response: StartResponse) -> Iterable[bytes]:
        """Call the fallback: what it raises is the server's, as without the tree in front of it."""
        try:
            chunks: Iterable[bytes] = rest.response(request.environ, start_response)
        except BaseException:
            request.finish()
            raise
        # A file of `wsgi.file_wrapper` that nothing is wrapped around is sent by the system.
        return _closing(chunks, request) if request.closers or request.afters else chunks

    def _fail(self, request: Request, start_response: StartResponse) -> Iterable[bytes]:
        body, headers = request.failure, []
        if self._live is not None:
            body = traceback.format_exc().encode("utf-8", "replace")
            headers.append(("Content-Type", "text/plain; charset=utf-8"))
        headers.append(("Content-Length", str(len(body))))
        start_response("500 Internal Server Error", headers)
        return _finishing((b"" if request.method == "HEAD" else body,), request)


class _Rest(Relayed):
    """The fallback's answer."""

    __slots__ = ()


class Middleware(WSGIApp):
    """The `middleware.py` of the folder `root` around a host's WSGI application, for every request of the host:
    `app.wsgi_app = Middleware(app.wsgi_app, "web")`, `application = Middleware(get_wsgi_application(), "web")`.

    It runs before the host's own middleware and routing, on paths as the host has them, and can rewrite to any URL of
    the host. A tree of the same root that is mounted in the host does not run it again. `root` is relative to the
    working directory, and nothing but the middleware of it is loaded. Raises `TreeError` with all faults of that,
    `OptionError` for an option that cannot be.
    """

    def __init__(self, app: WSGIApplication, root: str | PathLike[str], **options: Unpack[OptionSettings]) -> None:
        settings = read_options(options)
        tree = LiveTree(Path(root).absolute(), settings, WSGIHost(settings), build_middleware)
        super().__init__(tree.application, app, tree if settings.debug else None)
        if (cache := find_page_cache(app)) is not None and (middleware := tree.application.middleware) is not None:
            before: Iterable[Path] = cache.clean.get(HANDED_OVER, ())
            cache.clean[HANDED_OVER] = AddedOutside((*before, middleware.place))


def to_request(environ: WSGIEnvironment, start_response: StartResponse | None = None) -> Request:
    """Return the request that a WSGI environ says; with `start_response`, pieces of its answer may be sent early."""
    prefix, path = raw_path(environ)
    method, query_string = environ["REQUEST_METHOD"], environ.get("QUERY_STRING", "")
    # Most requests read: without a call that finds no body.
    has_none = method == "GET" and "CONTENT_LENGTH" not in environ and "HTTP_TRANSFER_ENCODING" not in environ
    body = None if has_none else to_body(environ)
    return Request(method, path, query_string, environ, body, environ, prefix, start_response)


def to_body(environ: WSGIEnvironment) -> Body | None:
    """Return the body of a request, not read yet; None where the environ says that there is none.

    Beyond Content-Length nothing is read. A body without one is read only where the server says that it ends by itself.
    """
    length = environ.get("CONTENT_LENGTH")
    if length and length.isascii() and length.isdigit():
        if length == "0":
            return None
        stream = environ["wsgi.input"]
        size = int(length) if len(length) < 20 else maxsize  # Python reads no number of thousands of digits
        return Body(size, partial(read_fully, stream), partial(_limited, stream, size))
    if not environ.get("wsgi.input_terminated"):
        return None
    if "HTTP_TRANSFER_ENCODING" not in environ and environ["REQUEST_METHOD"] in _READING:
        return None
    stream = environ["wsgi.input"]
    return Body(None, partial(read_fully, stream), lambda: stream)


def _limited(stream: IO[bytes], length: int) -> IO[bytes]:
    return cast("IO[bytes]", LimitedStream(stream, length))


def to_response(response: Response, request: Request, start_response: StartResponse) -> Iterable[bytes]:
    """Start a response, unless it was, and return its body; one that is no bytes closes the request at its end.

    A WSGI application that answers instead is called.
    """
    body = response.body
    if isinstance(body, bytes):
        start_response(response.status_line, response.headers)
        return _finishing((body,), request) if request.afters else (body,)
    if isinstance(body, Relayed):
        request.start_response = None  # from here on the answer is the application's
        return _closing(body.response(request.environ, start_response), request)
    body.begin()
    if request.start_response is not None:
        start_response(response.status_line, response.headers)
    return _Closing(body, request.finish)


class _Closing:
    """A WSGI iterable whose `close()` is followed by others, each once."""

    def __init__(self, chunks: Iterable[bytes], close: Callable[[], object]) -> None:
        self._chunks = chunks
        self.close = close

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)


def _closing(chunks: Iterable[bytes], request: Request) -> Iterable[bytes]:
    if close := getattr(chunks, "close", None):
        request.call_on_close(close)
    return _finishing(chunks, request)


def _finishing(chunks: Iterable[bytes], request: Request) -> Iterable[bytes]:
    return _Closing(chunks, request.finish) if request.closers or request.afters else chunks
