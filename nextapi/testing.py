"""Tests of a tree, of one module of it, and of one handler, without a server.

All answers are werkzeug's `TestResponse`: `status_code`, `headers`, `json`, `text`, `data`. A request goes the way that
it goes in production, from the WSGI environ on; only an exception of a handler's is raised to the test.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from inspect import unwrap
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import IO, Any, Literal, TypeAlias, TypedDict, Unpack
from urllib.parse import quote

import werkzeug.test
from werkzeug.datastructures import Headers, MultiDict
from werkzeug.test import TestResponse

from nextapi.adapters.wsgi import WSGIApp, WSGIHost, create_app
from nextapi.app import Application, Match, Route
from nextapi.building import site_of
from nextapi.errors import HTTPError, LoadError, RootError
from nextapi.handlers.config import page_options
from nextapi.handlers.cors import find_policies, with_policies
from nextapi.handlers.endpoints import Endpoint, page_endpoint, route_endpoint
from nextapi.handlers.refusals import error_response
from nextapi.handlers.route import METHODS
from nextapi.http.cookies import serialize_cookie
from nextapi.http.message import Request, Response
from nextapi.http.sizes import Size
from nextapi.loading import load_module, unload
from nextapi.middleware.passed import Passed
from nextapi.middleware.root import root_middleware
from nextapi.options import OptionSettings, read_options
from nextapi.pages.request import NextApiRequest
from nextapi.pages.response import NextApiResponse
from nextapi.routing.paths import CanonicalPath
from nextapi.types import MiddlewareConfig, NextApiHandler, PageConfig
from nextapi.web.headers import Headers as WebHeaders
from nextapi.web.headers import request_headers

__all__ = ["Client", "MiddlewareResult", "RouteConfig", "call", "call_middleware", "load"]

Query: TypeAlias = str | Mapping[str, object] | Iterable[tuple[str, object]] | None


class Client(werkzeug.test.Client):
    """A client of the tree in the folder `root`, which is relative to the working directory; it keeps cookies.

    With `fresh` the tree's modules are executed anew, so that nothing of earlier tests is left in them. An exception
    of a handler is raised to the test; with `raise_errors=False` it is logged and answered 500, as by a server.
    `options` are those of `create_app`. Raises `TreeError` with all faults of the tree.
    """

    def __init__(
        self,
        root: str | PathLike[str],
        *,
        fresh: bool = False,
        raise_errors: bool = True,
        **options: Unpack[OptionSettings],
    ) -> None:
        if fresh:
            unload(Path(root).absolute())
        app = create_app(root, **options)
        app.raise_errors = raise_errors
        super().__init__(app)

    def open(self, *args: Any, buffered: bool = True, **kwargs: Any) -> TestResponse:
        """Make a request, as `get`, `post` and the others do: see werkzeug's `EnvironBuilder` for the arguments.

        The answer is read to its end and closed, unless `buffered` is False: then a stream is read chunk by chunk, by
        `response.iter_encoded()`, and `response.close()` ends it.
        """
        response = super().open(*args, **kwargs)
        return _complete(response) if buffered else response


def _complete(response: TestResponse) -> TestResponse:
    # werkzeug's own buffering loses what an application sends by the `write` of `start_response`.
    try:
        response.make_sequence()
    finally:
        response.close()
    return response


def load(path: str | PathLike[str], *, root: str | PathLike[str] | None = None) -> ModuleType:
    """Return the module of a file below a root, the same one that the tree has: `load("web/pages/api/post/[pid].py")`.

    `path` is relative to the working directory. The root is the nearest folder above the file with `pages/api` in it,
    or with an `app` that has a `route.py`, unless `root` is given. Raises `RootError` if there is none, `LoadError` if
    there is no such file or it cannot be imported.
    """
    file = Path(path).absolute()
    if not file.is_file():
        raise LoadError(f"{file}: there is no such file", file)
    found = Path(root).absolute() if root is not None else next(filter(_is_root, file.parents), None)
    if found is None or not file.is_relative_to(found):
        raise RootError(f"{file}: no folder above it is a root: one has pages/api or app in it", file)
    return load_module(found, file)


def _is_root(folder: Path) -> bool:
    pages = folder / "pages"
    return (pages / "api").is_dir() or (pages / "api.py").is_file() or any((folder / "app").rglob("route.py"))


# One function alone


class RouteConfig(TypedDict, total=False):
    """The names of a `route.py` that are its settings."""

    dynamic: str
    revalidate: int | Literal[False]
    runtime: str
    preferred_region: str | list[str]
    max_duration: int
    max_body_size: Size
    same_origin: bool


def call(
    handler: Callable[..., object],
    path: str = "/api/test",
    *,
    method: str | None = None,
    query: Query = None,
    params: Mapping[str, str | int | Sequence[str | int]] | None = None,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    cookies: Mapping[str, str] | None = None,
    json: Any = None,
    data: str | bytes | IO[bytes] | Mapping[str, Any] | None = None,
    body: Any = None,
    config: PageConfig | RouteConfig | None = None,
    raw: Any = None,
    kind: Literal["pages", "edge", "route"] | None = None,
) -> TestResponse:
    """Return what one handler answers, without a tree around it.

    `kind` says how it is called: "pages" as `handler(req, res)`, "edge" as `handler(request)`, "route" as
    `GET(request, context)`. Unless it is given, a function that is called `GET`, `POST` and so on, or that its
    module calls so, is a route handler, one whose config says an edge runtime an edge handler, and any other one of
    `pages/api`.

    `path` is what the request asks for, and `params` are what the path's parameters have matched. `method` is GET, or
    that of the route handler's name. `json` is sent as JSON, `data` as text, bytes or a form (a mapping, with files as
    in werkzeug's `EnvironBuilder`), and `body` stands in `req.body` as it is, whatever was sent. `config` is that of
    the handler's module unless it is given, of a route handler the names that are its settings; `raw` is what `req.raw`
    is instead of the environ.

    An `HTTPError` is answered; any other exception of the handler is raised. Raises `TreeError` where a tree would, for
    a wrong `config` or a handler that cannot be called.
    """
    if body is not None and (json is not None or data is not None):
        raise TypeError("body= is what req.body is, json= and data= are what is sent: give one of them")
    name = getattr(handler, "__name__", None)
    names, file = _names_of(handler)
    called = [name] if name in METHODS else [key for key in METHODS if names.get(key) is handler]
    own = method.upper() if method is not None and method.upper() in called else next(iter(called), None)
    checked: dict[str, Any]
    if kind == "route" or (kind is None and own):
        kind = "route"
        settings = config if config is not None else {key: names[key] for key in _NAMES if key in names}
        checked = {own or (method or "GET").upper(): handler, **settings}
    else:
        given: Mapping[str, Any] = names.get("config", {}) if config is None else config
        runtime = names.get("runtime") if config is None else None
        is_edge = page_options(given, runtime)[0].is_edge
        if kind is not None and is_edge is not (kind == "edge"):
            is_edge = kind == "edge"
            given = {**given, "runtime": "edge" if is_edge else "nodejs"}
        kind = "edge" if is_edge else "pages"
        checked = {"config": given, "runtime": runtime, "handler": handler}
    if body is not None:
        if kind != "pages":
            raise TypeError(f"body= is what req.body is, which a handler of kind {kind!r} has not: give json= or data=")
        checked["handler"] = _with_body(handler, body)
    made = ModuleType(names.get("__name__", ""))
    vars(made).update(checked)
    application = _OneRoute(made, file, path, params or {}, raw)
    return _ask(application, path, method or own or "GET", query, headers, cookies, json, data)


_NAMES = tuple(RouteConfig.__annotations__)


def _names_of(function: Callable[..., object]) -> tuple[Mapping[str, Any], Path]:
    """Return the names of the module that a function is of, and the module's file."""
    # Not by `sys.modules`: a fresh client may have put another module there.
    names = getattr(unwrap(function), "__globals__", None)
    if names is None:
        module = sys.modules.get(getattr(function, "__module__", None) or "")
        names = {} if module is None else vars(module)
    return names, Path(names.get("__file__") or "<handler>")


