"""What views of Flask and Django do behind a page cache: streams, and the paths that a framework makes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import flask
import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import include, path

from nextapi import draft_mode, revalidate_path, static_page
from nextapi.adapters.wsgi import Middleware, PageCache
from nextapi.cache import MemoryStore
from tests.support.mounts import configure_django, django_project, mounted
from tests.support.page_cache import ask, settle, state
from tests.support.trees import write_files

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

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


def test_a_draft_is_in_no_cache_of_djangos(tmp_path: Path) -> None:
    """Django's cache behind the page cache is told, too, that what one sees in draft mode is nobody else's."""
    configure_django()
    from django.core.cache import cache

    from nextapi.adapters.django import create_urlpatterns

    @static_page(revalidate=60)
    def page(request: HttpRequest) -> HttpResponse:
        return HttpResponse(str(draft_mode().is_enabled))

    urls = [path("page", page), path("", include(create_urlpatterns(write_files(tmp_path / "web", FILES))))]
    caching = [f"django.middleware.cache.{name}CacheMiddleware" for name in ("Update", "FetchFrom")]
    with django_project(urls, MIDDLEWARE=caching) as client:
        app = PageCache(client.application, MemoryStore())
        cookie = ask(app, "/api/draft").headers["Set-Cookie"].partition(";")[0]
        try:
            assert ask(app, "/page", headers={"Cookie": cookie}).text == "True"
            answer = ask(app, "/page")
        finally:
            cache.clear()
    assert (state(answer), answer.text) == ("MISS", "False")


# Middleware around the cache

MIDDLEWARE = """
from itertools import count
from nextapi import NextResponse

numbers = count(1)

def middleware(request):
    if request.next_url.pathname == "/guarded" and "cookie" not in request.headers:
        return NextResponse.json("no", status=401)
    response = NextResponse.next()
    response.headers.set("x-number", str(next(numbers)))
    response.cookies.set("seen", "1")
    if request.next_url.pathname == "/state":
        request.state.agent = request.headers.get("user-agent")
    return response
"""
PAGES = """
from nextapi import Response
from itertools import count

revalidate = 60
numbers = count(1)

def GET(request):
    return Response(f"page {next(numbers)} {getattr(request.state, 'agent', None)}")
"""
REVALIDATE = "def handler(req, res):\n    res.revalidate(req.query['path']) or res.json('done')\n"


@contextmanager
def behind_middleware(host: str, root: Path) -> Iterator[Middleware]:
    """Have a tree in a host, behind a page cache, and that behind the tree's middleware."""
    routes = {f"app/{name}/route.py": PAGES for name in ("page", "other", "guarded", "state")}
    write_files(root, {"middleware.py": MIDDLEWARE, "pages/api/revalidate.py": REVALIDATE, **routes})
    with mounted(host, root) as client:
        yield Middleware(PageCache(client.application, MemoryStore()), root)


def see(app: WSGIApplication, path: str, **headers: str) -> tuple[str | None, str, list[str], list[str]]:
    """Return the state of the cache, the body, and what middleware has added."""
    answer = ask(app, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    settle()
    return state(answer), answer.text, answer.headers.getlist("x-number"), answer.headers.getlist("Set-Cookie")


@pytest.mark.parametrize("host", ["wsgi", "flask", "django"])
def test_what_middleware_before_the_cache_sets_is_no_part_of_a_page(host: str, tmp_path: Path) -> None:
    """Each answer has its own headers and cookies, that of a kept page as well, whoever has made that."""
    cookie = ["seen=1; Path=/"]
    with behind_middleware(host, tmp_path / "web") as app:
        assert see(app, "/page") == ("MISS", "page 1 None", ["1"], cookie)
        assert see(app, "/page") == ("HIT", "page 1 None", ["2"], cookie)
        assert ask(app, "/api/revalidate?path=/page").json == "done"
        found, body, numbers, cookies = see(app, "/page")
        assert (found, body, len(numbers), cookies) == ("HIT", "page 2 None", 1, cookie)
        assert see(app, "/other", Cookie="a=b")[:2] == ("MISS", "page 1 None")
        assert see(app, "/other")[:2] == ("HIT", "page 2 None")


@pytest.mark.parametrize("host", ["wsgi", "flask", "django"])
def test_middleware_before_the_cache_guards_what_is_behind(host: str, tmp_path: Path) -> None:
    """What a guard lets nobody see is not made for everybody, and what middleware tells handlers is in no page."""
    with behind_middleware(host, tmp_path / "web") as app:
        for number in (1, 2):
            assert see(app, "/guarded", Cookie="a=b")[1] == f"page {number} None"
            assert ask(app, "/guarded").status_code == 401
        assert see(app, "/state", User_Agent="me")[:2] == ("MISS", "page 1 me")
        assert see(app, "/state", User_Agent="you")[:2] == ("HIT", "page 2 nextapi")
