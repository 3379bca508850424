"""What Flask says and does for the application: its hosts, secrets and signals, and `after` in an app context."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context, copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

import flask
from werkzeug.exceptions import SecurityError
from werkzeug.wrappers import Response as WerkzeugResponse

from nextapi.adapters.flask.messages import call_on_close
from nextapi.app import Match, Route
from nextapi.cache.visit import environs_answered
from nextapi.draft import Draft
from nextapi.http.message import Relayed, Request, Response
from nextapi.http.relay import call_application
from nextapi.options import Options
from nextapi.routing.paths import CanonicalPath
from nextapi.routing.tree import Captured
from nextapi.running import Run
from nextapi.web.next_url import origin_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = ["FlaskHost", "secrets_of"]


environs_answered["flask"] = lambda: flask.request.environ if flask.has_request_context() else None


def secrets_of(app: flask.Flask) -> list[str | bytes | None]:
    """Return an app's secret, and those that it had before."""
    return [app.secret_key, *(app.config.get("SECRET_KEY_FALLBACKS") or ())]


class FlaskHost:
    """What only Flask can say and do (`nextapi.app.Host`)."""

    checks_paths = True
    has_urls = True
    name_as: Callable[[flask.Request, Match], None]
    """Has a request name the route of a match; the mount's."""

    def __init__(self, app: flask.Flask, options: Options) -> None:
        self._app = app
        self._is_connected = False
        self.draft = Draft(options.secret, options.debug, partial(secrets_of, app))

    def trusted_host(self, request: Request) -> str | None:
        host: str = request.raw.host
        return host or None

    def origin(self, request: Request) -> str:
        if not request.raw.host:  # as werkzeug has it for one that cannot be
            raise SecurityError("The request is for no host.")
        return origin_of(request.raw.scheme, request.raw.host)

    def enter(self, request: Request, route: Route, captured: Captured) -> Response | None:
        self.name_as(request.raw, Match(route, captured, CanonicalPath(request.path)))
        return None

    def new_run(self, name: str) -> Run:
        return Run(name)

    def call_after(self, request: Request, function: Callable[[], object]) -> None:
        if request.afters is None:
            if not self._is_connected:  # only who uses it pays for it
                flask.request_finished.connect(_finish_with, self._app)
                flask.request_tearing_down.connect(_finish_now, self._app)
                self._is_connected = True
            vars(request.raw)["nextapi_unfinished"] = request
        context = _own_context()
        request.call_after(lambda: context.run(self._call_in_app, function))

    def _call_in_app(self, function: Callable[[], object]) -> None:
        with self._app.app_context():
            function()

    def unpack(self, relayed: Relayed, request: Request) -> Response:
        return self.call(relayed.response, request)

    def status_of(self, value: object) -> int | None:
        return value.status_code if isinstance(value, WerkzeugResponse) else None

    def call(self, application: WSGIApplication, request: Request) -> Response:
        return call_application(application, request, partial(self.report, request))

    def report(self, request: Request, error: Exception) -> None:
        flask.got_request_exception.send(self._app, _async_wrapper=self._app.ensure_sync, exception=error)
        self._app.log_exception((type(error), error, error.__traceback__))  # type: ignore[arg-type]  # it was raised


def _finish_with(_: flask.Flask, response: flask.Response, **__: Any) -> None:
    """Have the request finished when the response has been sent, which no hook changes any more."""
    request: Request | None = vars(flask.request._get_current_object()).pop("nextapi_unfinished", None)  # type: ignore[attr-defined]  # a proxy's
    if request is not None:
        call_on_close(response, request.finish)


def _finish_now(_: flask.Flask, **__: Any) -> None:
    """Finish a request that gets no response: its exception goes on to the server, or to a test."""
    request: Request | None = vars(flask.request._get_current_object()).pop("nextapi_unfinished", None)  # type: ignore[attr-defined]  # a proxy's
    if request is not None:
        request.finish()


def _own_context() -> Context:
    """Return a copy of the context of now, without Flask's app and request, which are gone when it is used."""
    flasks = [getattr(flask.globals, name, None) for name in ("_cv_app", "_cv_request")]
    context = Context()
    for variable, value in copy_context().items():
        if variable not in flasks:
            context.run(variable.set, value)
    return context
