"""A tree in a URLconf: Django's resolver asks nextapi's router, and reverses by ordinary patterns.

`_TreeResolver` takes part where `include` put it. What its files do not name it leaves to the patterns around it, and
to APPEND_SLASH; its own 404 is only for what nothing in the project would have answered.
"""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar, copy_context
from dataclasses import replace
from functools import lru_cache, partial
from itertools import takewhile
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import asgiref.sync
from django.apps import apps
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.core.signals import got_request_exception, request_started
from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.urls import (
    URLPattern,
    URLResolver,
    clear_script_prefix,
    clear_url_caches,
    get_resolver,
    get_script_prefix,
    get_urlconf,
    set_urlconf,
)
from django.urls import path as django_path
from django.urls.converters import PathConverter, StringConverter, register_converter
from django.urls.exceptions import Resolver404
from django.urls.resolvers import ResolverMatch, RoutePattern
from django.utils import timezone, translation
from django.utils.autoreload import autoreload_started, file_changed
from django.views.decorators.csrf import csrf_protect

from nextapi.adapters.django.messages import (
    decode_path,
    from_response,
    note_request,
    noted_path,
    to_body,
    to_request,
    to_response,
)
from nextapi.app import Application, Match, Route, host_params
from nextapi.commands.mounts import MountedTree
from nextapi.draft import Draft
from nextapi.errors import TreeError
from nextapi.http.message import Relayed, Request, Response
from nextapi.http.relay import call_application
from nextapi.loading import is_loaded_elsewhere
from nextapi.options import Options, OptionSettings, read_options
from nextapi.reloading import LiveTree
from nextapi.routing.paths import CanonicalPath, cut_path, quote_path
from nextapi.routing.segments import Kind, Segment, identifier
from nextapi.routing.tree import Captured
from nextapi.running import Run
from nextapi.web.next_url import origin_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = ["create_urlpatterns", "mounted_trees"]

_logger = logging.getLogger("nextapi")

_REST = "[404]"
"""The name of what no route names; no file can have this name."""
_REST_ROUTE = "api/<path>"

_probe: ContextVar[dict[_TreeResolver, bool] | None] = ContextVar("nextapi_probe", default=None)
"""While a project is asked what it would do without nextapi: the trees passed, and whether they have the path."""


def create_urlpatterns(root: str | PathLike[str], **options: Unpack[OptionSettings]) -> tuple[list[URLResolver], str]:
    """Return (patterns, app name), for `include`, of the folder `root`, which is relative to `settings.BASE_DIR`.

    Raises `TreeError` with all faults of the tree, `OptionError` for an option that cannot be; with
    "nextapi.adapters.django" in INSTALLED_APPS, Django's checks report the faults, and requests raise them. `debug` is
    `settings.DEBUG` unless said, and CSRF_TRUSTED_ORIGINS count as `trusted_origins`.
    """
    read = read_options({"debug": settings.DEBUG, **options})
    trusted = read.trusted_origins.union(settings.CSRF_TRUSTED_ORIGINS)
    base = getattr(settings, "BASE_DIR", "")
    folder, settled = Path(base, root).absolute(), replace(read, trusted_origins=trusted)
    host = _Host(settled)
    request_started.connect(note_request, dispatch_uid="nextapi")
    try:
        tree = LiveTree(folder, settled, host)
    except TreeError as error:
        if not apps.ready or not apps.is_installed("nextapi.adapters.django"):
            raise
        return [_FaultyTree(MountedTree(folder, settled, host), error)], read.name
    if read.debug:
        _leave_to_refresh(folder)
    return [_TreeResolver(tree)], read.name


def _leave_to_refresh(root: Path) -> None:
    """Have Django's reloader watch the files of a tree, and not restart for them: the next request finds them.

    What the project itself has imported, from a root that is its own folder or a package, is not found in that way.
    """

    def watch(sender: Any, **_: object) -> None:
        sender.watch_dir(root, "**/*.py")

    def is_ours(file_path: Path, **_: object) -> bool:
        return file_path.is_relative_to(root) and file_path.suffix == ".py" and not is_loaded_elsewhere(file_path)

    autoreload_started.connect(watch, weak=False, dispatch_uid=("nextapi", root))
    file_changed.connect(is_ours, weak=False, dispatch_uid=("nextapi", root))


class _FaultyTree(URLResolver):
    """The place of a tree with faults, which Django's checks report; a request below its /api raises them."""

    def __init__(self, mounted: MountedTree, error: TreeError) -> None:
        self.mounted = mounted
        self._error = error
        super().__init__(RoutePattern(""), [])

    def resolve(self, path: str) -> ResolverMatch:
        """Return the match of a path below /api, with a view that raises; other paths are the project's."""
        path = str(path)
        if _probe.get() is not None or (path != "api" and not path.startswith("api/")):
            raise Resolver404({"path": path})
        return ResolverMatch(self._raise, (), {}, _REST, route="api/<path>", captured_kwargs={}, extra_kwargs={})

    def _raise(self, request: WSGIRequest, /, **_: Any) -> HttpResponseBase:
        raise self._error.with_traceback(None)


