"""The page cache that a request has come through, for whoever answers it: `res.revalidate`, `revalidate_path` ...

`PageCache` leaves a `Visit` in the environ, for who has the request, and in the context, for who has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = [
    "KEY",
    "NoPages",
    "Revalidator",
    "Visit",
    "Visited",
    "current_visit",
    "entered",
    "environs_answered",
    "visit_of",
]

KEY = "nextapi.page_cache"
"""What a visit is called in the environ."""


class Revalidator(Protocol):
    """What has pages made anew."""

    def remake(self, path: str, visit: Visit, only_generated: bool) -> bool:
        """Make a page anew for the visit's host, and all others of its path void; say whether it is made and kept."""
        ...

    def expire_path(self, path: str, prefix: str) -> None:
        """Make all pages of a path void, which is below `prefix` if it does not begin with it."""

    def expire_tag(self, tag: str) -> None:
        """Make all pages with a tag void."""


class NoPages:
    """What a page cache is that keeps nothing (`Revalidator`)."""

    def remake(self, path: str, visit: Visit, only_generated: bool) -> bool:
        """Do nothing: the next request makes the page."""
        return False

    def expire_path(self, path: str, prefix: str) -> None:
        """Do nothing."""

    def expire_tag(self, tag: str) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A request on its way through a page cache.

    `origin` is scheme and host, None where nothing is kept for it; `prefix` the SCRIPT_NAME, decoded; `chain` the paths
    that are being made anew, of which this request is for the last; `preview_data` are what the client has in draft
    mode, {} for none, and False outside of it.
    """

    cache: Revalidator
    origin: tuple[str, str] | None
    prefix: str
    chain: tuple[str, ...] = ()
    preview_data: Any = False


_visit: ContextVar[Visit] = ContextVar("nextapi_visit")

environs_answered: dict[str, Callable[[], Mapping[str, Any] | None]] = {}
"""By framework, what returns the environ of the request that its app answers here, None where it answers none.

It is asked where the context knows no visit: in a stream, which is made when `PageCache` has returned, and where there
is no page cache.
"""


class _Entered:
    """A context manager; as a class, which every request has time for."""

    __slots__ = ("_token", "_visit")

    def __init__(self, visit: Visit) -> None:
        self._visit = visit

    def __enter__(self) -> None:
        self._token = _visit.set(self._visit)

    def __exit__(self, *_: object) -> None:
        _visit.reset(self._token)


def entered(visit: Visit) -> _Entered:
    """Make a visit the current one, in a `with`."""
    return _Entered(visit)


class Visited:
    """A WSGI iterable, each piece of which is made within a visit."""

    def __init__(self, chunks: Iterable[bytes], visit: Visit) -> None:
        self._chunks = chunks
        self._visit = visit

    def __iter__(self) -> Iterator[bytes]:
        chunks = iter(self._chunks)
        while True:
            with entered(self._visit):
                try:
                    chunk = next(chunks)
                except StopIteration:
                    return
            yield chunk

    def close(self) -> None:
        """Close what it is made of."""
        if (close := getattr(self._chunks, "close", None)) is not None:
            with entered(self._visit):
                close()


def visit_of(environ: Mapping[str, Any]) -> Visit | None:
    """Return the visit of a request, None where it has come through no page cache."""
    visit: Visit | None = environ.get(KEY)
    return visit


def current_visit() -> Visit | None:
    """Return the visit of the request that is answered now; where a host's view answers without a page cache, one of
    none.
    """
    visit = _visit.get(None)
    if visit is None:
        for answered in environs_answered.values():
            if (environ := answered()) is not None:
                return visit_of(environ) or Visit(NoPages(), None, "")
    return visit
