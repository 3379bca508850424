"""A tree of files, built and frozen, that answers requests.

`build` scans the root, loads and checks every route, and reports all that is wrong at once. `Application.handle`
answers a request in this order: path, routing, same-origin guard, endpoint. It knows no framework; what only the host
can say comes in as a `Host`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import NamedTuple, Protocol
from wsgiref.util import is_hop_by_hop

from nextapi.access import LOGGER as ACCESS_LOGGER
from nextapi.access import log_access
from nextapi.errors import BuildError, HTTPError, RootError, TreeError
from nextapi.guard import check_same_origin
from nextapi.handlers.pages import HandlerHost, PageEndpoint, page_endpoint
from nextapi.http.accept import prefers_json
from nextapi.http.headers import check_header_name, check_header_value
from nextapi.http.json import dumps
from nextapi.http.message import Request, Response, reason_phrase
from nextapi.http.query import decode_pairs, encode_pairs, query_text
from nextapi.loading import load_module
from nextapi.options import Options
from nextapi.routing.conflicts import find_conflicts
from nextapi.routing.paths import CanonicalPath, canonical_path, quote_path
from nextapi.routing.scan import RouteFile, scan_pages
from nextapi.routing.segments import Kind, Segment, identifier, pattern_text, route_name
from nextapi.routing.tree import Captured, Tree
from nextapi.text import decode_uri_component, utf8

__all__ = ["Application", "Host", "Match", "Route", "build", "decode_params", "host_params"]

_logger = logging.getLogger("nextapi")
_INFO = logging.INFO


class Host(HandlerHost, Protocol):
    """What only the host can say or do; each adapter has one."""

    checks_paths: bool
    """The host's own checks look at the path as it came, so that none is ever served as another."""

    def trusted_host(self, request: Request) -> str | None:
        """Return the host and port that the request is for, as far as the host trusts what the client says of it."""


@dataclass(frozen=True, slots=True)
class Route:
    """A file that answers: `pattern` is "/api/post/[pid]", `name` "post/[pid]", as `url_for` and `reverse` know it."""

    segments: tuple[Segment, ...]
    pattern: str
    name: str
    param_names: tuple[str, ...]
    file: Path
    endpoint: PageEndpoint
    is_guarded: bool


class Match(NamedTuple):
    """What a path leads to: a route, or None, and what its parameters matched; and the path as it should be."""

    route: Route | None
    captured: Captured
    path: CanonicalPath


class Application:
    """The routes of a root; read-only, and shared by all threads."""

    def __init__(self, routes: Iterable[Route], options: Options, host: Host) -> None:
        self.routes = tuple(routes)
        self._trusted_origins = options.trusted_origins
        self._host = host
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
            if canonical.path != request.path and (route is not None or not self._host.checks_paths):
                target = self.redirect_target(request, canonical)
                request.path = canonical.path
            if target is not None:
                response = _redirect(request, target)
            elif route is None:
                raise HTTPError(404, "Not Found")
            else:
                if route.is_guarded and request.method == "POST":
                    check_same_origin(request, self._trusted_origins, self._host.trusted_host)
                response = route.endpoint.answer(request, decode_params(route, captured) if captured else {})
        except BaseException as error:
            request.close()
            if not isinstance(error, HTTPError):
                if began is not None:
                    log_access(request, route.pattern if route else None, 500, began)
                raise
            response = _error_response(request, error)
        if request.closers and isinstance(response.body, bytes):
            request.close()
        if began is not None:
            log_access(request, route.pattern if route else None, response.status, began)
        return response

    def redirect_target(self, request: Request, path: CanonicalPath) -> str | None:
        """Return where a path that is not as it should be is to be sent, or None where it is served all the same.

        Only GET and HEAD are sent elsewhere: a redirect loses the body of anything else.
        """
        if request.method not in ("GET", "HEAD"):
            if self._host.checks_paths and (path.had_dots or path.collapsed):
                raise HTTPError(400, "Bad Request")
            return None
        # Next mends slashes first and leaves the query alone; for a slash at the end it writes the query anew.
        query = request.query_string
        if path.collapsed:
            target = path.collapsed
        elif path.had_dots and self._host.checks_paths:
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
    return _text_response(request, 308, [("Location", location)], location.encode("latin-1"))


