"""What Django knows of a tree's routes: their names, patterns for `reverse`, and views called as the routes are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver
from django.urls import path as django_path
from django.urls.converters import PathConverter, StringConverter, register_converter
from django.urls.resolvers import RoutePattern

from nextapi.app import Route
from nextapi.routing.segments import Kind, Segment, identifier

__all__ = ["REST", "REST_ROUTE", "named_view", "patterns_of"]

REST = "[404]"
"""The name of what no route names; no file can have this name."""
REST_ROUTE = "api/<path>"
"""What `resolver_match.route` says of it."""


def named_view(view: Callable[..., HttpResponseBase], route: Route | None) -> Any:
    """Give a view the name of its route, and the route itself."""
    named: Any = view
    named.__name__ = named.__qualname__ = route.name if route else REST
    named.nextapi_route = route
    return named


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


def patterns_of(
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
        inner = patterns_of(named, views)
        patterns.append(URLResolver(RoutePattern(""), inner, app_name=namespace, namespace=namespace))
    return patterns
