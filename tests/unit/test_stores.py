"""What every store of the page cache does alike: names, bytes, seconds and room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from nextapi.cache.memory import MemoryStore
from nextapi.cache.store import Store
from nextapi.errors import OptionError, StoreError
from tests.support.servers import wait_until

LONG = 600
"""Seconds that no test takes."""

Make = Callable[..., Store]


@pytest.fixture(params=["memory"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make(kind: str) -> Iterator[Make]:
    """What makes a store of this kind, empty, with sizes."""
    yield MemoryStore


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
            added.append(store.add(f"lease {turn}", b"%d" % thread, LONG))
        return added

    with ThreadPoolExecutor(threads) as pool:
        added = list(pool.map(add_all, range(threads)))
    for turn, by_thread in enumerate(zip(*added, strict=True)):
        assert sum(by_thread) == 1
        assert store.get([f"lease {turn}"]) == [b"%d" % by_thread.index(True)]


def test_several_are_set_at_once(store: Store) -> None:
    """Who reads several values while they are set sees those of one `set`, never of two."""
    names = [f"name {number}" for number in range(8)]
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


@pytest.mark.parametrize("size", ["1 MB ", True, -3.5])
def test_sizes_in_all_are_sizes(make_limited: Make, size: object) -> None:
    """A total that is none is refused by the option's name."""
    with pytest.raises(OptionError, match=r"option max_size is .*it is a size, such as '64mb'"):
        make_limited(max_size=size)


@pytest.fixture
def make_limited(kind: str, make: Make) -> Make:
    """`make`, of the kinds that have a total of their own."""
    if kind.startswith("django"):
        pytest.skip("the total is the backend's")
    return make


def names_kept(store: Store, names: list[str]) -> list[str]:
    # Each in a call of its own, so that what can be asked at once is no matter.
    return [name for name in names if store.get([name])[0] is not None]


def test_there_is_room_for_so_much(make_limited: Make) -> None:
    """The total stays below `max_size`, the last written are kept, and small values count, too."""
    store = make_limited(max_size="100kb", max_entry_size="20kb")
    large = [f"large {number}" for number in range(30)]
    for name in large:
        store.set({name: b"x" * 10_000}, LONG)
    kept = names_kept(store, large)
    assert kept == large[-len(kept) :]
    assert 5 <= len(kept) <= 10
    small = [f"small {number}" for number in range(2000)]
    for start in range(0, 2000, 100):
        store.set(dict.fromkeys(small[start : start + 100], b""), LONG)
    kept = names_kept(store, small)
    assert kept == small[-len(kept) :]
    assert 100 <= len(kept) <= 1000
    leases = [f"lease {number}" for number in range(1000)]
    assert all(store.add(name, b"token", LONG) for name in leases)
    kept = names_kept(store, leases)
    assert kept == leases[-len(kept) :]
    assert 100 <= len(kept) <= 1000


def test_replaced_values_count_once(make_limited: Make) -> None:
    """What is written again and again, or removed, drives nothing out."""
    store = make_limited(max_size="100kb", max_entry_size="20kb")
    store.set({"other": b"1"}, LONG)
    for turn in range(40):
        store.set({"page": b"x" * (turn % 5 * 4000)}, LONG)
        assert store.add("lease", b"y" * 10_000, LONG)
        store.remove("lease", b"y" * 10_000)
    assert store.get(["other"]) == [b"1"]


def test_an_entry_fits_into_the_whole(make_limited: Make) -> None:
    """A value may never be larger than what there is room for, whatever `max_entry_size` says."""
    store = make_limited(max_size="10kb")
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

    def test_serves_one_process(self) -> None:
        """It says that no other process has its values."""
        assert MemoryStore.serves_processes is False
