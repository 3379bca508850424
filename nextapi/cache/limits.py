"""How much a store keeps: the sizes that its user wrote, read alike for every store."""

from __future__ import annotations

from collections.abc import Iterable

from nextapi.errors import OptionError, StoreError
from nextapi.http.sizes import Size, format_size, read_limit

__all__ = ["OVERHEAD", "Limits", "read_size"]

OVERHEAD = 320
"""How many bytes an entry counts for beside its value: its name and what the store knows of it."""


class Limits:
    """`size` bytes in all, values of `entry_size` bytes at most; `OptionError` names the option that is no size."""

    __slots__ = ("entry_size", "size")

    def __init__(self, max_size: Size, max_entry_size: Size) -> None:
        self.size = read_size("max_size", max_size)
        # One that fills the store alone would drive out all others.
        self.entry_size = min(read_size("max_entry_size", max_entry_size), max(self.size - OVERHEAD, 0))

    def check(self, values: Iterable[bytes]) -> None:
        """Raise `StoreError` if one of the values is larger than a value may be."""
        for value in values:
            if len(value) > self.entry_size:
                raise StoreError(
                    f"a value of {format_size(len(value))} is larger than the store's max_entry_size, "
                    f"{format_size(self.entry_size)}"
                )


def read_size(option: str, value: Size) -> int:
    """Return the number of bytes that an option says; raise `OptionError` if it says none."""
    limit = read_limit(value)
    if limit is None or limit.size < 1:
        raise OptionError(f"option {option} is {value!r}: it is a size, such as '64mb' or a number of bytes")
    return int(limit.size)
