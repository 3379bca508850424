"""nextapi in a Flask app: `app.register_blueprint(create_blueprint("web"))`.

Every route is a rule of the app's, so that `url_for`, `flask routes` and `request.endpoint` know it, and one rule
more takes what is left below `/api`. Which rule takes a request is nextapi's to say where the paths lead to its
files, and the host's where they would have led to a rule of its own, see `_Trees`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple, Unpack, cast
from urllib.parse import quote, unquote

import flask
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter, Map, MapAdapter, PathConverter, RequestRedirect, Rule, UnicodeConverter

from nextapi.adapters.wsgi import read_fully
from nextapi.app import Application, Match, Route, build, host_params
from nextapi.errors import BodyGoneError, OptionError
from nextapi.http.message import Body, Request, Response
from nextapi.http.query import encode_pairs
from nextapi.options import OptionSettings, read_options
from nextapi.routing.paths import cut_path, quote_path, raw_path
from nextapi.routing.segments import Kind, Segment, identifier

__all__ = ["create_blueprint", "read_body", "to_request", "to_response"]

_REST = "[404]"
"""The endpoint of what no route names; no file can have this name."""


def create_blueprint(root: str | PathLike[str], **options: Unpack[OptionSettings]) -> flask.Blueprint:
    """Return a blueprint for the folder `root`, which is relative to the app's `root_path`.

    The tree is built when the blueprint is registered, which raises `TreeError` with all its faults. Options that
    are not given here are taken from the app's config, `NEXTAPI_TRUSTED_ORIGINS` and its like; `debug` is the app's
    unless said.
    """
    given = read_options(options)
    blueprint = flask.Blueprint(given.name, __name__)

    @blueprint.record
    def mount(state: BlueprintSetupState) -> None:
        app = cast("flask.Flask", state.app)
        config = app.config.get_namespace("NEXTAPI_")
        if "name" in config:
            raise OptionError("NEXTAPI_NAME comes too late for a blueprint's name: give create_blueprint(name=...)")
        settings = read_options({"debug": app.debug, **config, **options})
        application = build(Path(app.root_path, root).absolute(), settings, _Host(app))
        _Mount(application, state, app.extensions.setdefault("nextapi", _Trees(app)))

    @blueprint.url_value_preprocessor
    def name_route(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
        trees: _Trees = flask.current_app.extensions["nextapi"]
        trees.mounts[flask.request.blueprints[0]].name_route(flask.request)

    return blueprint


class _Host:
    checks_paths = True

    def __init__(self, app: flask.Flask) -> None:
        self._app = app

    def trusted_host(self, request: Request) -> str | None:
        host: str = request.raw.host
        return host or None

    def report(self, request: Request, error: Exception) -> None:
        flask.got_request_exception.send(self._app, _async_wrapper=self._app.ensure_sync, exception=error)
        self._app.log_exception((type(error), error, error.__traceback__))  # type: ignore[arg-type]  # it was raised


# Rules


class _Requests(frozenset[str]):
    """The `methods` of a rule of nextapi's: any method, on the requests that are the rule's to take.

    It is what werkzeug asks of a rule when it matches, and it goes on to the next rule on a no: the host's own 405,
    redirect or 404 come about as if nextapi's rule was not there.
    """

    takes: Callable[[], bool]

    def __contains__(self, method: object) -> bool:
        if method == "--":  # what werkzeug asks with to learn which methods a path has
            return False
        is_matching = flask.has_request_context() and flask.request.url_rule is None
        return not is_matching or flask.request.routing_exception is not None or self.takes()


class _SegmentConverter(UnicodeConverter):
    def to_url(self, value: Any) -> str:
        return quote(str(value), safe="!$&'()*+,;=:@")


class _SegmentsConverter(PathConverter):
    def to_url(self, value: Any) -> str:
        parts = value.split("/") if isinstance(value, str) else value
        return "/".join(quote(str(part), safe="!$&'()*+,;=:@") for part in parts)


class _RestConverter(BaseConverter):
    part_isolating = False
    regex = ".*?"
    weight = 10_000


_CONVERTERS = {"default": _SegmentConverter, "path": _SegmentsConverter, "rest": _RestConverter}


class _OwnRule(Rule):
    """What every rule of nextapi's is, beside a rule of the app's class; `is_rest` takes what no route names."""

    is_rest = False
    # Flask looks for it on the rule.
    provide_automatic_options = False

    def get_converter(
        self, variable_name: str, converter_name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> BaseConverter:
        converter: BaseConverter = _CONVERTERS[converter_name](self.map, *args, **kwargs)
        return converter


def _is_rest(rule: Rule) -> bool:
    return isinstance(rule, _OwnRule) and rule.is_rest


def _rule_texts(segments: tuple[Segment, ...]) -> Iterator[str]:
    """Yield the rules that match what `segments` do: "/api/post/<pid>", "/api/docs/<path:slug>"."""
    text = ""
    for segment in segments:
        if segment.kind is Kind.OPTIONAL_CATCH_ALL:
            yield text
        name = identifier(segment.name)
        text += (
            f"/<path:{name}>"
            if segment.is_catch_all
            else f"/<{name}>"
            if segment.kind is Kind.DYNAMIC
            else f"/{segment.name}"
        )
    yield text


class _Mount:
    """A tree in an app: its rules, and the way of a request through them."""

    def __init__(self, application: Application, state: BlueprintSetupState, trees: _Trees) -> None:
        self._application = application
        self._trees = trees
        self._name = f"{state.name_prefix}.{state.name}".lstrip(".")
        self._prefix = (state.url_prefix or "").rstrip("/")
        self._below_prefix = _prefix_pattern(self._prefix)
        self._response_class = _response_class(cast("flask.Flask", state.app).response_class)
        self._rules: dict[Route | None, Rule] = {}
        trees.mounts[self._name] = self
        rule_class = type("NextapiRule", (_OwnRule, state.app.url_rule_class), {})
        for route in application.routes:
            for text in _rule_texts(route.segments):
                self._add_rule(state, rule_class, text, route.name, route)
        for text in ("/api", "/api/<rest:path>"):
            self._add_rule(state, rule_class, text, _REST, None)

    def _add_rule(
        self, state: BlueprintSetupState, rule_class: type[_OwnRule], text: str, name: str, route: Route | None
    ) -> None:
        endpoint = f"{self._name}.{name}"
        rule = rule_class(
            self._prefix + text,
            endpoint=endpoint,
            subdomain=state.subdomain,
            defaults=state.url_defaults or None,
            merge_slashes=False,
        )
        requests = _Requests()
        rule.methods = cast("set[str]", requests)
        requests.takes = lambda: self._takes(flask.request, route)
        rule.is_rest = route is None
        state.app.url_map.add(rule)
        state.app.view_functions[endpoint] = self._view(name)
        self._rules.setdefault(route, rule)

    def _view(self, name: str) -> Callable[..., flask.Response]:
        def view(**_: Any) -> flask.Response:
            request: flask.Request = flask.request._get_current_object()  # type: ignore[attr-defined]  # a proxy's
            found = self.find(request)
            response = self._application.handle(to_request(request, found.prefix, found.path), found.match)
            return to_response(response, self._response_class)

        view.__name__ = view.__qualname__ = name
        return view

    def find(self, request: flask.Request) -> _Found:
        """Return what the request's path leads to; asked for by every rule that may take it, answered once."""
        all_found: dict[str, _Found] = vars(request).setdefault("nextapi", {})
        if self._name not in all_found:
            script, sent = raw_path(request.environ)
            inside = self._below_prefix.match(request.path)
            below = request.path[inside.end() :] if inside else request.path
            cut = cut_path(sent, below, _decode_path)
            prefix, path = (sent[:cut], sent[cut:]) if cut is not None else ("", quote_path(below))
            all_found[self._name] = _Found(script + prefix, path, self._application.match(path))
        return all_found[self._name]

    def _takes(self, request: flask.Request, route: Route | None) -> bool:
        found = self.find(request).match.route
        # A path like /items/a%2Fb leads to a route that Flask, which sees /items/a/b, cannot find a rule for.
        return route in (found, None) and not self._trees.are_passed_by(request, self._rule_name(found))

    def _rule_name(self, route: Route | None) -> str:
        return f"{self._name}.{route.name}".upper() if route else ""

    def name_route(self, request: flask.Request) -> None:
        """Have the request name the route that runs, where the rule that took it is another one."""
        match = self.find(request).match
        rule = self._rules[match.route]
        if match.route is not None and request.endpoint != rule.endpoint:
            outer = {name: value for name, value in (request.view_args or {}).items() if name in rule.arguments}
            request.url_rule, request.view_args = rule, outer | host_params(match)