def mounted_trees() -> list[MountedTree]:
    """Return the trees that are mounted in the project, and those that could not be."""
    return list(_trees_below(get_resolver(), "/", ""))


def _trees_below(resolver: URLResolver, prefix: str, namespace: str) -> Iterator[MountedTree]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, _TreeResolver | _FaultyTree):
            mounted = pattern.mounted
            yield replace(mounted, prefix=prefix.rstrip("/"), namespace=namespace, hosts_answer=_hosts_answer)
        elif isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _trees_below(pattern, prefix + str(pattern.pattern), inner)


def _hosts_answer(method: str, path: str) -> str | None:
    """Return what of the project's has a path, in words; a view of its own says itself which methods it takes."""
    try:
        match = get_resolver().resolve(decode_path(path))
    except Resolver404:
        return None
    is_own = getattr(match.func, "__module__", "") == __name__
    return None if is_own else f"the project's pattern '{match.route}' ({match.view_name or match._func_path})"


class _Host:
    checks_paths = True
    has_urls = True

    def __init__(self, options: Options) -> None:
        self.draft = Draft(options.secret, options.debug, lambda: (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))

    def trusted_host(self, request: Request) -> str | None:
        host: str = request.raw.get_host()
        return host

    def report(self, request: Request, error: Exception) -> None:
        _logger.error("%s %r raised after its answer had begun", request.method, request.path, exc_info=error)
        got_request_exception.send(sender=type(self), request=request.raw)

    def origin(self, request: Request) -> str:
        return origin_of(request.raw.scheme, request.raw.get_host())

    def enter(self, request: Request, route: Route, captured: Captured) -> Response | None:
        raw = request.raw
        if raw.resolver_match is not None:  # a view that is called by itself has none
            raw.resolver_match = _entered(raw.resolver_match, route, captured)
        if route.is_guarded or settings.SESSION_COOKIE_NAME not in raw.COOKIES:
            return None
        # What Django has checked, if it has, was another route.
        check = CsrfViewMiddleware(_unmarked)
        check.process_request(raw)
        rejection = check.process_view(raw, _unmarked, (), {})
        if rejection is not None:
            return Response(rejection.status_code, [], Relayed(rejection))
        if request.body is not None and not request.body.is_kept:
            request.body = to_body(raw)  # it may have looked for the token in a form
        return None

    def call_after(self, request: Request, function: Callable[[], object]) -> None:
        if request.afters is None:
            raw, close = request.raw, request.raw.close

            def close_and_finish() -> None:
                close()
                request.finish()

            # Django calls it when the response that it sends in the end is closed, and before it closes connections.
            raw.close = close_and_finish
        context = copy_context()
        request.call_after(lambda: context.run(_call_outside, function))

    def unpack(self, relayed: Relayed, request: Request) -> Response:
        return from_response(relayed.response, request, partial(self.report, request))

    def new_run(self, name: str) -> Run:
        run = Run(name)
        run.call(partial(_move_here, run))
        return run

    def status_of(self, value: object) -> int | None:
        return value.status_code if isinstance(value, HttpResponseBase) else None

    def call(self, application: WSGIApplication, request: Request) -> Response:
        return call_application(application, request, partial(self.report, request))


def _call_outside(function: Callable[[], object]) -> None:
    """Call a function without what Django keeps of a request."""
    translation.deactivate()
    timezone.deactivate()
    set_urlconf(None)
    clear_script_prefix()
    function()


def _entered(found: ResolverMatch, route: Route, captured: Captured) -> ResolverMatch:
    """Return what `found`, the match of the path as it came, is for another route of the tree."""
    left: Route | None = getattr(found.func, "nextapi_route", None)
    before = found.route.removesuffix(left.pattern[1:] if left else _REST_ROUTE)
    own = {identifier(name) for name in left.param_names} if left else set()
    params = host_params(Match(route, captured, CanonicalPath("")))
    kwargs = {name: value for name, value in found.kwargs.items() if name not in own} | params

    def view(request: WSGIRequest, /, **_: Any) -> HttpResponseBase:
        answer: HttpResponseBase = found.func(request, **found.kwargs)
        return answer

    return ResolverMatch(
        _named(view, route),
        (),
        kwargs,
        route.name,
        [*found.app_names],
        [*found.namespaces],
        before + route.pattern[1:],
        found.tried,
        kwargs,
        {},
    )


def _named(view: Callable[..., HttpResponseBase], route: Route | None) -> Any:
    """Give a view the name of its route, and the route itself."""
    named: Any = view
    named.__name__ = named.__qualname__ = route.name if route else _REST
    named.nextapi_route = route
    return named


