"""Server-sent events: the text of each, what keeps a stream open, and how it ends."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextvars import ContextVar
from functools import wraps
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextapi import EventStream, ServerSentEvent
from nextapi.errors import EventError, NextApiError
from nextapi.running import Run
from nextapi.web.events import EventInit
from nextapi.web.response import take_parts


def in_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test in an event loop of its own."""

    @wraps(test)
    def run(**arguments: Any) -> None:
        asyncio.run(test(**arguments))

    return run


def text_of(*events: EventInit) -> str:
    """Return what is sent of some events."""
    return EventStream(events).text()


def read_events(text: str) -> list[tuple[str, str, str]]:
    """Return the type, the data and the last id of each event as a browser reads them (WHATWG HTML, 9.2.6)."""
    found, kind, data, last, last_buffer = [], "", "", "", ""
    for line in re.split(r"\r\n|\r|\n", text):
        if not line:
            last = last_buffer
            if data:
                found.append((kind or "message", data[:-1], last))
            kind, data = "", ""
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            kind = value
        elif field == "data":
            data += value + "\n"
        elif field == "id" and "\0" not in value:
            last_buffer = value
    return found


@pytest.mark.parametrize(
    ("event", "sent"),
    [
        ("one", "data: one\n\n"),
        ("", "data: \n\n"),
        (" one", "data:  one\n\n"),
        ("a\nb\r\nc\rd\n", "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n"),
        (None, ":\n\n"),
        (ServerSentEvent("one", event="tick", id="7", retry=500), "event: tick\nid: 7\nretry: 500\ndata: one\n\n"),
        (ServerSentEvent({"a": [1, None]}), 'data: {"a":[1,null]}\n\n'),
        (ServerSentEvent(retry=500), "retry: 500\n\n"),
        (ServerSentEvent(id=""), "id: \n\n"),
        (ServerSentEvent(0, id=0), "id: 0\ndata: 0\n\n"),
        ({"data": "one", "id": 7}, "id: 7\ndata: one\n\n"),
        ({"data": {"text": "a\nb"}}, 'data: {"text":"a\\nb"}\n\n'),
        ({"data": "é\u2028"}, "data: é\u2028\n\n"),
    ],
)
def test_the_text_of_an_event(event: EventInit, sent: str) -> None:
    """Each field has a line, and each line of the data one of its own; what is no text is JSON."""
    assert text_of(event) == sent


@given(
    st.lists(
        st.builds(
            ServerSentEvent,
            data=st.text(st.characters(exclude_categories=["Cs"])),
            event=st.none()
            | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), min_size=1),
            id=st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0")),
        ),
        max_size=5,
    )
)
def test_a_browser_reads_what_was_sent(events: list[ServerSentEvent]) -> None:
    """Whatever text the fields have, it arrives; line ends of the data as line feeds."""
    last, expected = "", []
    for event in events:
        last = last if event.id is None else str(event.id)
        expected.append((event.event or "message", re.sub("\r\n?", "\n", str(event.data)), last))
    # The line ends that divide frames are the stream's own, never the data's.
    assert read_events(text_of(*events)) == expected


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (ServerSentEvent("a", event="a\nb"), "event is 'a.nb', and cannot have a line end or NUL"),
        (ServerSentEvent("a", event="a\rb"), "event is"),
        (ServerSentEvent("a", id="a\0b"), "id is"),
        (ServerSentEvent("a", id="1\ndata: forged"), "id is"),
        (ServerSentEvent("a", id=True), "id is True, not text"),
        (ServerSentEvent("a", event=3), "event is 3, not text"),  # type: ignore[arg-type]
        (ServerSentEvent("a", retry=-1), "retry is -1"),
        (ServerSentEvent("a", retry=1.5), "retry is 1.5"),  # type: ignore[arg-type]
        (ServerSentEvent(event="tick"), "has no data, and browsers drop it"),
        ({}, "has no data"),
        ({"price": 3, "data": 1}, "'price' is no field of an event, .*: send a dict as {'data': {...}}"),
        (3, "an event is text, a ServerSentEvent or {'data': ...}, not 3"),
        (b"a", "an event is text"),
    ],
)
def test_what_is_no_event(event: EventInit, message: str) -> None:
    """It is refused with what is wrong, so that nobody forges a field by the text of another."""
    with pytest.raises(EventError, match=message):
        text_of(event)
    assert issubclass(EventError, (NextApiError, TypeError))


@pytest.mark.parametrize("events", ["one", b"one", {"data": "one"}, 3, lambda: iter(["one"])])
def test_what_is_no_stream_of_events(events: object) -> None:
    """Text and dicts, which are iterable, are events and no streams; a function is to be called."""
    with pytest.raises(EventError, match=r"are an iterator or async iterator, not .*(call it)?"):
        EventStream(events)  # type: ignore[arg-type]


