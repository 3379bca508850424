"""What a process has seen of the app behind its page cache, and said of it in the log."""

from __future__ import annotations

import logging

__all__ = ["Notes"]

_MOST_PATHS = 4096
_MOST_WARNINGS = 100

_logger = logging.getLogger("nextapi")


class Notes:
    """Paths that are no pages, and what was warned of."""

    def __init__(self) -> None:
        self._others: dict[str, None] = {}
        self._warned: set[str] = set()

    def is_other(self, path: str) -> bool:
        """Say whether the last answer of a path was no page: nobody waits for one then."""
        return path in self._others

    def note_other(self, path: str) -> None:
        """Know that the answer of a path was no page."""
        if len(self._others) >= _MOST_PATHS:
            self._others.clear()
        self._others[path] = None

    def note_page(self, path: str) -> None:
        """Know that the answer of a path was a page."""
        self._others.pop(path, None)

    def warn(self, text: str) -> None:
        """Log a warning, each once, and a hundred at most."""
        if text not in self._warned and len(self._warned) < _MOST_WARNINGS:
            self._warned.add(text)
            _logger.warning("page cache: %s", text)
