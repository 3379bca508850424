"""The page cache before two apps of `integrations`: a page of each with its database, from each store, and beside it
the cheapest view that its framework has.

Django's settings are the process's, and here they are the blog's: so this is measured in a process of its own.
"""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import flask

from benchmarks.contestants import Contestant
from nextapi.adapters.wsgi import PageCache
from nextapi.cache import MemoryStore, RedisStore, SQLiteStore

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from nextapi.cache import Store

__all__ = ["BEHIND", "PATHS", "REDIS", "RENDERED", "SQLITE", "VIEW", "contestants"]

VIEW, BEHIND, RENDERED = "cheapest view", "the same, behind a cache", "page, rendered"
SQLITE, REDIS = "page from SQLite", "page from Redis"
PATHS = {"Flask": "/products/1", "Django": "/posts/first/"}
"""The pages, by framework; the cheapest view of each answers any path."""

_INTEGRATIONS = Path(__file__).parents[2] / "integrations"
_TEXT = "Some words that a reader may like, or may not. " * 20


@contextmanager
def contestants(folder: Path) -> Iterator[dict[str, list[Contestant]]]:
    """Yield the contestants of each framework, with what they need in the empty `folder`; those with Redis are left out
    where there is no `redis-server`.
    """
    for name in ("flask_shop", "django_blog"):
        sys.path.insert(0, str(_INTEGRATIONS / name))
    os.environ["BENCHMARKS_DJANGO_CACHE"] = str(folder / "django")
    os.environ["BLOG_DATABASE"] = str(folder / "blog.sqlite3")
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.blog_settings"
    with _redis(folder) as url:
        pages = {"Django": (_blog(), _django_view()), "Flask": (_shop(folder), _flask_view())}
        yield {name: _contestants(*pages[name], folder / name, url) for name in PATHS}


def _contestants(page: WSGIApplication, view: WSGIApplication, folder: Path, redis: str | None) -> list[Contestant]:
    from nextapi.adapters.django import DjangoStore

    folder.mkdir()
    stores: dict[str, Store] = {"page from memory": MemoryStore(), SQLITE: SQLiteStore(folder / "pages.sqlite3")}
    if redis is not None:
        stores[REDIS] = RedisStore(redis, prefix=folder.name)
    stores["page from Django's files"] = DjangoStore()
    return [
        Contestant(VIEW, view),
        Contestant(BEHIND, PageCache(view, SQLiteStore(folder / "none.sqlite3"))),
        # As while the app is developed: nothing is kept.
        Contestant(RENDERED, PageCache(page, MemoryStore(), debug=True)),
        *(Contestant(name, PageCache(page, store)) for name, store in stores.items()),
    ]


def _flask_view() -> WSGIApplication:
    app = flask.Flask("benchmarks_flask_view")
    app.add_url_rule(PATHS["Flask"], "view", lambda: "Hello, World!")
    return app


def _shop(folder: Path) -> WSGIApplication:
    from shop import create_app

    database = folder / "shop.sqlite3"
    with sqlite3.connect(database) as connection:
        connection.executescript((_INTEGRATIONS / "flask_shop/shop/schema.sql").read_text())
    connection.close()
    app = create_app({"DATABASE": str(database), "PAGE_CACHE": str(folder / "unused.sqlite3")})
    cache = app.wsgi_app
    assert isinstance(cache, PageCache)
    app.wsgi_app = cache.app  # type: ignore[method-assign]
    return app


def _django_view() -> WSGIApplication:
    from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
    from django.http import HttpResponse
    from django.test.utils import override_settings
    from django.urls import path

    urlconf = ModuleType("urlconf")
    urlconf.__dict__["urlpatterns"] = [path(PATHS["Django"][1:], lambda _: HttpResponse("Hello, World!"))]
    handler: type[WSGIHandler] = type(
        "Handler", (WSGIHandler,), {"request_class": type("Request", (WSGIRequest,), {"urlconf": urlconf})}
    )
    with override_settings(MIDDLEWARE=[]):
        return handler()


def _blog() -> WSGIApplication:
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    app: WSGIApplication = get_wsgi_application()
    call_command("migrate", verbosity=0)
    from django.contrib.auth.models import User

    from blog.models import Comment, Post

    ada = User.objects.create_user("ada")
    post = Post.objects.create(title="First", slug="first", text=_TEXT, author=ada, is_published=True)
    Comment.objects.bulk_create(Comment(post=post, author=ada, text=f"{number}: {_TEXT[:80]}") for number in range(3))
    return app


@contextmanager
def _redis(folder: Path) -> Iterator[str | None]:
    """Yield the URL of a server of its own; None where none is installed."""
    if shutil.which("redis-server") is None:
        yield None
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = ["redis-server", "--bind", "127.0.0.1", "--port", port, "--save", "", "--dir", str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", int(port)), 1).close()
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait()
