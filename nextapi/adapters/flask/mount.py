"""A tree in an app: its rules, and the way of a request through them.

Every route is a rule of the app's, so that `url_for`, `flask routes` and `request.endpoint` know it. One rule more
takes what is left below `/api`, or leads to a file though Flask does not see it. Which rule takes a request is
nextapi's to say where the paths lead to its files, and the host's where they would have led to a rule of its own, see
`_Trees`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, Unpack, cast
from urllib.parse import unquote

import flask
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter, Map, MapAdapter, RequestRedirect, Rule

from nextapi.adapters.flask.host import FlaskHost
from nextapi.adapters.flask.messages import new_response_class, to_request, to_response
from nextapi.adapters.flask.rules import REST, OwnRule, Requests, is_below_api, is_rest, rule_texts
from nextapi.app import Application, Match, Route, host_params
from nextapi.commands.mounts import MountedTree
from nextapi.errors import OptionError, TreeError
from nextapi.options import Options, OptionSettings, read_options
from nextapi.reloading import LiveTree
from nextapi.routing.paths import cut_path, quote_path, raw_path

__all__ = ["create_blueprint", "is_inspected", "mounted_trees"]


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
        trees: _Trees = app.extensions.setdefault("nextapi", _Trees(app))
        folder, host = Path(app.root_path, root).absolute(), FlaskHost(app, settings)
        trees.listed.append(_mounted(state, folder, settings, host))
        try:
            tree = LiveTree(folder, settings, host)
        except TreeError as error:
            if is_inspected.get():
                return  # `flask nextapi` tells its faults
            if settings.debug:
                _have_watched(error)
            raise
        _Mount(tree, host, state, trees)

    @blueprint.url_value_preprocessor
    def name_route(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
        trees: _Trees = flask.current_app.extensions["nextapi"]
        trees.mounts[flask.request.blueprints[0]].name_route(flask.request)

    return blueprint


def _have_watched(error: TreeError) -> None:
    """Have Flask's reloader, which watches the files of all modules, see when the files at fault are mended."""
    for fault in error.exceptions:
        for file in getattr(fault, "files", ()):
            watched = ModuleType(f"nextapi_fault:{file}")
            watched.__file__ = str(file)
            sys.modules[watched.__name__] = watched


def mounted_trees(app: flask.Flask) -> list[MountedTree]:
    """Return the trees that are mounted in an app, and those that could not be."""
    trees: _Trees | None = app.extensions.get("nextapi")
    return trees.listed if trees else []


is_inspected: ContextVar[bool] = ContextVar("nextapi_inspected", default=False)
"""Whether the app is loaded to tell of its trees: a faulty one does not keep it from being loaded then."""


def _mounted(state: BlueprintSetupState, root: Path, options: Options, host: FlaskHost) -> MountedTree:
    app = cast("flask.Flask", state.app)

    def hosts_answer(method: str, path: str) -> str | None:
        with app.test_request_context(path, method=method) as context:
            rule = context.request.url_rule
            error = context.request.routing_exception
        if rule is None:
            return f"the app ({error.code} {error.name})" if error is not None and error.code != 404 else None
        return None if isinstance(rule, OwnRule) else f"the app's rule {rule.rule} ({rule.endpoint})"

    name = f"{state.name_prefix}.{state.name}.".lstrip(".")
    return MountedTree(root, options, host, (state.url_prefix or "").rstrip("/"), name, hosts_answer)


