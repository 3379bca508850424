"""Views of the hosts that call what a page cache answers, with and without one."""

from __future__ import annotations

import subprocess
import sys
from contextvars import Context
from pathlib import Path

import flask
import pytest

from nextapi import draft_mode, revalidate_path, revalidate_tag
from nextapi.adapters.flask import create_blueprint
from nextapi.adapters.wsgi import PageCache
from nextapi.cache import SQLiteStore
from nextapi.errors import ScopeError
from tests.support.trees import write_files

DJANGO = """
import django
from django.conf import settings

settings.configure(SECRET_KEY="secret", ALLOWED_HOSTS=["*"], ROOT_URLCONF="urls")
django.setup()

from django.test import Client

for _ in range(2):
    print(Client().get("/view").content)
"""
URLS = """
from django.http import HttpResponse
from django.urls import include, path
from nextapi import draft_mode, revalidate_path
from nextapi.adapters.django import create_urlpatterns

def view(request):
    revalidate_path("/a")
    return HttpResponse(str(draft_mode().is_enabled))

urlpatterns = [path("view", view), path("", include(create_urlpatterns({root!r})))]
"""


def shop(root: Path) -> flask.Flask:
    """Return an app with a view that asks for all of it."""
    write_files(root, {"pages/api/a.py": "def handler(req, res): res.json(1)"})
    app = flask.Flask("shop")
    app.secret_key = "a secret for the tests"
    app.register_blueprint(create_blueprint(root))

    @app.get("/view")
    def view() -> str:
        revalidate_path("/a")
        revalidate_tag("a")
        return str(draft_mode().is_enabled)

    return app


def test_a_view_of_flask_without_a_page_cache(tmp_path: Path) -> None:
    """There is nothing to do, and nobody is in draft mode."""
    assert shop(tmp_path).test_client().get("/view").text == "False"


def test_a_page_cache_in_debug_keeps_nothing(tmp_path: Path) -> None:
    """Draft mode is as ever; neither pages nor what expires them are kept."""
    app = shop(tmp_path)
    store = SQLiteStore(tmp_path / "pages.sqlite3")
    app.wsgi_app = PageCache(app.wsgi_app, store, debug=True)  # type: ignore[method-assign]
    app.add_url_rule("/page", "page", lambda: ("page", {"Cache-Control": "s-maxage=60"}))
    client = app.test_client()
    assert client.get("/view").text == "False"
    for _ in range(2):
        assert "x-nextjs-cache" not in client.get("/page").headers
    assert not store.path.exists()


def test_the_first_view_of_django_without_a_page_cache(tmp_path: Path) -> None:
    """It is asked before Django has loaded the URLconf, which is where nextapi comes in."""
    write_files(tmp_path / "web", {"pages/api/a.py": "def handler(req, res): res.json(1)"})
    (tmp_path / "urls.py").write_text(URLS.format(root=str(tmp_path / "web")))
    path = f"{tmp_path}:{Path.cwd()}"
    done = subprocess.run(
        [sys.executable, "-c", DJANGO], env={"PYTHONPATH": path}, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines() == ["b'False'"] * 2, done.stderr


def test_where_no_request_is_answered() -> None:
    """A task or a shell is told what to call instead."""
    context = Context()  # in which no other test has left a request
    with pytest.raises(ScopeError, match="of the `PageCache` itself"):
        context.run(revalidate_path, "/a")
    with pytest.raises(ScopeError, match="outside a request scope"):
        context.run(draft_mode)
