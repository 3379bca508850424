"""Pages in a store: what finds them, what makes them void, and that nothing begun before an expiry comes after it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from random import Random
from time import time
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from nextapi.cache.entry import Entry
from nextapi.cache.memory import MemoryStore
from nextapi.cache.pages import Found, Key, Pages
from nextapi.errors import EntrySizeError
from tests.support.page_cache import HookedStore

NONE: Mapping[str, str] = {}


def key(path: str = "/a", query: str = "", host: str = "example.com", scheme: str = "https") -> Key:
    """Return the key of a page."""
    return Key(scheme, host, path, query, path)


def page(body: bytes = b"page", headers: Sequence[tuple[str, str]] = (), vary: tuple[str, ...] = ()) -> Entry:
    """Return a page that is fresh for a minute, and for an hour more may be served stale."""
    return Entry("https://example.com/a", "200 OK", list(headers), body, time(), 60, 3600, vary, {})


def body_of(found: Found) -> bytes | None:
    return found.entry.body if found.entry is not None else None


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def pages(store: MemoryStore) -> Pages:
    return Pages(store)


def keep(pages: Pages, at: Key, entry: Entry, environ: Mapping[str, str] = NONE, **options: Any) -> bool:
    """Make and keep a page, with nothing between."""
    return pages.keep(at, entry, environ, pages.find(at, environ).marks, **options)


# What is found


def test_a_page_is_found_by_its_whole_name(pages: Pages) -> None:
    """Scheme, host, path and query each name another page."""
    others = [key(), key(query="x=1"), key(host="b.com"), key("/b"), key(scheme="http"), key("/a/b"), key(query="x=2")]
    for number, at in enumerate(others):
        assert pages.find(at, NONE) == Found(pages.find(at, NONE).name, pages.find(at, NONE).marks)
        assert keep(pages, at, page(b"%d" % number))
    assert [body_of(pages.find(at, NONE)) for at in others] == [b"%d" % number for number in range(len(others))]


def test_a_page_that_varies_has_one_for_each_value(pages: Pages) -> None:
    """The headers that Vary names tell pages of one URL apart; none of them is a value, and an empty one another."""
    variants = [{"HTTP_ACCEPT_LANGUAGE": "de"}, {"HTTP_ACCEPT_LANGUAGE": "en"}, {}, {"HTTP_ACCEPT_LANGUAGE": ""}]
    for environ in variants:
        assert keep(pages, key(), page(repr(environ).encode(), vary=("accept-language",)), environ)
    assert [body_of(pages.find(key(), {**environ, "HTTP_X": "1"})) for environ in variants] == [
        repr(environ).encode() for environ in variants
    ]
    unknown = pages.find(key(), {"HTTP_ACCEPT_LANGUAGE": "fr"})
    assert (unknown.entry, unknown.is_known, unknown.vary) == (None, True, ("accept-language",))


def test_a_value_of_one_header_is_none_of_another(pages: Pages) -> None:
    """What is in a header cannot be made to look as if it were in two."""
    vary = ("x-a", "x-b")
    assert keep(pages, key(), page(b"one", vary=vary), {"HTTP_X_A": "1", "HTTP_X_B": "2"})
    assert body_of(pages.find(key(), {"HTTP_X_A": "1\nx-b: 2"})) is None
    assert body_of(pages.find(key(), {"HTTP_X_A": "1", "HTTP_X_B": "2"})) == b"one"


def test_codings_are_one_however_they_are_written(pages: Pages) -> None:
    """Accept-Encoding of the same codings, in any order and case, asks for the same page."""
    assert keep(pages, key(), page(vary=("accept-encoding",)), {"HTTP_ACCEPT_ENCODING": "gzip, deflate, br"})
    assert body_of(pages.find(key(), {"HTTP_ACCEPT_ENCODING": "br,GZIP, deflate"})) == b"page"
    assert body_of(pages.find(key(), {"HTTP_ACCEPT_ENCODING": "gzip, deflate"})) is None


SAME = [("No-Vary-Search", "params")]


@pytest.mark.parametrize("vary", [(), ("accept-encoding",)])
def test_a_page_that_is_the_same_for_all_queries(pages: Pages, vary: tuple[str, ...]) -> None:
    """It is found with any query, also where it varies by a header; expired, it is known and void with any."""
    environ = {"HTTP_ACCEPT_ENCODING": "gzip"}
    assert keep(pages, key(), page(headers=SAME, vary=vary), environ)
    for query in ("", "a=1", "b"):
        assert body_of(pages.find(key(query=query), environ)) == b"page"
    pages.expire(["/a"])
    found = pages.find(key(query="a=1"), environ)
    assert (found.entry, found.is_known) == (None, True)


@pytest.mark.parametrize("vary", [(), ("accept-encoding",)])
def test_a_page_is_not_that_of_another_query(pages: Pages, vary: tuple[str, ...]) -> None:
    """Unless it says so, a page without query is none with one."""
    assert keep(pages, key(), page(vary=vary))
    assert pages.find(key(query="a=1"), NONE) == Found(
        pages.find(key(query="a=1"), NONE).name, pages.find(key(), NONE).marks
    )


@pytest.mark.parametrize("damage", [b"", b"nextapi1", b"other bytes", b"\x80\x04N."])
def test_what_is_no_page_is_not_found(store: MemoryStore, pages: Pages, damage: bytes) -> None:
    """A value that is broken, or another's, is as if there were none, and the next page takes its place."""
    assert keep(pages, key(), page())
    store.set({pages.find(key(), NONE).name: damage}, 60)
    assert pages.find(key(), NONE).entry is None
    assert keep(pages, key(), page(b"new"))
    assert body_of(pages.find(key(), NONE)) == b"new"