class _Mount:
    """A tree in an app: its rules, and the way of a request through them."""

    def __init__(self, tree: LiveTree, host: FlaskHost, state: BlueprintSetupState, trees: _Trees) -> None:
        self._tree = tree
        self._state = state
        self._trees = trees
        self._name = f"{state.name_prefix}.{state.name}".lstrip(".")
        self._prefix = (state.url_prefix or "").rstrip("/")
        self._prefix_pattern = _prefix_pattern(self._prefix, state.app.url_map.converters)
        self._response_class = new_response_class(cast("flask.Flask", state.app).response_class)
        self._rule_class = type("NextapiRule", (OwnRule, state.app.url_rule_class), {})
        self._rules: dict[str, Rule] = {}
        trees.mounts[self._name] = self
        host.name_as = self.name_as
        self._add_rules(tree.application.routes)
        for text in ("/api", "/api/<rest:path>"):
            self._add_rule(text, REST)
        # Outside of /api it only takes what leads to a file; in debug there may be some of them later.
        if tree.options.debug or not all(is_below_api(route.pattern) for route in tree.application.routes):
            self._add_rule("/<rest:path>", REST)

    def _add_rules(self, routes: Iterable[Route]) -> None:
        for route in routes:
            for text in rule_texts(route.segments):
                self._add_rule(text, route.name)

    def _add_rule(self, text: str, name: str) -> None:
        state, endpoint = self._state, f"{self._name}.{name}"
        rule = self._rule_class(
            self._prefix + text or "/",
            endpoint=endpoint,
            subdomain=state.subdomain,
            defaults=state.url_defaults or None,
            merge_slashes=False,
        )
        requests = Requests()
        rule.methods = cast("set[str]", requests)
        requests.takes = lambda: self._takes(flask.request, name)
        rule.is_rest = name == REST
        state.app.url_map.add(rule)
        state.app.view_functions[endpoint] = self._view(name)
        self._rules.setdefault(name, rule)

    def _view(self, name: str) -> Callable[..., flask.Response]:
        def view(**_: Any) -> flask.Response:
            request: flask.Request = flask.request._get_current_object()  # type: ignore[attr-defined]  # a proxy's
            found = self.find(request)
            incoming = to_request(request, found.prefix, found.path)
            response = found.application.handle(incoming, found.match)
            return to_response(response, incoming, self._response_class)

        view.__name__ = view.__qualname__ = name
        return view

    def find(self, request: flask.Request) -> _Found:
        """Return what the request's path leads to; asked for by every rule that may take it, answered once."""
        all_found: dict[str, _Found] = vars(request).setdefault("nextapi", {})
        if self._name not in all_found:
            self._tree.refresh()
            application = self._tree.application
            found = None
            for below in self._below_prefix(request.path):
                candidate = _find(request, below, application)
                found = found or candidate
                if candidate.match.route is not None:
                    found = candidate
                    break
            found = all_found[self._name] = found or _find(request, request.path, application)
            if found.name not in self._rules:  # a file that is new since the app began
                self._add_rules(route for route in application.routes if route.name not in self._rules)
                self._trees.forget_rules()
        return all_found[self._name]

    def _below_prefix(self, path: str) -> Iterator[str]:
        """Yield what of a path may be below the prefix, which may have parameters of several segments: first what is
        below /api.
        """
        if self._prefix_pattern is None:
            yield path.removeprefix(self._prefix)
            return
        ends = [index for index, character in enumerate(path) if character == "/"] + [len(path)]
        rests = [path[end:] for end in ends if self._prefix_pattern.fullmatch(path, 0, end)]
        yield from sorted(rests, key=lambda rest: not is_below_api(rest))

    def _takes(self, request: flask.Request, name: str) -> bool:
        found = self.find(request)
        if name == REST:
            # A path like /items/a%2Fb leads to a route that Flask, which sees /items/a/b, cannot find a rule for.
            if found.match.route is None and not is_below_api(found.path):
                return False
        elif name != found.name:
            return False
        is_as_it_should = found.match.path.path == found.path
        head = f"{self._prefix}/api" if is_below_api(found.path) else self._rules[found.name].rule
        rivals_of = head.partition("<")[0] if is_as_it_should else ""
        return not self._trees.are_passed_by(request, self._rule_name(found.name), rivals_of)

    def _rule_name(self, name: str) -> str:
        return f"{self._name}.{name}".upper() if name != REST else ""

    def name_route(self, request: flask.Request) -> None:
        """Have the request name the route that runs, where the rule that took it is another one."""
        match = self.find(request).match
        if match.route is not None and request.endpoint != self._rules[match.route.name].endpoint:
            self.name_as(request, match)

    def name_as(self, request: flask.Request, match: Match) -> None:
        """Have the request name the route of a match."""
        assert match.route is not None, "it was found"
        rule = self._rules[match.route.name]
        outer = {name: value for name, value in (request.view_args or {}).items() if name in rule.arguments}
        request.url_rule, request.view_args = rule, outer | host_params(match)


