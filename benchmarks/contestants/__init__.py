"""The contestants: one WSGI application each, all with the same routes and the same answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.contestants import bare, django_app, falcon_app, flask_app, nextapi_app

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = ["BARE", "NEXTAPI", "Contestant", "contestants"]

BARE, NEXTAPI = "bare callable", "nextapi"


@dataclass(frozen=True)
class Contestant:
    """An application; `host` names the contestant that does the same without nextapi in a framework's own way."""

    name: str
    app: WSGIApplication
    host: str | None = None


def contestants(folder: Path) -> list[Contestant]:
    """Return all contestants, with nextapi's tree of files written into the empty `folder`."""
    nextapi_app.write_tree(folder)
    return [
        Contestant(BARE, bare.app),
        Contestant(NEXTAPI, nextapi_app.create_app(folder)),
        Contestant("Falcon", falcon_app.create_app()),
        Contestant("Flask", flask_app.create_app()),
        Contestant("nextapi in Flask", flask_app.create_mounted_app(folder), "Flask"),
        Contestant("Django", django_app.create_app()),
        Contestant("nextapi in Django", django_app.create_mounted_app(folder), "Django"),
    ]
