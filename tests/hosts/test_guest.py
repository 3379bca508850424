"""A good guest: what the host answered before nextapi was mounted, it answers byte for byte after."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import flask
import pytest
from django.http import HttpResponse
from django.urls import include, path, re_path
from django.views.decorators.http import require_GET, require_POST
from django.views.static import serve
from werkzeug.test import Client

from nextapi.adapters.flask import create_blueprint
from tests.support.mounts import configure_django, django_project
from tests.support.trees import write_files, write_tree

configure_django()
from nextapi.adapters.django import create_urlpatterns  # noqa: E402  # Django's settings come first

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE")
PATHS = (
    "/api/users",
    "/api/users/",
    "/api/items",
    "/api/items/",
    "/api//users",
    "/api/users/7",
    "/api/users/7/",
    "/api/admin/log",
    "/other",
    "/none",
)
TREES: dict[str, dict[str, str]] = {
    "files elsewhere": {"posts": "res.end('nextapi')", "posts/[id]": "res.end('nextapi')"},
    "the same paths": {"users": "res.end('nextapi')", "items": "res.end('nextapi')", "posts": "res.end('nextapi')"},
    "a catch-all": {"[...all]": "res.end('nextapi')"},
    "dynamic": {"[what]": "res.end('nextapi')", "[what]/[id]": "res.end('nextapi')"},
}


def everything(client: Client) -> dict[tuple[str, str], tuple[str, list[tuple[str, str]], bytes]]:
    """Return what the host answers to every method on its own paths, in both forms of their ends."""
    found = {}
    for method in METHODS:
        for target in PATHS:
            answer = client.open(target, method=method)
            headers = sorted((name, ", ".join(sorted(value.split(", ")))) for name, value in answer.headers)
            found[method, target] = (answer.status, headers, answer.data)
    return found


def host_app(mount: Callable[[flask.Flask], object], first: bool) -> Client:
    """Return a Flask app with routes of its own, nextapi mounted before or after them."""
    app = flask.Flask("host")
    if first:
        mount(app)

    @app.get("/api/users")
    def users() -> str:
        return "host users"

    @app.route("/api/items/", methods=["GET", "POST"])
    def items() -> str:
        return "host items"

    @app.get("/api/users/<int:user>")
    def user(user: int) -> str:
        return f"host user {user}"

    @app.put("/api/admin/log")
    def log() -> str:
        return "host log"

    @app.get("/other")
    def other() -> str:
        return "host other"

    @app.errorhandler(404)
    def not_found(error: Exception) -> tuple[str, int]:
        return "host 404", 404

    @app.errorhandler(405)
    def refused(error: Any) -> Any:
        return error.get_response()

    if not first:
        mount(app)
    return Client(app)


@pytest.mark.parametrize("first", [True, False], ids=["nextapi first", "host first"])
@pytest.mark.parametrize("tree", TREES)
def test_flask(tree: str, first: bool, tmp_path: Path) -> None:
    """Every method on a rule of the host's, with and without a slash at its end, in both orders."""
    root = write_tree(tmp_path / "web", TREES[tree])
    before = everything(host_app(lambda app: None, first))
    after = everything(host_app(lambda app: app.register_blueprint(create_blueprint(root)), first))
    if tree in ("a catch-all", "dynamic"):
        # What the host has no rule for in any form is the tree's.
        assert {key for key in before if before[key] != after[key]} <= {
            (method, "/api/users/7/x") for method in METHODS
        }
    else:
        assert before == after


def django_host(tree: list[Any], first: bool) -> list[Any]:
    """Return the URLconf of a project with patterns of its own, nextapi's before or after them."""

    def answer(text: str) -> Callable[..., HttpResponse]:
        return lambda request, **kwargs: HttpResponse(f"host {text} {request.method} {kwargs}")

    own = [
        path("api/users", answer("users")),
        path("api/items/", answer("items")),
        path("api/users/7", answer("user")),
        path("api/admin/log", answer("log")),
        path("other", answer("other")),
    ]
    return tree + own if first else own + tree


@pytest.mark.parametrize("first", [True, False], ids=["nextapi first", "host first"])
@pytest.mark.parametrize("tree", TREES)
def test_django(tree: str, first: bool, tmp_path: Path) -> None:
    """Every method on a pattern of the project's, in both forms of its end, APPEND_SLASH included, in both orders."""
    root = write_tree(tmp_path / "web", TREES[tree])
    mounted = [path("", include(create_urlpatterns(root)))]
    with django_project(django_host([], first)) as client:
        before = everything(client)
    with django_project(django_host(mounted, first)) as client:
        after = everything(client)
    assert {key: before[key] for key in before if "//" not in key[1]} == {
        key: after[key] for key in after if "//" not in key[1]
    }


