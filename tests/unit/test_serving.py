"""The page cache before applications of no framework: foreign ones, several threads, what is too large."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client, create_environ, run_wsgi_app

from nextapi import draft_mode, revalidate_path
from nextapi.adapters.wsgi import PageCache
from nextapi.cache.memory import MemoryStore
from nextapi.cache.visit import Visit, visit_of
from nextapi.draft import Draft
from nextapi.errors import OptionError, RevalidateError
from tests.support.page_cache import ALL, PAGE, Clock, FailingStore, HookedStore, Numbered, ask, settle, state
from tests.support.servers import wait_until

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LIMIT = 1000


pytestmark = pytest.mark.usefixtures("settled")


# Foreign applications


def returning_a_file(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", list(PAGE))
    return environ.get("wsgi.file_wrapper", FileWrapper)(BytesIO(b"page"))


def writing(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    write = start_response("200 OK", list(PAGE))
    write(b"pa")
    return [b"ge"]


def late(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", list(PAGE))
    yield b""
    yield b"page"


def again(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", list(PAGE))
    try:
        raise ValueError
    except ValueError:
        start_response("404 Not Found", list(PAGE), sys.exc_info())  # type: ignore[arg-type]
    return [b"page"]


@pytest.mark.parametrize("app", [returning_a_file, writing, late, again])
def test_foreign_applications_are_kept(app: WSGIApplication) -> None:
    """Whatever WSGI allows makes a page; both sides of the cache are WSGI."""
    cache = PageCache(validator(app), MemoryStore())
    for expected in ("MISS", "HIT", "HIT"):
        answer = ask(cache)
        assert (state(answer), answer.text) == (expected, "page")


def test_an_application_that_raises(clock: Clock) -> None:
    """What it raises is the server's, and leaves no lease behind."""
    fails = True

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if fails:
            raise ValueError("fault")
        start_response("200 OK", list(PAGE))
        return [b"page"]

    cache = PageCache(app, MemoryStore())
    for _ in range(2):
        with pytest.raises(ValueError, match="fault"):
            ask(cache)
    fails = False
    assert [state(ask(cache)) for _ in range(2)] == ["MISS", "HIT"]


def test_a_file_that_is_no_page_stays_a_file() -> None:
    """The server gets the very object, to send it as it likes."""
    wrapper = FileWrapper(BytesIO(b"file"))

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return wrapper

    environ = create_environ("/a", "http://example.com")
    assert PageCache(app, MemoryStore())(environ, lambda *_: lambda _: None) is wrapper


def test_an_error_after_the_head_is_no_page(caplog: pytest.LogCaptureFixture) -> None:
    """What was held back until then is forgotten: the error is passed on, and nothing is said of a page."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", list(PAGE))
        try:
            raise ValueError
        except ValueError:
            start_response("500 Internal Server Error", PAGE[:1], sys.exc_info())  # type: ignore[arg-type]
        return [b"error"]

    def start(status: str, *_: object) -> Callable[[bytes], object]:
        started.append(status)
        return lambda _: None

    started: list[str] = []
    store = MemoryStore()
    body = PageCache(app, store)(create_environ("/a", "http://example.com"), start)
    assert (started, [*body], leases(store)) == (["500 Internal Server Error"], [b"error"], [])
    assert caplog.messages == []


@pytest.mark.parametrize("headers", [{}, {"Cookie": "a=b"}, {"X-User": "ada"}])
@pytest.mark.parametrize("said", [PAGE, PAGE[:1]], ids=["a page", "no page"])
def test_a_body_is_closed_once(headers: dict[str, str], said: list[tuple[str, str]]) -> None:
    """Kept or passed on, of each answer that the app has begun."""

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            yield b"page"

        def close(self) -> None:
            closed.append(self)

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", list(said))
        bodies.append(Body())
        return bodies[-1]

    bodies: list[Body] = []
    closed: list[Body] = []
    ask(PageCache(app, MemoryStore()), headers=headers)
    settle()
    assert len(closed) == len(bodies)
    assert {*closed} == {*bodies}
    assert len(bodies) == (2 if headers and said == PAGE else 1)


def test_a_part_of_a_page_is_not_the_page(caplog: pytest.LogCaptureFixture) -> None:
    """Who asks for a part is answered by the app, and the page is made beside it, of which nothing is to be said."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if "HTTP_RANGE" in environ:
            start_response("206 Partial Content", [*PAGE, ("Content-Range", "bytes 0-0/4")])
            return [b"p"]
        start_response("200 OK", list(PAGE))
        return [b"page"]

    cache = PageCache(app, MemoryStore())
    answer = ask(cache, headers={"Range": "bytes=0-0"})
    assert (answer.status_code, answer.text, state(answer)) == (206, "p", None)
    settle()
    answer = ask(cache)
    assert (answer.text, state(answer)) == ("page", "HIT")
    assert caplog.messages == []


