"""A request that middleware rewrites to another site: it is sent on there, and the answer is streamed back."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from nextapi.errors import FetchError, HeaderError, HTTPError, RewriteError
from nextapi.handlers.host import HandlerHost
from nextapi.handlers.web import WebHandlers
from nextapi.http.headers import named_by_connection
from nextapi.http.message import Request, Response
from nextapi.http.sizes import Limit
from nextapi.middleware.passed import Passed
from nextapi.middleware.rewriting import Destination
from nextapi.web.headers import Headers, request_headers
from nextapi.web.scope import Scope
from nextapi.web.url import URL

__all__ = ["Upstreams"]

_logger = logging.getLogger("nextapi")

# The client's own, which are nobody else's. `fetch` leaves out those of the connection (RFC 9110, 7.6.1).
_CLIENTS_OWN = frozenset({"authorization", "cookie", "forwarded"})
_FORWARDED = "x-forwarded-"
_VIA = "1.1 nextapi"
_METHODS_WITHOUT_BODY = frozenset({"GET", "HEAD"})
_UNKNOWN_METHODS = frozenset({"CONNECT", "TRACE", "TRACK"})


class Upstreams:
    """The sites that middleware may rewrite to: `origins`, the option `proxy_origins`; `limit` is `max_body_size`."""

    def __init__(self, origins: Iterable[str], limit: Limit, host: HandlerHost) -> None:
        self._origins = frozenset(URL(origin).origin for origin in origins)
        self._limit = limit
        self._host = host

    def answer(self, destination: Destination, request: Request, passed: Passed) -> Response:
        """Return what the site answers; it is sent on while it comes.

        The site gets method and body, and the client's headers without Cookie, Authorization, Forwarded, X-Forwarded-*
        and those of the connection. X-Forwarded-For, -Host and -Proto are what the host says of the client. Headers
        that middleware gave are sent as they were given, Cookie and Authorization, too.

        Raises `RewriteError` for a site that the option does not name; `HTTPError` (508) where another nextapi has sent
        the request on already (RFC 9110, 7.6.3), which ends a loop, and (502) where no answer comes.
        """
        from nextapi.web.fetch import fetch  # it is an extra's

        if destination.origin not in self._origins:
            raise RewriteError(
                f"middleware rewrites {request.path!r} to {destination.origin}, another site: add it to the option "
                f"proxy_origins=({destination.origin!r},)"
            )
        via = (request.client or request).headers.get("via", "")
        if _VIA in [hop.strip() for hop in via.split(",")]:
            raise HTTPError(508, "Loop Detected")
        if request.method in _UNKNOWN_METHODS:
            raise HTTPError(501, "Not Implemented")
        body = None if request.body is None or request.method in _METHODS_WITHOUT_BODY else request.body.open()
        headers = self._headers(request, passed)
        headers.set("via", f"{via}, {_VIA}" if via else _VIA)
        try:
            response = fetch(destination.text, method=request.method, headers=headers, body=body, redirect="manual")
        except FetchError as error:
            _logger.error("%s %r: %s", request.method, request.path, error)
            raise HTTPError(502, "Bad Gateway") from error
        handlers = WebHandlers(passed.place, self._host, self._limit)
        return handlers.to_message(response, Scope(request, self._host))

    def _headers(self, request: Request, passed: Passed) -> Headers:
        client, given = request.headers, passed.request_headers
        if given is None:
            left_out = _CLIENTS_OWN | named_by_connection(client.get("connection"))
            pairs = [pair for pair in request_headers(request.environ).multi_items() if pair[0] not in left_out]
        else:
            pairs = given.multi_items()  # a client's Connection does not say which of these are sent
        try:
            # A client can say anything of proxies; middleware that gives all headers of the request gives that, too.
            headers = Headers(
                [pair for pair in pairs if not (_is_of_proxies(pair[0]) and client.get(pair[0]) == pair[1])]
            )
        except HeaderError:
            raise HTTPError(400, "Bad Request") from None  # some servers let all characters pass
        scheme, _, host = self._host.origin(request).partition("://")
        for key, value in (("for", request.environ.get("REMOTE_ADDR")), ("host", host), ("proto", scheme)):
            name = _FORWARDED + key
            if given is None or given.get(name) == client.get(name):
                headers.set(name, value or None)
        if request.body is not None and request.body.length is not None:
            headers.set("content-length", str(request.body.length))
        return headers


def _is_of_proxies(name: str) -> bool:
    return name == "forwarded" or name.startswith(_FORWARDED)
