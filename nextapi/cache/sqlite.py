"""Pages in one SQLite file, which all processes of a machine share.

SQLite's write-ahead log lets readers go on while one process writes, and leaves a whole file whatever is killed when.
What SQLite asks of its users is kept here: a connection is never used on both sides of a fork, a file that is removed
takes its log along, and no file is opened beside SQLite's own, as closing it would drop SQLite's locks.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from threading import Lock
from typing import NamedTuple, TypeVar
from weakref import WeakSet

from nextapi.cache.limits import OVERHEAD, Limits
from nextapi.errors import OptionError, StoreError
from nextapi.http.sizes import Size

if sys.platform != "win32":
    import fcntl

__all__ = ["SQLiteStore"]

_T = TypeVar("_T")
_Identity = tuple[int, int]

_VERSION = 1
_APPLICATION_ID = 0x6E787461
_NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)
_SIDE_FILES = ("-journal", "-shm", "-wal")

_SECONDS_TO_WAIT = 1.0
_SECONDS_TO_CUT = 0.1
_SECONDS_BETWEEN_USES = 600
"""How often it is written that an entry is used: so that reads stay reads."""
_SECONDS_BETWEEN_SWEEPS = 60
_MOST_SWEPT = 1000
_MOST_IDLE = 32
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

_REMEDIES = {
    "SQLITE_BUSY": "another process has been writing to it for too long",
    "SQLITE_CANTOPEN": "the user of this process has to own it and its folder",
    "SQLITE_CORRUPT": "remove it, and it is made anew",
    "SQLITE_FULL": "nothing more can be stored until there is room on the disk",
    "SQLITE_NOTADB": "name another, or remove it if it was the store's",
    "SQLITE_READONLY": "the user of this process has to own it and its folder",
}


class _Connection(NamedTuple):
    sqlite: sqlite3.Connection
    file: _Identity


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
        self._log = f"{self.path}-wal"
        self._limits = Limits(max_size, max_entry_size)
        self.max_entry_size = self._limits.entry_size
        # Threads take a connection and give it back: a writer that has to wait keeps no reader of its process waiting.
        self._idle: list[_Connection] = []
        self._open: set[_Connection] = set()
        self._is_lost = False
        # Who waits for SQLite sleeps, and looks again: threads take turns faster among themselves.
        self._turn = Lock()
        self._next_sweep = 0.0
        _stores.add(self)

    def __str__(self) -> str:
        return str(self.path)

    def __del__(self) -> None:
        with suppress(AttributeError):  # there is none yet
            self.close()

    def close(self) -> None:
        """Close the connections that no thread uses; the next call opens one."""
        while connection := self._idle_one():
            self._close(connection)

    def get(self, names: Sequence[str]) -> list[bytes | None]:
        """Return the values of names, in their order; None for one that is not there."""
        return self._run(lambda sqlite: _get(sqlite, names)) if names else []

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

        if not self._turn.acquire(timeout=_SECONDS_TO_WAIT):
            raise StoreError(f"{self.path}: database is locked: other threads have been writing to it for too long")
        try:
            return self._run(write)
        finally:
            self._turn.release()

    def _cut_log(self, sqlite: sqlite3.Connection) -> None:
        """Begin the log anew if it is long: SQLite alone does so only at a moment when nobody reads."""
        try:
            size = os.stat(self._log).st_size  # noqa: PTH116  # a Path's own costs twice as much
        except OSError:
            return
        if size > _LOG_SIZE:
            with suppress(sqlite3.OperationalError), _patience(sqlite, _SECONDS_TO_CUT):
                sqlite.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _run(self, operation: Callable[[sqlite3.Connection], _T]) -> _T:
        try:
            connection = self._take()
        except StoreError:
            raise
        except (OSError, sqlite3.Error) as error:
            raise self._error(error) from error
        try:
            result = operation(connection.sqlite)
        except BaseException as error:
            self._close(connection)
            if isinstance(error, sqlite3.Error):
                raise self._error(error) from error
            raise
        if len(self._idle) < _MOST_IDLE:
            self._idle.append(connection)
        else:
            self._close(connection)
        return result

    def _error(self, error: OSError | sqlite3.Error) -> StoreError:
        if isinstance(error, OSError):
            remedy = ": name a file where this process may write" if error.errno in _NOT_WRITABLE else ""
            return StoreError(f"{self.path}: {error}{remedy}")
        name = getattr(error, "sqlite_errorname", "")
        remedy = next((remedy for known, remedy in _REMEDIES.items() if name.startswith(known)), name)
        return StoreError(f"{self.path}: {error}" + (f": {remedy}" if remedy else ""))

    def _idle_one(self) -> _Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _take(self) -> _Connection:
        """Return a connection to the file that is there now."""
        if self._idle:
            try:
                file = _identity(os.stat(self.path))  # noqa: PTH116  # a Path's own costs twice as much
            except OSError:
                file = None
            while connection := self._idle_one():
                if connection.file == file:
                    return connection
                self._close(connection)
        if self._is_lost:
            raise StoreError(
                f"{self.path} was in use when this process was forked, which SQLite does not allow: fork before there "
                "are threads"
            )
        with _locked(self.path.parent):
            connection = self._connect()
            if connection is None:
                self.path.unlink()
                connection = self._connect()
        if connection is None:
            raise StoreError(f"{self.path}: it is changed by another process")
        self._open.add(connection)
        return connection

    def _close(self, connection: _Connection) -> None:
        connection.sqlite.close()
        self._open.discard(connection)

    def _after_fork(self) -> None:
        self._turn = Lock()
        # SQLite takes locks for held that are the parent's alone, and as long as one connection of the parent's is
        # open here, those of the file's other connections, too.
        if self._open:
            self._is_lost = True
            _inherited.extend(self._open)  # to close one may remove the log that the parent uses
            self._idle = []
            self._open = set()

    def _connect(self) -> _Connection | None:
        """Open the file, which is made if there is none; None if what is there is not for this version or place."""
        if not _is_own(self.path):
            for suffix in _SIDE_FILES:
                # The log of a file that was removed: those who have it open still go on without its name.
                self._side_file(suffix).unlink(missing_ok=True)
            # Nobody in this process has the new file open, whose locks closing it here would drop.
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        for suffix in _SIDE_FILES:
            _is_own(self._side_file(suffix))
        sqlite = sqlite3.connect(
            f"{self.path.as_uri()}?mode=rw",
            uri=True,
            timeout=_SECONDS_TO_WAIT,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            status = self.path.stat()
            is_ours = self._prepare(sqlite, str(status.st_ino))
        except BaseException:
            sqlite.close()
            raise
        if is_ours:
            return _Connection(sqlite, _identity(status))
        sqlite.close()
        return None

    def _prepare(self, sqlite: sqlite3.Connection, inode: str) -> bool:
        """Set a connection up, and the file if it is empty; say whether it was made by this version, where it is.

        A file that was moved or copied here may have found the log of another: it is not to be used.
        """
        sqlite.execute("PRAGMA synchronous = NORMAL")
        sqlite.execute("PRAGMA journal_size_limit = 4194304")
        sqlite.execute("PRAGMA cache_size = -1000")
        if _number(sqlite, "PRAGMA application_id") != _APPLICATION_ID:
            if _number(sqlite, "SELECT count(*) FROM sqlite_schema"):
                raise StoreError(f"{self.path} is the database of something else: name another file")
            sqlite.execute("PRAGMA auto_vacuum = INCREMENTAL")
            sqlite.executescript(f"BEGIN IMMEDIATE; {_SCHEMA}")
            sqlite.execute("INSERT INTO store VALUES (?, 0)", (inode,))
            sqlite.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            sqlite.execute(f"PRAGMA user_version = {_VERSION}")
            sqlite.execute("COMMIT")
        elif _number(sqlite, "PRAGMA user_version") != _VERSION:
            return False
        self._keep_others_out()
        if sqlite.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
            raise StoreError(
                f"{self.path}: SQLite cannot keep a write-ahead log here: name a file on a disk of this machine"
            )
        return bool(sqlite.execute("SELECT inode FROM store").fetchone() == (inode,))

    def _keep_others_out(self) -> None:
        """Have this user alone read the file and its log, now that they are known to be a store's."""
        for file in map(self._side_file, ("", *_SIDE_FILES)):
            with suppress(FileNotFoundError):
                if file.stat().st_mode & 0o077:
                    file.chmod(0o600)

    def _side_file(self, suffix: str) -> Path:
        return self.path.with_name(self.path.name + suffix)


