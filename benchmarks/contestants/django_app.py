"""Django, with views of its own, and with nextapi's URLs in their place.

Neither has middleware, which would make the two look more alike. Settings and signals are the process's, so the two
differ in the URLconf that their requests name.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.core.signals import request_started
from django.http import HttpRequest, JsonResponse
from django.urls import include, path

from benchmarks.routes import HELLO, NOTES, OTHERS, POST, greeting, other

__all__ = ["create_app", "create_mounted_app"]


def _hello(_: HttpRequest) -> JsonResponse:
    return JsonResponse(greeting())


def _post(request: HttpRequest, pid: str) -> JsonResponse:
    params = {"pid": pid}
    return JsonResponse({"params": params, "query": {**request.GET.dict(), **params}})


def _notes(request: HttpRequest) -> JsonResponse:
    return JsonResponse({**json.loads(request.body), "id": 7}, status=201)


def _constant(value: Any) -> Callable[..., JsonResponse]:
    return lambda _request, **_: JsonResponse(value)


def create_app() -> WSGIHandler:
    """Return an application whose routes are views."""
    views: dict[str, Callable[..., JsonResponse]] = {HELLO: _hello, POST: _post, NOTES: _notes}
    views |= {pattern: _constant(other(pattern)) for pattern in OTHERS}
    return _handler([path(_route(pattern), view) for pattern, view in views.items()])


def _route(pattern: str) -> str:
    return pattern.removeprefix("/").replace("[", "<str:").replace("]", ">")


def create_mounted_app(root: Path) -> WSGIHandler:
    """Return an application that has the tree in `root`, and nothing else."""
    _set_up()
    # They can be imported only once there are settings.
    from nextapi.adapters.django import create_urlpatterns
    from nextapi.adapters.django.messages import note_request

    handler = _handler([path("", include(create_urlpatterns(root)))])
    # A signal goes to every application of the process: without this, Django's own views would pay for nextapi's ear.
    if not request_started.disconnect(dispatch_uid="nextapi"):
        raise RuntimeError("nextapi no longer listens to request_started: take these lines away")
    request_started.connect(note_request, sender=type(handler))
    return handler


def _set_up() -> None:
    if not settings.configured:
        settings.configure(SECRET_KEY="secret", ALLOWED_HOSTS=["*"], ROOT_URLCONF=None, MIDDLEWARE=[])
        django.setup(set_prefix=False)


def _handler(urlpatterns: list[Any]) -> WSGIHandler:
    """Return Django's application with these patterns for its URLconf."""
    _set_up()
    urlconf = ModuleType("urlconf")
    urlconf.__dict__["urlpatterns"] = urlpatterns
    request_class = type("Request", (WSGIRequest,), {"urlconf": urlconf})
    handler_class: type[WSGIHandler] = type("Handler", (WSGIHandler,), {"request_class": request_class})
    return handler_class()
