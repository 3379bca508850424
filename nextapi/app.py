"""A tree of files, built and frozen, that answers requests.

`Application.handle` answers a request in this order: path, middleware, routing, same-origin guard, the middleware of
folders, endpoint. It knows no framework; what only the host can say comes in as a `Host`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple, Protocol

from nextapi.access import LOGGER as ACCESS_LOGGER
from nextapi.access import log_access
from nextapi.errors import HTTPError, RewriteError
from nextapi.guard import check_same_origin
from nextapi.handlers.cors import Policies
from nextapi.handlers.endpoints import Endpoint
from nextapi.handlers.host import HandlerHost
from nextapi.handlers.refusals import error_response, text_response
from nextapi.http.message import Relayed, Request, Response
from nextapi.http.query import decode_pairs, encode_pairs, query_text
from nextapi.middleware.handover import HANDED_OVER, handed_over, is_added_outside
from nextapi.middleware.passed import Passed, merge
from nextapi.middleware.rewriting import Destination, find_destination
from nextapi.middleware.root import RootMiddleware
from nextapi.middleware.upstream import Upstreams
from nextapi.options import Options
from nextapi.routing.paths import CanonicalPath, canonical_path, host_path, spellings
from nextapi.routing.segments import Kind, Segment, identifier
from nextapi.routing.tree import Captured, Tree
from nextapi.text import decode_uri_component
from nextapi.web.request import environ_of

__all__ = ["Application", "Host", "Match", "Route", "decode_params", "host_params"]

_INFO = 20  # logging.INFO


class Host(HandlerHost, Protocol):
    """What only the host can say or do; each adapter has one."""

    checks_paths: bool
    """The host's own checks look at the path as it came, so that none is ever served as another."""
    has_urls: bool
    """The host has URLs beside those of the tree."""

    def trusted_host(self, request: Request) -> str | None:
        """Return the host and port that the request is for, as far as the host trusts what the client says of it."""

    def enter(self, request: Request, route: Route, captured: Captured) -> Response | None:
        """Have the host know that middleware has led a request to another route; return its answer if it refuses."""


@dataclass(frozen=True, slots=True)
class Route:
    """A file that answers: `pattern` is "/api/post/[pid]", `name` "post/[pid]", as `url_for` and `reverse` know it."""

    segments: tuple[Segment, ...]
    pattern: str
    name: str
    param_names: tuple[str, ...]
    file: Path
    endpoint: Endpoint
    is_guarded: bool
    answer: Callable[[Request, dict[str, Any]], Response]
    """The endpoint, with the middleware of the folders that it is in."""
    middleware: tuple[Path, ...] = ()
    """The files of that, outermost first."""
    policies: Policies = field(default_factory=dict, hash=False)
    """Who else may read the answers, see `cors`."""


class Match(NamedTuple):
    """What a path leads to: a route, or None, and what its parameters matched; and the path as it should be."""

    route: Route | None
    captured: Captured
    path: CanonicalPath


