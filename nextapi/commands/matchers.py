"""What the `config` of a root's middleware.py asks of a request, rule by rule, as its author wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from nextapi.http.message import Request
from nextapi.loading import load_module
from nextapi.middleware.matcher import read_matcher

__all__ = ["Condition", "Rule", "read_rules"]

Condition = Mapping[str, str]
"""An item of `has` or `missing`: "type", with "key" and "value" where they are given."""


class Rule(NamedTuple):
    """A path of the matcher, and what else has to be so, or must not be."""

    source: str
    has: tuple[Condition, ...] = ()
    missing: tuple[Condition, ...] = ()

    def matches(self, request: Request, path: str) -> bool:
        """Say whether the path is of this rule, whatever its conditions are."""
        matcher, _ = read_matcher({"matcher": self.source})
        return matcher.matches(request, path)


def read_rules(root: Path, file: Path) -> list[Rule] | None:
    """Return the rules of a middleware file that a tree was built with; None where it is for every request."""
    matcher = getattr(load_module(root, file), "config", {}).get("matcher")
    if matcher is None:
        return None
    return [_rule(item) for item in (matcher if isinstance(matcher, list | tuple) else [matcher])]


def _rule(item: str | Mapping[str, object]) -> Rule:
    if isinstance(item, str):
        return Rule(item)
    found: dict[str, object] = {"has": (), "missing": (), **item}
    return Rule(str(found["source"]), _conditions(found["has"]), _conditions(found["missing"]))


def _conditions(items: object) -> tuple[Condition, ...]:
    return tuple(dict(item) for item in items) if isinstance(items, list | tuple) else ()