def endless(headers: Sequence[tuple[str, str]], given: list[int], closed: list[int]) -> WSGIApplication:
    """Return an application that streams for ever."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", list(headers))
        try:
            while True:
                given.append(1)
                yield b"x" * 100
        finally:
            closed.append(1)

    return app


@pytest.mark.parametrize("headers", [PAGE, PAGE[:1]], ids=["a page", "no page"])
def test_a_stream_is_not_held_back_beyond_the_limit(
    headers: list[tuple[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    """Of a page without end, no more is asked for than the limit and what is beyond; then each chunk goes through."""
    given: list[int] = []
    closed: list[int] = []
    cache = PageCache(endless(headers, given, closed), MemoryStore(max_entry_size=LIMIT))
    for number in (1, 2):
        given.clear()
        environ = create_environ("/a", "http://example.com")
        chunks, status, _ = run_wsgi_app(cache, environ)
        assert status == "200 OK"
        assert len(given) <= LIMIT / 100 + 1
        for taken, chunk in enumerate(chunks, 1):
            assert len(chunk) == 100
            assert len(given) <= max(taken, LIMIT / 100 + 1)
            if taken == 20:
                break
        chunks.close()  # type: ignore[attr-defined]
        assert len(closed) == number
    warned = [record for record in caplog.records if "more than 1000 bytes" in record.getMessage()]
    assert len(warned) == (1 if headers == PAGE else 0)


def test_a_page_made_anew_that_is_too_large_is_closed(caplog: pytest.LogCaptureFixture) -> None:
    """No more of it is asked for than the limit and what is beyond, and there is no page then."""
    given: list[int] = []
    closed: list[int] = []
    begun: list[Iterable[bytes]] = []  # nothing else ends them

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        begun.append(endless(PAGE, given, closed)(environ, start_response))
        return begun[-1]

    cache = PageCache(app, MemoryStore(max_entry_size=LIMIT))
    assert not cache.revalidate("http://example.com/a")
    assert (len(given), len(closed)) == (LIMIT / 100 + 1, 1)
    assert "more than 1000 bytes" in caplog.text


def test_a_page_with_its_headers_beyond_the_limit(caplog: pytest.LogCaptureFixture) -> None:
    """A body within the limit, and with its headers beyond, is not kept, which is said once; the store goes on."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", list(PAGE))
        return [b"x" * (LIMIT if environ["PATH_INFO"] == "/large" else 10)]

    cache = PageCache(app, MemoryStore(max_entry_size=LIMIT))
    assert ask(cache, "/large").text == "x" * LIMIT
    assert ask(cache, "/large").text == "x" * LIMIT
    assert [state(ask(cache, "/small")) for _ in range(2)] == ["MISS", "HIT"]
    (warned,) = caplog.messages
    assert warned.startswith("page cache: /large says s-maxage and is not kept: a value of ")


def test_a_wrong_length_is_not_kept() -> None:
    """An answer that is shorter than it says goes to the client, and not into the store."""
    app = Numbered([*PAGE, ("Content-Length", "10")])
    cache = PageCache(app, MemoryStore())
    for number in (1, 2):
        assert ask(cache).text == f"page {number}"


def test_an_application_that_changes_the_environ() -> None:
    """What an app takes out of its request has been in it: its answer is kept for nobody else."""
    is_page = False

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        user = environ.pop("HTTP_X_USER", "nobody")
        environ["HTTP_ACCEPT_LANGUAGE"] = "en"
        start_response("200 OK", [*PAGE, ("Vary", "Accept-Language")] if is_page else PAGE[:1])
        return [user.encode()]

    cache = PageCache(app, MemoryStore())
    ask(cache)  # it is known as no page
    is_page = True
    assert ask(cache, headers={"X-User": "ada"}).text == "ada"
    settle()
    assert ask(cache, headers={"Accept-Language": "de"}).text == "nobody"
    assert state(ask(cache, headers={"Accept-Language": "de"})) == "HIT"
    assert state(ask(cache, headers={"Accept-Language": "en"})) == "MISS"


def test_an_application_that_is_a_generator_knows_its_page_cache() -> None:
    """Of all of it that is so, whoever asks: also of what is made when the page cache has returned."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        if environ["PATH_INFO"] == "/change":
            revalidate_path("/a")
        start_response("200 OK", list(PAGE[: 1 if environ["PATH_INFO"] == "/change" else 2]))
        yield b"draft "
        yield str(draft_mode().is_enabled).encode()

    cache = PageCache(app, MemoryStore(), secret="0123456789abcdef")
    drafts = Draft(b"0123456789abcdef", False).mode_cookie(True).partition(";")[0]
    assert [ask(cache).text, state(ask(cache))] == ["draft False", "HIT"]
    for path, method, cookie, text in (
        ("/a", "GET", drafts, "draft True"),
        ("/b", "GET", "a=b", "draft False"),
        ("/a", "POST", "a=b", "draft False"),
        ("/change", "GET", "a=b", "draft False"),
    ):
        assert ask(cache, path, method, headers={"Cookie": cookie}).text == text
        settle()
    assert [state(ask(cache, path)) for path in ("/a", "/b")] == ["MISS", "HIT"]
    debugged = PageCache(app, MemoryStore(), secret="0123456789abcdef", debug=True)
    assert ask(debugged, headers={"Cookie": drafts}).text == "draft True"


# Several at once


def test_a_cold_page_is_made_once(clock: Clock) -> None:
    """Eight who ask at once for a page that is not there wait for the first, and get what it has made."""
    hold = Event()
    app = Numbered(hold=hold)
    cache = PageCache(app, MemoryStore(), wait=20)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask, cache) for _ in range(8)]
        wait_until(lambda: app.count == 1, "nobody makes the page")
        hold.set()
        answers = [future.result(20) for future in asked]
    assert app.count == 1
    assert {answer.text for answer in answers} == {"page 1"}
    assert sorted(str(state(answer)) for answer in answers) == ["HIT"] * 7 + ["MISS"]


def leases(store: MemoryStore) -> list[str]:
    """Return the names of what is being made."""
    return [name for name in store._kept if name.startswith("lease:")]


@pytest.mark.parametrize("header", ["Referer", "X-Forwarded-For"])
def test_a_cold_page_is_not_made_by_all_who_say_more_than_its_name(header: str) -> None:
    """Eight who ask at once as browsers do behind a proxy: one is answered alone, the others by the page for all."""
    hold = Event()
    app = Numbered(hold=hold)
    cache = PageCache(ProxyFix(app), MemoryStore(), wait=20)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask, cache, headers={header: "1.2.3.4"}) for _ in range(8)]
        wait_until(lambda: app.count == 1, "nobody makes the page")
        hold.set()
        answers = [future.result(20) for future in asked]
    assert app.count == 2
    assert sorted((str(state(answer)), answer.text) for answer in answers) == [("HIT", "page 2")] * 7 + [
        ("MISS", "page 1")
    ]


def test_a_server_that_forgets_to_close_keeps_nobody_waiting() -> None:
    """The page that others wait for is made without a word of the server's, as test clients are left open."""
    app = Numbered()
    cache = PageCache(app, MemoryStore(), wait=20)
    answer = Client(cache).get("/a", base_url="http://example.com", headers={"Referer": "http://a.com"})
    settle()
    assert (state(ask(cache)), app.count) == ("HIT", 2)
    answer.close()


