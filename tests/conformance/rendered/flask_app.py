"""The recorded app in Flask: its API is the tree, its pages are views."""

from __future__ import annotations

import flask
from werkzeug.wrappers import Response

from nextapi import static_page
from nextapi.adapters.flask import create_blueprint
from nextapi.adapters.wsgi import PageCache
from nextapi.cache import MemoryStore
from tests.conformance.rendered import pages

app = flask.Flask(__name__)
app.register_blueprint(create_blueprint(pages.ROOT))
app.wsgi_app = PageCache(app.wsgi_app, MemoryStore())  # type: ignore[method-assign]


@app.get("/isr")
@static_page(revalidate=10)
def index() -> str:
    return pages.INDEX


def isr(slug: str) -> str:
    return pages.isr(slug)


app.add_url_rule("/isr/<slug>", "isr", static_page(revalidate=60)(isr))
app.add_url_rule("/isr/quick", "quick", static_page(revalidate=1)(isr), defaults={"slug": "quick"})
app.add_url_rule("/isr/forever", "forever", static_page(revalidate=False)(isr), defaults={"slug": "forever"})


@app.get("/isr/missing")
@static_page(revalidate=60)
def missing() -> tuple[str, int]:
    return "There is none.", 404


@app.get("/isr/moved")
@static_page(revalidate=60)
def moved() -> flask.Response:
    answer = flask.Response("/isr/one", 307, {"Location": "/isr/one"})
    del answer.headers["Content-Type"]
    return answer


@app.get("/isr/<slug>/")
def without_slash(slug: str) -> Response:
    return flask.redirect(f"/isr/{slug}", 308)


@app.get("/plain")
def plain() -> str:
    return pages.PLAIN


@app.get("/ssr")
def ssr() -> tuple[str, dict[str, str]]:
    return pages.ssr(flask.request.args), {"Cache-Control": pages.PRIVATE}
