"""A tree mounted in each host, in this process: every one is a WSGI callable, and one client serves them all."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import django
import flask
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.test import override_settings
from django.urls import clear_url_caches, include, path
from werkzeug.test import Client

_numbers = itertools.count()


def configure_django() -> None:
    """Set Django up, once in a process; what a test needs otherwise it overrides."""
    if not settings.configured:
        settings.configure(
            SECRET_KEY="secret",
            ALLOWED_HOSTS=["*"],
            ROOT_URLCONF="none",
            MIDDLEWARE=["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"],
            DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        )
        django.setup()


def wsgi_client(root: Path, **options: Any) -> Client:
    """Return a client of bare WSGI."""
    from nextapi.adapters.wsgi import create_app

    return Client(create_app(root, **options), use_cookies=False)


def flask_client(root: Path, **options: Any) -> Client:
    """Return a client of a Flask app that has nothing else."""
    from nextapi.adapters.flask import create_blueprint

    app = flask.Flask("app")
    app.register_blueprint(create_blueprint(root, **options))
    return Client(app, use_cookies=False)


@contextmanager
def django_project(urlpatterns: list[Any], **setting: Any) -> Iterator[Client]:
    """Have a client of a Django project with a URLconf of its own."""
    configure_django()
    from nextapi.adapters.django.messages import forget_request

    urlconf = ModuleType(f"urlconf_{next(_numbers)}")
    urlconf.urlpatterns = urlpatterns  # type: ignore[attr-defined]  # what a URLconf is
    sys.modules[urlconf.__name__] = urlconf
    try:
        with override_settings(ROOT_URLCONF=urlconf.__name__, **setting):
            clear_url_caches()
            yield Client(get_wsgi_application(), use_cookies=False)
    finally:
        del sys.modules[urlconf.__name__]
        forget_request()  # of a client that has not closed the last answer, as servers do


@contextmanager
def mounted(host: str, root: Path, **options: Any) -> Iterator[Client]:
    """Have a client of `root` in a host."""
    if host == "django":
        configure_django()
        from nextapi.adapters.django import create_urlpatterns

        with django_project([path("", include(create_urlpatterns(root, **options)))]) as client:
            yield client
    else:
        yield {"wsgi": wsgi_client, "flask": flask_client}[host](root, **options)
