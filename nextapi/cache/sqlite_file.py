"""A SQLite file that all processes of a machine share, and that may be removed at any time.

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
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import NamedTuple, TypeVar
from weakref import WeakSet

from nextapi.errors import StoreError

if sys.platform != "win32":
    import fcntl

__all__ = ["SECONDS_TO_WAIT", "SQLiteFile", "number"]

_T = TypeVar("_T")
_Identity = tuple[int, int]

SECONDS_TO_WAIT = 1.0
"""How long who writes waits for others who do."""

_VERSION = 1
_APPLICATION_ID = 0x6E787461
_NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)
_SIDE_FILES = ("-journal", "-shm", "-wal")
_MOST_IDLE = 32

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


class SQLiteFile:
    """The database in the file `path`, whose tables `schema` makes; one of them, `store`, has a row with the inode.

    File and log are for this process's user alone (mode 0600), and a folder that is made for them, too (0700). Every
    operation raises `StoreError` while the file cannot be used, and tries it anew at the next call.
    """

    def __init__(self, path: Path, schema: str) -> None:
        self.path = path
        self.log = f"{path}-wal"
        self._schema = schema
        # Threads take a connection and give it back: a writer that has to wait keeps no reader of its process waiting.
        self._idle: list[_Connection] = []
        self._open: set[_Connection] = set()
        self._is_lost = False
        # Who waits for SQLite sleeps, and looks again: threads take turns faster among themselves.
        self._turn = Lock()
        _files.add(self)

    def __del__(self) -> None:
        with suppress(AttributeError):  # there is none yet
            self.close()

    def close(self) -> None:
        """Close the connections that no thread uses; the next operation opens one."""
        while connection := self._idle_one():
            self._close(connection)

    def write(self, operation: Callable[[sqlite3.Connection], _T]) -> _T:
        """Return what an operation that writes returns, of which this process has one at a time; else as `run`."""
        if not self._turn.acquire(timeout=SECONDS_TO_WAIT):
            raise StoreError(f"{self.path}: database is locked: other threads have been writing to it for too long")
        try:
            return self.run(operation)
        finally:
            self._turn.release()

    def run(self, operation: Callable[[sqlite3.Connection], _T]) -> _T:
        """Return what an operation returns, which is given a connection to the file that is there now."""
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
            timeout=SECONDS_TO_WAIT,
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
        if number(sqlite, "PRAGMA application_id") != _APPLICATION_ID:
            if number(sqlite, "SELECT count(*) FROM sqlite_schema"):
                raise StoreError(f"{self.path} is the database of something else: name another file")
            sqlite.execute("PRAGMA auto_vacuum = INCREMENTAL")
            sqlite.executescript(f"BEGIN IMMEDIATE; {self._schema}")
            sqlite.execute("INSERT INTO store VALUES (?, 0)", (inode,))
            sqlite.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            sqlite.execute(f"PRAGMA user_version = {_VERSION}")
            sqlite.execute("COMMIT")
        elif number(sqlite, "PRAGMA user_version") != _VERSION:
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


_files: WeakSet[SQLiteFile] = WeakSet()
_inherited: list[_Connection] = []


def _before_fork() -> None:
    for file in _files:
        file.close()


def _after_fork() -> None:
    for file in _files:
        file._after_fork()


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
        deadline = time.monotonic() + SECONDS_TO_WAIT
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


def number(sqlite: sqlite3.Connection, sql: str) -> int:
    """Return the number that a query has."""
    return int(sqlite.execute(sql).fetchone()[0])
