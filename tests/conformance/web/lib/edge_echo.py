from collections.abc import Sequence
from typing import Any

from nextapi import NextRequest, Response

from .echo import PORT

HEADERS = (
    "host", "content-type", "content-length", "cookie", "x-one", "x-two", "x-forwarded-host", "x-forwarded-proto",
    "x-forwarded-port", "x-mw",
)  # fmt: skip
# The options of a cookie that was set, as JavaScript has them; the path is added last.
OPTIONS = {
    "max_age": "maxAge", "domain": "domain", "secure": "secure", "http_only": "httpOnly", "same_site": "sameSite",
    "partitioned": "partitioned", "priority": "priority", "expires": "expires", "path": "path",
}  # fmt: skip


def shown_cookie(cookie: Any, order: Sequence[str] = ()) -> dict[str, Any] | None:
    """Return a cookie as JavaScript shows it: the options of the call in its `order`, then what was added to them."""
    if cookie is None:
        return None
    names = dict.fromkeys([*order, *OPTIONS])
    options = {OPTIONS[name]: getattr(cookie, name, None) for name in names}
    given = {name: value for name, value in options.items() if value is not None}
    return {"name": cookie.name, "value": cookie.value, **given}


def shown_pairs(request: NextRequest) -> list[list[str]]:
    return [list(pair) for pair in request.next_url.search_params.multi_items()]


def shown_route(route: str, request: NextRequest) -> Response:
    u = request.next_url
    return Response.json(
        {"route": route, "url": request.url, "pathname": u.pathname, "search": u.search, "params": shown_pairs(request)}
    )


def forwarded(request: NextRequest) -> dict[str, str]:
    """Return what Next's own front server, and no WSGI server, adds to a request that does not have it."""
    added = {
        "x-forwarded-host": request.headers.get("host", "localhost"),
        "x-forwarded-port": PORT,
        "x-forwarded-proto": request.next_url.protocol.removesuffix(":"),
    }
    return {name: request.headers.get(name, value) for name, value in added.items()}


def edge_echo(request: NextRequest, **extra: object) -> dict[str, Any]:
    headers = {**request.headers, **forwarded(request)}
    u = request.next_url
    return {
        "method": request.method,
        "url": request.url,
        "nextUrl": {
            "href": u.href,
            "origin": u.origin,
            "protocol": u.protocol,
            "host": u.host,
            "hostname": u.hostname,
            "port": u.port,
            "pathname": u.pathname,
            "search": u.search,
            "hash": u.hash,
            "basePath": u.base_path,
            # Of settings in next.config.js that nextapi does not have.
            "locale": "",
            "defaultLocale": None,
            "buildId": "undefined",
            "trailingSlash": None,
            "toString": str(u),
        },
        "searchParams": shown_pairs(request),
        "cookies": [shown_cookie(cookie) for cookie in request.cookies.get_all()],
        "headers": {name: headers[name] for name in HEADERS if name in headers},
        **extra,
    }
