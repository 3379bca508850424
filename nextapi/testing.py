"""Tests of a tree, of one module of it, and of one handler, without a server.

All answers are werkzeug's `TestResponse`: `status_code`, `headers`, `json`, `text`, `data`. A request goes the way that
it goes in production, from the WSGI environ on; only an exception of a handler's is raised to the test.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import wraps
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import IO, Any, Unpack
from urllib.parse import quote

import werkzeug.test
from werkzeug.datastructures import Headers, MultiDict
from werkzeug.test import TestResponse

from nextapi.adapters.wsgi import WSGIApp, WSGIHost, create_app
from nextapi.app import Application, Match, Route
from nextapi.errors import LoadError, RootError
from nextapi.handlers.endpoints import page_endpoint
from nextapi.http.cookies import serialize_cookie
from nextapi.http.message import Request, Response
from nextapi.loading import load_module, unload
from nextapi.middleware.root import Passed
from nextapi.options import OptionSettings, read_options
from nextapi.pages.request import NextApiRequest
from nextapi.pages.response import NextApiResponse
from nextapi.routing.paths import CanonicalPath
from nextapi.types import NextApiHandler, PageConfig
from nextapi.web.request import Site

__all__ = ["Client", "call", "load"]


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


def load(path: str | PathLike[str]) -> ModuleType:
    """Return the module of a file below a root, the same one that the tree has: `load("web/pages/api/post/[pid].py")`.

    `path` is relative to the working directory. The root is the nearest folder above the file with `pages/api` in it.
    Raises `RootError` if there is none, `LoadError` if there is no such file or it cannot be imported.
    """
    file = Path(path).absolute()
    if not file.is_file():
        raise LoadError(f"{file}: there is no such file", file)
    for folder in file.parents:
        pages = folder / "pages"
        if (pages / "api").is_dir() or (pages / "api.py").is_file():
            return load_module(folder, file)
    raise RootError(f"{file}: no folder above it is a root: one has pages/api in it", file)


def call(
    handler: NextApiHandler,
    path: str = "/api/test",
    *,
    method: str = "GET",
    query: str | Mapping[str, object] | Iterable[tuple[str, object]] | None = None,
    params: Mapping[str, str | int | Sequence[str | int]] | None = None,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    cookies: Mapping[str, str] | None = None,
    json: Any = None,
    data: str | bytes | IO[bytes] | Mapping[str, Any] | None = None,
    body: Any = None,
    config: PageConfig | None = None,
    raw: Any = None,
) -> TestResponse:
    """Return what one `handler(req, res)` answers, without a tree around it.

    `path` is what the request asks for, and `params` are what the path's parameters have matched. `json` is sent as
    JSON, `data` as text, bytes or a form (a mapping, with files as in werkzeug's `EnvironBuilder`), and `body` stands
    in `req.body` as it is, whatever was sent. `config` is that of the handler's module unless it is given; `raw` is
    what `req.raw` is instead of the environ.

    An `HTTPError` is answered; any other exception of the handler is raised. Raises `TreeError` where a tree would, for
    a wrong `config` or a handler that cannot be called.
    """
    if body is not None and (json is not None or data is not None):
        raise TypeError("body= is what req.body is, json= and data= are what is sent: give one of them")
    name = getattr(handler, "__module__", "")
    module = sys.modules.get(name)
    file = Path(getattr(module, "__file__", None) or "<handler>")
    checked = ModuleType(name)
    vars(checked)["config"] = getattr(module, "config", {}) if config is None else config
    vars(checked)["handler"] = handler if body is None else _with_body(handler, body)
    app = WSGIApp(_OneRoute(checked, file, path, params or {}, raw))
    app.raise_errors = True
    sent = Headers(headers)
    if cookies:
        sent["Cookie"] = "; ".join(serialize_cookie(name, value) for name, value in cookies.items())
    query_string = query if query is None or isinstance(query, str) else MultiDict(query)
    client = werkzeug.test.Client(app, use_cookies=False)
    return _complete(client.open(path, method=method, query_string=query_string, headers=sent, json=json, data=data))


def _with_body(handler: NextApiHandler, body: Any) -> NextApiHandler:
    @wraps(handler)
    def handler_with_body(req: NextApiRequest[Any], res: NextApiResponse[Any]) -> object:
        req.body = body
        return handler(req, res)

    return handler_with_body


class _OneRoute(Application):
    """Every path leads to the one route that `module` is; its parameters are given."""

    def __init__(self, module: ModuleType, file: Path, pattern: str, params: Mapping[str, object], raw: Any) -> None:
        options = read_options({})
        host = WSGIHost(options)
        super().__init__([], options, host)
        site = Site(host.origin, options.max_body_size, options.geo_headers)
        endpoint = page_endpoint(module, file, pattern, tuple(params), site, host)
        is_guarded = endpoint.options.same_origin
        self._route = Route((), pattern, "test", tuple(params), file, endpoint, is_guarded, endpoint.answer)
        self._captured = [_quoted(value) for value in params.values()]
        self._raw = raw

    def handle(self, request: Request, match: Match | None = None, passed: Passed | None = None) -> Response:
        if self._raw is not None:
            request.raw = self._raw
        match = Match(self._route, self._captured, CanonicalPath(request.path))
        return super().handle(request, match, passed)


def _quoted(value: object) -> str | list[str]:
    """Return what a parameter has matched as a client sends it: a list for a catch-all."""
    if isinstance(value, list | tuple):
        return [quote(str(part), safe="") for part in value]
    return quote(str(value), safe="")
