"""Whether the store of a page cache is gone: it is logged once, and asked again after a second, by one request.

A store that can be read, and not written, is gone until something could be written again: so the log of a full disk
has one line, too.
"""

from __future__ import annotations

import logging
from time import monotonic
from typing import Literal

__all__ = ["Outage"]

_PAUSE = 1.0

_logger = logging.getLogger("nextapi")


class Outage:
    """The time in which a store cannot be used; of one process."""

    def __init__(self) -> None:
        self._until: float | None = None
        self._failed: Literal["", "read", "write"] = ""
        """What has to be seen to succeed before the store is back."""

    def note(self, error: Exception, is_readable: bool = True) -> None:
        """Have the store left alone for a while, as it has raised an error; `is_readable` unless it was read then."""
        if not self._failed:
            _logger.warning("page cache: %s: pages are served uncached until it is back", error)
        self._failed = "write" if is_readable else "read"
        self._until = monotonic() + _PAUSE

    def may_try(self) -> bool:
        """Say whether to use the store: while it is gone, one who asks after a pause may, and the others may not."""
        if self._until is None:
            return True
        now = monotonic()
        if now < self._until:
            return False
        self._until = now + _PAUSE
        return True

    def note_read(self) -> None:
        """Know that the store could be read."""
        self._until = None
        if self._failed == "read":
            self.note_written()

    def note_written(self) -> None:
        """Know that the store could be written, with as much as there ever is at once: a page."""
        self._until = None
        if self._failed:
            self._failed = ""
            _logger.info("page cache: the store is back")
