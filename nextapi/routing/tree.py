"""The tree of URL patterns: built once, then asked for the value that a path leads to.

At each segment a static child goes before `[x]`, that before `[...x]` and `[[...x]]`, and a way that ends nowhere is
left again: `/mix/one/detail/x` tries `mix/[id]/detail`, then falls back to `mix/[...rest]`. This is the order of
Next's sorted table, without walking the table: what a look-up costs depends on the path, not on the number of
patterns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from nextapi.routing.segments import Kind, Segment

__all__ = ["Captured", "Tree"]

V = TypeVar("V")

Captured = list["str | list[str]"]
"""What the parameters of a pattern matched, in order and not decoded; a catch-all's is a list."""


@dataclass(slots=True)
class _Node(Generic[V]):
    static: dict[str, _Node[V]] = field(default_factory=dict)
    dynamic: _Node[V] | None = None
    value: V | None = None
    catch_all: V | None = None
    optional: V | None = None


class Tree(Generic[V]):
    """Patterns with a value each. The patterns are taken to be free of conflicts."""

    def __init__(self) -> None:
        self._root: _Node[V] = _Node()

    def insert(self, segments: Sequence[Segment], value: V) -> None:
        """Add `value` under the pattern `segments`."""
        node = self._root
        for segment in segments:
            if segment.kind is Kind.STATIC:
                node = node.static.setdefault(segment.name, _Node())
            elif segment.kind is Kind.DYNAMIC:
                node.dynamic = node = node.dynamic or _Node()
            elif segment.kind is Kind.CATCH_ALL:
                node.catch_all = value
                return
            else:
                node.optional = value
                return
        node.value = value

    def match(self, parts: list[str]) -> tuple[V, Captured] | None:
        """Return the value for the path whose segments are `parts`, and what the pattern's parameters matched."""
        captured: Captured = []
        value = _walk(self._root, parts, 0, captured)
        return None if value is None else (value, captured)


def _walk(node: _Node[V], parts: list[str], index: int, captured: Captured) -> V | None:
    if index == len(parts):
        return node.value if node.value is not None else node.optional
    part = parts[index]
    child = node.static.get(part)
    if child is not None:
        value = _walk(child, parts, index + 1, captured)
        if value is not None:
            return value
    if node.dynamic is not None:
        captured.append(part)
        value = _walk(node.dynamic, parts, index + 1, captured)
        if value is not None:
            return value
        captured.pop()
    value = node.catch_all if node.catch_all is not None else node.optional
    if value is not None:
        captured.append(parts[index:])
    return value
