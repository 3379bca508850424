"""What a process has seen of the app behind its page cache, and said of it in the log."""

from __future__ import annotations

import logging
from time import monotonic

__all__ = ["Notes"]

_MOST_PATHS = 4096
_MOST_WARNINGS = 100

_logger = logging.getLogger("nextapi")


class Notes:
    """Paths that are no pages, URLs that could not be made, and what was warned of.

    Paths and URLs are known by their hashes: who asks for many that are long fills no memory.
    """

    def __init__(self) -> None:
        self._no_pages: dict[int, None] = {}
        self._failed: dict[int, float] = {}
        self._warned: set[str] = set()

    def is_no_page(self, path: str) -> bool:
        """Say whether the last answer of a path was no page: nobody waits for one then."""
        return hash(path) in self._no_pages

    def note_no_page(self, path: str) -> None:
        """Know that the answer of a path was no page."""
        if len(self._no_pages) >= _MOST_PATHS:
            self._no_pages.clear()
        self._no_pages[hash(path)] = None

    def note_page(self, path: str) -> None:
        """Know that the answer of a path was a page."""
        self._no_pages.pop(hash(path), None)

    def is_failed(self, url: str) -> bool:
        """Say whether a page was not to be had of a clean request a short time ago."""
        return bool(self._failed) and self._failed.get(hash(url), 0) > monotonic()

    def note_failed(self, url: str, seconds: float) -> None:
        """Know that a page is not to be had of a clean request, for so long."""
        if len(self._failed) >= _MOST_PATHS:
            self._failed.clear()
        self._failed[hash(url)] = monotonic() + seconds

    def warn(self, text: str) -> None:
        """Log a warning, each once, and a hundred at most."""
        if text not in self._warned and len(self._warned) < _MOST_WARNINGS:
            self._warned.add(text)
            _logger.warning("page cache: %s", text)
