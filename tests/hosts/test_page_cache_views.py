"""What views of Flask and Django do behind a page cache: streams, and the paths that a framework makes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import flask
import pytest
from django.http import HttpRequest, StreamingHttpResponse
from django.urls import include, path

from nextapi import draft_mode, revalidate_path, static_page
from nextapi.adapters.wsgi import PageCache
from nextapi.cache import MemoryStore
from tests.support.mounts import configure_django, django_project
from tests.support.page_cache import ask, state
from tests.support.trees import write_files

FILES = {"pages/api/draft.py": "def handler(req, res):\n    res.set_draft_mode().json(1)\n"}


def pieces(is_change: bool) -> Iterator[str]:
    """Make an answer bit by bit, of which the second is made when the page cache has returned."""
    yield "draft " if is_change else "page "
    if is_change:
        revalidate_path("/page")
    yield str(draft_mode().is_enabled)


@contextmanager
def streaming(host: str, root: Path) -> Iterator[PageCache]:
    """Have an app with a page and a route that are streams, behind a page cache."""
    write_files(root, FILES)
    with ExitStack() as stack:
        if host == "flask":
            from nextapi.adapters.flask import create_blueprint

            app = flask.Flask("app")
            app.secret_key = "secret"
            app.register_blueprint(create_blueprint(root))

            @app.get("/<name>")
            def view(name: str) -> flask.Response:
                cache = {"Cache-Control": "s-maxage=60"} if name == "page" else {}
                return flask.Response(flask.stream_with_context(pieces(name == "change")), headers=cache)

            yield PageCache(app.wsgi_app, MemoryStore())
        else:
            configure_django()
            from nextapi.adapters.django import create_urlpatterns

            @static_page(revalidate=60)
            def page(request: HttpRequest) -> StreamingHttpResponse:
                return StreamingHttpResponse(pieces(False))

            def change(request: HttpRequest) -> StreamingHttpResponse:
                return StreamingHttpResponse(pieces(True))

            urls = [path("page", page), path("change", change), path("", include(create_urlpatterns(root)))]
            client = stack.enter_context(django_project(urls))
            yield PageCache(client.application, MemoryStore())


@pytest.mark.parametrize("host", ["flask", "django"])
def test_a_stream_knows_its_page_cache(host: str, tmp_path: Path) -> None:
    """What makes a stream is told of draft mode, and its expiries are done, though the page cache has returned."""
    with streaming(host, tmp_path / "web") as app:
        assert [state(ask(app, "/page")) for _ in range(2)] == ["MISS", "HIT"]
        assert ask(app, "/change").text == "draft False"
        answer = ask(app, "/page")
        assert (state(answer), answer.text) == ("MISS", "page False")
        cookie = ask(app, "/api/draft").headers["Set-Cookie"].partition(";")[0]
        assert ask(app, "/page", headers={"Cookie": cookie}).text == "page True"
