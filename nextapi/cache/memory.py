"""Pages in the memory of one process: for one-process servers and tests."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from threading import Lock
from time import monotonic
from weakref import WeakSet

from nextapi.cache.limits import OVERHEAD, Limits
from nextapi.http.sizes import Size

__all__ = ["MemoryStore"]


class MemoryStore:
    """Keep pages in this process alone: no other one sees them, or what makes them void.

    `max_size` is how many bytes there are in all, and what was used least recently makes room; `max_entry_size` how
    many a value may have. Sizes are text, such as "64mb", or numbers of bytes.
    """

    serves_processes = False

    def __init__(self, max_size: Size = "64mb", max_entry_size: Size = "2mb") -> None:
        self._limits = Limits(max_size, max_entry_size)
        self.max_entry_size = self._limits.entry_size
        self._size = 0
        self._kept: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        self._lock = Lock()
        _stores.add(self)

    def __str__(self) -> str:
        return "the memory of this process"

    def get(self, names: Sequence[str]) -> list[bytes | None]:
        """Return the values of names, in their order; None for one that is not there."""
        now = monotonic()
        with self._lock:
            return [self._get(name, now) for name in names]

    def set(self, values: Mapping[str, bytes], seconds: float) -> None:
        """Keep values for so many seconds; raise `StoreError` if one is larger than `max_entry_size`."""
        self._limits.check(values.values())
        ends = monotonic() + seconds
        with self._lock:
            for name, value in values.items():
                self._set(name, value, ends)

    def add(self, name: str, value: bytes, seconds: float) -> bool:
        """Keep a value if there is none of the name, and say whether that was so."""
        self._limits.check((value,))
        now = monotonic()
        with self._lock:
            if self._get(name, now) is not None:
                return False
            self._set(name, value, now + seconds)
            return True

    def remove(self, name: str, value: bytes) -> None:
        """Remove a name, if it has this value."""
        with self._lock:
            if name in self._kept and self._kept[name][0] == value:
                self._drop(name)

    def _get(self, name: str, now: float) -> bytes | None:
        kept = self._kept.get(name)
        if kept is None:
            return None
        if kept[1] <= now:
            self._drop(name)
            return None
        self._kept.move_to_end(name)
        return kept[0]

    def _set(self, name: str, value: bytes, ends: float) -> None:
        if name in self._kept:
            self._drop(name)
        self._kept[name] = (value, ends)
        self._size += len(value) + OVERHEAD
        while self._size > self._limits.size:
            self._drop(next(iter(self._kept)))

    def _drop(self, name: str) -> None:
        self._size -= len(self._kept.pop(name)[0]) + OVERHEAD


_stores: WeakSet[MemoryStore] = WeakSet()


def _renew_locks() -> None:
    # A thread that had one when the process was forked is not there to give it back.
    for store in _stores:
        store._lock = Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)