class Overtaken(HookedStore):
    """A store in which another process makes the page before the lease is had."""

    other: WSGIApplication | None = None

    def before(self, operation: str, names: Collection[str]) -> None:
        if operation == "add" and self.other is not None and any(name.startswith("lease:") for name in names):
            other, self.other = self.other, None
            ask(other)


def test_a_page_that_another_makes_before_the_lease_is_had() -> None:
    """It is not made a second time."""
    app, store = Numbered(), Overtaken()
    store.other = PageCache(app, store)
    answer = ask(PageCache(app, store))
    assert (state(answer), app.count, leases(store)) == ("HIT", 1, [])


@pytest.mark.parametrize("later", ["200 OK", "404 Not Found", "500 Internal Server Error"])
@pytest.mark.parametrize("headers", [PAGE, PAGE[:1]], ids=["a page", "no page"])
def test_no_lease_is_left(later: str, headers: list[tuple[str, str]], clock: Clock) -> None:
    """Whatever is asked for, and whatever comes of it, somebody else may make the page at once."""
    status, said = "200 OK", list(PAGE)

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response(status, list(said))
        return [b"page"]

    def remake() -> None:
        with suppress(RevalidateError):
            cache.revalidate("http://example.com/a")

    store = MemoryStore()
    cache = PageCache(app, store)
    for step in (
        lambda: ask(cache),
        lambda: ask(cache, "/b", headers={"Cookie": "a=b"}),
        lambda: setattr(clock, "now", clock.now + 61),
        lambda: ask(cache),
        lambda: cache.revalidate_path("/a"),
        lambda: ask(cache),
        remake,
    ):
        step()
        settle()
        assert (leases(store), cache._background._leases, cache._background._places) == ([], set(), {})
        status, said = later, headers


def test_who_waits_too_long_makes_the_page_unstored() -> None:
    """After the limit the others have the app answer them; what it says is not kept."""
    hold = Event()
    app = Numbered(hold=hold)
    cache = PageCache(app, MemoryStore(), wait=0.05)
    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(ask, cache)]
        wait_until(lambda: app.count == 1, "nobody makes the page")
        asked += [pool.submit(ask, cache) for _ in range(2)]
        wait_until(lambda: app.count == 3, "they wait for ever")
        hold.set()
        answers = [future.result(20) for future in asked]
    assert sorted(answer.text for answer in answers) == ["page 1", "page 2", "page 3"]
    assert {state(answer) for answer in answers} == {"MISS"}
    assert (state(ask(cache)), ask(cache).text) == ("HIT", "page 1")


@pytest.mark.parametrize(
    ("headers", "size", "said"),
    [
        (PAGE[:1], 1, {}),
        (PAGE[:1], 1, {"Referer": "http://a.com"}),
        ([*PAGE, ("Set-Cookie", "a=b")], 1, {}),
        ([*PAGE, ("Set-Cookie", "a=b")], 1, {"Referer": "http://a.com"}),
        (PAGE, LIMIT + 1, {}),
        (PAGE, LIMIT, {}),
    ],
    ids=["no page", "no page for one", "refused", "refused for one", "too large", "too large with its headers"],
)
def test_nobody_waits_for_what_is_no_page(headers: list[tuple[str, str]], size: int, said: dict[str, str]) -> None:
    """Once it is known that a path has no page, who asks for it is answered at once, however many others there are."""
    hold = Event()
    hold.set()
    app = Numbered(headers, hold)

    def sized(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        app(environ, start_response)
        return [b"x" * size]

    cache = PageCache(sized, MemoryStore(max_entry_size=LIMIT), wait=20)
    ask(cache, headers=said)
    hold.clear()
    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(ask, cache, headers=said) for _ in range(3)]
        try:
            wait_until(lambda: app.count == 4, "they wait for each other")
        finally:
            hold.set()
        assert {future.result(20).status_code for future in asked} == {200}


def test_who_waits_is_not_given_a_page_of_a_wrong_clock(clock: Clock) -> None:
    """While a page is made in place of one from the future, that is nobody's."""
    hold = Event()
    hold.set()
    app = Numbered([PAGE[0], ("Cache-Control", "s-maxage=60")], hold)
    cache = PageCache(app, MemoryStore(), wait=20)
    ask(cache)
    clock.now -= 61
    hold.clear()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(ask, cache)
        wait_until(lambda: app.count == 2, "nobody makes the page")
        second = pool.submit(ask, cache)
        with pytest.raises(TimeoutError):
            second.result(0.1)
        hold.set()
        assert (first.result(20).text, second.result(20).text) == ("page 2", "page 2")


def test_who_waits_is_answered_when_it_is_no_page() -> None:
    """Also where the app goes on for long after it has said so, and may `write()`."""
    begin, end = Event(), Event()
    count = 0

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        nonlocal count
        count += 1
        is_first = count == 1
        if is_first:
            assert begin.wait(20)
        start_response("200 OK", PAGE[:1])
        if is_first:
            assert end.wait(40)
        return [b"page"]

    store = MemoryStore()
    cache = PageCache(app, store, wait=300, timeout=300)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(ask, cache)
        wait_until(lambda: count == 1, "the app is not asked")
        second = pool.submit(ask, cache)
        try:
            with pytest.raises(TimeoutError):
                second.result(0.1)
            begin.set()
            assert second.result(30).text == "page"
            assert leases(store) == []
        finally:
            begin.set()
            end.set()
        assert first.result(20).text == "page"


def test_of_several_that_are_answered_by_a_page_one_keeps_it() -> None:
    """Nobody waits where there was no page: who is answered by one first has the lease."""
    head_of_second, head_of_third, rest_of_second = Event(), Event(), Event()
    count = 0
    said = PAGE[:1]

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        nonlocal count
        count += 1
        number = count
        if number > 1:
            assert (head_of_second if number == 2 else head_of_third).wait(20)
        start_response("200 OK", list(said))
        if number == 2:
            assert rest_of_second.wait(20)
        yield b"page %d" % number

    store = MemoryStore()
    cache = PageCache(app, store, wait=60)
    ask(cache)
    said = PAGE
    with ThreadPoolExecutor(2) as pool:
        second = pool.submit(ask, cache)
        wait_until(lambda: count == 2, "the app is not asked")
        third = pool.submit(ask, cache)
        wait_until(lambda: count == 3, "it waits")
        head_of_second.set()
        wait_until(lambda: leases(store), "its head is not seen")
        head_of_third.set()
        answer = third.result(20)
        assert (state(answer), answer.text) == ("MISS", "page 3")
        assert not [name for name in store._kept if name.startswith("page:")]
        rest_of_second.set()
        assert second.result(20).text == "page 2"
    assert ask(cache).text == "page 2"


