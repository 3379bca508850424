"""Where middleware's `NextResponse.rewrite(url)` leads: below the mount, elsewhere on this site, or to another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from nextapi.http.message import Request
from nextapi.web.url import URL

__all__ = ["Destination", "find_destination"]


class Destination(NamedTuple):
    """A URL by its parts: `path` is below the mount, None where the URL is not; `origin` is that of another site, None
    for the request's own; `text` is the whole URL, without the origin where that is the request's.
    """

    text: str
    path: str | None
    query_string: str
    origin: str | None = None


def find_destination(target: str, request: Request, origin: Callable[[Request], str]) -> Destination:
    """Return where `target` leads: a path is below the mount, as patterns are, and a URL has what stands before it.

    `origin` says a request's own. Raises `URLError` for what is no URL.
    """
    if target.startswith("/") and not target.startswith(("//", "/\\")):
        url = URL(f"http://localhost{target}")  # of any site: only path and query count
        return Destination(request.prefix + url.pathname + url.search, url.pathname, url.search[1:])
    own = URL(origin(request))
    url = URL(target, f"{own.origin}{request.prefix}{request.path}")
    if url.origin != own.origin:
        return Destination(url.href, None, "", url.origin)
    path, prefix = url.pathname, request.prefix
    below = path[len(prefix) :] if path.startswith(f"{prefix}/") else None
    return Destination(path + url.search, below, url.search[1:])
