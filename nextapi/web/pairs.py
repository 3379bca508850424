"""Pairs of a name and a value in order, as `FormData` and `URLSearchParams` have them, and how one is set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar, overload

__all__ = ["Pairs", "set_pair"]

T = TypeVar("T")
V = TypeVar("V")


class Pairs(Mapping[str, V]):
    """Pairs looked up by name; as a mapping it has each name once, with its first value."""

    __slots__ = ("_pairs",)

    _pairs: list[tuple[str, V]]

    @overload
    def get(self, name: str) -> V | None: ...
    @overload
    def get(self, name: str, default: V | T) -> V | T: ...
    def get(self, name: str, default: object = None) -> object:
        """Return the first value of `name`, or `default`."""
        for key, value in self._pairs:
            if key == name:
                return value
        return default

    def get_all(self, name: str) -> list[V]:
        """Return all values of `name` in order."""
        return [value for key, value in self._pairs if key == name]

    def multi_items(self) -> list[tuple[str, V]]:
        """Return all pairs in order."""
        return self._pairs.copy()

    def __getitem__(self, name: str) -> V:
        for key, value in self._pairs:
            if key == name:
                return value
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self._pairs))

    def __len__(self) -> int:
        return len(dict(self._pairs))


def set_pair(pairs: list[tuple[str, V]], name: str, value: V) -> None:
    """Give the first pair of `name` this value and drop its others; add one at the end where there is none."""
    for index, (key, _) in enumerate(pairs):
        if key == name:
            pairs[index:] = [(name, value), *(pair for pair in pairs[index + 1 :] if pair[0] != name)]
            return
    pairs.append((name, value))