def test_what_was_made_on_demand_says_whether_it_is_a_page() -> None:
    """Who asks then for another query of its path has the lease first, if it is one, so that others wait."""

    class Noting(HookedStore):
        def before(self, operation: str, names: Collection[str]) -> None:
            if operation == "add" and any(name.startswith("lease:page") for name in names):
                events.append("leased")

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        events.append("asked")
        start_response("200 OK", list(said))
        return [b"page"]

    events: list[str] = []
    cache = PageCache(app, Noting())
    for said, expected in ((PAGE[:1], ["asked"]), (PAGE, ["leased", "asked"])):
        cache.revalidate("http://example.com/a")
        events.clear()
        ask(cache, f"/a?{len(said)}")
        assert events == expected


def test_what_is_no_page_leaves_nothing_in_the_store() -> None:
    """Nobody fills it by asking for many paths."""
    store = MemoryStore()
    cache = PageCache(Numbered(PAGE[:1]), store)
    for path in ("/a", "/b"):
        ask(cache, path)
        ask(cache, path, headers={"Cookie": "a=b"})
    assert {*store._kept} == {"paths", "tags"}


def test_a_page_that_forgets_its_vary_is_kept_as_before(clock: Clock) -> None:
    """Also where it cannot be made of a clean request: what was made for one language is for that one alone."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        is_clean = environ["HTTP_USER_AGENT"] == "nextapi"
        start_response("500 Internal Server Error" if is_clean else "200 OK", [*PAGE, *vary])
        return [environ["HTTP_ACCEPT_LANGUAGE"].encode()]

    vary = [("Vary", "Accept-Language")]
    cache = PageCache(app, MemoryStore())
    german, english = ({"Accept-Language": language, "User-Agent": "browser"} for language in ("de", "en"))
    assert ask(cache, headers=german).text == "de"
    cache.revalidate_path("/a")
    vary.clear()
    assert [ask(cache, headers=asked).text for asked in (german, english, german)] == ["de", "en", "de"]


def with_stale_page(clock: Clock) -> tuple[Numbered, PageCache, Event]:
    """Return an app, a cache that has a stale page of it, and what the app waits for before it makes another."""
    hold = Event()
    hold.set()
    app = Numbered(hold=hold)
    cache = PageCache(app, MemoryStore())
    ask(cache)
    clock.now += 61
    hold.clear()
    return app, cache, hold


def test_a_stale_page_is_made_anew_once_and_nobody_waits(clock: Clock) -> None:
    """Twenty get the old page while one makes the new one."""
    app, cache, hold = with_stale_page(clock)
    try:
        for _ in range(20):
            answer = ask(cache)
            assert (state(answer), answer.text) == ("STALE", "page 1")
        wait_until(lambda: app.count == 2, "nobody makes the page")
    finally:
        hold.set()
    settle()
    assert (state(ask(cache)), ask(cache).text, app.count) == ("HIT", "page 2", 2)


def test_who_comes_late_does_not_make_a_page_again(clock: Clock) -> None:
    """A client that takes long over a stale page finds at its end that another had it made."""
    app = Numbered()
    cache = PageCache(app, MemoryStore())
    ask(cache)
    clock.now += 61
    slow = cache(create_environ("/a", "http://example.com"), lambda *_: lambda _: None)
    assert state(ask(cache)) == "STALE"
    settle()
    assert app.count == 2
    slow.close()  # type: ignore[attr-defined]
    settle()
    assert app.count == 2


@pytest.mark.parametrize("error", [KeyError("a"), SystemExit("a")], ids=["Exception", "BaseException"])
@pytest.mark.parametrize("stale", [600, 10], ids=["for long", "at its end"])
def test_a_page_that_cannot_be_made_anew_is_logged(
    error: BaseException, stale: int, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever the app raises, once in a while: the old page is served, and the app is left in peace meanwhile."""
    count = 0

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        nonlocal count
        count += 1
        if count > 1:
            raise error
        start_response("200 OK", [PAGE[0], ("Cache-Control", f"s-maxage=60, stale-while-revalidate={stale}")])
        return [b"page"]

    cache = PageCache(app, MemoryStore())
    ask(cache)
    clock.now += 61
    for _ in range(3):
        assert ask(cache).text == "page"
        settle()
    assert (count, len(caplog.records)) == (2, 1)
    assert "http://example.com/a was not made anew" in caplog.text


def test_at_most_half_of_the_threads_make_pages(clock: Clock) -> None:
    """With four threads of the server, two pages are made beside requests at a time; the rest when they are asked for
    again.
    """
    hold = Event()
    hold.set()
    app = Numbered(hold=hold)
    cache = PageCache(app, MemoryStore())
    barrier = threading.Barrier(4)
    with ThreadPoolExecutor(4) as pool:
        [*pool.map(lambda _: (barrier.wait(20), ask(cache, "/")), range(4))]
        for number in range(6):
            ask(cache, f"/{number}")
        before = app.count
        clock.now += 61
        hold.clear()
        try:
            for number in range(6):
                assert state(ask(cache, f"/{number}")) == "STALE"
            wait_until(lambda: app.count == before + 2, "they are not made")
            assert len([one for one in threading.enumerate() if one.name == "nextapi-page"]) == 2
        finally:
            hold.set()
        settle()


