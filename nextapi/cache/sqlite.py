"""Pages in one SQLite file, which all processes of a machine share.

SQLite's write-ahead log lets readers go on while one process writes, and leaves a whole file whatever is killed when.
The file and the connections to it are `sqlite_file.py`'s; here is what stands in it, and what makes room.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TypeVar

from nextapi.cache.limits import OVERHEAD, Limits
from nextapi.cache.sqlite_file import SECONDS_TO_WAIT, SQLiteFile, number
from nextapi.errors import OptionError
from nextapi.http.sizes import Size

__all__ = ["SQLiteStore"]

_T = TypeVar("_T")

_SECONDS_TO_CUT = 0.1
_SECONDS_BETWEEN_USES = 600
"""How often it is written that an entry is used: so that reads stay reads."""
_SECONDS_BETWEEN_SWEEPS = 60
_MOST_SWEPT = 1000
_PAGES_GIVEN_BACK = 2048
_LOG_SIZE = 16 << 20

# The value comes last: SQLite finds the columns before it without reading its pages.
_SCHEMA = """
CREATE TABLE store (inode TEXT NOT NULL, size INTEGER NOT NULL);
CREATE TABLE entries (
    name TEXT PRIMARY KEY NOT NULL,
    size INTEGER NOT NULL,
    ends REAL NOT NULL,
    used REAL NOT NULL,
    value BLOB NOT NULL
);
CREATE INDEX entries_by_end ON entries (ends);
CREATE INDEX entries_by_use ON entries (used, size);
CREATE TRIGGER entry_made AFTER INSERT ON entries
BEGIN UPDATE store SET size = size + NEW.size; END;
CREATE TRIGGER entry_changed AFTER UPDATE OF size ON entries WHEN NEW.size != OLD.size
BEGIN UPDATE store SET size = size + NEW.size - OLD.size; END;
CREATE TRIGGER entry_gone AFTER DELETE ON entries
BEGIN UPDATE store SET size = size - OLD.size; END;
"""
_SET = """
INSERT INTO entries (name, size, ends, used, value) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (name) DO UPDATE
SET size = excluded.size, ends = excluded.ends, used = excluded.used, value = excluded.value
"""
_ADD = _SET + " WHERE entries.ends <= excluded.used"


class SQLiteStore:
    """Keep pages in the SQLite file `path`, for all processes of a machine; the default of the page cache.

    `max_size` is how many bytes the entries may have in all, and what was used least recently (to about ten minutes)
    makes room; `max_entry_size` how many a value may have. Sizes are text, such as "256mb", or numbers of bytes. The
    file may be up to twice as large. It and its log are for this process's user alone (mode 0600), and a folder that is
    made for it, too (0700). It may be removed at any time: all processes then go on with a new one.

    Every method raises `StoreError` while the file cannot be used, and tries it anew at the next call.
    """

    serves_processes = True

    def __init__(
        self,
        path: str | os.PathLike[str] = ".nextapi/pages.sqlite3",
        max_size: Size = "256mb",
        max_entry_size: Size = "2mb",
    ) -> None:
        text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
        if not isinstance(text, str) or not text or "\0" in text:
            raise OptionError(f"the path of a SQLiteStore is {path!r}: it is that of a file, such as 'pages.sqlite3'")
        self.path = Path(text).absolute()
        self._file = SQLiteFile(self.path, _SCHEMA)
        self._limits = Limits(max_size, max_entry_size)
        self.max_entry_size = self._limits.entry_size
        self._next_sweep = 0.0

    def __str__(self) -> str:
        return str(self.path)

    def close(self) -> None:
        """Close the connections that no thread uses; the next call opens one."""
        self._file.close()

    def get(self, names: Sequence[str]) -> list[bytes | None]:
        """Return the values of names, in their order; None for one that is not there."""
        return self._file.run(lambda sqlite: _get(sqlite, names)) if names else []

    def set(self, values: Mapping[str, bytes], seconds: float) -> None:
        """Keep values for so many seconds, all of them or none."""
        self._limits.check(values.values())
        now = time.time()
        rows = [(name, len(value) + OVERHEAD, now + seconds, now, value) for name, value in values.items()]
        if rows:
            self._write(lambda sqlite: sqlite.executemany(_SET, rows))

    def add(self, name: str, value: bytes, seconds: float) -> bool:
        """Keep a value if there is none of the name, and say whether that was so."""
        self._limits.check((value,))
        now = time.time()
        row = (name, len(value) + OVERHEAD, now + seconds, now, value)
        return self._write(lambda sqlite: sqlite.execute(_ADD, row)).rowcount == 1

    def remove(self, name: str, value: bytes) -> None:
        """Remove a name, if it has this value."""
        self._write(lambda sqlite: sqlite.execute("DELETE FROM entries WHERE name = ? AND value = ?", (name, value)))

    def _write(self, change: Callable[[sqlite3.Connection], _T]) -> _T:
        """Make a change, and room after it, all at once."""

        def write(sqlite: sqlite3.Connection) -> _T:
            sqlite.execute("BEGIN IMMEDIATE")
            result = change(sqlite)
            is_sweeping = time.monotonic() >= self._next_sweep
            if is_sweeping:
                self._next_sweep = time.monotonic() + _SECONDS_BETWEEN_SWEEPS
                _sweep(sqlite)
            _make_room(sqlite, self._limits.size)
            sqlite.execute("COMMIT")
            if is_sweeping:
                _give_back(sqlite)
            self._cut_log(sqlite)
            return result

        return self._file.write(write)

    def _cut_log(self, sqlite: sqlite3.Connection) -> None:
        """Begin the log anew if it is long: SQLite alone does so only at a moment when nobody reads."""
        try:
            size = os.stat(self._file.log).st_size  # noqa: PTH116  # a Path's own costs twice as much
        except OSError:
            return
        if size > _LOG_SIZE:
            with suppress(sqlite3.OperationalError), _patience(sqlite, _SECONDS_TO_CUT):
                sqlite.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


@cache
def _select(number: int) -> str:
    return f"SELECT name, value, used FROM entries WHERE name IN ({', '.join('?' * number)}) AND ends > ?"


def _get(sqlite: sqlite3.Connection, names: Sequence[str]) -> list[bytes | None]:
    now = time.time()
    rows = sqlite.execute(_select(len(names)), (*names, now)).fetchall()
    long_ago = now - _SECONDS_BETWEEN_USES
    values: dict[str, bytes] = {}
    unused: list[tuple[float, str]] = []
    for name, value, used in rows:
        values[name] = value
        if used < long_ago:
            unused.append((now, name))
    if unused:
        _note_use(sqlite, unused)
    return [values.get(name) for name in names]


def _note_use(sqlite: sqlite3.Connection, uses: list[tuple[float, str]]) -> None:
    # Who reads does not wait for who writes: it is noted the next time.
    with suppress(sqlite3.OperationalError), _patience(sqlite, 0):
        sqlite.execute("BEGIN IMMEDIATE")
        sqlite.executemany("UPDATE entries SET used = ? WHERE name = ?", uses)
        sqlite.execute("COMMIT")
    if sqlite.in_transaction:
        sqlite.execute("ROLLBACK")


@contextmanager
def _patience(sqlite: sqlite3.Connection, seconds: float) -> Iterator[None]:
    """Have a connection wait for so long for others, and then for as long as ever."""
    sqlite.execute(f"PRAGMA busy_timeout = {seconds * 1000:.0f}")
    try:
        yield
    finally:
        sqlite.execute(f"PRAGMA busy_timeout = {SECONDS_TO_WAIT * 1000:.0f}")


def _sweep(sqlite: sqlite3.Connection) -> None:
    """Remove what has ended, in the transaction that is open."""
    sqlite.execute(
        "DELETE FROM entries WHERE rowid IN (SELECT rowid FROM entries WHERE ends <= ? ORDER BY ends LIMIT ?)",
        (time.time(), _MOST_SWEPT),
    )


def _make_room(sqlite: sqlite3.Connection, most: int) -> None:
    """Remove entries until there are no more than `most` bytes, those first that were used least recently."""
    excess = number(sqlite, "SELECT size FROM store") - most
    if excess <= 0:
        return
    _sweep(sqlite)
    excess = number(sqlite, "SELECT size FROM store") - most
    removed: list[tuple[int]] = []
    for rowid, size in sqlite.execute("SELECT rowid, size FROM entries ORDER BY used, size"):
        if excess <= 0:
            break
        removed.append((rowid,))
        excess -= size
    sqlite.executemany("DELETE FROM entries WHERE rowid = ?", removed)


def _give_back(sqlite: sqlite3.Connection) -> None:
    """Make the file smaller, by some of what is free in it if that is more than a quarter."""
    if number(sqlite, "PRAGMA freelist_count") * 4 > number(sqlite, "PRAGMA page_count"):
        # A script, as `execute` would stop after the first page.
        sqlite.executescript(f"PRAGMA incremental_vacuum({_PAGES_GIVEN_BACK})")
