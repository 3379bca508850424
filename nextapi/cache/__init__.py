"""Pages that are kept for everybody, and made anew: a shared HTTP cache (RFC 9111, RFC 5861) before a WSGI app."""

from nextapi.cache.memory import MemoryStore
from nextapi.cache.redis import RedisStore
from nextapi.cache.sqlite import SQLiteStore
from nextapi.cache.store import Store

__all__ = ["MemoryStore", "RedisStore", "SQLiteStore", "Store"]