def test_a_page_that_never_comes_gives_its_place_back(clock: Clock) -> None:
    """Its thread goes on for ever; after `timeout` another page may be made beside requests."""
    hold, asked = Event(), threading.Semaphore(0)
    is_held = False

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if is_held:
            asked.release()
            assert hold.wait(20)
        start_response("200 OK", list(PAGE))
        return [b"page"]

    cache = PageCache(app, MemoryStore(), timeout=30)
    for path in ("/a", "/b"):
        ask(cache, path)
    is_held = True
    clock.now += 100
    try:
        assert state(ask(cache, "/a")) == "STALE"
        assert asked.acquire(timeout=20)
        assert state(ask(cache, "/b")) == "STALE"
        assert not asked.acquire(blocking=False), "the only place is taken"
        clock.now += 31
        assert state(ask(cache, "/b")) == "STALE"
        assert asked.acquire(timeout=20)
    finally:
        hold.set()


def test_an_expiry_in_the_middle_of_a_cold_page() -> None:
    """What was begun before is the client's that asked, and is not kept; likewise of what is made beside requests."""
    hold = Event()
    app = Numbered(hold=hold)
    cache = PageCache(app, MemoryStore())
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask, cache)
        wait_until(lambda: app.count == 1, "nobody makes the page")
        cache.revalidate_path("/a")
        hold.set()
        assert asked.result(20).text == "page 1"
    answer = ask(cache)
    assert (state(answer), answer.text) == ("MISS", "page 2")


def test_an_expiry_in_the_middle_of_a_regeneration(clock: Clock) -> None:
    """The regeneration that was begun before is void."""
    app, cache, hold = with_stale_page(clock)
    ask(cache)
    wait_until(lambda: app.count == 2, "nobody makes the page")
    cache.revalidate_path("/a")
    hold.set()
    settle()
    answer = ask(cache)
    assert (state(answer), answer.text) == ("MISS", "page 3")


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "cold"])
@pytest.mark.parametrize(("what", "is_kept"), [("/a", False), ("/b", True), ("t", False), ("u", None)])
def test_an_expiry_in_the_middle_of_a_page_made_on_demand(what: str, is_kept: bool | None, is_known: bool) -> None:
    """What was begun before the expiry is void; the page before it is so in any case."""
    hold = Event()
    hold.set()
    app = Numbered([*PAGE, ("Cache-Tag", "t")], hold)
    cache = PageCache(app, MemoryStore())
    if is_known:
        ask(cache)
    before = app.count
    hold.clear()
    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(cache.revalidate, "http://example.com/a")
        wait_until(lambda: app.count == before + 1, "nobody makes the page")
        (cache.revalidate_path if what.startswith("/") else cache.revalidate_tag)(what)
        hold.set()
        made.result(20)
    answer = ask(cache)
    is_there = is_known if is_kept is None else is_kept
    assert (state(answer), answer.text) == (
        ("HIT", f"page {before + 1}") if is_there else ("MISS", f"page {before + 2}")
    )


def test_pages_made_on_demand_follow_each_other() -> None:
    """Of several who have a page made anew at once, each gets one that was begun after it asked."""
    app = Numbered()
    cache = PageCache(app, MemoryStore())
    with ThreadPoolExecutor(6) as pool:
        [*pool.map(lambda _: cache.revalidate("http://example.com/a"), range(6))]
    assert app.count == 6
    answer = ask(cache)
    assert (state(answer), answer.text) == ("HIT", "page 6")


def test_who_has_a_page_made_waits_for_who_does() -> None:
    """Two at once would not know whose page is the newer; who waits too long is told."""
    hold = Event()
    app = Numbered(hold=hold)
    store = MemoryStore()
    cache, impatient = PageCache(app, store), PageCache(app, store, timeout=0.1)
    with ThreadPoolExecutor(2) as pool:
        made = [pool.submit(cache.revalidate, "http://example.com/a")]
        wait_until(lambda: app.count == 1, "nobody makes the page")
        made.append(pool.submit(cache.revalidate, "http://example.com/a"))
        with pytest.raises(RevalidateError, match=r"Failed to revalidate /a: another has been at it for 0\.1 s"):
            impatient.revalidate("http://example.com/a")
        assert app.count == 1
        hold.set()
        assert [future.result(20) for future in made] == [True, True]
    assert ask(cache).text == "page 2"