def _unmarked(_: HttpRequest) -> HttpResponse:
    """Stand for a route whose guard is off: a view without `csrf_exempt`."""
    return HttpResponse()


def _move_here(run: Run) -> None:
    """Have asgiref's locals, Django's language and time zone among them, belong to the thread of the coroutines."""
    # By asgiref's own way, which has no public name; it matters where the coroutines have another thread, under gevent.
    if rehome := getattr(asgiref.sync, "_restore_context", None):
        rehome(run.context)
    # Where asgiref looks for the thread of the request: there `sync_to_async` has the connections and transactions.
    asgiref.sync.AsyncToSync.executors.current = run.executor


# Patterns for reverse()


class _SegmentsConverter(PathConverter):
    def to_url(self, value: Any) -> str:
        return value if isinstance(value, str) else "/".join(map(str, value))


register_converter(StringConverter, "nextapi_segment")
register_converter(_SegmentsConverter, "nextapi_segments")


def _pattern_texts(segments: tuple[Segment, ...]) -> Iterator[str]:
    """Yield what `path()` takes for what `segments` match: "api/post/<nextapi_segment:pid>"."""
    parts: list[str] = []
    for segment in segments:
        if segment.kind is Kind.STATIC:
            parts.append(segment.name)
            continue
        if segment.kind is Kind.OPTIONAL_CATCH_ALL:
            yield "/".join(parts)
        converter = "nextapi_segments" if segment.is_catch_all else "nextapi_segment"
        parts.append(f"<{converter}:{identifier(segment.name)}>")
    yield "/".join(parts)


def _patterns(
    routes: list[tuple[str, Route]], views: Mapping[Route | None, Callable[..., HttpResponseBase]]
) -> list[URLPattern | URLResolver]:
    """Return the patterns of named routes; a ":" in a name is a namespace to Django."""
    patterns: list[URLPattern | URLResolver] = []
    below = defaultdict(list)
    for name, route in routes:
        namespace, colon, rest = name.partition(":")
        if colon:
            below[namespace].append((rest, route))
        else:
            patterns.extend(django_path(text, views[route], name=name) for text in _pattern_texts(route.segments))
    for namespace, named in below.items():
        inner = _patterns(named, views)
        patterns.append(URLResolver(RoutePattern(""), inner, app_name=namespace, namespace=namespace))
    return patterns


# Resolving


