"""The requests that are measured, as environs like gunicorn's, and the answers that are right."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from benchmarks.routes import OTHERS, greeting, other

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

__all__ = ["CASES", "OTHER_CASES", "Case"]


@dataclass(frozen=True)
class Case:
    """A request, and the status and the JSON value that answer it."""

    name: str
    method: str
    target: str
    body: bytes
    status: int
    answer: Any

    def environs(self) -> Callable[[], WSGIEnvironment]:
        """Return a function that returns a fresh environ at each call."""
        made, body = _environ(self.method, self.target, self.body), self.body

        def fresh() -> WSGIEnvironment:
            environ = made.copy()
            environ["wsgi.input"] = BytesIO(body)
            return environ

        return fresh


def _environ(method: str, target: str, body: bytes) -> WSGIEnvironment:
    """Return the environ that gunicorn's sync worker makes of a request by curl, all but the input."""
    path, _, query = target.partition("?")
    environ: WSGIEnvironment = {
        "wsgi.errors": sys.stderr,
        "wsgi.version": (1, 0),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": BytesIO,
        "wsgi.input_terminated": True,
        "SERVER_SOFTWARE": "gunicorn",
        "gunicorn.socket": None,
        "REQUEST_METHOD": method,
        "QUERY_STRING": query,
        "RAW_URI": target,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1:8000",
        "HTTP_USER_AGENT": "curl/8.5.0",
        "HTTP_ACCEPT": "*/*",
        "wsgi.url_scheme": "http",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "40512",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "PATH_INFO": unquote(path, "latin-1"),
        "SCRIPT_NAME": "",
    }
    if body:
        environ["CONTENT_TYPE"] = "application/json"
        environ["CONTENT_LENGTH"] = str(len(body))
    return environ


_NOTE = {"title": "Hello", "text": "Räksmörgås", "tags": ["a", "b"], "stars": 5, "draft": False}

CASES = [
    Case("static GET", "GET", "/api/hello", b"", 200, greeting()),
    Case(
        "dynamic GET",
        "GET",
        "/api/post/abc?page=2&sort=new",
        b"",
        200,
        # The query holds the path's parameters, too, as Next's `req.query` does.
        {"params": {"pid": "abc"}, "query": {"page": "2", "sort": "new", "pid": "abc"}},
    ),
    Case("POST of JSON", "POST", "/api/notes", json.dumps(_NOTE).encode(), 201, {**_NOTE, "id": 7}),
]

OTHER_CASES = [
    Case(pattern, "GET", pattern.replace("[", "").replace("]", ""), b"", 200, other(pattern)) for pattern in OTHERS
]
"""A request for each of the other routes: not measured, only to see that everybody serves them."""