def _with_body(handler: Callable[..., object], body: Any) -> NextApiHandler:
    @wraps(handler)
    def handler_with_body(req: NextApiRequest[Any], res: NextApiResponse[Any]) -> object:
        req.body = body
        return handler(req, res)

    return handler_with_body


def _ask(
    application: Application,
    path: str,
    method: str,
    query: Query,
    headers: Mapping[str, str] | Iterable[tuple[str, str]],
    cookies: Mapping[str, str] | None,
    json: Any,
    data: str | bytes | IO[bytes] | Mapping[str, Any] | None,
) -> TestResponse:
    app = WSGIApp(application)
    app.raise_errors = True
    sent = Headers(headers)
    if cookies:
        sent["Cookie"] = "; ".join(serialize_cookie(name, value) for name, value in cookies.items())
    query_string = query if query is None or isinstance(query, str) else MultiDict(query)
    client = werkzeug.test.Client(app, use_cookies=False)
    return _complete(client.open(path, method=method, query_string=query_string, headers=sent, json=json, data=data))


class _OneRoute(Application):
    """Every path leads to the one route that `module` is; its parameters are given."""

    def __init__(self, module: ModuleType, file: Path, pattern: str, params: Mapping[str, object], raw: Any) -> None:
        options = read_options({})
        host = WSGIHost(options)
        super().__init__([], options, host)
        site = site_of(options, host)
        endpoint: Endpoint
        if hasattr(module, "handler"):
            endpoint = page_endpoint(module, file, pattern, tuple(params), site, host)
        else:
            endpoint = route_endpoint(module, file, site, host)
        is_guarded = endpoint.options.same_origin
        policies = find_policies(module, not hasattr(module, "handler"), None)
        answer = with_policies(endpoint.answer, policies, host) if policies else endpoint.answer
        self._route = Route((), pattern, "test", tuple(params), file, endpoint, is_guarded, answer, (), policies)
        self._captured = [_quoted(value) for value in params.values()]
        self._raw = raw

    def handle(self, request: Request, match: Match | None = None) -> Response:
        if self._raw is not None:
            request.raw = self._raw
        match = Match(self._route, self._captured, CanonicalPath(request.path))
        return super().handle(request, match)