_stores: WeakSet[SQLiteStore] = WeakSet()
_inherited: list[_Connection] = []


def _before_fork() -> None:
    for store in _stores:
        store.close()


def _after_fork() -> None:
    for store in _stores:
        store._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork)


def _identity(status: os.stat_result) -> _Identity:
    return status.st_dev, status.st_ino


def _is_own(path: Path) -> bool:
    """Say whether there is a file; raise `StoreError` if it is no file, or not this user's."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    if stat.S_ISLNK(status.st_mode):
        raise StoreError(f"{path} is a symbolic link, which is not followed: name the file itself")
    if stat.S_ISDIR(status.st_mode):
        raise StoreError(f"{path} is a folder: name a file")
    if not stat.S_ISREG(status.st_mode):
        raise StoreError(f"{path} is no file")
    if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
        raise StoreError(
            f"{path} belongs to another user (uid {status.st_uid}, and this process has uid {os.geteuid()}): "
            "run both as one user, or name another file"
        )
    return True


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Be the only one of all processes and threads that opens or makes files in a folder, which is made, too."""
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        if not folder.is_dir():
            raise
    else:
        with suppress(OSError):  # pages are not to be committed, as those of pytest's and mypy's caches
            (folder / ".gitignore").write_text("*\n")
    if sys.platform == "win32":  # no open file can be removed there, which is what the lock is for
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        deadline = time.monotonic() + _SECONDS_TO_WAIT
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise StoreError(f"{folder} is locked by another process") from None
                time.sleep(0.005)
        try:
            yield
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # a process that was forked meanwhile has it, too
    finally:
        os.close(descriptor)


