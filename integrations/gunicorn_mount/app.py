"""An old WSGI application, with a tree of nextapi's in front of it: `gunicorn app:app`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from nextapi.adapters.wsgi import create_app

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PAGE = """<!doctype html>
<title>nextapi</title>
<h1>The old application</h1>
<p>It answers what no file in <code>web/pages/api</code> does. These are files:</p>
<ul>
<li><a href="/api/user">/api/user</a>
<li><a href="/api/post/abc?page=2">/api/post/abc?page=2</a>
<li><a href="/api/docs/a/b/c">/api/docs/a/b/c</a>
<li><a href="/api/greet">/api/greet</a>
</ul>
"""


def old_app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer every path with the one page that there is."""
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(PAGE)))])
    return [PAGE.encode()]


app = create_app(Path(__file__).parent / "web", fallback=old_app)
