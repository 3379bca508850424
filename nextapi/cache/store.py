"""What a page cache keeps its pages in: four operations on named bytes, which every store has alike.

What is kept under which name, and what makes it void, is `pages.py`'s: a store knows names, bytes and seconds. Names
are ASCII text of at most 80 characters. A value that is gone, because its seconds are over or something had to make
room for others, is like one that never was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

__all__ = ["Store"]


class Store(Protocol):
    """A place for pages. Every method raises `StoreError` while the place cannot be read or written.

    `str()` names the place, as the log and the command line show it.
    """

    @property
    def max_entry_size(self) -> int:
        """How many bytes a value may have; one of more raises `EntrySizeError`."""
        ...

    @property
    def serves_processes(self) -> bool:
        """Whether all processes of the server have the same values."""
        ...

    def get(self, names: Sequence[str]) -> list[bytes | None]:
        """Return the values of names, in their order; None for one that is not there."""
        ...

    def set(self, values: Mapping[str, bytes], seconds: float) -> None:
        """Keep values for so many seconds, in the place of those that there are; all of them or none."""
        ...

    def add(self, name: str, value: bytes, seconds: float) -> bool:
        """Keep a value if there is none of the name, and say whether that was so; of several at once one succeeds."""
        ...

    def remove(self, name: str, value: bytes) -> None:
        """Remove a name, if it has this value."""
        ...