def test_flask_a_page_for_every_path(tmp_path: Path) -> None:
    """A host's rule for every path keeps what no file names; a file is the more specific."""
    app = flask.Flask("host")
    app.register_blueprint(create_blueprint(write_tree(tmp_path / "web", {"a": "res.end('nextapi')"})))
    app.add_url_rule("/<path:path>", view_func=lambda path: f"page {path}", endpoint="page")
    client = Client(app)
    assert client.get("/api/a").text == "nextapi"
    assert client.post("/api/a").text == "nextapi"
    assert client.get("/api/a/").status_code == 308
    assert client.get("/api/b").text == "page api/b"
    assert client.post("/api/b").status_code == 405


def test_django_a_page_for_every_path(tmp_path: Path) -> None:
    """A pattern for every path that stands last keeps what no file names."""
    root = write_tree(tmp_path / "web", {"a": "res.end('nextapi')"})
    page = re_path(r"^.*$", lambda request: HttpResponse("page"))
    with django_project([path("", include(create_urlpatterns(root))), page]) as client:
        assert client.get("/api/a").text == "nextapi"
        assert client.get("/api/b").text == "page"
    with django_project([page, path("", include(create_urlpatterns(root)))]) as client:
        assert client.get("/api/a").text == "page"


# Routes outside of /api

SITE = (
    "/",
    "/about",
    "/about/",
    "/items",
    "/items/",
    "/items/7",
    "/items/x",
    "/form",
    "/form/",
    "//about",
    "/static/none.css",
    "/static/",
    "/static/test_guest.py",
    "/shop/edit/7",
    "/robots.txt",
    "/api/users",
)
ROUTE = """
from nextapi import Response

def GET():
    return Response("nextapi")

POST = PUT = PATCH = DELETE = GET
"""
SITE_TREES = {
    "a catch-all": ["app/[...all]"],
    "an optional catch-all": ["app/[[...all]]"],
    "the same paths": ["app", "app/about", "app/items", "app/items/7", "app/form", "app/robots.txt"],
    "dynamic": ["app/[a]", "app/[a]/[b]", "app/[a]/[b]/[c]"],
    "a catch-all and middleware": ["app/[...all]", "middleware"],
}


def site(client: Client) -> dict[tuple[str, str], tuple[str, list[tuple[str, str]], bytes]]:
    """Return what the host answers to every method on the paths of its site."""
    found = {}
    for method in METHODS:
        for target in SITE:
            answer = client.open(target, method=method)
            headers = sorted(
                (name, ", ".join(sorted(value.split(", ")))) for name, value in answer.headers if name != "Date"
            )
            found[method, target] = (answer.status, headers, answer.data)
            answer.close()
    return found


def write_site(root: Path, names: list[str]) -> Path:
    """Write route handlers, and middleware that is for every path."""
    files = {f"{name}/route.py": ROUTE for name in names if name != "middleware"}
    if "middleware" in names:
        files["middleware.py"] = "def middleware(request):\n    pass\n"
    return write_files(root, files)


def flask_site(mount: Callable[[flask.Flask], object], first: bool) -> Client:
    """Return a Flask app with a site of its own."""
    app = flask.Flask("host", static_folder=str(Path(__file__).parent), static_url_path="/static")
    if first:
        mount(app)
    app.add_url_rule("/", view_func=lambda: "host index", endpoint="index")
    app.add_url_rule("/about", view_func=lambda: "host about", endpoint="about")
    app.add_url_rule("/items/", view_func=lambda: "host items", endpoint="items")
    app.add_url_rule("/items/<int:item>", view_func=lambda item: f"host item {item}", endpoint="item")
    app.add_url_rule("/form", view_func=lambda: "host form", endpoint="form", methods=["POST"])
    app.add_url_rule("/shop/edit/<item>", view_func=lambda item: f"host shop {item}", endpoint="shop")
    app.add_url_rule("/robots.txt", view_func=lambda: "host robots", endpoint="robots")
    app.add_url_rule("/api/users", view_func=lambda: "host users", endpoint="users")
    if not first:
        mount(app)
    return Client(app)


