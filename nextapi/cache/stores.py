"""A store named by text, as options and the command line have it."""

from __future__ import annotations

from os import PathLike

from nextapi.cache.redis import SCHEMES, RedisStore
from nextapi.cache.store import Store
from nextapi.errors import OptionError

__all__ = ["open_store"]

_METHODS = ("get", "set", "add", "remove")


def open_store(place: str | PathLike[str] | Store) -> Store:
    """Return the store that is meant by a URL of Redis or Valkey or the path of a SQLite file; a store is itself.

    Raises `OptionError` for what is none of them, and for a URL of another scheme.
    """
    if isinstance(place, PathLike) or (isinstance(place, str) and place and "://" not in place):
        from nextapi.cache.sqlite import SQLiteStore  # only who keeps pages in a file needs sqlite3

        return SQLiteStore(place)
    if isinstance(place, str):
        scheme, separator, _ = place.partition("://")
        if separator and scheme in SCHEMES:
            return RedisStore(place)
    elif not isinstance(place, type) and all(callable(getattr(place, name, None)) for name in _METHODS):
        return place
    # A URL may hold a password.
    shown = f"a URL of {place.partition('://')[0]!r}" if isinstance(place, str) and "://" in place else repr(place)
    raise OptionError(
        f"the store of a page cache is {shown}: it is the path of a SQLite file, such as '.nextapi/pages.sqlite3', a "
        "URL, such as 'redis://localhost:6379/0', or a store, such as MemoryStore()"
    )
