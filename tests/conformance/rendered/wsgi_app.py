"""The recorded app without a framework: its API is the tree, its pages are a WSGI application."""

from __future__ import annotations

from werkzeug.wrappers import Request, Response

from nextapi.adapters.wsgi import PageCache, create_app
from nextapi.cache import MemoryStore
from tests.conformance.rendered import pages

_MINUTE = "s-maxage=60, stale-while-revalidate=31535940"
_LIFETIMES = {"quick": "s-maxage=1, stale-while-revalidate=31535999", "forever": "s-maxage=31536000"}


@Request.application
def answer(request: Request) -> Response:
    """Answer what the tree does not."""
    match request.path.split("/")[1:]:
        case ["isr"]:
            return _html(pages.INDEX, "s-maxage=10, stale-while-revalidate=31535990")
        case ["isr", "missing"]:
            return Response(
                "There is none.", 404, {"Cache-Control": _MINUTE, "Content-Type": "text/html; charset=utf-8"}
            )
        case ["isr", "moved"]:
            moved = Response("/isr/one", 307, {"Cache-Control": _MINUTE, "Location": "/isr/one"})
            del moved.headers["Content-Type"]
            return moved
        case ["isr", slug]:
            return _html(pages.isr(slug), _LIFETIMES.get(slug, _MINUTE))
        case ["isr", slug, ""]:
            return Response("", 308, {"Location": f"/isr/{slug}"})
        case ["plain"] if request.method not in ("GET", "HEAD"):
            return Response("Method Not Allowed", 405, {"Allow": "GET, HEAD"})
        case ["plain"]:
            return _html(pages.PLAIN)
        case ["ssr"]:
            return _html(pages.ssr(request.args), pages.PRIVATE)
        case _:
            return Response("There is none.", 404)


def _html(text: str, cache_control: str = "") -> Response:
    said = {"Cache-Control": cache_control} if cache_control else {}
    return Response(text, headers=said, content_type="text/html; charset=utf-8")


app = PageCache(create_app(pages.ROOT, fallback=answer), MemoryStore())
