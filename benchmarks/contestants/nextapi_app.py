"""nextapi on its own: a tree of files, and `create_app` on it; the same routes in each dialect."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.routes import HELLO, NOTES, OTHERS, POST, greeting, other
from nextapi.adapters import wsgi

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = ["create_app", "write_edge_tree", "write_guarded_tree", "write_route_tree", "write_tree"]

_PAGES = {
    "constant": """
def handler(req, res):
    res.json({!r})
""",
    POST: """
def handler(req, res):
    res.json({"params": req.params, "query": req.query})
""",
    NOTES: """
def handler(req, res):
    res.status(201).json({**req.body, "id": 7})
""",
}

# The parameter is in the query, as Next has it there.
_EDGE = {
    "constant": """
from nextapi import Response

config = {{"runtime": "edge"}}

def handler(request):
    return Response.json({!r})
""",
    POST: """
from nextapi import Response

config = {"runtime": "edge"}

def handler(request):
    search = request.next_url.search_params
    pid, page, sort = search.get("pid"), search.get("page"), search.get("sort")
    return Response.json({"params": {"pid": pid}, "query": {"page": page, "sort": sort, "pid": pid}})
""",
    NOTES: """
from nextapi import Response

config = {"runtime": "edge"}

def handler(request):
    return Response.json({**request.json(), "id": 7}, status=201)
""",
}

_ROUTE = {
    "constant": """
from nextapi import Response

def GET(request):
    return Response.json({!r})
""",
    POST: """
from nextapi import Response

def GET(request, context):
    search = request.next_url.search_params
    pid, page, sort = context.params["pid"], search.get("page"), search.get("sort")
    return Response.json({"params": context.params, "query": {"page": page, "sort": sort, "pid": pid}})
""",
    NOTES: """
from nextapi import Response

def POST(request):
    return Response.json({**request.json(), "id": 7}, status=201)
""",
}

_MIDDLEWARE = """
config = {"matcher": ["/api/admin/:path*", "/((?!api|static).*)"]}

def middleware(request):
    raise AssertionError("no request of the benchmark is for it")
"""


def write_tree(folder: Path) -> None:
    """Write a file of `pages/api` for each route below `folder`."""
    _write(folder, _PAGES, "pages{}.py")


def write_edge_tree(folder: Path) -> None:
    """Write a file of an edge route for each route below `folder`."""
    _write(folder, _EDGE, "pages{}.py")


def write_route_tree(folder: Path) -> None:
    """Write a `route.py` for each route below `folder`."""
    _write(folder, _ROUTE, "app{}/route.py")


def write_guarded_tree(folder: Path) -> None:
    """Write what `write_tree` does, and a middleware that none of the requests is for."""
    write_tree(folder)
    (folder / "middleware.py").write_text(_MIDDLEWARE)


def _write(folder: Path, texts: dict[str, str], place: str) -> None:
    constant = texts["constant"]
    files = {HELLO: constant.format(greeting()), POST: texts[POST], NOTES: texts[NOTES]}
    files |= {pattern: constant.format(other(pattern)) for pattern in OTHERS}
    for pattern, text in files.items():
        file = folder / place.format(pattern)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.lstrip())


def create_app(folder: Path) -> WSGIApplication:
    """Return the application of the tree in `folder`."""
    return wsgi.create_app(folder)
