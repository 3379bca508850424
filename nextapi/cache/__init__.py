"""Pages that are kept for everybody, and made anew: a shared HTTP cache (RFC 9111, RFC 5861) before a WSGI app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nextapi.cache.memory import MemoryStore
from nextapi.cache.redis import RedisStore
from nextapi.cache.store import Store

if TYPE_CHECKING:
    from nextapi.cache.sqlite import SQLiteStore

__all__ = ["MemoryStore", "RedisStore", "SQLiteStore", "Store"]


def __getattr__(name: str) -> object:
    # Most apps keep no pages: they do without sqlite3, which a Python may also lack.
    if name == "SQLiteStore":
        from nextapi.cache.sqlite import SQLiteStore

        return SQLiteStore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