def _number(sqlite: sqlite3.Connection, sql: str) -> int:
    return int(sqlite.execute(sql).fetchone()[0])


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
        sqlite.execute(f"PRAGMA busy_timeout = {_SECONDS_TO_WAIT * 1000:.0f}")


def _sweep(sqlite: sqlite3.Connection) -> None:
    """Remove what has ended, in the transaction that is open."""
    sqlite.execute(
        "DELETE FROM entries WHERE rowid IN (SELECT rowid FROM entries WHERE ends <= ? ORDER BY ends LIMIT ?)",
        (time.time(), _MOST_SWEPT),
    )


def _make_room(sqlite: sqlite3.Connection, most: int) -> None:
    """Remove entries until there are no more than `most` bytes, those first that were used least recently."""
    excess = _number(sqlite, "SELECT size FROM store") - most
    if excess <= 0:
        return
    _sweep(sqlite)
    excess = _number(sqlite, "SELECT size FROM store") - most
    removed: list[tuple[int]] = []
    for rowid, size in sqlite.execute("SELECT rowid, size FROM entries ORDER BY used, size"):
        if excess <= 0:
            break
        removed.append((rowid,))
        excess -= size
    sqlite.executemany("DELETE FROM entries WHERE rowid = ?", removed)


def _give_back(sqlite: sqlite3.Connection) -> None:
    """Make the file smaller, by some of what is free in it if that is more than a quarter."""
    if _number(sqlite, "PRAGMA freelist_count") * 4 > _number(sqlite, "PRAGMA page_count"):
        # A script, as `execute` would stop after the first page.
        sqlite.executescript(f"PRAGMA incremental_vacuum({_PAGES_GIVEN_BACK})")
