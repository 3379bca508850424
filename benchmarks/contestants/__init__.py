"""The contestants: one WSGI application each, all with the same routes and the same answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.contestants import bare, django_app, falcon_app, flask_app, nextapi_app

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = ["BARE", "EDGE", "GUARDED", "NEXTAPI", "ROUTE", "Contestant", "contestants"]

BARE, NEXTAPI = "bare callable", "nextapi"
EDGE, ROUTE, GUARDED = "nextapi, edge", "nextapi, route.py", "with middleware"


@dataclass(frozen=True)
class Contestant:
    """An application; `host` names the one that it is to be held against: a framework's views, or `pages/api`."""

    name: str
    app: WSGIApplication
    host: str | None = None


def contestants(folder: Path) -> list[Contestant]:
    """Return all contestants, with nextapi's trees of files written into the empty `folder`."""
    pages, edge, route, guarded = (folder / name for name in ("plain", "edge", "route", "guarded"))
    nextapi_app.write_tree(pages)
    nextapi_app.write_edge_tree(edge)
    nextapi_app.write_route_tree(route)
    nextapi_app.write_guarded_tree(guarded)
    return [
        Contestant(BARE, bare.app),
        Contestant(NEXTAPI, nextapi_app.create_app(pages)),
        Contestant(EDGE, nextapi_app.create_app(edge), NEXTAPI),
        Contestant(ROUTE, nextapi_app.create_app(route), NEXTAPI),
        Contestant(GUARDED, nextapi_app.create_app(guarded), NEXTAPI),
        Contestant("Falcon", falcon_app.create_app()),
        Contestant("Flask", flask_app.create_app()),
        Contestant("nextapi in Flask", flask_app.create_mounted_app(pages), "Flask"),
        Contestant("Django", django_app.create_app()),
        Contestant("nextapi in Django", django_app.create_mounted_app(pages), "Django"),
    ]
