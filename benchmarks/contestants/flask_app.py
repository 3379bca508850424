"""Flask, with views of its own, and with nextapi's blueprint in their place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import flask

from benchmarks.routes import HELLO, NOTES, OTHERS, POST, greeting, other
from nextapi.adapters.flask import create_blueprint

__all__ = ["create_app", "create_mounted_app"]


def _hello() -> Any:
    return greeting()


def _post(pid: str) -> Any:
    params = {"pid": pid}
    return {"params": params, "query": {**flask.request.args.to_dict(), **params}}


def _notes() -> Any:
    return {**flask.request.get_json(), "id": 7}, 201


def _constant(value: Any) -> Callable[..., Any]:
    return lambda **_: value


def create_app() -> flask.Flask:
    """Return an app whose routes are views."""
    app = flask.Flask("benchmarks_flask")
    app.add_url_rule(HELLO, view_func=_hello)
    app.add_url_rule(_rule(POST), view_func=_post)
    app.add_url_rule(NOTES, view_func=_notes, methods=["POST"])
    for pattern in OTHERS:
        app.add_url_rule(_rule(pattern), pattern, _constant(other(pattern)))
    return app


def _rule(pattern: str) -> str:
    return pattern.replace("[", "<").replace("]", ">")


def create_mounted_app(root: Path) -> flask.Flask:
    """Return an app that has the tree in `root`, and nothing else."""
    app = flask.Flask("benchmarks_nextapi_in_flask")
    app.register_blueprint(create_blueprint(root))
    return app