class _Found(NamedTuple):
    """What a request's path leads to in a tree; `prefix` is what stands before the tree, `path` what is below it."""

    prefix: str
    path: str
    match: Match


def _prefix_pattern(prefix: str) -> re.Pattern[str]:
    """Return what a mount's `url_prefix`, "/<lang>/v2", matches at the beginning of a path."""
    parts = re.split(r"<(?:([^<>:]*):)?[^<>]*>", prefix)
    text = re.escape(parts[0])
    for converter, static in zip(parts[1::2], parts[2::2], strict=True):
        text += (".+?" if converter == "path" else "[^/]+") + re.escape(static)
    return re.compile(text + r"(?=/api(?:/|\Z))", re.DOTALL)


def _decode_path(path: str) -> str:
    return unquote(path, errors="replace")  # as werkzeug does


class _Trees:
    """All trees of an app, and which paths are not theirs but the host's.

    Precedence is the host's own: of two rules that match a path the more specific one has it, whatever the methods
    that it takes. nextapi's own 404 is only for what the host has no rule for, with or without a slash at its end.
    """

    def __init__(self, app: flask.Flask) -> None:
        self._app = app
        self._map: Map | None = None
        self._has_rivals = True
        self.mounts: dict[str, _Mount] = {}

    def are_passed_by(self, request: flask.Request, rule_name: str) -> bool:
        """Say whether a request, which leads to the rules of that name in a tree, is the host's all the same."""
        if self._map is None:
            self._map, self._has_rivals = self._map_without_methods(), self._are_there_rivals()
        if not self._has_rivals:
            return False
        known: dict[str, bool] = vars(request).setdefault("nextapi_passed_by", {})
        if rule_name not in known:
            adapter = self._app.create_url_adapter(request)
            assert adapter is not None, "a request has an adapter"
            adapter.map = self._map
            path = request.path
            other_form = path[:-1] if path.endswith("/") else path + "/"
            known[rule_name] = any(self._is_hosts(adapter, form, rule_name) for form in (path, other_form))
        return known[rule_name]

    def _are_there_rivals(self) -> bool:
        """Say whether the app has any rule that could match below a tree's /api."""
        bases = [rule.rule.partition("<")[0] for rule in self._app.url_map.iter_rules() if _is_rest(rule)]
        heads = [
            rule.rule.partition("<")[0] for rule in self._app.url_map.iter_rules() if not isinstance(rule, _OwnRule)
        ]
        return len(self.mounts) > 1 or any(
            head.startswith(base) or base.startswith(head) for head in heads for base in bases
        )

    @staticmethod
    def _is_hosts(adapter: MapAdapter, path: str, rule_name: str) -> bool:
        """Say whether a rule of the host's has `path`: it would answer, redirect or refuse the method."""
        try:
            rule, _ = adapter.match(path, rule_name, return_rule=True)
        except RequestRedirect:
            return True
        except HTTPException:
            return False
        return not isinstance(rule, _OwnRule)

    def _map_without_methods(self) -> Map:
        # Made once, from the first request: Flask takes no rules after that. The host's come first, and win where two
        # are equally specific.
        known = self._app.url_map
        copied = Map(
            default_subdomain=known.default_subdomain,
            strict_slashes=known.strict_slashes,
            merge_slashes=known.merge_slashes,
            redirect_defaults=known.redirect_defaults,
            converters=known.converters,
            host_matching=known.host_matching,
        )
        for rule in sorted(known.iter_rules(), key=lambda rule: isinstance(rule, _OwnRule)):
            if rule.build_only or rule.websocket or _is_rest(rule):
                continue
            copy = rule.empty()
            # Of nextapi's rules only those that the path leads to take part: a match asks for them by their name.
            copy.methods = {rule.endpoint.upper()} if isinstance(rule, _OwnRule) else None
            copy.merge_slashes = rule.merge_slashes
            if isinstance(copy, _OwnRule):
                copy.strict_slashes = False  # a slash at the end leads to the same file
            copied.add(copy)
        return copied


