"""An old WSGI application, with a tree of nextapi's in front of it: `gunicorn app:app`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from nextapi.adapters.wsgi import create_app

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PAGE = """<!doctype html>
<meta charset="utf-8">
<title>nextapi</title>
<style>body { max-width: 48rem; margin: 2rem auto; padding: 0 1rem; font: 16px/1.6 system-ui, sans-serif; }
td { padding: .2rem 1.5rem .2rem 0; vertical-align: top; }</style>
<h1>The old application</h1>
<p>It answers what no file in <code>web/pages/api</code> and <code>web/app</code> does. These are files:</p>
<table>
<tr><td><a href="/api/user">/api/user</a><td>res.status, res.json
<tr><td><a href="/api/post/abc?page=2">/api/post/abc?page=2</a><td>post/[pid].py: req.query
<tr><td><a href="/api/docs/a/b/c">/api/docs/a/b/c</a><td>docs/[...slug].py: res.send
<tr><td><a href="/api/search/books?tag=a&amp;tag=b">/api/search/books?tag=a&amp;tag=b</a>
    <td>search/[kind].py: req.query, req.params, req.search_params
<tr><td><a href="/api/request">/api/request</a><td>req.method, req.url, req.headers, req.raw
<tr><td><a href="/api/visits">/api/visits</a><td>req.cookies, serialize_cookie
<tr><td><a href="/api/greet">/api/greet</a><td>POST it a name: req.body, sizeLimit
<tr><td><a href="/api/webhook">/api/webhook</a><td>POST it what is signed: req.raw_body
<tr><td><a href="/api/checksum">/api/checksum</a><td>POST it anything: req.stream, bodyParser: False
<tr><td><a href="/api/teapot">/api/teapot</a><td>res.status_message
<tr><td><a href="/api/page?name=Ada">/api/page?name=Ada</a><td>HTML: res.set_header, res.send
<tr><td><a href="/api/rates">/api/rates</a><td>res.append_header, ETag
<tr><td><a href="/api/old/a/b">/api/old/a/b</a><td>old/[...path].py: res.redirect
<tr><td><a href="/api/report">/api/report</a><td>res.write, res.end
<tr><td><a href="/api/upload">/api/upload</a><td>POST it a form with a file: req.files
<tr><td><a href="/api/count">/api/count</a><td>an async handler that sends a stream
<tr><td><a href="/api/environ">/api/environ</a><td>externalResolver: another WSGI application answers
<tr><td><a href="/api/account">/api/account</a><td>HTTPError
<tr><td><a href="/api/edge?name=Ada">/api/edge?name=Ada</a><td>an edge API route: handler(request), Response
<tr><td><a href="/api/products/1">/api/products/1</a><td>app/api/products/[id]/route.py: GET, POST, cookies
<tr><td><a href="/api/clock">/api/clock</a><td>app/api/clock/route.py: EventStream
<tr><td><a href="/api/admin/stats">/api/admin/stats</a><td>middleware.py: a guard by cookie
</table>
"""


def old_app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer every path with the one page that there is."""
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(PAGE)))])
    return [PAGE.encode()]


app = create_app(Path(__file__).parent / "web", fallback=old_app)
