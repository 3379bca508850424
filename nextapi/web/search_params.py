"""`URLSearchParams` of the WHATWG URL standard."""

from __future__ import annotations

from collections.abc import Iterable, KeysView, Mapping
from typing import cast

from nextapi.http.query import decode_pairs, encode_pairs
from nextapi.web.pairs import Pairs, set_pair

__all__ = ["URLSearchParams"]


class URLSearchParams(Pairs[str]):
    """The parameters of a query: pairs in order, looked up by name.

    Made from text ("?a=1&b=2", the "?" may be left out), pairs or a mapping. As a mapping it has each name once, with
    its first value; `multi_items()` has all pairs. `str()` is the query's text.
    """

    __slots__ = ("_is_changed",)

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

    def has(self, name: str, value: str | None = None) -> bool:
        """Say whether `name` is there, with this value if one is given."""
        return name in self if value is None else (name, value) in self._pairs

    def append(self, name: str, value: str) -> None:
        """Add a pair at the end."""
        self._pairs.append((name, value))
        self._is_changed = True

    def set(self, name: str, value: str) -> None:
        """Give the first pair of `name` this value and drop its others; add one at the end where there is none."""
        set_pair(self._pairs, name, value)
        self._is_changed = True

    def delete(self, name: str, value: str | None = None) -> None:
        """Drop all pairs of `name`, or those of them with this value if one is given."""
        self._pairs = [pair for pair in self._pairs if pair[0] != name or (value is not None and pair[1] != value)]
        self._is_changed = True

    def sort(self) -> None:
        """Sort the pairs by name, in the order of UTF-16; pairs of one name keep theirs."""
        self._pairs.sort(key=lambda pair: pair[0].encode("utf-16-be", "surrogatepass"))
        self._is_changed = True

    def keys(self) -> KeysView[str]:
        """Return each name once."""
        return dict(self._pairs).keys()

    def __str__(self) -> str:
        return encode_pairs(self._pairs)

    def __repr__(self) -> str:
        return f"URLSearchParams({str(self)!r})"
