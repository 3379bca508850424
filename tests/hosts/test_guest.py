"""A good guest: what the host answered before nextapi was mounted, it answers byte for byte after."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import flask
import pytest
from django.http import HttpResponse
from django.urls import include, path, re_path
from werkzeug.test import Client

from nextapi.adapters.flask import create_blueprint
from tests.support.mounts import configure_django, django_project
from tests.support.trees import write_tree

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