def test_a_process_that_can_have_no_more_threads(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The old page is served, and made anew when there can be one again."""

    def start(_: object) -> None:
        raise RuntimeError("can't start new thread")

    store = MemoryStore()
    cache = PageCache(Numbered(), store)
    ask(cache)
    clock.now += 61
    with monkeypatch.context() as patch:
        patch.setattr("nextapi.cache.background.Thread.start", start)
        assert state(ask(cache)) == "STALE"
    assert caplog.messages == ["page cache: http://example.com/a is not made anew"]
    assert leases(store) == []
    assert state(ask(cache)) == "STALE"
    settle()
    assert (state(ask(cache)), ask(cache).text) == ("HIT", "page 2")


def test_a_post_of_a_generator_expires_before_it_answers() -> None:
    """An application that begins late has done its work when it begins: no page made before that is served after."""
    started: list[str | None] = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        if environ["REQUEST_METHOD"] == "POST":
            assert state(ask(cache)) == "HIT"
            start_response("200 OK", PAGE[:1])
            started.append(state(ask(cache)))
            yield b"done"
        else:
            start_response("200 OK", list(PAGE))
            yield b"page"

    cache = PageCache(app, MemoryStore())
    ask(cache)
    assert ask(cache, method="POST").text == "done"
    assert started == ["MISS"]


# Where the application is


def test_below_a_prefix() -> None:
    """SCRIPT_NAME is of the path: whoever is below it may leave it out."""
    app = Numbered()
    inner = PageCache(app, MemoryStore())
    outer = DispatcherMiddleware(app, {"/shop": inner})
    assert [state(ask(outer, "/shop/a")) for _ in range(2)] == ["MISS", "HIT"]
    inner.revalidate("http://example.com/shop/a")
    assert ask(outer, "/shop/a").text == "page 2"
    inner.revalidate_path("/shop/a")
    assert state(ask(outer, "/shop/a")) == "MISS"
    assert ask(outer, "/shop/a", "POST", headers={"X-Forwarded-Host": "evil.com"}).status_code == 200
    assert state(ask(outer, "/shop/a")) == "MISS"


def test_who_goes_round_expires_below_the_prefix() -> None:
    """A path that is named where nothing is kept for the request is below its SCRIPT_NAME, too."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/expire":
            revalidate_path("/a")
        start_response("200 OK", list(PAGE))
        return [b"page"]

    outer = DispatcherMiddleware(app, {"/shop": PageCache(app, MemoryStore())})
    assert [state(ask(outer, "/shop/a")) for _ in range(2)] == ["MISS", "HIT"]
    assert state(ask(outer, "/shop/expire", headers={"X-Forwarded-Host": "evil.com"})) is None
    assert state(ask(outer, "/shop/a")) == "MISS"


@pytest.mark.parametrize("place", ["inside", "outside"])
def test_behind_a_proxy(place: str) -> None:
    """ProxyFix says what the proxy said, on either side of the cache: the client's scheme, host and prefix."""
    seen: list[tuple[str, ...]] = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        names = ("wsgi.url_scheme", "HTTP_HOST", "SCRIPT_NAME", "PATH_INFO")
        seen.append(tuple(environ[name] for name in names))
        start_response("200 OK", list(PAGE))
        return [b"page"]

    def fixed(inner: WSGIApplication) -> ProxyFix:
        return ProxyFix(inner, x_for=1, x_proto=1, x_host=1, x_prefix=1)

    cache = PageCache(fixed(app) if place == "inside" else app, MemoryStore())
    whole: WSGIApplication = cache if place == "inside" else fixed(cache)
    headers = {
        "X-Forwarded-For": "1.2.3.4",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "shop.com",
        "X-Forwarded-Prefix": "/v2",
    }
    answer = ask(whole, headers=headers, base_url="http://10.0.0.1:8000")
    assert state(answer) == "MISS"
    settle()
    for client in ("1.2.3.4", "5.6.7.8"):
        answer = ask(whole, headers={**headers, "X-Forwarded-For": client}, base_url="http://10.0.0.1:8000")
        assert state(answer) == "HIT"
    other = {**headers, "X-Forwarded-Host": "other.com"}
    assert state(ask(whole, headers=other, base_url="http://10.0.0.1:8000")) == "MISS"
    settle()
    assert set(seen) == {("https", "shop.com", "/v2", "/a"), ("https", "other.com", "/v2", "/a")}
    ask(whole, method="POST", headers=headers, base_url="http://10.0.0.1:8000")
    assert state(ask(whole, headers=headers, base_url="http://10.0.0.1:8000")) == "MISS"


@pytest.mark.parametrize(
    "name", ["Forwarded", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-For", "X-Forwarded-Y"]
)
def test_a_proxy_that_nobody_told_of(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Its requests go round the cache, and that is said once."""
    app = Numbered()
    cache = PageCache(app, MemoryStore())
    ask(cache)
    for _ in range(3):
        assert state(ask(cache, headers={name: "evil.com"})) is None
    warned = [record for record in caplog.records if f"requests with {name} go round it" in record.getMessage()]
    assert len(warned) == 1
    assert state(ask(cache)) == "HIT"


def test_the_header_of_a_proxy_that_matters_is_named(caplog: pytest.LogCaptureFixture) -> None:
    """Of several not X-Forwarded-For, which no setting would have believed for it."""
    cache = PageCache(Numbered(), MemoryStore())
    ask(cache, headers={"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"})
    assert "requests with X-Forwarded-Proto go round it" in caplog.text


def test_forwarding_headers_that_a_proxy_fix_does_not_read() -> None:
    """What the ProxyFix leaves alone, the app might read: such requests go round."""
    cache = PageCache(ProxyFix(Numbered(), x_for=1, x_proto=0, x_host=0), MemoryStore())
    for _ in range(2):
        assert state(ask(cache, headers={"X-Forwarded-Host": "evil.com", "X-Forwarded-For": "1.2.3.4"})) is None
    ask(cache, headers={"X-Forwarded-For": "1.2.3.4"})
    settle()
    assert state(ask(cache, headers={"X-Forwarded-For": "1.2.3.4"})) == "HIT"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Server": "proxy-1", "X-Forwarded-Port": "443"},  # as Traefik and Apache
        {"X-Forwarded-Scheme": "https", "X-Forwarded-Port": "443"},  # as ingress-nginx
        {"X-Forwarded-Ssl": "on"},
    ],
)
def test_forwarding_headers_that_say_nothing_more(headers: dict[str, str]) -> None:
    """What says the same as those that a ProxyFix reads changes nothing; what says another thing goes round."""
    told = {"X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "example.com", **headers}
    cache = PageCache(ProxyFix(Numbered(), x_proto=1, x_host=1), MemoryStore())
    ask(cache, headers=told)
    settle()
    assert state(ask(cache, headers=told)) == "HIT"
    name = [*headers][-1]
    assert state(ask(cache, headers={**told, name: "8080"})) is None


@pytest.mark.parametrize("more", [("Vary", "Cookie"), ("Set-Cookie", "a=b")])
def test_a_page_that_is_none_is_private_to_who_asked(more: tuple[str, str]) -> None:
    """It says s-maxage and is somebody's: another cache in front, which may not obey Vary, is not to keep it either."""
    cache = PageCache(Numbered([*PAGE, more]), MemoryStore())
    answer = ask(cache, headers={"Cookie": "session=ada"})
    assert answer.headers["Cache-Control"].startswith("private, ")
    assert state(answer) is None
    assert ask(cache).headers["Cache-Control"] == PAGE[1][1]


@pytest.mark.parametrize("gone", [(), ALL], ids=["there", "gone"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("name", ["X-User", "Cookie"])
def test_a_page_that_may_be_somebodys_is_private(gone: Collection[str], method: str, name: str) -> None:
    """Another cache in front is not to keep what this one would not, whether its store is there or gone."""
    store = FailingStore()
    cache = PageCache(Numbered(), store)
    store.gone = gone
    for path in ("/a", "/b"):
        assert ask(cache, path, method, headers={name: "ada"}).headers["Cache-Control"].startswith("private, ")
        assert ask(cache, path, method).headers["Cache-Control"] == PAGE[1][1]


@pytest.mark.parametrize("gone", [(), ALL], ids=["there", "gone"])
@pytest.mark.parametrize("headers", [{"X-User": "ada"}, {"Cookie": "a=b"}])
def test_what_is_no_page_says_what_it_said(gone: Collection[str], headers: dict[str, str]) -> None:
    """To whomever: the app knows for how long a browser may keep it."""
    said = [PAGE[0], ("Cache-Control", "max-age=60"), ("Expires", "0")]
    store = FailingStore()
    cache = PageCache(Numbered(said), store)
    store.gone = gone
    for path in ("/a", "/b"):
        assert [*ask(cache, path, headers=headers).headers] == said


def test_a_page_that_may_be_somebodys_is_private_where_no_lease_can_be_had() -> None:
    """The page is known, void, and cannot be made of a clean request."""
    store = FailingStore()
    cache = PageCache(Numbered(), store)
    ask(cache)
    cache.revalidate_path("/a")
    store.gone = {"add"}
    assert ask(cache, headers={"X-User": "ada"}).headers["Cache-Control"].startswith("private, ")


def test_a_memory_store_is_for_one_process() -> None:
    """With several processes it is refused, by a message that says what to use; every time."""
    cache = PageCache(Numbered(), MemoryStore())
    for _ in range(2):
        with pytest.raises(OptionError, match=r"is one process's.*Use SQLiteStore, RedisStore, or DjangoStore with"):
            ask(cache, environ_overrides={"wsgi.multiprocess": True})


def test_a_process_that_was_forked() -> None:
    """It finds out anew what its server is, and how many threads it has, whatever its parent was at."""
    cache = PageCache(Numbered(), MemoryStore())
    assert ask(cache).status_code == 200
    context = multiprocessing.get_context("fork")
    mine, theirs = context.Pipe()

    def ask_in_child() -> None:
        try:
            ask(cache, environ_overrides={"wsgi.multiprocess": True})
        except OptionError as error:
            theirs.send(str(error))
        theirs.close()

    process = context.Process(target=ask_in_child)
    process.start()
    theirs.close()
    assert "is one process's, and this server has several" in mine.recv()
    process.join()


ENDS = """
import sys
from threading import Event
from werkzeug.test import Client
from nextapi.adapters.wsgi import PageCache

begun = Event()

def app(environ, start_response):
    if environ.get("HTTP_USER_AGENT") == "nextapi":
        begun.set()
        Event().wait()
    start_response("200 OK", [("Cache-Control", "s-maxage=0, stale-while-revalidate=600")])
    return [b"page"]

client = Client(PageCache(app, sys.argv[1]))
for _ in range(2):
    answer = client.get("/", base_url="http://example.com", buffered=True)
assert answer.headers["x-nextjs-cache"] == "STALE"
begun.wait()
"""


def test_a_process_that_ends_while_it_makes_a_page(tmp_path: Path) -> None:
    """Nobody waits for that page, which no worker is making any more: the next request makes it, and it is kept."""
    path = tmp_path / "pages.sqlite3"
    subprocess.run([sys.executable, "-W", "error", "-c", ENDS, str(path)], check=True, timeout=60)
    cache = PageCache(Numbered(), path, wait=0)
    cache.revalidate_path("/")
    assert [state(ask(cache, "/", base_url="http://example.com")) for _ in range(2)] == ["MISS", "HIT"]


def test_the_threads_that_are_known_are_not_without_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server may have a new one for each request."""
    monkeypatch.setattr("nextapi.cache.serving._MOST_THREADS", 2)
    cache = PageCache(Numbered(), MemoryStore())
    barrier = threading.Barrier(4)
    with ThreadPoolExecutor(4) as pool:
        [*pool.map(lambda _: (barrier.wait(20), ask(cache)), range(4))]
    assert len(cache._threads) <= 4  # each may have looked before any was counted
    ask(cache)
    assert len(cache._threads) <= 4


def test_a_clean_request_says_what_the_server_is() -> None:
    """What an app reads of the server is the same, whoever has the page made."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", list(PAGE))
        return [f"{environ.get('SERVER_SOFTWARE')} {environ['wsgi.multiprocess']}".encode()]

    server = {"SERVER_SOFTWARE": "server/1", "wsgi.multiprocess": True}
    cache = PageCache(app, HookedStore())
    cache.store.serves_processes = True  # type: ignore[misc]
    assert ask(cache, environ_overrides=server, headers={"Cookie": "a=b"}).text == "server/1 True"
    settle()
    answer = ask(cache, environ_overrides=server)
    assert (state(answer), answer.text) == ("HIT", "server/1 True")


def test_the_place_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    """With the first request it is said where pages are kept."""
    cache = PageCache(Numbered(), MemoryStore())
    for path in ("/a", "/b"):
        ask(cache, path)
    assert capsys.readouterr().err == "nextapi: pages are kept in the memory of this process\n"


def test_what_cannot_be_known() -> None:
    """Without a host nobody can make a page."""
    cache = PageCache(Numbered(), MemoryStore())
    with pytest.raises(RevalidateError, match="which host it is to be made for is not known"):
        cache.revalidate("/a")
    for origin in ("http://", "example.com", "http://a/b"):
        with pytest.raises(RevalidateError, match="not known"):
            cache.revalidate("/a", origin=origin)


@pytest.mark.parametrize(
    ("hosts", "host", "is_kept"),
    [
        (["[::1]"], "[::1]", True),
        (["[::1]"], "[::1]:8000", True),
        (["[::1]"], "[::2]:8000", False),
        (["[::1]:8000"], "[::1]:8000", True),
        (["example.com"], "example.com:8000", True),
        (["example.com:8000"], "example.com:8000", True),
        ([".example.com"], "www.example.com", True),
        (["example.com"], "www.example.com", False),
    ],
)
def test_the_hosts_of_a_cache(hosts: list[str], host: str, is_kept: bool) -> None:
    """Names, addresses and what is below them, on any port."""
    cache = PageCache(Numbered(), MemoryStore(), hosts=hosts)
    assert state(ask(cache, "/a", base_url=f"http://{host}")) == ("MISS" if is_kept else None)


def test_revalidate_says_whether_there_is_a_page(caplog: pytest.LogCaptureFixture) -> None:
    """With a slash at its end or without, whatever the app escapes of the path that it leads to."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/a=b":
            start_response("301 Moved Permanently", [("Location", "/a%3Db/")])
        else:
            start_response("200 OK", list(PAGE) if environ["PATH_INFO"] == "/a=b/" else [])
        return [b""]

    cache = PageCache(app, MemoryStore())
    paths = ("/a=b", "/a=b/", "/none")
    assert [cache.revalidate(path, origin="http://example.com") for path in paths] == [True, True, False]
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("location", "control", "asked"),
    [
        ("/a/", None, ["/a", "/a/"]),
        ("http://EXAMPLE.com:80/a/", None, ["/a", "/a/"]),
        ("http://example.com/a", None, ["/a"]),
        ("https://example.com/a", None, ["/a"]),
        ("http://other.com/a/", None, ["/a"]),
        ("/b", None, ["/a"]),
        ("/a/", "s-maxage=60", ["/a"]),
    ],
)
def test_redirects_that_are_followed(location: str, control: str | None, asked: list[str]) -> None:
    """Those that mend a slash, and lead nowhere else; one that is a page is the page."""
    seen: list[str] = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        seen.append(environ["PATH_INFO"])
        if seen == ["/a"]:
            start_response(
                "308 Permanent Redirect", [("Location", location), ("Cache-Control", control or "max-age=1")]
            )
        else:
            start_response("200 OK", list(PAGE))
        return [b"page"]

    is_page = PageCache(app, MemoryStore()).revalidate("http://example.com/a")
    assert (seen, is_page) == (asked, len(asked) == 2 or control is not None)


def test_a_page_that_varies_by_who_asks_is_asked_for_once() -> None:
    """To ask for it again with the cookie would be of no use: it is never given."""
    seen: list[str | None] = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        seen.append(environ.get("HTTP_COOKIE"))
        start_response("200 OK", [*PAGE, ("Vary", "Accept" if "HTTP_COOKIE" in environ else "Cookie")])
        return [b"page"]

    ask(PageCache(app, MemoryStore()), headers={"Cookie": "a=b"})
    settle()
    assert seen == ["a=b", None]


def test_below_the_prefix_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who answers no request knows it as gunicorn does, by a variable."""
    monkeypatch.setenv("SCRIPT_NAME", "/shop")
    app = Numbered()
    cache = PageCache(app, MemoryStore())
    assert cache.revalidate("http://example.com/a")
    outer = DispatcherMiddleware(app, {"/shop": cache})
    answer = ask(outer, "/shop/a")
    assert (state(answer), answer.text) == ("HIT", "page 1")


def test_the_host_of_who_answers_no_request() -> None:
    """The first that is one: of a name with all below it nobody knows which is meant."""
    app = Numbered()
    cache = PageCache(app, MemoryStore(), hosts=[".example.com", "shop.com"])
    assert cache.revalidate("/a")
    assert state(ask(cache, base_url="https://shop.com")) == "HIT"
    with pytest.raises(RevalidateError, match="not known"):
        PageCache(app, MemoryStore(), hosts=[".example.com"]).revalidate("/a")


def test_a_clean_request_has_a_visit_of_its_own() -> None:
    """Who has the environ alone finds the page cache, and what is being made."""
    seen: list[Visit | None] = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        seen.append(visit_of(environ))
        start_response("200 OK", list(PAGE))
        return [b"page"]

    ask(PageCache(app, MemoryStore()), headers={"Cookie": "a=b"})
    settle()
    origin = ("http", "example.com")
    assert [visit and (visit.origin, visit.chain) for visit in seen] == [(origin, ()), (origin, ("/a",))]


def test_warnings_have_a_bound(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Who asks for many paths fills no log."""
    monkeypatch.setattr("nextapi.cache.notes._MOST_WARNINGS", 3)
    cache = PageCache(Numbered([*PAGE, ("Set-Cookie", "a=b")]), MemoryStore())
    for number in range(6):
        ask(cache, f"/{number}")
    assert len(caplog.messages) == 3


@pytest.mark.parametrize("debug", [False, True])
def test_draft_mode_in_a_view(debug: bool) -> None:
    """A view behind the cache is told of it, in development, too."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", list(PAGE))
        return [str(draft_mode().is_enabled).encode()]

    secret = "0123456789abcdef"
    cookie = Draft(secret.encode(), debug).mode_cookie(True).partition(";")[0]
    cache = PageCache(app, MemoryStore(), secret=secret, debug=debug)
    for sent, said in ((cookie, "True"), ("__prerender_bypass=forged", "False")):
        assert ask(cache, headers={"Cookie": sent}).text == said


@pytest.mark.parametrize("header", ["Accept", "Accept-Language", "User-Agent"])
def test_revalidate_says_that_there_is_a_page_that_varies(header: str) -> None:
    """Also by what a clean request has."""
    cache = PageCache(Numbered([*PAGE, ("Vary", header)]), MemoryStore())
    assert cache.revalidate("http://example.com/a")


def test_pages_of_two_caches_may_ask_for_each_other() -> None:
    """One of a path in another cache is another page."""

    def asking(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        other.revalidate("http://example.com/a")
        start_response("200 OK", list(PAGE))
        return [b"page"]

    app = Numbered()
    other = PageCache(app, MemoryStore())
    assert PageCache(asking, MemoryStore()).revalidate("http://example.com/a")
    assert (app.count, state(ask(other))) == (1, "HIT")


# What the log says


def test_a_path_forges_no_line_of_the_log(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """A line feed that a client has put in a path is shown as it was sent, as are other characters."""
    more: list[tuple[str, str]] = [("Set-Cookie", "a=b")]
    status = "200 OK"

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response(status, [*PAGE, *more])
        return [b"page"]

    cache = PageCache(app, MemoryStore())
    path = "/%C3%BC%0Aforged"
    ask(cache, path)
    more.clear()
    ask(cache, path)
    status = "500 Internal Server Error"
    clock.now += 61
    assert state(ask(cache, path)) == "STALE"
    settle()
    assert len(caplog.messages) == 2
    assert all(path in message and "\n" not in message for message in caplog.messages)
    assert not any(record.exc_info for record in caplog.records)