# Translators


def to_request(request: flask.Request, prefix: str, path: str) -> Request:
    """Return Flask's request as nextapi's: `path` is below the mount, `prefix` before it, both as they were sent."""
    query_string = request.environ.get("QUERY_STRING", "")
    return Request(request.method, path, query_string, request.environ, read_body(request), request, prefix)


def read_body(request: flask.Request) -> Body | None:
    """Return the body, from where the host has read it if it has; else Flask keeps what is read, for the host.

    A body without Content-Length, which may be of any size, is read past Flask, and not kept.
    """
    data = getattr(request, "_cached_data", None)
    if data is None and "form" in vars(request):
        # The host asked for the form first. werkzeug does not keep the bytes of a form; other bodies it leaves unread.
        if request.mimetype == "multipart/form-data":
            return Body(None, _gone, lambda: BytesIO(_gone()))
        if request.mimetype == "application/x-www-form-urlencoded":
            data = encode_pairs(request.form.items(multi=True)).encode()
    if data is not None:
        return Body(len(data), BytesIO(data).read, lambda: BytesIO(data)) if data else None
    length = request.content_length
    if length is None:
        if not request.environ.get("wsgi.input_terminated"):
            return None
        return Body(None, partial(read_fully, request.stream), lambda: request.stream)
    if not length:
        return None
    was_touched = "stream" in vars(request)

    def read(_: int) -> bytes:
        data = request.get_data()
        return _gone() if was_touched and len(data) < length else data

    return Body(length, read, lambda: request.stream)


def _gone(_: int = 0) -> bytes:
    raise BodyGoneError(
        "the app read this body before nextapi could: take it from where the app has it, such as req.raw.form and "
        'req.raw.files, and set config = {"api": {"bodyParser": False}}; or read it by request.get_data(), '
        "which keeps it"
    )


def _response_class(host_class: type[flask.Response]) -> type[flask.Response]:
    """Return the app's class of responses without what it adds to headers that are complete."""

    class NextapiResponse(host_class):  # type: ignore[misc,valid-type]  # a class that is known when it runs
        default_mimetype = None
        automatically_set_content_length = False

        def get_wsgi_headers(self, environ: Any) -> Any:
            return self.headers

    return NextapiResponse


def to_response(response: Response, response_class: type[flask.Response]) -> flask.Response:
    """Return nextapi's response as Flask's, of the class that the mount made for it."""
    made = response_class(response.body, response.status_line, response.headers)
    made.automatically_set_content_length = True  # from now on, for who changes the body
    return made
