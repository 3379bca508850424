"""Which store of pages a setting names."""

from __future__ import annotations

from pathlib import Path

from nextapi.cache.sqlite import SQLiteStore
from nextapi.cache.store import Store

__all__ = ["open_store"]


def open_store(place: Store | str | Path) -> Store:
    """Return the store that a setting names."""
    return SQLiteStore(place) if isinstance(place, str | Path) else place
