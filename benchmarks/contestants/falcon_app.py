"""Falcon, as its tutorial has it: resources with responders, `media` for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

import falcon

from benchmarks.routes import HELLO, NOTES, OTHERS, POST, greeting, other

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = ["create_app"]


class _Hello:
    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = greeting()


class _Post:
    def on_get(self, req: falcon.Request, resp: falcon.Response, pid: str) -> None:
        params = {"pid": pid}
        resp.media = {"params": params, "query": {**req.params, **params}}


class _Notes:
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.status = falcon.HTTP_201
        resp.media = {**req.get_media(), "id": 7}


class _Other:
    def __init__(self, pattern: str) -> None:
        self._answer = other(pattern)

    def on_get(self, _req: falcon.Request, resp: falcon.Response, **_: str) -> None:
        resp.media = self._answer


def create_app() -> WSGIApplication:
    """Return the application."""
    app = falcon.App()
    resources = {HELLO: _Hello(), POST: _Post(), NOTES: _Notes()} | {pattern: _Other(pattern) for pattern in OTHERS}
    for pattern, resource in resources.items():
        app.add_route(pattern.replace("[", "{").replace("]", "}"), resource)
    return app