# Middleware alone


@dataclass(frozen=True, slots=True)
class MiddlewareResult:
    """What middleware has said of a request.

    `response` is its answer, None where the request goes on: to the URL `rewrite`, or to where it was going for None,
    with `request_headers`. `headers` are what it adds to the answer. `ran` is False where its matcher left the request
    out.
    """

    ran: bool
    response: TestResponse | None
    rewrite: str | None
    request_headers: WebHeaders
    headers: WebHeaders


def call_middleware(
    middleware: Callable[..., object],
    path: str = "/api/test",
    *,
    method: str = "GET",
    query: Query = None,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    cookies: Mapping[str, str] | None = None,
    json: Any = None,
    data: str | bytes | IO[bytes] | Mapping[str, Any] | None = None,
    config: MiddlewareConfig | None = None,
) -> MiddlewareResult:
    """Return what the `middleware` of a middleware.py, or the `proxy` of a proxy.py, says of a request.

    The keywords are those of `call`; `config`, with the matcher, is that of the function's module unless it is given.
    Raises `TreeError` for a wrong `config` or a function that cannot be called.
    """
    names, file = _names_of(middleware)
    made = ModuleType(names.get("__name__", ""))
    vars(made).update(config=names.get("config", {}) if config is None else config, middleware=middleware)
    application = _OnlyMiddleware(made, file.with_name("middleware.py"))
    answer = _ask(application, path, method, query, headers, cookies, json, data)
    passed = application.passed
    return MiddlewareResult(
        ran=passed is not None,
        response=answer if passed is not None and passed.answer is not None else None,
        rewrite=passed.target if passed is not None else None,
        request_headers=WebHeaders(passed.request_headers if passed and passed.request_headers else application.sent),
        headers=WebHeaders(passed.headers if passed is not None else None),
    )


class _OnlyMiddleware(Application):
    """No routes: a request that goes on gets an empty answer."""

    passed: Passed | None = None
    sent = WebHeaders()

    def __init__(self, module: ModuleType, file: Path) -> None:
        options = read_options({})
        host = WSGIHost(options)
        site = site_of(options, host)
        super().__init__([], options, host, root_middleware(module, file, site, host))
        self.file = file

    def handle(self, request: Request, match: Match | None = None) -> Response:
        self.sent = request_headers(request.environ)
        try:
            self.passed = self.ask(request)
        except HTTPError as error:
            self.passed = Passed(self.file, error_response(request, error))
        response = (self.passed and self.passed.answer) or Response(204, [], b"")
        if isinstance(response.body, bytes):
            request.close()
        return response


def _quoted(value: object) -> str | list[str]:
    """Return what a parameter has matched as a client sends it: a list for a catch-all."""
    if isinstance(value, list | tuple):
        return [quote(str(part), safe="") for part in value]
    return quote(str(value), safe="")