# What makes pages void


def test_expiring_a_path_voids_all_its_pages(pages: Pages) -> None:
    """Every host, scheme, query and variant of the path is void, with and without a slash at its end; no other is."""
    of_path = [key(), key(query="x"), key(host="b.com"), key(scheme="http"), key("/a/")]
    others = [key("/a/b"), key("/"), key("/A")]
    for at in (*of_path, *others):
        assert keep(pages, at, page())
    assert keep(pages, key(host="v"), page(vary=("accept",)), {"HTTP_ACCEPT": "x"})
    pages.expire(["/a"])
    for at in of_path:
        found = pages.find(at, NONE)
        assert (found.entry, found.is_known) == (None, True)
    assert pages.find(key(host="v"), {"HTTP_ACCEPT": "x"}).entry is None
    assert [body_of(pages.find(at, NONE)) for at in others] == [b"page"] * 3


def test_expiring_a_tag_voids_all_that_name_it(pages: Pages) -> None:
    """Pages with the tag are void, of whatever path, and those made from then on are kept."""
    for path, tags in (("/a", ["x", "y"]), ("/b", ["y"]), ("/c", ["z"]), ("/d", [])):
        assert keep(pages, key(path), page(), tags=tags)
    pages.expire(tags=["y"])
    assert [body_of(pages.find(key(path), NONE)) for path in ("/a", "/b", "/c", "/d")] == [None, None, b"page", b"page"]
    assert keep(pages, key("/a"), page(b"new"), tags=["x", "y"])
    assert body_of(pages.find(key("/a"), NONE)) == b"new"
    pages.expire(tags=["unheard of"])
    assert body_of(pages.find(key("/a"), NONE)) == b"new"


def test_a_page_made_anew_voids_the_others(pages: Pages) -> None:
    """The pages of other hosts, queries and variants are void, the one that was made is there."""
    for at in (key(), key(query="x"), key(host="b.com")):
        assert keep(pages, at, page(b"old"))
    assert keep(pages, key(), page(b"new"), is_remade=True)
    assert body_of(pages.find(key(), NONE)) == b"new"
    assert [body_of(pages.find(at, NONE)) for at in (key(query="x"), key(host="b.com"))] == [None, None]


class CountingStore(HookedStore):
    """Counts what is written."""

    writes = 0

    def before(self, operation: str, names: Collection[str]) -> None:
        self.writes += operation == "set"


