"""`config` of a middleware.py: which requests the middleware runs for.

A request is looked at by its path first, and by headers, cookies and query only where a rule of the matcher asks for
them. Nothing else that a client sends decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from re import Pattern
from typing import NamedTuple
from urllib.parse import unquote

from nextapi.errors import nearest
from nextapi.handlers.config import described, read_runtime, read_section
from nextapi.http.cookies import parse_cookie
from nextapi.http.message import Request
from nextapi.http.query import decode_pairs, fold_pairs, query_text
from nextapi.middleware.pattern import compile_pattern
from nextapi.middleware.regexp import compile_javascript
from nextapi.routing.paths import quote_path

__all__ = ["Matcher", "read_matcher"]

# Those beside `matcher` say where Next is to run the middleware, and how to bundle it.
_KEYS = ("matcher", "runtime", "regions", "unstable_allowDynamic", "allowDynamic")
_RULE_KEYS = ("source", "has", "missing", "locale")
_TYPES = ("header", "cookie", "query", "host")


class _Parts:
    """The parts of one request that conditions ask for, read when the first one does."""

    __slots__ = ("_cookies", "_query", "_request")

    def __init__(self, request: Request) -> None:
        self._request = request
        self._query: dict[str, str | list[str]] | None = None
        self._cookies: dict[str, str] | None = None

    def value(self, type: str, key: str) -> str | list[str] | None:
        """Return the part of `type` under the name `key`, the list of its values where it is repeated in the query."""
        if type == "query":
            if self._query is None:
                self._query = fold_pairs(decode_pairs(query_text(self._request.query_string)))
            return self._query.get(key)
        if type == "cookie":
            if self._cookies is None:
                self._cookies = parse_cookie(self._request.headers.get("cookie", ""))
            return self._cookies.get(key)
        if type == "host":
            return self._request.headers.get("host", "").partition(":")[0]
        return self._request.headers.get(key)


class _Condition(NamedTuple):
    """An item of `has`, or of `missing` where `expected` is False; without `value`, anything but nothing is there."""

    type: str
    key: str
    value: Pattern[str] | None
    expected: bool

    def is_met(self, parts: _Parts) -> bool:
        actual = parts.value(self.type, self.key)
        if not actual:
            there = False
        elif self.value is None:
            there = True
        else:
            there = self.value.fullmatch(actual if isinstance(actual, str) else actual[-1]) is not None
        return there is self.expected


class _Rule(NamedTuple):
    source: str
    pattern: Pattern[str]
    conditions: tuple[_Condition, ...]


class Matcher:
    """The requests that a middleware runs for: all of them, where `rules` is None.

    `may_match` says of a path without escapes whether `matches` has to be asked.
    """

    __slots__ = ("_rules", "may_match")

    may_match: Callable[[str], object]

    def __init__(self, rules: list[_Rule] | None = None) -> None:
        self._rules = rules
        # Most requests match nothing: one expression says so.
        if rules is None:
            self.may_match = lambda path: True
        else:
            self.may_match = compile_pattern(*(rule.source for rule in rules)).match

    def matches(self, request: Request, path: str) -> bool:
        """Return whether the middleware runs; `path` is below the mount and percent-encoded as it was sent.

        A path also matches as what it decodes to (Next: `resolveRoutes`), and as that is escaped where it has to be.
        """
        if self._rules is None:
            return True
        if self.may_match(path) and self._has_rule(self._rules, request, path):
            return True
        if "%" not in path:
            return False
        # Next decodes nothing where one escape is bad: "/%61dmin/%ff", which a host may serve, would pass unguarded.
        # What it decodes to may have a line end, "?" or "#", at which patterns stop: "/%61dmin/a%23b".
        decoded = unquote(path)
        forms = decoded, quote_path(decoded)
        return any(self.may_match(form) and self._has_rule(self._rules, request, form) for form in forms)

    def _has_rule(self, rules: list[_Rule], request: Request, path: str) -> bool:
        parts = _Parts(request)
        return any(
            rule.pattern.match(path) and all(condition.is_met(parts) for condition in rule.conditions) for rule in rules
        )


def read_matcher(config: object) -> tuple[Matcher, list[str]]:
    """Return the matcher that the `config` of a middleware.py has, and what is wrong with it, in words.

    Without the key `matcher`, and where anything is wrong, the Matcher matches every request.
    """
    faults: list[str] = []
    top = read_section("config", config, _KEYS, faults)
    read_runtime("config['runtime']", top.get("runtime"), faults)
    if "matcher" not in top:
        return Matcher(), faults
    matcher, place = top["matcher"], "config['matcher']"
    if isinstance(matcher, list | tuple):
        rules = [_rule(f"{place}[{index}]", item, faults) for index, item in enumerate(matcher)]
    else:
        rules = [_rule(place, matcher, faults)]
    return Matcher(None if faults else [rule for rule in rules if rule]), faults


def _rule(place: str, item: object, faults: list[str]) -> _Rule | None:
    if isinstance(item, str):
        item = {"source": item}
    elif not isinstance(item, Mapping):
        faults.append(f"{place} is {described(item)}, not a path, or a dict with 'source', or a list of these")
        return None
    rule = read_section(place, item, _RULE_KEYS, faults)
    if rule.get("locale", False) is not False:
        faults.append(f"{place}['locale'] is {described(rule['locale'])}: it can only be False")
    conditions = [
        *_conditions(f"{place}['has']", rule.get("has", []), True, faults),
        *_conditions(f"{place}['missing']", rule.get("missing", []), False, faults),
    ]
    source = rule.get("source")
    if not isinstance(source, str):
        faults.append(
            f"{place} has no 'source', a path"
            if source is None
            else f"{place}['source'] is {described(source)}, not a path"
        )
        return None
    try:
        return _Rule(source, compile_pattern(source), tuple(conditions))
    except ValueError as error:
        faults.append(f"{place}: {error}")
        return None


def _conditions(place: str, items: object, expected: bool, faults: list[str]) -> list[_Condition]:
    if not isinstance(items, list | tuple):
        faults.append(f"{place} is {described(items)}, not a list of dicts")
        return []
    conditions = [_condition(f"{place}[{index}]", item, expected, faults) for index, item in enumerate(items)]
    return [condition for condition in conditions if condition]


def _condition(place: str, item: object, expected: bool, faults: list[str]) -> _Condition | None:
    if not isinstance(item, Mapping):
        faults.append(f"{place} is {described(item)}, not a dict")
        return None
    found: list[str] = []
    kind, key, value = item.get("type"), item.get("key", ""), item.get("value")
    is_host = kind == "host"
    read_section(place, item, ("type", "value") if is_host else ("type", "key", "value"), found)
    if kind not in _TYPES:
        found.append(f"{place}['type'] is {kind!r}{nearest(str(kind), _TYPES)}")
    elif is_host and value is None:
        found.append(f"{place}: host must have a value, a regular expression for the host's name")
    elif not is_host and not (isinstance(key, str) and key):
        found.append(f"{place}: key is required when type is header, query or cookie; it is the name to look for")
    pattern = None
    if value is not None and not isinstance(value, str):
        found.append(f"{place}['value'] is {described(value)}: value must be a string, a regular expression")
    elif value:  # Next: an empty value is none
        try:
            pattern = compile_javascript(value, ignore_case=is_host)
        except ValueError as error:
            found.append(f"{place}['value']: {error}")
    faults.extend(found)
    return None if found else _Condition(str(kind), key, pattern, expected)
