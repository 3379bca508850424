"""What every store of the page cache does alike: names, bytes, seconds and room."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from random import Random
from textwrap import dedent
from threading import Barrier, Thread

import pytest
from django.conf import settings
from django.core.cache import caches
from django.test import override_settings
from redis import Redis, RedisCluster
from redis.asyncio import Redis as AsyncRedis

from nextapi.cache.limits import OVERHEAD
from nextapi.cache.memory import MemoryStore
from nextapi.cache.redis import RedisStore
from nextapi.cache.sqlite import SQLiteStore
from nextapi.cache.store import Store
from nextapi.cache.stores import open_store
from nextapi.errors import OptionError, StoreError
from tests.support.mounts import configure_django
from tests.support.redis import RedisServer, redis_server
from tests.support.servers import free_port, wait_until

configure_django()
from nextapi.adapters.django import DjangoStore  # noqa: E402  # Django's settings come first

DJANGO = "django.core.cache.backends"
LONG = 600
"""Seconds that no test takes."""

Make = Callable[..., Store]


def operations(store: Store) -> list[Callable[[], object]]:
    """Return a call of each method of a store."""
    return [
        lambda: store.get(["a"]),
        lambda: store.set({"a": b"1"}, LONG),
        lambda: store.add("a", b"1", LONG),
        lambda: store.remove("a", b"1"),
    ]


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def django_cache() -> Iterator[Callable[[dict[str, object]], None]]:
    """What sets Django's default cache."""
    with ExitStack() as stack:

        def use(settings: dict[str, object]) -> None:
            stack.enter_context(override_settings(CACHES={"default": settings}))
            if "LOCATION" not in settings:
                caches["default"].clear()  # the values in memory are the process's

        yield use