@pytest.mark.parametrize("first", [True, False], ids=["nextapi first", "host first"])
@pytest.mark.parametrize("tree", SITE_TREES)
def test_flask_site(tree: str, first: bool, tmp_path: Path) -> None:
    """What the app has a rule for, it answers, redirects and refuses as before; the rest is the tree's."""
    root = write_site(tmp_path / "web", SITE_TREES[tree])
    before = site(flask_site(lambda app: None, first))
    client = flask_site(lambda app: app.register_blueprint(create_blueprint(root)), first)
    after = site(client)
    unknown = {"/items/x", "/static/"}  # Flask has no rule that matches these
    if tree == "the same paths":
        unknown.add("/items/7")  # the file is more specific than the rule
        assert client.post("/items/7").text == "nextapi"
    assert {key: after[key] for key in after if key[1] not in unknown} == {
        key: before[key] for key in before if key[1] not in unknown
    }
    if tree != "the same paths":
        assert client.get("/items/x").text == "nextapi"
        assert client.get("/a/b/").status_code == 308
        assert client.get("/a/b").text == client.put("/a/b/").text == "nextapi"
    else:
        assert client.get("/none").text == Client(flask.Flask("bare")).get("/none").text


def django_site(tree: list[Any], first: bool) -> list[Any]:
    """Return the URLconf of a project with a site of its own."""

    def answer(text: str) -> Callable[..., HttpResponse]:
        return lambda request, **kwargs: HttpResponse(f"host {text} {request.method} {kwargs}")

    shop = [path("edit/<int:item>", answer("shop")), path("<slug:page>/", answer("page"))]
    own = [
        path("", answer("index")),
        path("about", require_GET(answer("about"))),
        path("items/", answer("items")),
        path("items/7", answer("item")),
        path("form/", require_POST(answer("form"))),
        path("shop/", include(shop)),
        re_path(r"^robots\.txt$", answer("robots")),
        re_path(r"^static/(?P<path>.*)$", serve, {"document_root": Path(__file__).parent}),
        path("api/users", answer("users")),
    ]
    return tree + own if first else own + tree


@pytest.mark.parametrize("first", [True, False], ids=["nextapi first", "host first"])
@pytest.mark.parametrize("tree", SITE_TREES)
def test_django_site(tree: str, first: bool, tmp_path: Path) -> None:
    """The project's pages, files, redirects and refusals are as before, in both orders; the rest is the tree's."""
    mounted = [path("", include(create_urlpatterns(write_site(tmp_path / "web", SITE_TREES[tree]))))]
    with django_project(django_site([], first)) as client:
        before = site(client)
        not_found = client.get("/none").data
    with django_project(django_site(mounted, first)) as client:
        after = site(client)
        unknown = {"/items/x", "//about"}
        if tree == "dynamic" or "catch-all" in tree:
            assert client.get("/items/x").text == "nextapi"
            assert client.get("/a/b/").status_code == 308
            assert client.get("/a/b").text == client.put("/a/b/").text == "nextapi"
        else:
            assert client.get("/none").data == not_found
    assert {key: after[key] for key in after if key[1] not in unknown} == {
        key: before[key] for key in before if key[1] not in unknown
    }


def test_the_order_of_urlpatterns(tmp_path: Path) -> None:
    """Of a tree and a pattern behind it that say as much of a path, the tree has it; before it, the pattern has it."""
    root = write_files(tmp_path, {"app/shop/[item]/route.py": ROUTE, "app/[...all]/route.py": ROUTE})
    tree = path("", include(create_urlpatterns(root)))
    own = [path("shop/<int:item>", lambda request, item: HttpResponse("own"))]
    own.append(path("<slug:page>/<slug:sub>/<slug:below>", lambda request, **_: HttpResponse("own page")))
    for patterns, item, page in (([tree, *own], "nextapi", "nextapi"), ([*own, tree], "own", "own page")):
        with django_project(patterns) as client:
            assert client.get("/shop/7").text == item
            assert client.get("/a/b/c").text == page
            assert client.get("/shop/x").text == "nextapi"


def test_static_files_of_the_admin(tmp_path: Path) -> None:
    """A tree for every path, mounted first, leaves the project all that is below a path of its own."""
    root = write_files(tmp_path, {"app/[[...all]]/route.py": ROUTE})
    below = [path("", lambda request: HttpResponse("own")), re_path(r"^(?P<rest>.*)$", lambda request, rest: own_404())]
    with django_project([path("", include(create_urlpatterns(root))), path("admin/", include(below))]) as client:
        assert client.get("/admin/").text == "own"
        assert client.get("/admin").headers["Location"] == "/admin/"
        assert client.get("/admin/any/thing").status_code == 418
        assert client.get("/").text == client.get("/other").text == "nextapi"


def own_404() -> HttpResponse:
    return HttpResponse("own", status=418)
