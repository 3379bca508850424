"""The page cache on real servers: what several workers that share a store make, serve and survive."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from shutil import rmtree

import pytest

from tests.support.page_servers import STALE, PageServer, kill, receive, receive_if_any, serve_pages
from tests.support.redis import redis_server
from tests.support.servers import wait_until

CLIENTS = 32
SQLITE = "kept/pages.sqlite3"


@contextmanager
def two_workers(kind: str, folder: Path) -> Iterator[PageServer]:
    """Serve the app by two workers, with a store of a kind."""
    with ExitStack() as stack:
        store = SQLITE if kind in ("sqlite", "preload") else kind
        redis = stack.enter_context(redis_server(folder)) if kind == "redis" else None
        if kind == "preload":
            served = serve_pages(SQLITE, "gunicorn-preload", 1, PAGE_USED="1")
        else:
            served = serve_pages(redis.url if redis else store, "gunicorn-two", 40)
        server = stack.enter_context(served)
        server.redis = redis
        yield server


@pytest.fixture(scope="module", params=["sqlite", "preload", "redis", "django"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    with two_workers(request.param, tmp_path_factory.mktemp("server")) as served:
        yield served


def test_an_expired_page_is_made_anew_once(server: PageServer) -> None:
    """32 clients get the old page while one of two workers makes the new one, which all get from then on."""
    server.say("expired", STALE)
    assert server.ask("/long/expired").state == "MISS"
    server.say("expired", "s-maxage=600")
    server.hold("expired")
    connections = [server.send("/long/expired") for _ in range(CLIENTS)]
    answers = [receive(connection) for connection in connections]
    wait_until(lambda: len(server.made("expired")) == 2, "nobody makes the page anew")
    while len(set(server.asked("expired"))) < 2:
        answers.append(server.ask("/long/expired"))
    assert {(answer.status, answer.state, answer.number) for answer in answers} == {(200, "STALE", 1)}
    server.release("expired")
    assert server.ask_until_hit("/long/expired").number == 2
    assert len(server.made("expired")) == 2


def test_a_cold_page_is_made_once(server: PageServer) -> None:
    """32 clients ask for a page that is not there: one worker makes it, and all get that."""
    server.hold("cold")
    connections = [server.send("/long/cold") for _ in range(CLIENTS)]
    wait_until(lambda: len(server.asked("cold")) == min(CLIENTS, 2 * server.threads), "not all have asked")
    while len(set(server.asked("cold"))) < 2:
        connections.append(server.send("/long/cold"))
        wait_until(lambda: len(server.asked("cold")) == len(connections), "not all have asked")
    server.release("cold")
    answers = [receive(connection) for connection in connections]
    assert {(answer.status, answer.body) for answer in answers} == {(200, answers[0].body)}
    assert sorted(str(answer.state) for answer in answers) == ["HIT"] * (len(answers) - 1) + ["MISS"]
    assert len(server.made("cold")) == 1
    assert answers[0].is_whole


def test_a_cold_page_is_made_once_for_all_who_follow_a_link(server: PageServer) -> None:
    """32 clients say where they are from: one is answered alone, the others by the page that is made for all."""
    server.hold("linked")
    connections = [server.send("/long/linked", Referer="https://other.example/") for _ in range(CLIENTS)]
    wait_until(lambda: len(server.asked("linked")) == min(CLIENTS, 2 * server.threads), "not all have asked")
    server.release("linked")
    answers = [receive(connection) for connection in connections]
    assert sorted((str(answer.state), answer.number) for answer in answers) == [("HIT", 2)] * (CLIENTS - 1) + [
        ("MISS", 1)
    ]
    assert len(server.made("linked")) == 2


def test_a_page_that_is_revalidated_is_new_in_all_workers(server: PageServer) -> None:
    """Once `res.revalidate` has returned, whichever worker did it, nobody gets the old page."""
    workers = server.workers()
    assert server.ask("/long/again").number == 1
    for number in range(2, 6):
        assert server.ask("/api/revalidate?path=/long/again").body == b'{"revalidated":true}'
        asked = len(server.asked("again"))
        while set(server.asked("again")[asked:]) != workers:
            answer = server.ask("/long/again")
            assert (answer.state, answer.number) == ("HIT", number)


def test_who_makes_a_cold_page_is_killed(server: PageServer) -> None:
    """The others wait for so long as was said, and make it for themselves; it is kept again when the lease is over."""
    server.hold("killed")
    first = server.send("/brief/killed")
    wait_until(lambda: server.made("killed"), "nobody makes the page")
    (maker,) = server.made("killed")
    connections = []
    while len(set(server.asked("killed"))) < 2:
        connections.append(server.send("/brief/killed"))
        wait_until(lambda: len(server.asked("killed")) == len(connections) + 1, "nobody is asked")
    kill(maker)
    killed = time.monotonic()
    server.release("killed")
    assert receive_if_any(first) is None
    answers = [answer for connection in connections if (answer := receive_if_any(connection))]
    assert "MISS" in {answer.state for answer in answers}
    assert {(answer.status, answer.is_whole) for answer in answers} == {(200, True)}
    assert server.ask_until_hit("/brief/killed").is_whole
    assert time.monotonic() - killed < 45
    server.workers()


def test_who_makes_a_page_anew_is_killed(server: PageServer) -> None:
    """The old page is served on, and another makes it anew when the lease is over."""
    server.say("anew", STALE)
    assert server.ask("/brief/anew").state == "MISS"
    server.say("anew", "s-maxage=600")
    server.hold("anew")
    assert server.ask("/brief/anew").state == "STALE"
    wait_until(lambda: len(server.made("anew")) == 2, "nobody makes the page anew")
    kill(server.made("anew")[1])
    killed = time.monotonic()
    server.release("anew")
    answer = server.ask("/brief/anew")
    assert (answer.status, answer.state, answer.number) == (200, "STALE", 1)
    assert server.ask_until_hit("/brief/anew").number > 2
    assert time.monotonic() - killed < 45
    server.workers()


def test_who_stores_a_page_is_killed(server: PageServer) -> None:
    """Whenever a worker is killed, what is served of a large page is a page, and it is kept soon."""
    for moment in range(4):
        name = f"stored{moment}"
        connection = server.send(f"/briefbig/{name}")
        wait_until(lambda name=name: server.made(name), "nobody makes the page")  # type: ignore[misc]
        time.sleep(moment * 0.008)  # a look at each moment of what follows
        kill(server.made(name)[0])
        answer = receive_if_any(connection)
        assert answer is None or answer.is_whole
        server.workers()
    for moment in range(4):
        assert server.ask_until_hit(f"/briefbig/stored{moment}").is_whole


# The store is gone


def check_outage(server: PageServer, name: str, gone: Callable[[], object], back: Callable[[], object]) -> str:
    """Check that pages are served while the store is gone, and kept when it is back; return what the log said."""
    workers = server.workers()
    assert server.ask(f"/big/{name}").is_whole
    assert server.ask_until_hit(f"/big/{name}").is_whole
    start, asked = len(server.log()), time.monotonic()
    gone()
    number = 0
    served: set[int] = set()
    # So long that every worker tries the store again, and more than once.
    while time.monotonic() - asked < 2.5 or served != workers:
        for target in (f"/big/{name}", f"/big/{name}-gone{number}"):
            begun = time.monotonic()
            answer = server.ask(target)
            assert (answer.status, answer.is_whole) == (200, True)
            assert time.monotonic() - begun < 30, "it waited for the store"
        served.update(server.made(f"{name}-gone{number}"))
        number += 1
    warned = server.warnings(start)
    assert sorted(process for process, _ in warned) == sorted(workers), warned
    back()
    hits: set[int] = set()

    def is_back() -> bool:
        answer = server.ask(f"/big/{name}-back")
        assert (answer.status, answer.is_whole) == (200, True)
        if answer.state == "HIT":
            hits.add(server.asked(f"{name}-back")[-1])
        return hits == workers

    wait_until(is_back, "the store is not used again")
    assert "Traceback" not in server.log()[start:]
    (said,) = {text for _, text in warned}
    return said


@pytest.fixture(scope="module")
def with_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    with two_workers("sqlite", tmp_path_factory.mktemp("sqlite")) as served:
        yield served


def test_redis_is_stopped(tmp_path: Path) -> None:
    """Pages are served uncached while Redis is stopped, and kept again once it is started."""
    with two_workers("redis", tmp_path) as server:
        redis = server.redis
        assert redis is not None
        said = check_outage(server, "stopped", redis.stop, redis.start)
    assert said.startswith(f"redis://127.0.0.1:{redis.port}/0: ")


def test_the_table_of_djangos_cache_is_dropped(tmp_path: Path) -> None:
    """Pages are served uncached while Django's cache has no table, and kept again once it has one."""

    def change(statement: str) -> None:
        with closing(sqlite3.connect(server.folder / "django.sqlite3", timeout=60)) as database, database:
            database.execute(statement)

    with two_workers("django", tmp_path) as server:
        drop, make = "ALTER TABLE kept RENAME TO gone", "ALTER TABLE gone RENAME TO kept"
        said = check_outage(server, "dropped", lambda: change(drop), lambda: change(make))
    assert said.startswith("Django's cache 'default': no such table: kept")