@pytest.fixture(params=["memory", "sqlite", "redis", "django_locmem", "django_redis"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# Django's cache in memory sets one value after the other.
all_at_once = pytest.mark.parametrize("kind", ["memory", "sqlite", "redis", "django_redis"], indirect=True)
of_many_processes = pytest.mark.parametrize("kind", ["sqlite", "redis", "django_redis"], indirect=True)
# What Django's caches have in all is their own affair.
of_a_total_size = pytest.mark.parametrize("kind", ["memory", "sqlite", "redis"], indirect=True)


@pytest.fixture
def make(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Make:
    """What makes a store of this kind, empty, with sizes."""
    if kind == "memory":
        return MemoryStore
    if kind == "sqlite":
        return partial(SQLiteStore, tmp_path / "pages.sqlite3")
    if kind == "django_locmem":
        request.getfixturevalue("django_cache")({"BACKEND": f"{DJANGO}.locmem.LocMemCache"})
        return DjangoStore
    server = request.getfixturevalue("redis")
    server.ask("FLUSHALL")
    if kind == "redis":
        return partial(RedisStore, server.url)
    request.getfixturevalue("django_cache")({"BACKEND": f"{DJANGO}.redis.RedisCache", "LOCATION": server.url})
    return DjangoStore


@pytest.fixture
def store(make: Make) -> Store:
    return make()


def test_a_value_is_kept_as_it_is(store: Store) -> None:
    """Empty, binary and large values come back under names of any length, in the order asked; others are None."""
    values = {
        "a": b"",
        "b": bytes(range(256)),
        "n" * 80: b"long name",
        "~!@#$%^&*()_+-=[]{}|;':,./<>?": b"any ASCII",
        "big": b"\x00\xff" * 100_000,
    }
    store.set(values, LONG)
    assert store.get([*reversed(values), "none", "a", "a"]) == [*reversed(values.values()), None, b"", b""]
    assert all(type(value) is bytes for value in store.get(list(values)))
    assert store.get([]) == []
    store.set({"a": b"new", "c": b""}, LONG)
    assert store.get(["a", "b", "c"]) == [b"new", values["b"], b""]
    store.set({}, LONG)


def test_a_value_ends(store: Store) -> None:
    """After its seconds a value is not there, whether it was set or added, and its name can be added again."""
    store.set({"set": b"1"}, 0.1)
    assert store.add("added", b"1", 0.1)
    store.set({"kept": b"1"}, LONG)
    wait_until(lambda: store.get(["set", "added", "kept"]) == [None, None, b"1"], "the values do not end")
    assert store.add("set", b"2", LONG)
    assert store.add("added", b"2", LONG)
    assert store.get(["set", "added"]) == [b"2", b"2"]


@pytest.mark.parametrize("seconds", [0, -5])
def test_no_seconds_are_none(store: Store, seconds: float) -> None:
    """A value that ends at once is not there, and takes the place of the one that was."""
    store.set({"a": b"1"}, LONG)
    store.set({"a": b"2"}, seconds)
    wait_until(lambda: store.get(["a"]) == [None], "the value does not end")


def test_a_value_can_be_kept_for_ever(store: Store) -> None:
    """Any number of seconds will do, infinity too."""
    store.set({"a": b"1", "b": b"2"}, float("inf"))
    assert store.add("c", b"3", 1e12)
    assert store.get(["a", "b", "c"]) == [b"1", b"2", b"3"]


def test_set_replaces_the_time(store: Store) -> None:
    """The seconds of the last write count."""
    store.set({"a": b"1", "short": b"1"}, 0.2)
    store.set({"a": b"2"}, LONG)
    wait_until(lambda: store.get(["short"]) == [None], "the value does not end")
    assert store.get(["a"]) == [b"2"]


def test_add_gives_way(store: Store) -> None:
    """A name that is there is not added, and keeps its value."""
    assert store.add("a", b"mine", LONG) is True
    assert store.add("a", b"yours", LONG) is False
    assert store.get(["a"]) == [b"mine"]
    store.set({"b": b"", "c": b"1"}, LONG)
    assert store.add("b", b"1", LONG) is False


def test_remove_removes_what_it_names(store: Store) -> None:
    """A name goes if it has the value that is said, else nothing happens."""
    store.set({"a": b"1", "b": b"", "c": b"3"}, LONG)
    store.remove("a", b"other")
    store.remove("none", b"1")
    store.remove("none", b"")
    assert store.get(["a", "b", "c"]) == [b"1", b"", b"3"]
    store.remove("a", b"1")
    store.remove("b", b"")
    assert store.get(["a", "b", "c"]) == [None, None, b"3"]
    assert store.add("a", b"2", LONG)


def test_one_thread_of_many_adds(store: Store) -> None:
    """Of threads that add a name at once one succeeds, each time; the value is its own."""
    threads = 8
    barrier = Barrier(threads)

    def add_all(thread: int) -> list[bool]:
        added = []
        for turn in range(30):
            barrier.wait()
            added.append(store.add(f"lease-{turn}", b"%d" % thread, LONG))
        return added

    with ThreadPoolExecutor(threads) as pool:
        added = list(pool.map(add_all, range(threads)))
    for turn, by_thread in enumerate(zip(*added, strict=True)):
        assert sum(by_thread) == 1
        assert store.get([f"lease-{turn}"]) == [b"%d" % by_thread.index(True)]


def python(code: str) -> subprocess.Popen[str]:
    """Start a Python that runs `code` with pipes to it, as a user's worker would run."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-W", "ignore::ResourceWarning", "-c", dedent(code)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )


def run(code: str) -> str:
    """Run `code` in a Python of its own and return what it prints."""
    out, errors = python(code).communicate(timeout=60)
    assert errors == ""
    return out.strip()


@pytest.fixture
def opened(kind: str, store: Store) -> str:
    """Code that opens the store in another process."""
    if kind == "sqlite":
        return f"from nextapi.cache.sqlite import SQLiteStore\nstore = SQLiteStore({str(store)!r})\n"
    if kind == "redis":
        return f"from nextapi.cache.redis import RedisStore\nstore = RedisStore({str(store)!r})\n"
    assert kind == "django_redis", "other processes do not have it"
    return (
        "from django.conf import settings\nfrom nextapi.adapters.django import DjangoStore\n"
        f"settings.configure(CACHES={settings.CACHES!r})\nstore = DjangoStore()\n"
    )


@of_many_processes
def test_one_process_of_many_adds(store: Store, opened: str) -> None:
    """Of processes that add a name at once one succeeds, each time."""
    adding = """
import json, os
print("ready", flush=True)
input()
print(json.dumps([store.add(f"lease-{turn}", b"%d" % os.getpid(), 600) for turn in range(200)]))
"""
    processes = [python(opened + adding) for _ in range(3)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    ended = [process.communicate(timeout=60) for process in processes]
    assert [errors for _, errors in ended] == [""] * 3
    added = [json.loads(out) for out, _ in ended]
    for turn, by_process in enumerate(zip(*added, strict=True)):
        assert sum(by_process) == 1
        assert store.get([f"lease-{turn}"]) == [b"%d" % processes[by_process.index(True)].pid]


@of_many_processes
def test_processes_have_the_same_values(store: Store, opened: str) -> None:
    """What one process writes, all others read, at once."""
    assert store.serves_processes is True
    store.set({"a": b"1", "b": b"2"}, LONG)
    assert run(opened + "print(store.get(['a', 'b', 'c'])); store.set({'a': b'3'}, 60); store.remove('b', b'2')") == (
        "[b'1', b'2', None]"
    )
    assert store.get(["a", "b"]) == [b"3", None]


@of_many_processes
def test_a_forked_process_uses_the_store(store: Store, opened: str) -> None:
    """Both sides of a fork read and write what is there, in threads too, and the end of one is nothing to the other."""
    forking = """
import os, threading
store.set({"before": b"1"}, 600)
for turn in range(5):
    child = os.fork()
    if not child:
        assert store.get(["before"]) == [b"1"]
        threads = [threading.Thread(target=store.set, args=({f"child-{turn}-{n}": b"2"}, 600)) for n in range(3)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        raise SystemExit(7)
    store.set({f"parent-{turn}": b"3" * 1000}, 600)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert store.get([f"child-{turn}-{n}" for n in range(3)]) == [b"2"] * 3
    assert store.get([f"parent-{turn}"]) == [b"3" * 1000]
"""
    assert run(opened + forking) == ""
    assert store.get(["before", "child-4-2", "parent-4"]) == [b"1", b"2", b"3" * 1000]


@all_at_once
def test_several_are_set_at_once(store: Store) -> None:
    """Who reads several values while they are set sees those of one `set`, never of two."""
    names = [f"name-{number}" for number in range(8)]
    store.set(dict.fromkeys(names, b"start"), LONG)

    def write(writer: int) -> None:
        for turn in range(40):
            store.set(dict.fromkeys(names, b"%d %d" % (writer, turn) * 500), LONG)

    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(write, writer) for writer in range(2)]
        while not all(writer.done() for writer in writers):
            assert len(set(store.get(names))) == 1
        for writer in writers:
            writer.result()


def test_a_value_has_a_largest_size(make: Make) -> None:
    """A value of `max_entry_size` is kept; a larger one is refused, with all that is set with it."""
    store = make(max_entry_size="1kb")
    assert store.max_entry_size == 1024
    store.set({"most": b"x" * 1024}, LONG)
    with pytest.raises(StoreError, match=r"1\.01KB is larger than the store's max_entry_size, 1KB"):
        store.set({"small": b"x", "large": b"x" * 1030}, LONG)
    with pytest.raises(StoreError, match="max_entry_size"):
        store.add("large", b"x" * 1025, LONG)
    assert store.get(["most", "small", "large"]) == [b"x" * 1024, None, None]


@pytest.mark.parametrize("size", ["10 apples", "", 0, -1, None, float("inf"), "0"])
def test_sizes_are_sizes(make: Make, size: object) -> None:
    """A size that is none is refused by the option's name."""
    with pytest.raises(OptionError, match=r"option max_entry_size is .*it is a size, such as '64mb'"):
        make(max_entry_size=size)


@of_a_total_size
@pytest.mark.parametrize("size", ["1 MB ", True, -3.5])
def test_sizes_in_all_are_sizes(make: Make, size: object) -> None:
    """A total that is none is refused by the option's name."""
    with pytest.raises(OptionError, match=r"option max_size is .*it is a size, such as '64mb'"):
        make(max_size=size)


def names_kept(store: Store, names: list[str]) -> list[str]:
    # Each in a call of its own, so that what can be asked at once is no matter.
    return [name for name in names if store.get([name])[0] is not None]


@of_a_total_size
def test_there_is_room_for_so_much(make: Make) -> None:
    """The total stays below `max_size`, the last written are kept, and small values count, too."""
    store = make(max_size="100kb", max_entry_size="20kb")
    large = [f"large-{number}" for number in range(30)]
    for name in large:
        store.set({name: b"x" * 10_000}, LONG)
    kept = names_kept(store, large)
    assert kept == large[-len(kept) :]
    assert 5 <= len(kept) <= 10
    small = [f"small-{number}" for number in range(2000)]
    for start in range(0, 2000, 100):
        store.set(dict.fromkeys(small[start : start + 100], b""), LONG)
    kept = names_kept(store, small)
    assert kept == small[-len(kept) :]
    assert 100 <= len(kept) <= 1000
    leases = [f"lease-{number}" for number in range(1000)]
    assert all(store.add(name, b"token", LONG) for name in leases)
    kept = names_kept(store, leases)
    assert kept == leases[-len(kept) :]
    assert 100 <= len(kept) <= 1000


@of_a_total_size
def test_replaced_values_count_once(make: Make) -> None:
    """What is written again and again, or removed, drives nothing out."""
    store = make(max_size="100kb", max_entry_size="20kb")
    store.set({"other": b"1"}, LONG)
    for turn in range(40):
        store.set({"page": b"x" * (turn % 5 * 4000)}, LONG)
        assert store.add("lease", b"y" * 10_000, LONG)
        store.remove("lease", b"y" * 10_000)
    assert store.get(["other"]) == [b"1"]


@of_a_total_size
def test_an_entry_fits_into_the_whole(make: Make) -> None:
    """A value may never be larger than what there is room for, whatever `max_entry_size` says."""
    store = make(max_size="10kb")
    assert store.max_entry_size < 10 << 10
    store.set({"a": b"x" * store.max_entry_size}, LONG)
    assert names_kept(store, ["a"]) == ["a"]


def test_a_store_names_its_place(store: Store) -> None:
    """`str()` is one line for the log."""
    assert str(store)
    assert "\n" not in str(store)
    assert " object at " not in str(store)


class TestMemoryStore:
    """What the store in memory does beside."""

    def test_reads_keep(self) -> None:
        """What is read stays, what was used least recently goes."""
        store = MemoryStore("10kb")
        store.set({"read": b"x" * 2000}, LONG)
        for number in range(20):
            store.set({str(number): b"x" * 2000}, LONG)
            assert store.get(["read"]) == [b"x" * 2000]
        assert store.get(["0", "15", "19"]) == [None, None, b"x" * 2000]

    def test_a_fork_while_a_thread_has_the_lock(self) -> None:
        """The process that was forked does not wait for a thread that it has not."""
        code = """
            import os, signal
            from nextapi.cache.memory import MemoryStore
            store = MemoryStore()
            store.set({"a": b"1"}, 60)
            with store._lock:
                child = os.fork()
                if not child:
                    signal.alarm(30)
                    os._exit(store.get(["a"]) != [b"1"])
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        """
        assert run(code) == ""

    def test_serves_one_process(self) -> None:
        """It says that no other process has its values."""
        assert MemoryStore.serves_processes is False


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def side(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


@contextmanager
def direct(path: Path) -> Iterator[sqlite3.Connection]:
    """Have the file open by SQLite alone."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "made" / "pages.sqlite3"


def as_bound_by_modes(code: str, store: str) -> str:
    """Run code with `store` as a user whom file modes bind, nobody if this is root; the folders on its way are open."""
    return run(
        "import os\nfrom nextapi.cache.sqlite import SQLiteStore\nfrom nextapi.errors import StoreError\n"
        f"if os.geteuid() == 0: os.setgid(65534); os.setuid(65534)\nstore = {store}\n" + dedent(code)
    )


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach and write to."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


class TestSQLiteStore:
    """What the store in a file does beside."""

    def test_only_its_user_reads(self, file: Path) -> None:
        """Folder, file and log are for their user alone, whatever the umask; a file that was open to others is not."""
        before = os.umask(0)
        try:
            store = SQLiteStore(file)
            store.set({"a": b"1"}, LONG)
            assert mode(file.parent) == 0o700
            assert [mode(side(file, suffix)) for suffix in ("", "-wal", "-shm")] == [0o600] * 3
            store.close()
            file.chmod(0o666)
            assert store.get(["a"]) == [b"1"]
            assert mode(file) == 0o600
        finally:
            os.umask(before)

    def test_the_path_is_that_of_the_start(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A relative path is one of the folder in which the store was made; nothing is made before it is used."""
        monkeypatch.chdir(tmp_path)
        store = SQLiteStore()
        assert str(store) == str(tmp_path / ".nextapi" / "pages.sqlite3")
        monkeypatch.chdir("/")
        assert list(tmp_path.iterdir()) == []
        store.set({"a": b"1"}, LONG)
        assert Path(str(store)).is_file()
        assert SQLiteStore(str(store)).get(["a"]) == [b"1"]

    @pytest.mark.parametrize("path", ["", "a\0b", b"bytes", 5, None])
    def test_what_is_no_path(self, path: object) -> None:
        """What cannot be a path is refused when the store is made."""
        with pytest.raises(OptionError, match="the path of a SQLiteStore is"):
            SQLiteStore(path)  # type: ignore[arg-type]  # what this is about

    def test_names_that_mean_something_to_sqlite(self, tmp_path: Path) -> None:
        """A file may be called as URIs are written."""
        file = tmp_path / "a?mode=memory#%41 é.db"
        SQLiteStore(file).set({"a": b"1"}, LONG)
        assert SQLiteStore(file).get(["a"]) == [b"1"]
        assert {path.name for path in tmp_path.iterdir()} >= {file.name}

    @pytest.mark.parametrize("what", ["file", "file and log", "folder"])
    def test_a_removed_file_is_made_again(self, file: Path, what: str) -> None:
        """All stores that had a file open agree on the new one, those of other processes too, and on its log."""
        stores = [SQLiteStore(file) for _ in range(3)]
        for store in stores:
            store.set({str(store): b"old" * 1000, "other": b"old"}, LONG)
        opened = f"from nextapi.cache.sqlite import SQLiteStore; store = SQLiteStore({str(file)!r})\n"
        idle = python(opened + "print(store.get(['other']), flush=True)\ninput()\nprint(store.get(['other', 'late']))")
        assert idle.stdout is not None
        assert idle.stdout.readline() == "[b'old']\n"
        if what == "folder":
            shutil.rmtree(file.parent)
        else:
            for suffix in ("", "-wal", "-shm") if what == "file and log" else ("",):
                side(file, suffix).unlink()
        assert stores[0].get(["other"]) == [None]
        stores[1].set({"new": b"new" * 1000}, LONG)
        assert stores[2].add("other", b"new", LONG)
        for store in stores:
            assert store.get(["new", "other"]) == [b"new" * 1000, b"new"]
            store.close()
        stores[0].set({"late": b"late"}, LONG)
        assert idle.communicate("go\n", timeout=60) == ("[b'new', b'late']\n", "")
        assert stores[0].get(["new", "late"]) == [b"new" * 1000, b"late"]
        with direct(file) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]

    def test_a_file_that_was_put_there_is_made_anew(self, file: Path, tmp_path: Path) -> None:
        """A file of another place, which may have found the log of the one before, is not read."""
        first, second, other = SQLiteStore(file), SQLiteStore(file), SQLiteStore(tmp_path / "other.sqlite3")
        first.set({"a": b"first"}, LONG)
        assert second.get(["a"]) == [b"first"]
        other.set({"a": b"other"}, LONG)
        other.close()
        Path(str(other)).replace(file)
        assert first.get(["a"]) == [None]
        first.set({"a": b"new"}, LONG)
        assert second.get(["a"]) == [b"new"]
        assert SQLiteStore(file).get(["a"]) == [b"new"]

    def test_another_version_is_made_anew(self, file: Path) -> None:
        """A file of another version is dropped when it is opened, and all agree on the new one."""
        SQLiteStore(file).set({"a": b"1"}, LONG)
        with direct(file) as connection:
            connection.execute("PRAGMA user_version = 99")
        stores = [SQLiteStore(file), SQLiteStore(file)]
        assert stores[0].get(["a"]) == [None]
        stores[0].set({"a": b"2"}, LONG)
        assert stores[1].get(["a"]) == [b"2"]

    def test_a_foreign_database_is_left_alone(self, file: Path) -> None:
        """The database of an app is neither used nor changed."""
        file.parent.mkdir()
        with direct(file) as connection:
            connection.execute("CREATE TABLE users (name)")
        before = file.read_bytes()
        with pytest.raises(StoreError, match=r"pages.sqlite3 is the database of something else: name another file"):
            SQLiteStore(file).set({"a": b"1"}, LONG)
        assert file.read_bytes() == before

    def test_what_is_no_database(self, file: Path) -> None:
        """Another file is left as it is, its mode too; the message says to name another, and that to remove it mends
        it.
        """
        file.parent.mkdir()
        file.write_bytes(b"what I wrote" * 100)
        file.chmod(0o644)
        store = SQLiteStore(file)
        for call in operations(store):
            with pytest.raises(StoreError, match=r"pages.sqlite3: file is not a database: name another, or remove it"):
                call()
        assert file.read_bytes() == b"what I wrote" * 100
        assert mode(file) == 0o644
        file.unlink()
        assert store.add("a", b"1", LONG)

    def test_a_damaged_file(self, file: Path) -> None:
        """A file that was written over raises, and what removes it mends it."""
        store = SQLiteStore(file)
        store.set({str(number): b"x" * 5000 for number in range(100)}, LONG)
        store.close()
        content = bytearray(file.read_bytes())
        content[4096:] = b"\xff" * (len(content) - 4096)
        file.write_bytes(content)
        with pytest.raises(StoreError, match=r"pages.sqlite3: .*malformed: remove it"):
            store.get(["1"])
        file.unlink()
        assert store.get(["1"]) == [None]

    def test_a_folder_in_its_place(self, file: Path) -> None:
        """A folder of the name raises, until it is gone."""
        file.mkdir(parents=True)
        store = SQLiteStore(file)
        with pytest.raises(StoreError, match=r"pages.sqlite3 is a folder"):
            store.get(["a"])
        file.rmdir()
        assert store.get(["a"]) == [None]

    @pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
    def test_links_are_not_followed(self, file: Path, tmp_path: Path, suffix: str) -> None:
        """A symbolic link in the place of the file or its log raises, and what it leads to is not touched."""
        victim = tmp_path / "victim"
        victim.write_bytes(b"")
        store = SQLiteStore(file)
        store.set({"a": b"1"}, LONG)
        store.close()
        side(file, suffix).unlink(missing_ok=True)
        side(file, suffix).symlink_to(victim)
        with pytest.raises(StoreError, match=rf"pages.sqlite3{suffix} is a symbolic link, which is not followed"):
            store.set({"a": b"2" * 9000}, LONG)
        assert victim.read_bytes() == b""
        side(file, suffix).unlink()
        store.set({"a": b"3"}, LONG)

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a file of another user's")
    def test_the_file_of_another_user(self, open_folder: Path) -> None:
        """A file that another user owns is not used, even by one who could."""
        file = open_folder / "pages.sqlite3"
        assert as_bound_by_modes("store.set({'a': b'1'}, 60)", f"SQLiteStore({str(file)!r})") == ""
        with pytest.raises(StoreError, match=r"pages.sqlite3 belongs to another user \(uid 65534, .* uid 0\)"):
            SQLiteStore(file).get(["a"])
        assert file.stat().st_uid == 65534

    def test_a_place_that_cannot_be_written(self, open_folder: Path) -> None:
        """A folder or file that is read-only raises, and is used once it is not."""
        file = open_folder / "pages.sqlite3"
        open_folder.chmod(0o755)
        raising = """
            for call in (lambda: store.set({"a": b"2"}, 60), lambda: store.add("b", b"1", 60)):
                try:
                    call()
                except StoreError as error:
                    print(error)
        """
        messages = as_bound_by_modes(raising, f"SQLiteStore({str(file)!r})").splitlines()
        assert len(messages) == 2
        assert all(f"{file}: [Errno 13] Permission denied" in message for message in messages)
        open_folder.chmod(0o777)
        assert as_bound_by_modes("store.set({'a': b'1'}, 60)", f"SQLiteStore({str(file)!r})") == ""
        file.chmod(0o400)
        messages = as_bound_by_modes(raising, f"SQLiteStore({str(file)!r})").splitlines()
        assert len(messages) == 2
        assert all(f"{file}: attempt to write a readonly database: the user of this" in text for text in messages)
        file.chmod(0o600)
        assert as_bound_by_modes("print(store.get(['a', 'b']))", f"SQLiteStore({str(file)!r})") == "[b'1', None]"

    def test_a_full_disk(self, file: Path) -> None:
        """What cannot be written raises, leaves what there was, and what can be is written."""
        code = f"""
            import resource
            from nextapi.cache.sqlite import SQLiteStore
            from nextapi.errors import StoreError
            store = SQLiteStore({str(file)!r})
            store.set({{"a": b"1", "b": b"1"}}, 60)
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
            try:
                store.set({{"a": b"2", "b": b"x" * 500_000}}, 60)
            except StoreError as error:
                print(error)
            assert store.get(["a", "b"]) == [b"1", b"1"]
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            store.set({{"a": b"3", "b": b"x" * 500_000}}, 60)
            assert store.get(["a", "b"]) == [b"3", b"x" * 500_000]
        """
        assert str(file) in (message := run(code))
        assert "disk" in message

    def test_a_locked_file(self, file: Path) -> None:
        """Who writes waits for about a second for another, who reads does not wait at all."""
        store = SQLiteStore(file)
        store.set({"a": b"1"}, LONG)
        with direct(file) as connection:
            connection.execute("UPDATE entries SET used = used - 10000")
            connection.execute("BEGIN IMMEDIATE")
            start = time.monotonic()
            for _ in range(20):
                assert store.get(["a"]) == [b"1"]
            assert time.monotonic() - start < 10
            with pytest.raises(StoreError, match=r"pages.sqlite3: database is locked: another process"):
                store.set({"a": b"2"}, LONG)
            assert time.monotonic() - start < 40
            connection.execute("ROLLBACK")
        store.set({"a": b"3"}, LONG)
        assert store.get(["a"]) == [b"3"]

    def test_a_writer_that_is_killed(self, file: Path) -> None:
        """A process that is killed while it writes leaves all of what it set at once or none, and no lock."""
        code = f"""
            import itertools
            from nextapi.cache.sqlite import SQLiteStore
            store = SQLiteStore({str(file)!r}, max_size="8mb")
            for turn in itertools.count():
                store.set({{name: b"%d " % turn * 20_000 for name in "abcdef"}}, 600)
                if turn == 3:
                    print("writing", flush=True)
        """
        store = SQLiteStore(file, max_size="8mb")
        for _ in range(6):
            process = python(code)
            assert process.stdout is not None
            assert process.stdout.readline() == "writing\n"
            before = store.get(["a"])
            wait_until(lambda: store.get(["a"]) != before, "nothing is written")  # noqa: B023
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=60)
            values = store.get(list("abcdef"))
            assert len(set(values)) == 1
            assert values[0] is not None
            store.set({"mine": b"1"}, LONG)
            with direct(file) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]

    def test_what_is_used_stays(self, file: Path) -> None:
        """Use is noted once in a while, so that reads write nothing; what was used least recently goes first."""
        store = SQLiteStore(file, max_size="100kb")
        store.set({"used": b"x" * 1000, "unused": b"x" * 1000}, LONG)
        with direct(file) as connection:
            version = connection.execute("PRAGMA data_version").fetchone()
            assert store.get(["used"]) == [b"x" * 1000]
            assert connection.execute("PRAGMA data_version").fetchone() == version
            connection.execute("UPDATE entries SET used = used - 10000")
            for _ in range(3):
                assert store.get(["used", "none"]) == [b"x" * 1000, None]
            rows = dict(connection.execute("SELECT name, used FROM entries"))
            assert rows["used"] > time.time() - 1000
            assert rows["unused"] < time.time() - 9000
            # All that is written from here on is older than the use above.
            connection.execute("UPDATE entries SET used = used + 5000")
        store.set({str(number): b"x" * 1000 for number in range(100)}, LONG)
        assert store.get(["used", "unused"]) == [b"x" * 1000, None]

    def test_the_file_does_not_grow(self, file: Path) -> None:
        """A file and its log have a bound, whatever is written; what has ended leaves room."""
        store = SQLiteStore(file, max_size="1mb")
        for turn in range(300):
            store.set({f"{turn} {number}": b"x" * 30_000 for number in range(5)}, LONG)
        assert file.stat().st_size < 3 << 20
        assert side(file, "-wal").stat().st_size < 10 << 20

    def test_a_long_log_is_cut(self, file: Path) -> None:
        """A log that could not be begun anew, as somebody was always reading, is cut at the next write."""
        store = SQLiteStore(file, max_size="1mb")
        store.set({"a": b"1"}, LONG)
        with direct(file) as connection:
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM entries").fetchall()
            for number in range(20):
                store.set({str(number): b"x" * 1_000_000}, LONG)
            assert side(file, "-wal").stat().st_size > 16 << 20
            connection.execute("COMMIT")
            store.set({"a": b"2"}, LONG)
            assert side(file, "-wal").stat().st_size == 0
        assert store.get(["a"]) == [b"2"]

    def test_what_has_ended_is_removed(self, file: Path) -> None:
        """Values that have ended are removed when something is written, and the file gets smaller; the sum is right."""
        store = SQLiteStore(file)
        store.set({str(number): b"x" * 30_000 for number in range(100)}, 0)
        store.set({"a": b"12345"}, LONG)
        assert file.stat().st_size + side(file, "-wal").stat().st_size > 2 << 20
        store.close()
        other = SQLiteStore(file)  # which has not yet swept
        other.set({"b": b"1"}, LONG)
        with direct(file) as connection:
            assert connection.execute("SELECT name FROM entries ORDER BY name").fetchall() == [("a",), ("b",)]
            assert connection.execute("SELECT size FROM store").fetchone() == (5 + 1 + 2 * OVERHEAD,)
            assert connection.execute("PRAGMA page_count").fetchone()[0] < 100

    def test_the_sum_is_right(self, file: Path) -> None:
        """The size that is kept is that of the entries, after any sequence of calls."""
        store = SQLiteStore(file, max_size="20kb")
        random = Random(5)
        for _ in range(300):
            name, value = str(random.randrange(8)), b"x" * random.randrange(3000)
            match random.randrange(3):
                case 0:
                    store.set({name: value, "z" + name: b""}, random.choice([0, LONG]))
                case 1:
                    store.add(name, value, LONG)
                case 2:
                    store.remove(name, store.get([name])[0] or b"")
        with direct(file) as connection:
            kept = connection.execute("SELECT sum(length(value) + ?) FROM entries", (OVERHEAD,)).fetchone()
            assert kept == connection.execute("SELECT size FROM store").fetchone()
            assert kept[0] <= 20 << 10

    def test_connections_do_not_pile_up(self, file: Path) -> None:
        """Threads that come and go leave no connection each."""
        store = SQLiteStore(file)
        for _ in range(20):
            threads = [Thread(target=store.get, args=(["a"],)) for _ in range(5)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        descriptors = [link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
        assert sum(target == file for target in descriptors) <= 5

    def test_a_fork_takes_no_connection_along(self, file: Path) -> None:
        """A forked process has no connection until it opens its own; the other side goes on with a new one."""
        code = f"""
            import os
            from pathlib import Path
            from nextapi.cache.sqlite import SQLiteStore
            store = SQLiteStore({str(file)!r})
            def opened():
                links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
                return sum(link.readlink() == Path(str(store)) for link in links)
            store.set({{"a": b"1"}}, 60)
            assert opened() == 1
            child = os.fork()
            assert opened() == 0
            assert store.get(["a"]) == [b"1"]
            assert opened() == 1
            if not child:
                os._exit(0)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        """
        assert run(code) == ""

    def test_a_fork_while_a_thread_writes(self, file: Path) -> None:
        """A process that was forked amid a thread's use of the file does not use it: SQLite would take locks amiss."""
        code = f"""
            import os, threading
            from nextapi.cache.sqlite import SQLiteStore
            from nextapi.errors import StoreError
            store = SQLiteStore({str(file)!r})
            inside, go_on = threading.Event(), threading.Event()
            def use(sqlite):
                inside.set()
                go_on.wait()
            thread = threading.Thread(target=store._file.run, args=(use,))
            thread.start()
            inside.wait()
            child = os.fork()
            if not child:
                try:
                    store.get(["a"])
                except StoreError as error:
                    print(error, flush=True)
                os._exit(0)
            go_on.set()
            thread.join()
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            store.set({{"a": b"1"}}, 60)
        """
        assert run(code) == (
            f"{file} was in use when this process was forked, which SQLite does not allow: "
            "fork before there are threads"
        )

    def test_greenlets(self, file: Path) -> None:
        """Under gevent many greenlets use the store at once."""
        code = f"""
            from gevent import monkey
            monkey.patch_all()
            import gevent
            from nextapi.cache.sqlite import SQLiteStore
            store = SQLiteStore({str(file)!r})
            def work(number):
                for turn in range(20):
                    store.set({{f"{{number}}": b"%d" % turn, "shared": b"1"}}, 60)
                    gevent.sleep(0)
                    assert store.get([str(number), "shared"]) == [b"%d" % turn, b"1"]
                return store.add("lease", b"%d" % number, 60)
            jobs = [gevent.spawn(work, number) for number in range(20)]
            gevent.joinall(jobs, raise_error=True)
            print(sum(job.value for job in jobs))
        """
        assert run(code) == "1"


def books(server: RedisServer) -> tuple[int, int, list[str]]:
    """Return the sum that a server has of the sizes, what it should be, and the keys of values."""
    with Redis.from_url(server.url) as client:
        sizes = {name.decode(): int(size) for name, size in client.hgetall("{nextapi}sizes").items()}
        total = sizes.pop("sum", 0)
        assert sum(sizes.values()) == total
        assert {name.decode() for name in client.zrange("{nextapi}uses", 0, -1)} == set(sizes)
        assert {name.decode() for name in client.zrange("{nextapi}ends", 0, -1)} == set(sizes)
        keys = [key.decode() for key in client.keys("{nextapi}:*")]
        return total, sum(client.strlen(key) + OVERHEAD for key in keys), sorted(keys)


class TestRedisStore:
    """What the store in Redis does beside."""

    def test_a_server_that_is_gone_and_comes_back(self, tmp_path: Path) -> None:
        """While the server is gone each call raises at once, and says where; the next one after it is back works."""
        with redis_server(tmp_path) as server:
            store, unused = RedisStore(server.url), RedisStore(server.url)
            store.set({"a": b"1"}, LONG)
            server.stop()
            for asked in (store, unused):
                for call in (
                    lambda: asked.get(["a"]),  # noqa: B023
                    lambda: asked.set({"a": b"1"}, LONG),  # noqa: B023
                    lambda: asked.add("a", b"1", LONG),  # noqa: B023
                    lambda: asked.remove("a", b"1"),  # noqa: B023
                ):
                    start = time.monotonic()
                    with pytest.raises(StoreError, match=rf"redis://127.0.0.1:{server.port}/0: .*onnect"):
                        call()
                    assert time.monotonic() - start < 30
            server.start()
            for asked in (unused, store):
                assert asked.get(["a"]) == [None]
            assert store.add("a", b"2", LONG)
            server.stop()
            server.start()
            # Which it was not told of: the connection that it has is dead.
            store.set({"a": b"3"}, LONG)
            assert unused.get(["a"]) == [b"3"]

    def test_a_server_that_does_not_answer(self, tmp_path: Path) -> None:
        """A server that hangs is waited for a short time."""
        with redis_server(tmp_path) as server:
            store = RedisStore(server.url)
            store.set({"a": b"1"}, LONG)
            server.pause()
            try:
                start = time.monotonic()
                with pytest.raises(StoreError, match=r"[Tt]imeout"):
                    store.get(["a"])
                assert time.monotonic() - start < 30
            finally:
                server.resume()
            assert store.get(["a"]) == [b"1"]

    def test_what_is_noted_of_uses_has_a_bound(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Who asks for many names fills no memory of the process."""
        monkeypatch.setattr("nextapi.cache.redis._MOST_NOTED", 10)
        with redis_server(tmp_path) as server:
            store = RedisStore(server.url)
            for number in range(30):
                store.get([f"{number} {part}" for part in range(3)])
                assert len(store._noted) <= 10 + 3

    def test_a_password_is_not_shown(self, tmp_path: Path) -> None:
        """Neither `str()` nor an error has the password."""
        with redis_server(tmp_path, "--requirepass", "s3cret") as server:
            address = f"127.0.0.1:{server.port}/0"
            RedisStore(f"redis://:s3cret@{address}").set({"a": b"1"}, LONG)
            store = RedisStore(f"redis://:wr0ng@{address}")
            assert str(store) == f"redis://{address}"
            with pytest.raises(StoreError) as raised:
                store.get(["a"])
            assert "wr0ng" not in str(raised.value)
            assert f"redis://{address}: " in str(raised.value)

    @pytest.mark.parametrize("url", ["redis://:s3/cr#et@host/0", "redis://:s3cret@host:port/0", "http://:s3cret@host"])
    def test_a_url_that_is_none(self, url: str) -> None:
        """A URL that cannot be read is refused, without its password."""
        with pytest.raises(OptionError, match="the URL of a RedisStore") as raised:
            RedisStore(url)
        assert "s3" not in "".join(traceback.format_exception(raised.value)).replace(url, "").replace(repr(url), "")

    def test_what_is_no_server(self) -> None:
        """What is no URL and no blocking client of bytes is refused."""
        for server in (5, None, b"redis://localhost", AsyncRedis()):
            with pytest.raises(OptionError, match="the server of a RedisStore is"):
                RedisStore(server)  # type: ignore[arg-type]  # what this is about
        with pytest.raises(OptionError, match="decode_responses"):
            RedisStore(Redis(decode_responses=True))
        for prefix in ("", "a{b", "}", None):
            with pytest.raises(OptionError, match="option prefix is"):
                RedisStore(prefix=prefix)  # type: ignore[arg-type]  # what this is about

    def test_places(self) -> None:
        """Every kind of URL is taken, and named as it is without secrets."""
        assert str(RedisStore()) == "redis://localhost:6379/0"
        assert str(RedisStore("valkey://user:pw@cache:7000/3")) == "valkey://cache:7000/3"
        assert str(RedisStore("rediss://:pw@[::1]")) == "rediss://[::1]:6379/0"
        assert str(RedisStore("unix:///run/redis.sock?db=2&password=pw")) == "unix:///run/redis.sock?db=2"
        assert str(RedisStore(Redis("cache", password="pw"))) == "redis://cache:6379/0"

    def test_the_library_is_an_extra(self) -> None:
        """Importing the stores imports no redis; a URL needs it, and the message says how to get it."""
        code = """
            import sys
            from nextapi.cache import RedisStore, SQLiteStore
            from nextapi.errors import ExtraError
            assert "redis" not in sys.modules
            sys.modules["redis"] = None
            try:
                RedisStore()
            except ExtraError as error:
                print(error)
        """
        assert run(code) == "RedisStore needs a library: pip install 'nextapi-wsgi[redis]'"

    def test_a_client_can_be_given(self, redis: RedisServer) -> None:
        """A client stands for the URL; stores with other prefixes do not see each other's values."""
        with Redis.from_url(redis.url) as client:
            first, second = RedisStore(client), RedisStore(client, prefix="other")
            first.set({"a": b"1"}, LONG)
            assert second.add("a", b"2", LONG)
            assert RedisStore(redis.url).get(["a"]) == [b"1"]
            assert RedisStore(redis.url, "other").get(["a"]) == [b"2"]

    def test_the_sum_is_right(self, redis: RedisServer) -> None:
        """The sum of sizes is that of the values, after any sequence of calls; no key is without an end."""
        redis.ask("FLUSHALL")
        store = RedisStore(redis.url, max_size="20kb")
        random = Random(5)
        for _ in range(300):
            name, value = str(random.randrange(8)), b"x" * random.randrange(3000)
            match random.randrange(3):
                case 0:
                    store.set({name: value, "z" + name: b""}, LONG)
                case 1:
                    store.add(name, value, LONG)
                case 2:
                    store.remove(name, store.get([name])[0] or b"")
        total, right, keys = books(redis)
        assert total == right
        assert 0 < total <= 20 << 10
        with Redis.from_url(redis.url) as client:
            assert all(client.pttl(key) > 0 for key in keys)

    def test_what_has_ended_counts_no_more(self, redis: RedisServer) -> None:
        """Values that have ended make room before any other has to go."""
        redis.ask("FLUSHALL")
        store = RedisStore(redis.url, max_size="100kb")
        store.set({"old": b"x" * 30_000}, LONG)
        store.set({"short": b"x" * 60_000}, 0.05)
        wait_until(lambda: store.get(["short"]) == [None], "the value does not end")
        store.set({"new": b"x" * 60_000}, LONG)
        assert store.get(["old", "new"]) == [b"x" * 30_000, b"x" * 60_000]
        assert books(redis)[0] == 90_000 + 2 * OVERHEAD

    def test_reads_keep(self, redis: RedisServer) -> None:
        """What is read stays; reading is noted once in a while."""
        redis.ask("FLUSHALL")
        RedisStore(redis.url, max_size="100kb").set({"read": b"x" * 20_000, "other": b"x" * 20_000}, LONG)
        with Redis.from_url(redis.url) as client:
            written = client.zscore("{nextapi}uses", "{nextapi}:read")
            assert written is not None
            wait_until(lambda: int(client.time()[0] * 1000 + client.time()[1] / 1000) > written, "time stands still")
            store = RedisStore(client, max_size="100kb")
            assert store.get(["read", "none"]) == [b"x" * 20_000, None]
            used = client.zscore("{nextapi}uses", "{nextapi}:read")
            assert used is not None
            assert used > written
            assert client.zscore("{nextapi}uses", "{nextapi}:none") is None
            client.config_resetstat()
            assert store.get(["read", "none"]) == [b"x" * 20_000, None]
            assert set(client.info("commandstats")) - {"cmdstat_config|resetstat", "cmdstat_info"} == {"cmdstat_mget"}
        store.set({"new": b"x" * 70_000}, LONG)
        assert store.get(["read", "other", "new"]) == [b"x" * 20_000, None, b"x" * 70_000]

    @pytest.mark.parametrize("lost", ["sizes", "uses", "ends"])
    def test_books_that_redis_drops(self, redis: RedisServer, lost: str) -> None:
        """A server that drops keys at its own limit may drop the books; values stay readable and room is made."""
        redis.ask("FLUSHALL")
        store = RedisStore(redis.url, max_size="100kb")
        store.set({str(number): b"x" * 9000 for number in range(10)}, LONG)
        redis.ask("DEL", "{nextapi}" + lost)
        assert store.get(["9"]) == [b"x" * 9000]
        for number in range(40):
            store.set({f"new {number}": b"x" * 9000}, LONG)
            assert store.get([f"new {number}"]) == [b"x" * 9000]
        new = [f"new {number}" for number in range(40)]
        kept = names_kept(store, new)
        assert kept == new[-len(kept) :]
        assert 5 <= len(kept) <= 12

    def test_a_full_server(self, tmp_path: Path) -> None:
        """A server that has no room left refuses to write, keeps what there is, and is read."""
        with redis_server(tmp_path, "--maxmemory", "3mb", "--maxmemory-policy", "noeviction") as server:
            store = RedisStore(server.url)
            store.set({"a": b"1"}, LONG)
            with pytest.raises(StoreError, match="maxmemory"):  # noqa: PT012
                for number in range(20):
                    store.set({str(number): b"x" * 500_000}, LONG)
            assert RedisStore(server.url).get(["a", "0", "19"]) == [b"1", b"x" * 500_000, None]

    def test_a_cluster(self, tmp_path: Path) -> None:
        """A client of a Redis Cluster will do: all keys are in one place of it."""
        # Unless it is told otherwise, the nodes' own port is one that any connection of this machine may have.
        bus = str(free_port())
        with redis_server(tmp_path, "--cluster-enabled", "yes", "--cluster-port", bus) as server:
            server.ask("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
            wait_until(lambda: b"cluster_state:ok" in server.ask("CLUSTER", "INFO"), "there is no cluster")
            with RedisCluster("127.0.0.1", server.port) as client:
                store = RedisStore(client, max_size="100kb")
                for number in range(30):
                    store.set({f"{number}": b"x" * 10_000, f"mark {number}": b""}, LONG)
                assert store.get(["0", "29", "mark 29"]) == [None, b"x" * 10_000, b""]
                assert store.add("lease", b"1", LONG)
                assert not store.add("lease", b"2", LONG)
                store.remove("lease", b"1")
                assert store.get(["lease"]) == [None]
                assert str(store) == "redis (RedisCluster)"


class TestDjangoStore:
    """What the store in Django's cache does beside."""

    def test_which_caches_serve_processes(
        self, django_cache: Callable[[dict[str, object]], None], tmp_path: Path
    ) -> None:
        """A cache in memory is each process's own, all others are shared; where nothing is kept, all may lead."""
        django_cache({"BACKEND": f"{DJANGO}.locmem.LocMemCache"})
        assert DjangoStore().serves_processes is False
        django_cache({"BACKEND": f"{DJANGO}.filebased.FileBasedCache", "LOCATION": str(tmp_path)})
        store = DjangoStore()
        assert store.serves_processes is True
        store.set({"a": b"1"}, LONG)
        assert store.get(["a"]) == [b"1"]
        django_cache({"BACKEND": f"{DJANGO}.dummy.DummyCache"})
        store = DjangoStore()
        assert store.serves_processes is True
        store.set({"a": b"1"}, LONG)
        assert store.add("a", b"1", LONG)
        assert store.add("a", b"1", LONG)
        assert store.get(["a"]) == [None]

    def test_an_alias_that_is_not_there(self) -> None:
        """A cache that the settings do not have is refused when it is first used: a store may stand in the settings."""
        for alias in ("pages", 5):
            store = DjangoStore(alias)  # type: ignore[arg-type]  # what this is about
            with pytest.raises(OptionError, match=rf"the cache of a DjangoStore is {alias!r}: "):
                store.get(["a"])

    def test_names_are_its_own(self, django_cache: Callable[[dict[str, object]], None]) -> None:
        """What the project keeps under the same name is another value, and what is no bytes is not there."""
        django_cache({"BACKEND": f"{DJANGO}.locmem.LocMemCache"})
        store = DjangoStore()
        caches["default"].set("a", b"theirs")
        assert store.add("a", b"mine", LONG)
        assert caches["default"].get("a") == b"theirs"
        for foreign in ("text", 5, None, ["list"], bytearray(b"x")):
            caches["default"].set("nextapi:b", foreign)
            assert store.get(["a", "b"]) == [b"mine", None]

    def test_a_backend_that_fails(self, django_cache: Callable[[dict[str, object]], None], tmp_path: Path) -> None:
        """What a backend raises says which cache it is; the next call that it takes works."""
        with redis_server(tmp_path) as server:
            django_cache({"BACKEND": f"{DJANGO}.redis.RedisCache", "LOCATION": server.url})
            store = DjangoStore()
            store.set({"a": b"1"}, LONG)
            server.stop()
            for call in operations(store):
                with pytest.raises(StoreError, match=r"Django's cache 'default': .*onnect"):
                    call()
            server.start()
            assert store.add("a", b"2", LONG)
            assert store.get(["a"]) == [b"2"]

    def test_values_that_a_backend_does_not_take(
        self, django_cache: Callable[[dict[str, object]], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where one of several values is not taken, as Memcached's way is, none is kept."""
        django_cache({"BACKEND": f"{DJANGO}.locmem.LocMemCache"})
        cache = caches["default"]
        taking = cache.set_many

        def set_many(data: dict[str, bytes], timeout: int) -> list[str]:
            taking({name: value for name, value in data.items() if len(value) < 100}, timeout)
            return [name for name, value in data.items() if len(value) >= 100]

        monkeypatch.setattr(cache, "set_many", set_many)
        store = DjangoStore()
        store.set({"small": b"old", "large": b"old"}, LONG)
        with pytest.raises(StoreError, match=r"Django's cache 'default': it does not take 1 of 2 values"):
            store.set({"small": b"new", "large": b"new" * 100}, LONG)
        assert store.get(["small", "large"]) == [None, None]

    def test_a_cache_in_a_database(self, tmp_path: Path) -> None:
        """A database will do; when its table comes back after it was gone, so do the values."""
        code = f"""
            import django
            from django.conf import settings
            settings.configure(
                CACHES={{"default": {{"BACKEND": "{DJANGO}.db.DatabaseCache", "LOCATION": "pages"}}}},
                DATABASES={{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": {str(tmp_path / "db")!r}}}}},
            )
            django.setup()
            from django.core.management import call_command
            from nextapi.adapters.django import DjangoStore
            from nextapi.errors import StoreError
            store = DjangoStore()
            try:
                store.get(["a"])
            except StoreError as error:
                print(error)
            call_command("createcachetable")
            store.set({{"a": b"1", "b": bytes(range(256))}}, 600)
            assert store.get(["a", "b", "c"]) == [b"1", bytes(range(256)), None]
            assert not store.add("a", b"2", 600)
            store.remove("a", b"1")
            assert store.add("a", b"2", 600)
            assert store.get(["a"]) == [b"2"]
        """
        assert run(code) == "Django's cache 'default': no such table: pages"

    @pytest.mark.parametrize(("seconds", "is_open"), [(0, False), (None, True)])
    def test_connections_of_a_cache_in_a_database(self, tmp_path: Path, seconds: float | None, is_open: bool) -> None:
        """One that is opened for it lives for CONN_MAX_AGE, without requests; a failure ends no transaction."""
        code = f"""
            import django
            from django.conf import settings
            settings.configure(
                CACHES={{"default": {{"BACKEND": "{DJANGO}.db.DatabaseCache", "LOCATION": "pages"}}}},
                DATABASES={{
                    "default": {{
                        "ENGINE": "django.db.backends.sqlite3", "NAME": {str(tmp_path / "db")!r},
                        "CONN_MAX_AGE": {seconds},
                    }}
                }},
            )
            django.setup()
            from django.core.management import call_command
            from django.db import connection, transaction
            from nextapi.adapters.django import DjangoStore
            from nextapi.errors import StoreError
            store = DjangoStore()
            with transaction.atomic():
                try:
                    store.get(["a"])
                except StoreError:
                    print("failed", end=" ")
                assert not connection.closed_in_transaction
            call_command("createcachetable")
            connection.close()
            for work in (lambda: store.set({{"a": b"1"}}, 600), lambda: store.get(["a"])):
                work()
                assert (connection.connection is not None) is {is_open}
            connection.ensure_connection()
            store.get(["a"])
            assert connection.connection is not None
            with transaction.atomic():
                store.remove("a", b"1")
                transaction.set_rollback(True)
            print(store.get(["a"]))
            connection.close()
        """
        assert run(code) == "failed [b'1']"


class TestOpenStore:
    """What text, paths and stores are as a store."""

    def test_urls_and_paths(self, tmp_path: Path) -> None:
        """A URL is one of Redis or Valkey, other text and a Path are a SQLite file, a store is itself."""
        for url, place in (
            ("redis://host/1", "redis://host:6379/1"),
            ("rediss://host", "rediss://host:6379/0"),
            ("valkey://host", "valkey://host:6379/0"),
            ("valkeys://host", "valkeys://host:6379/0"),
            ("unix:///run/redis", "unix:///run/redis?db=0"),
        ):
            store = open_store(url)
            assert isinstance(store, RedisStore)
            assert str(store) == place
        for path in (tmp_path / "pages.sqlite3", str(tmp_path / "pages.sqlite3")):
            store = open_store(path)
            assert isinstance(store, SQLiteStore)
            assert str(store) == str(tmp_path / "pages.sqlite3")
        memory = MemoryStore()
        assert open_store(memory) is memory

    @pytest.mark.parametrize("place", [5, None, "", b"pages", MemoryStore, object(), {"a": b"1"}, "http://host"])
    def test_what_is_no_store(self, place: object) -> None:
        """Anything else is refused, and the message says what is meant."""
        with pytest.raises(OptionError, match=r"the store of a page cache is .*: it is the path of a SQLite file"):
            open_store(place)  # type: ignore[arg-type]  # what this is about

    def test_a_password_is_not_shown(self) -> None:
        """The URL that is refused may hold a password."""
        with pytest.raises(OptionError) as raised:
            open_store("postgres://user:s3cret@host/db")
        assert "a URL of 'postgres'" in str(raised.value)
        assert "s3cret" not in str(raised.value)


def test_who_keeps_no_pages_needs_no_sqlite() -> None:
    """The module of the standard library is imported once a store needs it."""
    code = """
        import sys, nextapi.adapters.wsgi, nextapi.cache
        assert "sqlite3" not in sys.modules
        nextapi.cache.SQLiteStore
        assert "sqlite3" in sys.modules
    """
    assert subprocess.run([sys.executable, "-c", dedent(code)], check=False).returncode == 0