class _Found(NamedTuple):
    """What a request's path leads to in a tree; `prefix` is what stands before the tree, `path` what is below it."""

    prefix: str
    path: str
    application: Application
    match: Match

    @property
    def name(self) -> str:
        """The name of the route, or of what no route names."""
        return self.match.route.name if self.match.route else REST


def _find(request: flask.Request, below: str, application: Application) -> _Found:
    """Return what a decoded path, the part of the request's that is below a mount, leads to as it was sent."""
    script, sent = raw_path(request.environ)
    cut = cut_path(sent, below, _decode_path)
    prefix, path = (sent[:cut], sent[cut:]) if cut is not None else ("", quote_path(below))
    if not prefix.strip("/"):  # werkzeug takes slashes off the beginning: here they are the path's
        prefix, path = "", prefix + path
    path = path or "/"  # the prefix itself
    return _Found(script + prefix, path, application, application.match(path))


def _prefix_pattern(prefix: str, converters: Mapping[str, type[BaseConverter]]) -> re.Pattern[str] | None:
    """Return what a mount's `url_prefix` matches, "/<lang>/v2"; None where it has no parameters."""
    if "<" not in prefix:
        return None
    parts = re.split(r"<(?:([^<>:]*):)?[^<>]*>", prefix)
    text = re.escape(parts[0])
    for converter, static in zip(parts[1::2], parts[2::2], strict=True):
        known = converters.get((converter or "default").partition("(")[0])
        text += ("[^/]+" if known is None or known.part_isolating else ".+") + re.escape(static)
    return re.compile(text, re.DOTALL)


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
        self._has_rivals: dict[str, bool] = {}
        self.mounts: dict[str, _Mount] = {}
        self.listed: list[MountedTree] = []

    def forget_rules(self) -> None:
        """Look at the app's rules anew: there are more."""
        self._map = None

    def are_passed_by(self, request: flask.Request, rule_name: str, head: str) -> bool:
        """Say whether a request, which leads to the rules of that name in a tree, is the host's all the same; `head`
        is what its path begins with.
        """
        rules = self._map
        if rules is None:
            rules = self._map = self._map_without_methods()
            self._has_rivals = {}
        if head not in self._has_rivals:
            self._has_rivals[head] = self._are_there_rivals(head)
        if not self._has_rivals[head]:
            return False
        known: dict[str, bool] = vars(request).setdefault("nextapi_passed_by", {})
        if rule_name not in known:
            adapter = self._app.create_url_adapter(request)
            assert adapter is not None, "a request has an adapter"
            adapter.map = rules
            path = request.path
            other_form = path[:-1] if path.endswith("/") else path + "/"
            known[rule_name] = any(self._is_hosts(adapter, form, rule_name) for form in (path, other_form))
        return known[rule_name]

    def _are_there_rivals(self, head: str) -> bool:
        """Say whether the app has any rule that could match what begins with `head`."""
        own = [rule.rule.partition("<") for rule in self._app.url_map.iter_rules() if not isinstance(rule, OwnRule)]
        return len(self.mounts) > 1 or any(
            text.startswith(head) or (has_parameters and head.startswith(text)) for text, has_parameters, _ in own
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
        return not isinstance(rule, OwnRule)

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
        for rule in sorted(known.iter_rules(), key=lambda rule: isinstance(rule, OwnRule)):
            if rule.build_only or rule.websocket or is_rest(rule):
                continue
            copy = rule.empty()
            # Of nextapi's rules only those that the path leads to take part: a match asks for them by their name.
            copy.methods = {rule.endpoint.upper()} if isinstance(rule, OwnRule) else None
            copy.merge_slashes = rule.merge_slashes
            if isinstance(copy, OwnRule):
                copy.strict_slashes = False  # a slash at the end leads to the same file
            copied.add(copy)
        return copied
