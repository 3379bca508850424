"""`URLSearchParams` of the WHATWG URL standard."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, KeysView, Mapping
from typing import TypeVar, cast, overload

from nextapi.http.query import decode_pairs, encode_pairs

__all__ = ["URLSearchParams"]

T = TypeVar("T")


class URLSearchParams(Mapping[str, str]):
    """The parameters of a query: pairs in order, looked up by name.

    Made from text ("?a=1&b=2", the "?" may be left out), pairs or a mapping. As a mapping it has each name once, with
    its first value; `multi_items()` has all pairs. `str()` is the query's text.
    """

    __slots__ = ("_is_changed", "_pairs")

    def __init__(self, init: str | Mapping[str, str] | Iterable[tuple[str, str]] = "") -> None:
        if isinstance(init, str):
            pairs: Iterable[tuple[str, str]] = decode_pairs(init.removeprefix("?"))
        else:
            pairs = cast("Mapping[str, str]", init).items() if isinstance(init, Mapping) else init
        self._pairs = list(pairs)
        self._is_changed = False  # for a URL, whose query these may be

    @property
    def size(self) -> int:
        """The number of pairs; `len()` counts each name once."""
        return len(self._pairs)

    @overload
    def get(self, name: str) -> str | None: ...
    @overload
    def get(self, name: str, default: str | T) -> str | T: ...
    def get(self, name: str, default: object = None) -> object:
        """Return the first value of `name`, or `default`."""
        for key, value in self._pairs:
            if key == name:
                return value
        return default

    def get_all(self, name: str) -> list[str]:
        """Return all values of `name` in order."""
        return [value for key, value in self._pairs if key == name]

    def has(self, name: str, value: str | None = None) -> bool:
        """Say whether `name` is there, with this value if one is given."""
        return name in self if value is None else (name, value) in self._pairs

    def append(self, name: str, value: str) -> None:
        """Add a pair at the end."""
        self._pairs.append((name, value))
        self._is_changed = True

    def set(self, name: str, value: str) -> None:
        """Give the first pair of `name` this value and drop its others; add one at the end where there is none."""
        for index, (key, _) in enumerate(self._pairs):
            if key == name:
                rest = [pair for pair in self._pairs[index + 1 :] if pair[0] != name]
                self._pairs[index:] = [(name, value), *rest]
                self._is_changed = True
                return
        self.append(name, value)

    def delete(self, name: str, value: str | None = None) -> None:
        """Drop all pairs of `name`, or those of them with this value if one is given."""
        self._pairs = [pair for pair in self._pairs if pair[0] != name or (value is not None and pair[1] != value)]
        self._is_changed = True

    def sort(self) -> None:
        """Sort the pairs by name, in the order of UTF-16; pairs of one name keep theirs."""
        self._pairs.sort(key=lambda pair: pair[0].encode("utf-16-be", "surrogatepass"))
        self._is_changed = True

    def multi_items(self) -> list[tuple[str, str]]:
        """Return all pairs in order."""
        return list(self._pairs)

    def keys(self) -> KeysView[str]:
        """Return each name once."""
        return dict(self._pairs).keys()

    def __getitem__(self, name: str) -> str:
        for key, value in self._pairs:
            if key == name:
                return value
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self._pairs))

    def __len__(self) -> int:
        return len(dict(self._pairs))

    def __str__(self) -> str:
        return encode_pairs(self._pairs)

    def __repr__(self) -> str:
        return f"URLSearchParams({str(self)!r})"