def test_an_expiry_is_the_same_work_for_any_number_of_pages() -> None:
    """A path with a hundred pages is expired in one write, a tag in two."""
    store = CountingStore()
    pages = Pages(store)
    for number in range(100):
        assert keep(pages, key(query=str(number)), page(), tags=["t"])
    store.writes = 0
    pages.expire(["/a"])
    assert store.writes == 1
    pages.expire(tags=["t"])
    assert store.writes == 3


# Races: `begin` is when a page is begun to be made, `end` when it is kept.

EXPIRIES: dict[str, Callable[[Pages], object]] = {
    "path": lambda pages: pages.expire(["/a"]),
    "path with a slash": lambda pages: pages.expire(["/a/"]),
    "tag": lambda pages: pages.expire(tags=["t"]),
    "made anew": lambda pages: keep(pages, key(query="other"), page(), is_remade=True),
}


@pytest.mark.parametrize("expiry", EXPIRIES)
@pytest.mark.parametrize("is_known", [True, False], ids=["known", "cold"])
@pytest.mark.parametrize("when", ["before", "between", "after"])
def test_an_expiry_around_a_render(pages: Pages, expiry: str, is_known: bool, when: str) -> None:
    """A page that was begun before an expiry is not found after it, whether there was one before or none."""
    if is_known:
        assert keep(pages, key(), page(b"old"), tags=["t"])
    expire = EXPIRIES[expiry]
    if when == "before":
        expire(pages)
    begun = pages.find(key(), NONE).marks
    if when == "between":
        expire(pages)
    is_kept = pages.keep(key(), page(b"new"), NONE, begun, ["t"])
    if when == "after":
        expire(pages)
    assert is_kept == (when != "between")
    assert body_of(pages.find(key(), NONE)) == (b"new" if when == "before" else None)


def test_a_late_page_does_not_take_the_place_of_a_newer_one(pages: Pages) -> None:
    """What was begun before an expiry leaves alone what was begun and kept after it."""
    begun = pages.find(key(), NONE).marks
    assert keep(pages, key(), page(b"new"), is_remade=True)
    assert not pages.keep(key(), page(b"late"), NONE, begun)
    assert body_of(pages.find(key(), NONE)) == b"new"


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "cold"])
def test_an_expiry_of_something_else_around_a_render(pages: Pages, is_known: bool) -> None:
    """A page that there was is kept, whatever else is expired meanwhile. Of a new one it is not known whether the
    expiry was of it, as the store does not have to remember it.
    """
    if is_known:
        assert keep(pages, key(), page(b"old"), tags=["t"])
    begun = pages.find(key(), NONE).marks
    pages.expire(["/other"], ["other"])
    assert pages.keep(key(), page(b"new"), NONE, begun, ["t"]) == is_known
    assert body_of(pages.find(key(), NONE)) == (b"new" if is_known else None)


class Interrupted(HookedStore):
    """Does something before the so-manieth operation, as another process may."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = -1
        self.act: Callable[[], object] = lambda: None

    def before(self, operation: str, names: Collection[str]) -> None:
        self.steps -= 1
        if self.steps == 0:
            self.act()


@pytest.mark.parametrize("expiry", EXPIRIES)
@pytest.mark.parametrize("is_known", [True, False], ids=["known", "cold"])
@pytest.mark.parametrize("forgets", [False, True], ids=["", "all marks are dropped then"])
def test_an_expiry_at_every_step_of_keeping(expiry: str, is_known: bool, forgets: bool) -> None:
    """Whichever operation of the store an expiry comes before, the page that was begun earlier is not found after it;
    not even where the store drops the marks of the expiry at once.
    """
    steps = 0
    is_over = False
    while not is_over:
        steps += 1
        store = Interrupted()
        pages = Pages(store)
        if is_known:
            keep(pages, key(), page(b"old"), tags=["t"])
        begun = pages.find(key(), NONE).marks

        def act(store: Interrupted = store) -> None:
            other = Pages(store)
            EXPIRIES[expiry](other)
            if forgets:
                for name in [*store._kept]:
                    if not name.startswith(("page", "variant")):
                        store._drop(name)

        store.steps, store.act = steps, act
        pages.keep(key(), page(b"begun before"), NONE, begun, ["t"])
        if is_over := store.steps > 0:
            act()
        store.steps = -1
        assert body_of(pages.find(key(), NONE)) is None, f"an expiry before step {steps}"
    assert steps >= 3


def test_pages_made_anew_at_once_leave_one(pages: Pages) -> None:
    """Of two who make all pages of a path anew, the second waits for the first's lease."""
    lease = pages.lease_path("/a", 60)
    assert lease is not None
    assert pages.lease_path("/a", 60) is None
    assert pages.lease_path("/a/", 60) is None
    assert pages.lease_path("/b", 60) is not None
    pages.end(lease)
    assert pages.lease_path("/a", 60) is not None


