"""A loaded module becomes an endpoint of the dialect that it speaks, once all that it says has been checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

from nextapi.errors import BuildError, ConfigError, HandlerError, TreeError
from nextapi.handlers.config import page_options
from nextapi.handlers.edge import EdgeEndpoint
from nextapi.handlers.host import HandlerHost
from nextapi.handlers.pages import PageEndpoint
from nextapi.handlers.route import METHODS, RouteEndpoint
from nextapi.handlers.segment import segment_config
from nextapi.handlers.signature import count_arguments, handler_problem
from nextapi.web.request import Site

__all__ = ["Endpoint", "page_endpoint", "route_endpoint"]

Endpoint: TypeAlias = PageEndpoint | EdgeEndpoint | RouteEndpoint


def page_endpoint(
    module: ModuleType, file: Path, pattern: str, param_names: tuple[str, ...], site: Site, host: HandlerHost
) -> PageEndpoint | EdgeEndpoint:
    """Return the endpoint of a module of `pages/api`; raise `TreeError` with all that is wrong with it."""
    config, wrong = page_options(getattr(module, "config", {}), getattr(module, "runtime", None))
    faults: list[BuildError] = [ConfigError(f"{file}: {fault}", file) for fault in wrong]
    handler = getattr(module, "handler", None)
    form = "def handler(request)" if config.is_edge else "def handler(req, res)"
    if handler is None:
        own = [name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
        found = f"; there is {', '.join(own)}" if own else ""
        faults.append(HandlerError(f"{file}: there is no `handler`: define `{form}`{found}", file))
    elif problem := handler_problem("handler", handler, form, None if config.is_edge else 2):
        faults.append(HandlerError(f"{file}: {problem}{_edge_hint(handler, config.is_edge)}", file))
    if faults:
        raise TreeError(f"{file} is no route", faults)
    assert callable(handler), "it was checked"
    if config.is_edge:
        takes_event = count_arguments(handler, 2) == 2
        return EdgeEndpoint(handler, takes_event, config, file, pattern, site, host)
    return PageEndpoint(handler, config, file, param_names, site.limit, host)


def _edge_hint(handler: object, is_edge: bool) -> str:
    if is_edge or not callable(handler) or count_arguments(handler, 2) != 1:
        return ""
    return '; for a handler(request) of the edge dialect add config = {"runtime": "edge"}'


def route_endpoint(module: ModuleType, file: Path, site: Site, host: HandlerHost) -> RouteEndpoint:
    """Return the endpoint of a `route.py`; raise `TreeError` with all that is wrong with it."""
    config, wrong = segment_config(module)
    faults: list[BuildError] = [ConfigError(f"{file}: {fault}", file) for fault in wrong]
    handlers: dict[str, tuple[Callable[..., object], int]] = {}
    for method in METHODS:
        handler = getattr(module, method, None)
        if handler is None:
            continue
        if problem := handler_problem(method, handler, f"def {method}(request, context)", None):
            faults.append(HandlerError(f"{file}: {problem}", file))
        elif callable(handler):
            handlers[method] = handler, count_arguments(handler, 2) or 0
    if not handlers and not faults:
        lower = [name for name in map(str.lower, METHODS) if callable(getattr(module, name, None))]
        hint = f"; `{lower[0]}` is written `{lower[0].upper()}`" if lower else ""
        if callable(getattr(module, "handler", None)):
            hint = "; a `handler` is for files below pages/api"
        say = f"there is no handler: define `def GET(request)` or another of {', '.join(METHODS)}{hint}"
        faults.append(HandlerError(f"{file}: {say}", file))
    if faults:
        raise TreeError(f"{file} is no route", faults)
    # Next's handlers of this kind see no basePath.
    own_site = replace(site, limit=config.body_limit or site.limit, has_prefix=False)
    return RouteEndpoint(handlers, config, file, own_site, host)
