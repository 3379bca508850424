"""Whether the store of a page cache is gone: it is logged once, and asked again after a second, by one request."""

from __future__ import annotations

import logging
from time import monotonic

__all__ = ["Outage"]

_PAUSE = 1.0

_logger = logging.getLogger("nextapi")


class Outage:
    """The time in which a store cannot be used; of one process."""

    def __init__(self) -> None:
        self._until: float | None = None

    def note(self, error: Exception) -> None:
        """Have the store left alone for a while, as it has raised an error."""
        if self._until is None:
            _logger.warning("page cache: %s: pages are served uncached until it is back", error)
        self._until = monotonic() + _PAUSE

    def is_on(self) -> bool:
        """Say whether the store is left alone; after a pause one who asks is told that it is not, and tries."""
        if self._until is None:
            return False
        now = monotonic()
        if now < self._until:
            return True
        self._until = now + _PAUSE
        return False

    def is_over(self) -> None:
        """Know that the store could be used."""
        if self._until is not None:
            self._until = None
            _logger.info("page cache: the store is back")