class _TreeResolver(URLResolver):
    """A tree's place in a URLconf."""

    def __init__(self, tree: LiveTree) -> None:
        self._tree = tree
        self.mounted = MountedTree(tree.root, tree.options, tree.host)
        self._set_patterns()

    def _set_patterns(self) -> None:
        """Have `reverse` know the routes that there are."""
        application = self._tree.application
        views = {route: self._view(application, route, "") for route in (None, *application.routes)}
        super().__init__(RoutePattern(""), _patterns([(route.name, route) for route in application.routes], views))

    def _refresh(self) -> None:
        if self._tree.refresh():
            outer = _outer_resolvers(get_resolver(get_urlconf()), self) or ()
            clear_url_caches()
            for resolver in outer:
                # What they know of the patterns below them, from their own `__init__`.
                vars(resolver).update(_reverse_dict={}, _namespace_dict={}, _app_dict={}, _populated=False)
            for known in ("url_patterns", "urlconf_module"):
                vars(self).pop(known, None)
            self._set_patterns()

    def resolve(self, path: str) -> ResolverMatch:
        """Return the match of a decoded path below the mount; raise `Resolver404` where it is the project's."""
        self._refresh()
        application = self._tree.application
        path = str(path)
        below, whole = self._sent_path(f"/{path}")
        match = application.match(below)
        has_route = match.route is not None
        probe = _probe.get()
        if probe is not None:
            probe[self] = has_route
            raise Resolver404({"path": path})
        if not has_route and path != "api" and not path.startswith("api/"):
            raise Resolver404({"path": path})
        before = whole.removesuffix(f"/{path}").count("/")
        own = before + _static_segments(match.route.pattern, f"/{path}") if match.route else 0
        if self._is_hosts(get_urlconf(), whole, has_route, own):
            raise Resolver404({"path": path})
        return self._resolver_match(application, match, f"/{path}")

    def _resolver_match(self, application: Application, match: Match, below: str) -> ResolverMatch:
        route, kwargs = match.route, host_params(match)
        name, text = (route.name, route.pattern[1:]) if route else (_REST, _REST_ROUTE)
        view = self._view(application, route, below)
        return ResolverMatch(view, (), kwargs, name, route=text, captured_kwargs=kwargs, extra_kwargs={})

    def _sent_path(self, below: str) -> tuple[str, str]:
        """Return a decoded path below the mount as the client sent it, if it is this request's, else as it would be
        sent; and the whole decoded path that it ends.
        """
        sent = noted_path()
        if sent and (cut := cut_path(sent, below, decode_path)) is not None:
            return sent[cut:], decode_path(sent).removeprefix(get_script_prefix().rstrip("/"))
        outer = _outer_resolvers(get_resolver(get_urlconf()), self) or ()
        return quote_path(below), "/" + "".join(str(resolver.pattern) for resolver in outer) + below[1:]

    # What the project would do without nextapi

    def _is_hosts(self, urlconf: Any, path: str, has_route: bool, own: int) -> bool:
        """Say whether a path is the project's all the same: it, or the path with the other form of its end, is
        answered.

        A pattern that stands after the tree gives way to the tree's files, unless it names the path letter by letter,
        or more of the path's first segments than the file does: `own` are what that names.
        """
        for candidate in (path, path[:-1] if path.endswith("/") else path + "/"):
            match, passed = _resolve_without_trees(urlconf, candidate)
            if match is not None and (not has_route or self not in passed or _is_nearer(match, candidate, own)):
                return True
            if not has_route and any(other is not self and leads for other, leads in passed.items()):
                return True
        return False

    # Views

    @staticmethod
    def _view(application: Application, route: Route | None, below: str) -> Callable[..., HttpResponseBase]:
        """Return the view of a route for a decoded path below the mount."""

        def view(request: WSGIRequest, /, **_: Any) -> HttpResponseBase:
            incoming = to_request(request, below)
            match = application.match(incoming.path)
            if match.route is not route:
                # What the project's middleware has checked was the other one.
                match = Match(None, [], match.path)
            try:
                response = application.handle(incoming, match)
            except BaseException as error:
                if settings.DEBUG_PROPAGATE_EXCEPTIONS or not isinstance(error, Exception):
                    incoming.finish()  # no response of Django's follows
                raise
            if response.error is not None and response.status >= 400:
                _roll_back()
            return to_response(response, incoming)

        is_guarded = route is None or route.is_guarded
        outer = _named(view if is_guarded else _guarded_by_django(view), route)
        outer.csrf_exempt = True  # the guard or `csrf_protect` does its work
        # A path that leads nowhere needs no login, unless middleware may lead it on.
        outer.login_required = route is not None or application.middleware is not None
        checked: Callable[..., HttpResponseBase] = outer
        return checked


def _guarded_by_django(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Return `view` under Django's CSRF check for requests that carry the session's cookie."""
    protected = csrf_protect(view)

    def guarded(request: WSGIRequest, /, **kwargs: Any) -> HttpResponseBase:
        in_session = settings.SESSION_COOKIE_NAME in request.COOKIES
        return (protected if in_session else view)(request, **kwargs)

    return guarded


@lru_cache(maxsize=64)
def _outer_resolvers(resolver: URLResolver, tree: _TreeResolver) -> tuple[URLResolver, ...] | None:
    """Return the resolvers between `resolver` and `tree`, None where the one does not hold the other."""
    for pattern in resolver.url_patterns:
        if pattern is tree:
            return ()
        if isinstance(pattern, URLResolver) and not isinstance(pattern, _TreeResolver):
            below = _outer_resolvers(pattern, tree)
            if below is not None:
                return (pattern, *below)
    return None


def _resolve_without_trees(urlconf: Any, path: str) -> tuple[ResolverMatch | None, dict[_TreeResolver, bool]]:
    """Return what resolves `path` in a project without its trees, and the trees passed: do they have the path?"""
    passed: dict[_TreeResolver, bool] = {}
    token = _probe.set(passed)
    try:
        return get_resolver(urlconf).resolve(path), passed
    except Resolver404:
        return None, passed
    finally:
        _probe.reset(token)


def _is_nearer(match: ResolverMatch, path: str, own: int) -> bool:
    """Say whether a pattern is the very text of the path, as in `path("api/items/", ...)`, or names more than `own` of
    its first segments.
    """
    text = "/" + re.sub(r"\\(\W)", r"\1", match.route.removeprefix("^").removesuffix("$").removesuffix(r"\Z"))
    return text == path or _static_segments(text, path) > own


def _static_segments(pattern: str, path: str) -> int:
    """Return how many segments of a path a pattern names letter by letter, from its first one on."""
    pairs = zip(pattern.split("/")[1:], path.split("/")[1:], strict=False)
    return len(list(takewhile(lambda pair: pair[0] == pair[1] != "", pairs)))


def _roll_back() -> None:
    """Have ATOMIC_REQUESTS do what an exception that left the view would have done."""
    for connection in connections.all(initialized_only=True):
        if connection.settings_dict["ATOMIC_REQUESTS"] and connection.in_atomic_block:
            transaction.set_rollback(True, using=connection.alias)
