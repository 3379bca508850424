"""A WSGI callable by hand: what a good engineer writes who needs these routes, and no framework, no ETag, no log.

Static paths are one look-up. A faulty or too large body is refused, so that it does the job that the others do.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from benchmarks.routes import HELLO, NOTES, OTHERS, RESOURCES, greeting, other

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = ["app"]

_MAX_BODY = 1 << 20
_RESOURCES = frozenset(RESOURCES)

Answer = tuple[str, Any]


class _BadRequestError(Exception):
    """The body cannot be taken; the argument is the status line."""


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer a request (PEP 3333)."""
    path = environ["PATH_INFO"]
    try:
        view = _STATIC.get(path)
        status, value = view(environ) if view is not None else _dynamic(environ, path)
    except _BadRequestError as error:
        status, value = str(error), {"error": str(error)}
    body = json.dumps(value).encode()
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def _dynamic(environ: WSGIEnvironment, path: str) -> Answer:
    if not path.isascii():
        path = path.encode("latin-1").decode("utf-8", "replace")
    match path.split("/"):
        case ["", "api", "post", pid]:
            return _post(environ, {"pid": pid})
        case ["", "api", resource, _] if resource in _RESOURCES:
            return "200 OK", other(f"/api/{resource}/[id]")
        case ["", "api", resource, _, "comments"] if resource in _RESOURCES:
            return "200 OK", other(f"/api/{resource}/[id]/comments")
        case ["", "api", resource, _, "comments", _] if resource in _RESOURCES:
            return "200 OK", other(f"/api/{resource}/[id]/comments/[comment]")
    return "404 Not Found", {"error": "Not Found"}


def _hello(_: WSGIEnvironment) -> Answer:
    return "200 OK", greeting()


def _post(environ: WSGIEnvironment, params: dict[str, str]) -> Answer:
    query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    return "200 OK", {"params": params, "query": {**query, **params}}


def _notes(environ: WSGIEnvironment) -> Answer:
    return "201 Created", {**_read_json(environ), "id": 7}


def _read_json(environ: WSGIEnvironment) -> Any:
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > _MAX_BODY:
            raise _BadRequestError("413 Content Too Large")
        return json.loads(environ["wsgi.input"].read(length))
    except (ValueError, RecursionError):
        raise _BadRequestError("400 Bad Request") from None


def _constant(value: Any) -> Callable[[WSGIEnvironment], Answer]:
    return lambda _: ("200 OK", value)


_STATIC = {HELLO: _hello, NOTES: _notes} | {path: _constant(other(path)) for path in OTHERS if "[" not in path}