def test_leases(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    """One has the lease until it is ended, or its time is over; who was late does not end another's."""
    now = 1000.0
    monkeypatch.setattr("nextapi.cache.memory.monotonic", lambda: now)
    first = pages.lease("name", 30)
    assert first is not None
    assert pages.is_leased("name")
    assert pages.lease("name", 30) is None
    now += 31
    assert not pages.is_leased("name")
    second = pages.lease("name", 30)
    assert second is not None
    pages.end(first)
    assert pages.is_leased("name")
    pages.end(second)
    assert not pages.is_leased("name")


# What the store cannot hold


def test_a_page_that_is_too_large_is_not_kept() -> None:
    """With its headers it is more than a value may be: the error says that it is no failure of the store."""
    pages = Pages(MemoryStore(max_entry_size=1000))
    for large in (page(b"x" * 1000), page(b"", headers=[("X-Long", "x" * 1000)])):
        with pytest.raises(EntrySizeError):
            keep(pages, key(), large)
    assert keep(pages, key(), page(b"x" * 300))


def test_a_store_too_small_for_the_tags_of_a_page() -> None:
    """A page with more tags than there is room for is void, and keeping it comes to an end."""
    pages = Pages(MemoryStore(max_size=3000))
    keep(pages, key(), page(), tags=[f"tag {number}" for number in range(50)])
    assert pages.find(key(), NONE).entry is None


@pytest.mark.parametrize("dropped", ["path:", "made:", "tag:", "paths", "tags"])
def test_a_page_without_one_of_its_marks_is_not_kept(dropped: str) -> None:
    """A store that drops a mark as soon as it has it could not tell when the page is expired."""

    class Dropping(MemoryStore):
        def get(self, names: Sequence[str]) -> list[bytes | None]:
            values = zip(names, super().get(names), strict=True)
            return [None if name.startswith(dropped) else value for name, value in values]

        def add(self, name: str, value: bytes, seconds: float) -> bool:
            return not name.startswith(dropped) and super().add(name, value, seconds)

    assert not keep(Pages(Dropping()), key(), page(), tags=["t"])


def test_what_is_remembered_of_tags_has_a_bound(monkeypatch: pytest.MonkeyPatch, pages: Pages) -> None:
    """Neither many pages nor many tags of one fill the memory, and all are found."""
    monkeypatch.setattr("nextapi.cache.pages._MOST_KNOWN", 3)
    some = [key(f"/{number}") for number in range(8)]
    for number, at in enumerate(some):
        assert keep(pages, at, page(), tags=[f"{number} {tag}" for tag in range(40 if number % 2 else 2)])
        for _ in range(2):
            assert body_of(pages.find(at, NONE)) == b"page"
        assert len(pages._read_along) <= 3
        assert all(len(tags) == 2 for tags in pages._read_along.values())
    pages.expire(tags=["1 39", "2 1"])
    assert [number for number, at in enumerate(some) if pages.find(at, NONE).entry is None] == [1, 2]


def test_tags_are_any_text(pages: Pages) -> None:
    """A tag is text of any script, also half of a surrogate pair."""
    tags = ["é", "中", "\udcff", "a b"]
    for tag in tags:
        assert keep(pages, key(), page(), tags=tags)
        pages.expire(tags=[tag])
        assert pages.find(key(), NONE).entry is None


# Any order of all of that

PATHS = st.sampled_from(["/a", "/a/", "/b"])
QUERIES = st.sampled_from(["", "q"])
HOSTS = st.sampled_from(["one", "two"])
TAGS = st.lists(st.sampled_from(["s", "t"]), unique=True)
KEYS = st.builds(key, PATHS, QUERIES, HOSTS)
LANGUAGES = st.sampled_from(["", "de", "en"])


class Forgetful(HookedStore):
    """Drops anything, whenever it is asked for something."""

    random = Random(0)

    def before(self, operation: str, names: Collection[str]) -> None:
        if operation in ("get", "add"):
            for name in [*self._kept]:
                if self.random.random() < 0.1:
                    self._drop(name)


class AnyOrder(RuleBasedStateMachine):
    """Several who begin pages, keep them in any order, and expire what they like.

    The body of a page is the number of the step in which it was begun.
    """

    store_class: type[MemoryStore] = MemoryStore

    def __init__(self) -> None:
        super().__init__()
        self.pages = Pages(self.store_class())
        self.step = 0
        self.begun: list[tuple[Key, Mapping[str, str], Mapping[str, str], int]] = []
        self.expired: dict[str, int] = {}
        self.remade: dict[str, tuple[int, int]] = {}
        self.last_expiry = 0
        self.tags: dict[int, list[str]] = {}
        self.asked: list[tuple[Key, Mapping[str, str]]] = []

    @initialize(seed=st.integers(0, 1000))
    def forget_by(self, seed: int) -> None:
        """Choose what is forgotten."""
        Forgetful.random = Random(seed)

    @rule(at=KEYS, language=LANGUAGES)
    def begin(self, at: Key, language: str) -> None:
        """Begin to make a page."""
        self.step += 1
        environ = {"HTTP_ACCEPT_LANGUAGE": language} if language else {}
        self.begun.append((at, environ, self.pages.find(at, environ).marks, self.step))
        if (at, environ) not in self.asked:
            self.asked.append((at, environ))

    @precondition(lambda self: self.begun)
    @rule(data=st.data(), tags=TAGS, varies=st.booleans(), ignores=st.booleans(), is_remade=st.booleans())
    def end(self, data: st.DataObject, tags: list[str], varies: bool, ignores: bool, is_remade: bool) -> None:
        """Keep one that was begun, perhaps in place of all of its path."""
        self.step += 1
        at, environ, marks, begun = self.begun.pop(data.draw(st.integers(0, len(self.begun) - 1)))
        self.tags[begun] = tags
        entry = page(b"%d" % begun, SAME if ignores else [], ("accept-language",) if varies else ())
        is_kept = self.pages.keep(at, entry, environ, marks, tags, is_remade)
        if is_kept and is_remade:
            self.remade[at.path.rstrip("/")] = self.step, begun
            self.last_expiry = self.step
        if self.store_class is MemoryStore:
            assert is_kept or begun < self.last_expiry
            if is_kept and not ignores:
                assert body_of(self.pages.find(at, environ)) == entry.body

    @rule(paths=st.lists(PATHS, max_size=2), tags=TAGS)
    def expire(self, paths: list[str], tags: list[str]) -> None:
        """Expire paths and tags."""
        self.step += 1
        self.pages.expire(paths, tags)
        for name in (*(path.rstrip("/") for path in paths), *tags):
            self.expired[name] = self.last_expiry = self.step

    @invariant()
    def nothing_begun_before_an_expiry_is_found(self) -> None:
        """What is found was begun after all that has made it void, unless it was itself made in place of the others."""
        for at, environ in self.asked:
            body = body_of(self.pages.find(at, environ))
            if body is not None:
                begun, path = int(body), at.path.rstrip("/")
                made, by = self.remade.get(path, (0, 0))
                assert begun > max(self.expired.get(name, 0) for name in (path, *self.tags[begun]))
                assert begun > made or begun == by


class AnyOrderAndForgetful(AnyOrder):
    """The same over a store that drops what it likes when it likes."""

    store_class = Forgetful


TestAnyOrder = AnyOrder.TestCase
TestAnyOrderAndForgetful = AnyOrderAndForgetful.TestCase
TestAnyOrder.settings = TestAnyOrderAndForgetful.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None
)