class Application:
    """The routes of a root; read-only, and shared by all threads."""

    def __init__(
        self, routes: Iterable[Route], options: Options, host: Host, middleware: RootMiddleware | None = None
    ) -> None:
        self.routes = tuple(routes)
        self.middleware = middleware
        self._may_match = middleware.matcher.may_match if middleware is not None else None
        self._trusted_origins = options.trusted_origins
        self.host = host
        self._upstreams = Upstreams(options.proxy_origins, options.max_body_size, host)
        self._tree: Tree[Route] = Tree()
        # Each static route has one path, and no other route comes before it there.
        self._static: dict[str, Match] = {}
        for route in self.routes:
            self._tree.insert(route.segments, route)
            if all(segment.kind is Kind.STATIC for segment in route.segments):
                self._static[route.pattern] = Match(route, [], CanonicalPath(route.pattern))

    def match(self, path: str) -> Match:
        """Return what a path leads to, which is below the mount and as it was sent."""
        if match := self._static.get(path):
            return match
        canonical = canonical_path(path)
        parts = canonical.path.split("/")[1:]
        found = self._tree.match(parts if parts != [""] else [])
        return Match(*found, canonical) if found else Match(None, [], canonical)

    def handle(self, request: Request, match: Match | None = None) -> Response:
        """Answer a request, for what its path matched if that is known already.

        Exceptions of a handler other than `HTTPError` pass through. Where the answer is made while it is sent, the
        adapter closes the request after that; else it is closed here.
        """
        # All in one method: a call more would be 2 % of a static route's request; so would `match`, hence `_static`.
        began = perf_counter() if 0 < ACCESS_LOGGER.level <= _INFO else None
        route = target = None
        try:
            route, captured, canonical = match or self._static.get(request.path) or self.match(request.path)
            if canonical.path != request.path and (
                route is not None or not (self.host.checks_paths or request.rest is not None)
            ):
                handed = handed_over(request.environ)
                if handed is None or handed.sent is None:  # else it is not the client who has to mend it
                    target = self.redirect_target(request, canonical)
                request.path = canonical.path
            if target is not None:
                response = _redirect(request, target)
            elif (
                HANDED_OVER in request.environ
                or (
                    (may_match := self._may_match) and (route is None or may_match(request.path) or "%" in request.path)
                )
            ) and (passed := self.ask(request, route is None and request.rest is not None)) is not None:
                response, route = self._behind(passed, request, route, captured)
            elif route is None:
                response = self._answer_rest(request, None)
            else:
                if route.is_guarded and request.method == "POST":
                    policy = route.policies.get("POST")
                    check_same_origin(request, self._trusted_origins, self.host.trusted_host, policy)
                response = route.answer(request, decode_params(route, captured) if captured else {})
        except BaseException as error:
            request.close()
            if not isinstance(error, HTTPError):
                if began is not None:
                    log_access(request, route.pattern if route else None, 500, began)
                raise
            response = error_response(request, error)
        if request.closers and isinstance(response.body, bytes):
            request.close()
        if began is not None and (route is not None or response.status):  # what the rest answers is not nextapi's
            log_access(request, route.pattern if route else None, response.status, began)
        return response

    def ask(self, request: Request, is_rest: bool = False) -> Passed | None:
        """Return what middleware says of a request, None where it is not for it; exceptions of its pass through.

        What middleware before the host has handed over counts as said, and is not asked for again. With `is_rest` the
        request is one that no route names, and goes on to `request.rest`.
        """
        middleware = self.middleware
        if not is_rest and middleware is not None and HANDED_OVER not in request.environ:  # most requests
            return middleware.call(request) if middleware.matcher.matches(request, request.path) else None
        handed = handed_over(request.environ)
        if handed is not None:
            handed.tell(request)
        passed = handed.passed if handed is not None else None
        if middleware is not None and (handed is None or middleware.place not in handed.places):
            sent = request.path
            if any(middleware.matcher.matches(request, path) for path in (spellings(sent) if is_rest else (sent,))):
                if is_rest:
                    request.path = host_path(sent)
                passed = middleware.call(request)
                if is_rest:  # it is the host that says what these are
                    has_more = request.path.count("/") != sent.count("/")
                    passed.is_exact = not (has_more or "//" in request.path or "%5C" in request.path)
        if handed is not None:
            handed.lead(request)
        return passed

    def _behind(
        self, passed: Passed, request: Request, route: Route | None, captured: Captured
    ) -> tuple[Response, Route | None]:
        """Return the answer to a request that middleware has seen, and the route that it is of."""
        if passed.answer is not None:
            return passed.answer, route
        request.is_held = True
        try:
            if passed.target is not None:
                destination = find_destination(passed.target, request, self.host.origin)
                if destination.origin is not None:
                    response = self._upstreams.answer(destination, request, passed)
                    merge(passed, response)
                    return response, None
                passed.headers.append(("x-middleware-rewrite", destination.text))
                route, captured = self._rewrite(destination, request)
            if route is None:
                response = self._answer_rest(request, passed)
                return response, None
            if route.is_guarded and request.method == "POST":
                # Of a request that middleware before the host has changed, it is the client's own headers that count.
                client = request.client or request
                policy = route.policies.get("POST")
                check_same_origin(client, self._trusted_origins, lambda _: self.host.trusted_host(request), policy)
            if passed.target is not None and (refused := self.host.enter(request, route, captured)):
                return refused, route
            if passed.request_headers is not None:
                request.replace_headers(environ_of(passed.request_headers))
            request.preset = passed.headers
            response = route.answer(request, decode_params(route, captured) if captured else {})
            passed.kind = route.endpoint.kind
        except HTTPError as error:
            response = error_response(request, error)
        if isinstance(response.body, Relayed):
            response = self.host.unpack(response.body, request)
        if not is_added_outside(passed, request.environ):
            merge(passed, response)
        return response, route

    def _rewrite(self, destination: Destination, request: Request) -> tuple[Route | None, Captured]:
        """Have the request go on to a URL of this site, and return what it leads to.

        Raises `RewriteError` for one of the host's own, which only `nextapi.adapters.wsgi.Middleware` leads to.
        """
        if request.sent is None:
            request.sent = request.path, request.query_string
        path = destination.path
        if path is None and not self.host.has_urls:
            raise HTTPError(404, "Not Found")
        route, captured, canonical = self.match(path or "")
        if route is None and self.host.has_urls and not f"{path}/".startswith("/api/"):
            raise RewriteError(
                f"middleware rewrites {request.sent[0]!r} to {destination.text!r}, which is no route of nextapi's: for "
                "a URL of the host's own wrap its WSGI application, `app.wsgi_app = nextapi.adapters.wsgi.Middleware("
                "app.wsgi_app, root)`"
            )
        request.path = canonical.path if route is not None or path is None else path
        request.query_string = destination.query_string
        return route, captured

    @staticmethod
    def _answer_rest(request: Request, passed: Passed | None) -> Response:
        if request.rest is None:
            raise HTTPError(404, "Not Found")
        return request.rest(request, passed)

    def redirect_target(self, request: Request, path: CanonicalPath) -> str | None:
        """Return where a path that is not as it should be is to be sent, or None where it is served all the same.

        Only GET and HEAD are sent elsewhere: a redirect loses the body of anything else.
        """
        if request.method not in ("GET", "HEAD"):
            if self.host.checks_paths and (path.had_dots or path.collapsed):
                raise HTTPError(400, "Bad Request")
            return None
        # Next mends slashes first and leaves the query alone; for a slash at the end it writes the query anew.
        query = request.query_string
        if path.collapsed:
            target = path.collapsed
        elif path.had_dots and self.host.checks_paths:
            target = path.path
        elif path.had_end_slash:
            target, query = path.path, encode_pairs(decode_pairs(query_text(query)))
        else:
            return None
        return f"{target}?{query}" if query else target


def decode_params(route: Route, captured: Captured) -> dict[str, str | list[str]]:
    """Return what a route's parameters matched, each segment decoded; raise `HTTPError` (400) if one cannot be."""
    try:
        return {
            name: decode_uri_component(value)
            if isinstance(value, str)
            else [decode_uri_component(part) for part in value]
            for name, value in zip(route.param_names, captured, strict=False)
        }
    except ValueError:
        raise HTTPError(400, "Bad Request") from None


def host_params(match: Match) -> dict[str, str | list[str]]:
    """Return a match's parameters by the names that hosts know them by; none where the answer will be a 400."""
    if match.route is None:
        return {}
    with suppress(HTTPError):
        return {identifier(name): value for name, value in decode_params(match.route, match.captured).items()}
    return {}


def _redirect(request: Request, target: str) -> Response:
    # Never "//host": whoever chooses the beginning of the path would choose the site.
    location = "/" + (request.prefix + target).lstrip("/\\")
    return text_response(request, 308, [("Location", location)], location.encode("latin-1"))
