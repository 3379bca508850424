"""What makes pages void, also while the store is gone."""

from __future__ import annotations

from collections.abc import Collection
from threading import Lock

from nextapi.cache.notes import Notes
from nextapi.cache.outage import Outage
from nextapi.cache.pages import Pages
from nextapi.errors import StoreError

__all__ = ["Expiry"]

_MOST_LATE = 10_000


class Expiry:
    """Makes pages void; of one process.

    What cannot be written is remembered, and done before the store is read again: no page is served from it before.
    """

    def __init__(self, pages: Pages, outage: Outage, notes: Notes) -> None:
        self._pages = pages
        self._outage = outage
        self._notes = notes
        self._late: dict[tuple[str, str], object] = {}
        """What was remembered, a path and a tag of which one is empty, and which time of remembering it was."""
        self._remembering = Lock()
        self._catching_up = Lock()

    def expire(self, paths: Collection[str] = (), tags: Collection[str] = ()) -> None:
        """Make all pages of these paths and with these tags void, now or when the store is back."""
        if not self._outage.may_try():
            self.remember(paths, tags)
            return
        try:
            self._pages.expire(paths, tags)
        except StoreError as error:
            self.remember(paths, tags)
            self._outage.note(error)

    def expire_changed(self, path: str, status: str) -> None:
        """Make the pages of a path void that an unsafe method has changed, as its status line says (RFC 9111, 4.4)."""
        if not "2" <= status < "4":
            return
        try:
            has_pages = not self._outage.may_try() or self._pages.has_path(path)
        except StoreError as error:
            self._outage.note(error, is_readable=False)
            has_pages = True
        if has_pages:
            self.expire([path])

    def remember(self, paths: Collection[str] = (), tags: Collection[str] = ()) -> None:
        """Have pages made void before the store is read again."""
        with self._remembering:
            for late in [*((path, "") for path in paths), *(("", tag) for tag in tags)]:
                if late in self._late or len(self._late) < _MOST_LATE:
                    self._late[late] = object()
                else:
                    self._notes.warn(
                        f"more than {_MOST_LATE} pages and tags were to be expired while the store is gone: others may "
                        "be old when it is back"
                    )

    def catch_up(self) -> None:
        """Do what was remembered; raise `StoreError` while the store is gone."""
        if not self._late:
            return
        with self._catching_up:  # nobody reads before it is done
            with self._remembering:
                late = self._late.copy()
            if not late:  # another has done it
                return
            self._pages.expire([path for path, _ in late if path], [tag for _, tag in late if tag])
            with self._remembering:
                # What was remembered once more meanwhile has been changed once more.
                self._late = {one: time for one, time in self._late.items() if late.get(one) is not time}