@pytest.mark.parametrize("heartbeat", [0, -1, "15"])
def test_a_heartbeat_is_a_number_of_seconds(heartbeat: float) -> None:
    """Zero would be a stream of nothing but comments."""
    with pytest.raises(EventError, match="heartbeat is"):
        EventStream([], heartbeat=heartbeat)


def test_the_headers() -> None:
    """They say what it is and that nobody keeps or holds it back; those that are given go before them."""
    assert EventStream([]).status == 200
    assert dict(EventStream([]).headers) == {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache, no-transform",
        "x-accel-buffering": "no",
    }
    given = EventStream([], headers={"Cache-Control": "no-store", "X-Topic": "news"}).headers
    assert (given["cache-control"], given["x-topic"], given["x-accel-buffering"]) == ("no-store", "news", "no")


class Feed:
    """An async iterator that gives an event whenever it is told one, and knows that it was closed."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[EventInit] = asyncio.Queue()
        self.ended: list[str] = []

    async def __aiter__(self) -> AsyncIterator[EventInit]:
        try:
            while (event := await self.queue.get()) != "end":
                yield event
        except (GeneratorExit, asyncio.CancelledError) as error:
            await asyncio.sleep(0)
            self.ended.append(type(error).__name__)
            raise
        finally:
            self.ended.append("closed")


def frames(events: object, heartbeat: float | None) -> Any:
    """Return what a stream sends, one piece after the other."""
    return aiter(take_parts(EventStream(events, heartbeat=heartbeat))[2])  # type: ignore[arg-type]


@in_loop
async def test_comments_while_nothing_comes() -> None:
    """They come again and again, an event at once, and none is lost by a comment in between."""
    feed = Feed()
    sent = frames(feed, 0.01)
    assert [await anext(sent), await anext(sent)] == [":\n\n", ":\n\n"]
    await feed.queue.put("one")
    await feed.queue.put("two")
    assert [await anext(sent), await anext(sent)] == ["data: one\n\n", "data: two\n\n"]
    assert await anext(sent) == ":\n\n"
    await feed.queue.put("end")
    with pytest.raises(StopAsyncIteration):
        await anext(sent)
    assert feed.ended == ["closed"]


@in_loop
async def test_the_first_comment_comes_soon() -> None:
    """It has the head of the answer sent, for which a page waits; from then on they are `heartbeat` apart."""
    sent = frames(Feed(), 60.0)
    async with asyncio.timeout(50):
        assert await anext(sent) == ":\n\n"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await anext(sent)
    await sent.aclose()


@in_loop
async def test_no_comments() -> None:
    """Without a heartbeat there is nothing but events."""
    feed = Feed()
    sent = frames(feed, None)
    asyncio.get_running_loop().call_later(0.05, feed.queue.put_nowait, "one")
    assert await anext(sent) == "data: one\n\n"


@pytest.mark.parametrize("heartbeat", [None, 0.01])
@in_loop
async def test_leaving_closes_the_generator(heartbeat: float | None) -> None:
    """Between events, and while it waits for one, after a comment: it has time to clean up."""
    feed = Feed()
    sent = frames(feed, heartbeat)
    await feed.queue.put("one")
    assert await anext(sent) == "data: one\n\n"
    if heartbeat:
        assert await anext(sent) == ":\n\n"
    await sent.aclose()
    assert feed.ended == ["CancelledError" if heartbeat else "GeneratorExit", "closed"]


def test_an_iterator_is_closed() -> None:
    """Also one of which nothing was asked."""

    class Events(Iterator[str]):
        is_closed = False

        def __next__(self) -> str:
            return "one"

        def close(self) -> None:
            self.is_closed = True

    events = Events()
    source = take_parts(EventStream(events))[2]
    source.close()  # type: ignore[union-attr]
    assert events.is_closed


@pytest.mark.parametrize("heartbeat", [None, 15.0])
def test_the_context_of_the_steps(heartbeat: float | None) -> None:
    """Each step sees the context variables that the one before has set."""
    name: ContextVar[str] = ContextVar("name", default="a")

    async def events() -> AsyncIterator[str]:
        for _ in range(3):
            yield name.get()
            name.set(name.get() + "b")

    run, sent = Run("test"), frames(events(), heartbeat)
    assert [run.finish(anext(sent)) for _ in range(3)] == ["data: a\n\n", "data: ab\n\n", "data: abb\n\n"]
    run.finish(sent.aclose())
    run.close()


@in_loop
async def test_a_failure_is_the_streams() -> None:
    """What the iterator raises is raised where its event was asked for."""

    async def events() -> AsyncIterator[str]:
        yield "one"
        raise LookupError("two")

    sent = frames(events(), 15.0)
    assert await anext(sent) == "data: one\n\n"
    with pytest.raises(LookupError, match="two"):
        await anext(sent)
