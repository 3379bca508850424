"""The rules of a tree in Flask's map: what they match, and which requests they take."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import flask
from werkzeug.routing import BaseConverter, PathConverter, Rule, UnicodeConverter

from nextapi.routing.segments import Kind, Segment, identifier

__all__ = ["REST", "OwnRule", "Requests", "is_below_api", "is_rest", "rule_texts"]

REST = "[404]"
"""The endpoint of what no route names; no file can have this name."""


class Requests(frozenset[str]):
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


_CONVERTERS: dict[str, type[BaseConverter]] = {
    "default": _SegmentConverter,
    "path": _SegmentsConverter,
    "rest": _RestConverter,
}


class OwnRule(Rule):
    """What every rule of nextapi's is, beside a rule of the app's class; `is_rest` takes what no route names."""

    is_rest = False
    # Flask looks for it on the rule.
    provide_automatic_options = False

    def get_converter(
        self, variable_name: str, converter_name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> BaseConverter:
        if own := _CONVERTERS.get(converter_name):
            return own(self.map, *args, **kwargs)
        return super().get_converter(variable_name, converter_name, args, kwargs)  # of a prefix


def is_below_api(path: str) -> bool:
    """Say whether a path, or a pattern, is /api or below it: there nextapi answers also what no route names."""
    return path == "/api" or path.startswith("/api/")


def is_rest(rule: Rule) -> bool:
    """Say whether a rule is a tree's for what no route names."""
    return isinstance(rule, OwnRule) and rule.is_rest


def rule_texts(segments: tuple[Segment, ...]) -> Iterator[str]:
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
