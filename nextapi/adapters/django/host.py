"""What Django says and does for the application: its hosts, signals, CSRF check, transactions' thread and `after`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

import asgiref.sync
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.urls import clear_script_prefix, set_urlconf
from django.urls.resolvers import ResolverMatch
from django.utils import timezone, translation

from nextapi.adapters.django.messages import from_response, noted_environ, to_body
from nextapi.adapters.django.patterns import REST_ROUTE, named_view
from nextapi.app import Match, Route, host_params
from nextapi.cache.visit import environs_answered
from nextapi.draft import Draft
from nextapi.http.message import Relayed, Request, Response
from nextapi.http.relay import call_application
from nextapi.options import Options
from nextapi.routing.paths import CanonicalPath
from nextapi.routing.segments import identifier
from nextapi.routing.tree import Captured
from nextapi.running import Run
from nextapi.web.next_url import origin_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = ["DjangoHost", "secrets_of"]

_logger = logging.getLogger("nextapi")


environs_answered["django"] = noted_environ


def secrets_of() -> tuple[str | bytes, ...]:
    """Return the project's secret, and those that it had before."""
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


class DjangoHost:
    """What only Django can say and do (`nextapi.app.Host`)."""

    checks_paths = True
    has_urls = True

    def __init__(self, options: Options) -> None:
        self.draft = Draft(options.secret, options.debug, secrets_of)

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
    before = found.route.removesuffix(left.pattern[1:] if left else REST_ROUTE)
    own = {identifier(name) for name in left.param_names} if left else set()
    params = host_params(Match(route, captured, CanonicalPath("")))
    kwargs = {name: value for name, value in found.kwargs.items() if name not in own} | params

    def view(request: WSGIRequest, /, **_: Any) -> HttpResponseBase:
        answer: HttpResponseBase = found.func(request, **found.kwargs)
        return answer

    return ResolverMatch(
        named_view(view, route),
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
