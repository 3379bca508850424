"""A tree in a URLconf: Django's resolver asks nextapi's router, and reverses by ordinary patterns.

`_TreeResolver` takes part where `include` put it. What its files do not name it leaves to the patterns around it, and
to APPEND_SLASH; its own 404 is only for what nothing in the project would have answered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import replace
from functools import lru_cache
from itertools import takewhile
from os import PathLike
from pathlib import Path
from typing import Any, Unpack

from django.apps import apps
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.core.signals import request_finished, request_started
from django.db import connections, transaction
from django.http.response import HttpResponseBase
from django.urls import URLResolver, clear_url_caches, get_resolver, get_script_prefix, get_urlconf
from django.urls.exceptions import Resolver404
from django.urls.resolvers import ResolverMatch, RoutePattern
from django.utils.autoreload import autoreload_started, file_changed
from django.views.decorators.csrf import csrf_protect

from nextapi.adapters.django.host import DjangoHost
from nextapi.adapters.django.messages import (
    decode_path,
    forget_request,
    note_request,
    noted_path,
    to_request,
    to_response,
)
from nextapi.adapters.django.patterns import REST, REST_ROUTE, named_view, patterns_of
from nextapi.app import Application, Match, Route, host_params
from nextapi.cache.visit import KEY, current_visit
from nextapi.commands.mounts import MountedTree
from nextapi.errors import TreeError
from nextapi.loading import is_loaded_elsewhere
from nextapi.options import OptionSettings, read_options
from nextapi.reloading import LiveTree
from nextapi.routing.paths import cut_path, quote_path

__all__ = ["create_urlpatterns", "mounted_trees"]

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
    host = DjangoHost(settled)
    request_started.connect(note_request, dispatch_uid="nextapi")
    request_finished.connect(forget_request, dispatch_uid="nextapi")
    if get_urlconf() is not None:  # the URLconf is loaded by a request, which has begun before
        note_request({"PATH_INFO": get_script_prefix(), KEY: current_visit()})
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
        return ResolverMatch(self._raise, (), {}, REST, route=REST_ROUTE, captured_kwargs={}, extra_kwargs={})

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
        super().__init__(RoutePattern(""), patterns_of([(route.name, route) for route in application.routes], views))

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
        name, text = (route.name, route.pattern[1:]) if route else (REST, REST_ROUTE)
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
        outer = named_view(view if is_guarded else _guarded_by_django(view), route)
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