def test_the_folder_of_the_file_is_read_only(with_sqlite: PageServer) -> None:
    """Pages are served uncached while the file is gone and cannot be made."""
    folder = with_sqlite.folder / "kept"

    def gone() -> None:
        folder.chmod(0o500)
        for file in folder.iterdir():
            file.unlink()

    said = check_outage(with_sqlite, "read-only", gone, lambda: folder.chmod(0o700))
    assert str(folder) in said
    assert "Permission denied" in said
    assert "name a file where this process may write" in said


def test_nothing_more_can_be_written(with_sqlite: PageServer) -> None:
    """Pages are served uncached while the file can be read, and no more can be written to it."""
    limit = with_sqlite.folder / "limit"
    said = check_outage(with_sqlite, "full", lambda: limit.write_text("300000"), limit.unlink)
    assert said.startswith(f"{with_sqlite.folder / SQLITE}: ")


@pytest.mark.parametrize("is_folder", [False, True])
def test_the_file_is_removed(with_sqlite: PageServer, is_folder: bool) -> None:
    """All workers go on with a new file, and nothing has to be said."""
    server, name = with_sqlite, f"removed{is_folder}"
    workers, start = server.workers(), len(server.log())
    assert server.ask_until_hit(f"/long/{name}").number == 1
    if is_folder:
        rmtree(server.folder / "kept")
    else:
        (server.folder / SQLITE).unlink()
    before = len(server.asked(name))
    assert server.ask(f"/long/{name}").state == "MISS"
    while set(server.asked(name)[before:]) != workers:
        assert server.ask(f"/long/{name}").number == 2
    assert not server.warnings(start)
