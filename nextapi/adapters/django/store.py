"""Pages in Django's cache framework: a project keeps them in the cache that it has."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from django.core.cache import BaseCache, InvalidCacheBackendError, caches
from django.core.cache.backends.db import BaseDatabaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from nextapi.cache.limits import check_sizes, read_size
from nextapi.errors import OptionError, StoreError
from nextapi.http.sizes import Size

__all__ = ["DjangoStore"]

_PREFIX = "nextapi:"
# Memcached counts in 32 bits.
_LONGEST = 365 * 86400


class DjangoStore:
    """Keep pages in the cache `alias` of Django's CACHES, for all processes that have the same cache.

    `max_entry_size` is how many bytes a value may have, as text, such as "2mb", or as a number; Memcached takes 1 MB
    unless told otherwise. How much there is in all is the backend's: the server's memory for Redis and Memcached; for
    caches in a database or in files MAX_ENTRIES, which is 300 unless OPTIONS says more: too few for most sites, as a
    page is several entries. Times are rounded up to seconds.

    The locks of the page cache are the backend's `add`. It is atomic with Redis, Memcached and a database; with files
    it is not, and a page may be made twice. A cache in a database takes part in the transaction that is open, and a
    connection that is opened for it is kept open as long as CONN_MAX_AGE says.
    `LocMemCache` is one of each process: `serves_processes` is False with it.

    Every method raises `StoreError` where the backend raises anything; `OptionError` where there is no such alias, on
    first use: so a store may stand in the settings.
    """

    def __init__(self, alias: str = "default", max_entry_size: Size = "2mb") -> None:
        self.max_entry_size = read_size("max_entry_size", max_entry_size)
        self._alias = alias

    @property
    def serves_processes(self) -> bool:
        """Whether all processes of the server have the same cache."""
        return not isinstance(self._backend(), LocMemCache)

    def __str__(self) -> str:
        return f"Django's cache {self._alias!r}"

    def get(self, names: Sequence[str]) -> list[bytes | None]:
        """Return the values of names, in their order; None for one that is not there."""
        with self._cache() as cache:
            found = cache.get_many([_PREFIX + name for name in names])
        values = [found.get(_PREFIX + name) for name in names]
        return [value if type(value) is bytes else None for value in values]

    def set(self, values: Mapping[str, bytes], seconds: float) -> None:
        """Keep values for so many seconds; who reads meanwhile may see some of them, unless the backend is Redis."""
        check_sizes(values.values(), self.max_entry_size)
        with self._cache() as cache:
            failed = cache.set_many({_PREFIX + name: value for name, value in values.items()}, _whole(seconds))
            if failed:
                cache.delete_many([_PREFIX + name for name in values])
                raise StoreError(f"{self}: it does not take {len(failed)} of {len(values)} values")

    def add(self, name: str, value: bytes, seconds: float) -> bool:
        """Keep a value if there is none of the name, and say whether that was so."""
        check_sizes((value,), self.max_entry_size)
        with self._cache() as cache:
            return bool(cache.add(_PREFIX + name, value, _whole(seconds)))

    def remove(self, name: str, value: bytes) -> None:
        """Remove a name, if it has this value; Django has no one step for it."""
        with self._cache() as cache:
            if cache.get(_PREFIX + name) == value:
                cache.delete(_PREFIX + name)

    def _backend(self) -> BaseCache:
        # Not before it is used: the store may be named in the settings themselves.
        try:
            return caches[self._alias]
        except (InvalidCacheBackendError, TypeError) as error:
            raise OptionError(f"the cache of a DjangoStore is {self._alias!r}: {error}") from error

    @contextmanager
    def _cache(self) -> Iterator[BaseCache]:
        cache = self._backend()
        is_database = isinstance(cache, BaseDatabaseCache)
        others = _open_connections() if is_database else []
        try:
            yield cache
        except StoreError:
            raise
        except Exception as error:  # each backend has classes of its own
            others = []
            raise StoreError(f"{self}: {str(error) or type(error).__name__}") from error
        finally:
            # Django does so before and after a request, and this may be none: who is served from a page cache never is.
            for connection in _open_connections() if is_database else ():
                if connection not in others and not connection.in_atomic_block:
                    connection.close_if_unusable_or_obsolete()


def _open_connections() -> list[BaseDatabaseWrapper]:
    """Return the connections to databases that this thread has open."""
    return [one for one in connections.all(initialized_only=True) if one.connection is not None]


def _whole(seconds: float) -> int:
    # Backends cut fractions off, and some take 0 for "for ever".
    return math.ceil(min(seconds, _LONGEST))
