"""A site behind a page cache, in each host: pages that a test writes, beside a tree of nextapi."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import flask
from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from werkzeug.test import TestResponse

from nextapi.adapters.wsgi import PageCache, create_app
from nextapi.cache.memory import MemoryStore
from tests.support.mounts import configure_django, django_project
from tests.support.page_cache import MINUTE, Clock, ask, settle, state

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["SECRET", "Page", "Site", "serving"]

SECRET = "a secret for the tests"


@dataclass
class Page:
    """What a path answers: `body` with the number of the time that it was asked for, or what `make` returns."""

    cache: str = MINUTE
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    make: Callable[[WSGIEnvironment], str] | None = None
    asked: int = 0
    environs: list[WSGIEnvironment] = field(default_factory=list)

    def answer(self, environ: WSGIEnvironment) -> tuple[int, list[tuple[str, str]], str]:
        """Return status, headers and body."""
        self.asked += 1
        number = self.asked
        self.environs.append(dict(environ))
        body = f"page {number}" if self.make is None else self.make(environ)
        cache = [("Cache-Control", self.cache)] if self.cache else []
        if self.status == 204:
            return self.status, [*cache, *self.headers], ""
        return self.status, [("Content-Type", "text/plain"), *cache, *self.headers], body


class Site:
    """The pages, the cache before them, and a client of it all."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.store = MemoryStore()
        self.clock = Clock()
        self.cache: PageCache
        self.app: WSGIApplication

    def page(self, path: str, cache: str = MINUTE, **said: Any) -> Page:
        """Have a page at a path."""
        page = self.pages[path] = Page(cache, **said)
        return page

    def answer(self, environ: WSGIEnvironment) -> tuple[int, list[tuple[str, str]], str]:
        """Return what the site's own code answers."""
        page = self.pages.get(environ["PATH_INFO"])
        return page.answer(environ) if page else (404, [("Content-Type", "text/plain")], "no such page")

    def ask(self, path: str, method: str = "GET", **options: Any) -> TestResponse:
        """Return the answer to a request, as the client has it."""
        return ask(self.app, path, method, **options)

    def get(self, path: str, **headers: str) -> TestResponse:
        """Return the answer to a GET with headers, `_` in a name for `-`."""
        return self.ask(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def see(self, path: str, **headers: str) -> tuple[str | None, str]:
        """Return the state of the cache and the body that a GET is answered with."""
        answer = self.get(path, **headers)
        return state(answer), answer.text

    def settle(self) -> None:
        """Wait until nothing is made beside requests."""
        settle()

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.now += seconds


def _bare(site: Site, root: Path, options: dict[str, Any]) -> WSGIApplication:
    def pages(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        status, headers, body = site.answer(environ)
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body.encode()]

    return create_app(root, fallback=pages, **options)


def _flask(site: Site, root: Path, options: dict[str, Any]) -> WSGIApplication:
    from nextapi.adapters.flask import create_blueprint

    app = flask.Flask("app")
    app.secret_key = "secret"
    app.register_blueprint(create_blueprint(root, **options))
    methods = ["GET", "HEAD", "POST", "PUT", "DELETE"]

    @app.route("/", defaults={"page": ""}, methods=methods)
    @app.route("/<path:page>", methods=methods)
    def view(page: str) -> flask.Response:
        status, headers, body = site.answer(flask.request.environ)
        response = flask.Response(body, status, headers)
        if said := dict(headers).get("Content-Length"):  # which Flask has mended
            response.headers["Content-Length"] = said
        if status == 204:
            del response.headers["Content-Type"]
        return response

    return app


def _django_urls(site: Site, root: Path, options: dict[str, Any]) -> list[Any]:
    from nextapi.adapters.django import create_urlpatterns

    @csrf_exempt
    def view(request: HttpRequest) -> HttpResponse:
        status, headers, body = site.answer({**request.META, "PATH_INFO": request.path_info.encode().decode("latin-1")})
        response = HttpResponse(body, status=status)
        for name, value in headers:
            response[name] = value
        if "Content-Type" not in dict(headers):
            del response["Content-Type"]
        return response

    return [path("", include(create_urlpatterns(root, **options))), re_path(r"^.*\Z", view)]


@contextmanager
def serving(
    host: str, root: Path, settings: dict[str, Any] | None = None, tree: dict[str, Any] | None = None, **options: Any
) -> Iterator[Site]:
    """Have a site in a host, with the tree `root`; `options` are the page cache's, `settings` the framework's, `tree`
    the tree's.
    """
    site = Site()
    tree = tree or ({"secret": SECRET} if host == "wsgi" else {})
    with ExitStack() as stack:
        if host == "django":
            configure_django()
            urls = _django_urls(site, root, tree)
            client = stack.enter_context(django_project(urls, **(settings or {})))
            app: Any = client.application
        else:
            app = {"wsgi": _bare, "flask": _flask}[host](site, root, tree)
            if host == "flask":
                app.config.update(settings or {})
        options.setdefault("store", site.store)
        if host == "flask":
            site.cache = app.wsgi_app = PageCache(app.wsgi_app, **options)
        else:
            site.cache = PageCache(app, **options)
        site.app = app if host == "flask" else site.cache
        yield site
        site.settle()