def _error_response(request: Request, error: HTTPError) -> Response:
    """Return what `error` says: its message as text, or a problem document (RFC 9457) where JSON is preferred."""
    headers = [pair for pair in error.headers if not is_hop_by_hop(pair[0])]
    for name, value in headers:
        check_header_name(name)
        check_header_value(name, value)
    check_header_value("status message", error.reason)
    if prefers_json(request.headers.get("accept")):
        headers.append(("Content-Type", "application/problem+json"))
        problem = {"title": reason_phrase(error.status), "status": error.status, "detail": error.message}
        return _text_response(request, error.status, headers, dumps(problem), error.reason, error)
    if error.reason != error.message:  # what Next's body parser answers has no type
        headers.append(("Content-Type", "text/plain; charset=utf-8"))
    return _text_response(request, error.status, headers, utf8(error.message), error.reason, error)


def _text_response(
    request: Request,
    status: int,
    headers: list[tuple[str, str]],
    body: bytes,
    reason: str = "",
    error: HTTPError | None = None,
) -> Response:
    if status in (204, 304):
        return Response(status, [pair for pair in headers if pair[0].lower() != "content-type"], b"", reason, error)
    headers.append(("Content-Length", str(len(body))))
    return Response(status, headers, b"" if request.method == "HEAD" else body, reason, error)


def build(root: Path, options: Options, host: Host) -> Application:
    """Return the application for the absolute path `root`; raise `TreeError` with all faults of its files."""
    pages = root / "pages"
    if not root.is_dir():
        raise TreeError(
            "cannot build", [RootError(f"{root}: there is no such folder: give the one above pages/", root)]
        )
    for folder in (root, root.parent):
        if folder.name == "pages" and (folder / "api").is_dir() and root in (folder, folder / "api"):
            raise TreeError("cannot build", [RootError(f"{root}: give the folder above pages/, {folder.parent}", root)])
    if not (pages / "api").is_dir() and not any((pages / f"api.{end}").is_file() for end in options.page_extensions):
        raise TreeError(
            "cannot build",
            [RootError(f"{root}: there is no folder pages/api in it: put route files in {pages / 'api'}", root)],
        )
    scan = scan_pages(pages, options.page_extensions)
    faults: list[BuildError] = [*scan.faults, *find_conflicts(scan.routes)]
    routes = []
    for route_file in scan.routes:
        if any(
            quote_path(segment.name) != segment.name for segment in route_file.pattern if segment.kind is Kind.STATIC
        ):
            _logger.warning(
                "%s can never be asked for: its name is compared as a client sends it, escaped", route_file.file
            )
        try:
            routes.append(_load_route(root, route_file, options, host))
        except* BuildError as group:
            # A file that fails to load, fails for every file in the folder of its name.
            known = set(map(str, faults))
            faults.extend(leaf for leaf in group.exceptions if isinstance(leaf, BuildError) and str(leaf) not in known)
    if faults:
        count = f"{len(faults)} faults" if len(faults) > 1 else "1 fault"
        raise TreeError(f"{count} in {root}, first: {faults[0]}", faults)
    return Application(routes, options, host)


def _load_route(root: Path, route_file: RouteFile, options: Options, host: Host) -> Route:
    """Return the route that a file is; raise `TreeError` with what is wrong with it."""
    segments, file = route_file
    param_names = tuple(segment.name for segment in segments if segment.kind is not Kind.STATIC)
    endpoint = page_endpoint(load_module(root, file), file, param_names, options.max_body_size, host)
    is_guarded = endpoint.options.same_origin
    return Route(segments, pattern_text(segments), route_name(segments), param_names, file, endpoint, is_guarded)
