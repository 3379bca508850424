"""How much a store keeps: the sizes that its user wrote, read alike for every store."""

from __future__ import annotations

from collections.abc import Iterable

from nextapi.errors import EntrySizeError, OptionError
from nextapi.http.sizes import Size, format_size, read_limit

__all__ = ["OVERHEAD", "Limits", "check_sizes", "read_size"]

OVERHEAD = 320
"""How many bytes an entry counts for beside its value: its name and what the store knows of it."""


class Limits:
    """`size` bytes in all, and values of `entry_size` bytes at most; `OptionError` names the option that is no size."""

    __slots__ = ("entry_size", "size")

    def __init__(self, max_size: Size, max_entry_size: Size) -> None:
        self.size = read_size("max_size", max_size)
        # There would never be room for a larger one.
        self.entry_size = min(read_size("max_entry_size", max_entry_size), max(self.size - OVERHEAD, 0))

    def check(self, values: Iterable[bytes]) -> None:
        """Raise `EntrySizeError` if one of the values is larger than a value may be."""
        check_sizes(values, self.entry_size)


def check_sizes(values: Iterable[bytes], most: int) -> None:
    """Raise `EntrySizeError` if one of the values has more than `most` bytes."""
    for value in values:
        if len(value) > most:
            raise EntrySizeError(
                f"a value of {format_size(len(value))} is larger than the store's max_entry_size, {format_size(most)}"
            )


def read_size(option: str, value: Size) -> int:
    """Return the number of bytes that an option says; raise `OptionError` if it says none."""
    limit = read_limit(value)
    if limit is None or limit.size < 1:
        raise OptionError(f"option {option} is {value!r}: it is a size, such as '64mb' or a number of bytes")
    return int(limit.size)
