"""Server-sent events (WHATWG HTML, 9.2): an iterator or async iterator of events becomes the body of a response.

While an async iterator gives nothing, comments go out, which browsers skip. They keep proxies from hanging up, and show
whether the client is still there. A plain iterator holds its thread, so it yields None itself where one is due.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from inspect import isawaitable
from typing import TypeAlias

from nextapi.errors import EventError
from nextapi.http.json import dumps
from nextapi.running import current_run
from nextapi.web.headers import Headers, HeadersInit
from nextapi.web.response import Response

__all__ = ["EventInit", "EventStream", "ServerSentEvent"]

_HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
}
_COMMENT = ":\n\n"
_LINE_END = re.compile(r"\r\n|\r|\n")
_NO_VALUE = re.compile(r"[\r\n\0]")
_FIELDS = frozenset({"data", "event", "id", "retry"})
_OPENING_SECONDS = 1.0
"""How long the head of an answer waits for a first event: a browser says `open` when it has come."""


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """An event: `data` is text, or else a value that is sent as JSON.

    `event` is its type, "message" unless given; `id` is what the client asks to go on after when it comes again, ""
    takes that back; `retry` is how many milliseconds it waits before. Without data, which None is, there is no event:
    an `id` or `retry` alone is noted.
    """

    data: object = None
    event: str | None = None
    id: str | int | None = None
    retry: int | None = None


EventInit: TypeAlias = str | ServerSentEvent | Mapping[str, object] | None
"""What an event is made of: text, which is its data; a `ServerSentEvent`, or a dict of its fields, `{"data": ...}`; or
None, for a comment.
"""


class EventStream(Response):
    """An answer of server-sent events, which a page reads by `EventSource`; edge and route handlers return it, and
    `res.send` takes it.

    `events` is an iterator or async iterator, closed when the client leaves. After `heartbeat` seconds, None for never,
    in which an async iterator has given nothing, a comment is sent. `headers` go before those that the stream has:
    its Content-Type, and Cache-Control and X-Accel-Buffering by which proxies pass each event on at once.

    What is no event raises `EventError` where it is asked for, while the answer is sent. A client that comes again says
    in `request.headers.get("last-event-id")` what it has seen; one that shall not gets a 204.
    """

    def __init__(
        self,
        events: Iterable[EventInit] | AsyncIterable[EventInit],
        *,
        heartbeat: float | None = 15.0,
        headers: HeadersInit | None = None,
    ) -> None:
        if heartbeat is not None and not (isinstance(heartbeat, int | float) and heartbeat > 0):
            raise EventError(f"heartbeat is {heartbeat!r}, not a number of seconds above 0, or None")
        given = Headers(headers)
        for name, value in _HEADERS.items():
            if name not in given:
                given.set(name, value)
        super().__init__(_frames(events, heartbeat), headers=given)


def _frames(
    events: Iterable[EventInit] | AsyncIterable[EventInit], heartbeat: float | None
) -> Iterator[str] | AsyncIterator[str]:
    if isinstance(events, AsyncIterable):
        return _AsyncFrames(aiter(events), heartbeat)
    if not isinstance(events, Iterable) or isinstance(events, str | bytes | Mapping):
        hint = ": call it" if callable(events) else ""
        raise EventError(f"the events of an EventStream are an iterator or async iterator, not {events!r}{hint}")
    return _Frames(iter(events))


class _Frames(Iterator[str]):
    """The text of each event that an iterator gives. A class, as a generator that was not begun closes nothing."""

    def __init__(self, events: Iterator[EventInit]) -> None:
        self._events = events

    def __next__(self) -> str:
        return _frame(next(self._events))

    def close(self) -> None:
        if close := getattr(self._events, "close", None):
            close()


class _AsyncFrames(AsyncIterator[str]):
    """The text of each event that an async iterator gives, and comments while it gives none."""

    def __init__(self, events: AsyncIterator[EventInit], heartbeat: float | None) -> None:
        self._events = events
        self._heartbeat = heartbeat
        self._seconds = None if heartbeat is None else min(heartbeat, _OPENING_SECONDS)
        self._next: asyncio.Task[EventInit] | None = None

    async def __anext__(self) -> str:
        if self._heartbeat is None:
            return _frame(await anext(self._events))
        if self._next is None:
            run = current_run()
            # Each step sees what the one before has set, as without a heartbeat.
            context = run.context if run is not None else None
            self._next = asyncio.get_running_loop().create_task(_step(self._events), context=context)
        done, _ = await asyncio.wait({self._next}, timeout=self._seconds)
        self._seconds = self._heartbeat
        if not done:
            return _COMMENT
        step, self._next = self._next, None
        return _frame(step.result())

    async def aclose(self) -> None:
        try:
            if self._next is not None:
                self._next.cancel()
                with suppress(asyncio.CancelledError, StopAsyncIteration):
                    await self._next
        finally:
            close = getattr(self._events, "aclose", None)
            if close is not None and isawaitable(closing := close()):
                await closing


async def _step(events: AsyncIterator[EventInit]) -> EventInit:
    return await anext(events)


def _frame(event: EventInit) -> str:
    """Return an event as it is on the wire; raise `EventError` for what is none."""
    if event is None:
        return _COMMENT
    if isinstance(event, str):
        return "".join(_data_lines(event)) + "\n"
    if isinstance(event, Mapping):
        if unknown := event.keys() - _FIELDS:
            say = f"{', '.join(map(repr, sorted(map(str, unknown))))} is no field of an event"
            raise EventError(f"{say}, which are data, event, id and retry: send a dict as {{'data': {{...}}}}")
        event = ServerSentEvent(**event)  # type: ignore[arg-type]  # they are checked below
    if not isinstance(event, ServerSentEvent):
        raise EventError(f"an event is text, a ServerSentEvent or {{'data': ...}}, not {event!r}")
    lines = list(_field_lines(event))
    if event.data is not None:
        lines += _data_lines(event.data if isinstance(event.data, str) else dumps(event.data).decode())
    elif event.event is not None or not lines:
        raise EventError(f"{event!r} has no data, and browsers drop it: give it data, '' if there is nothing to say")
    return "".join(lines) + "\n"


def _data_lines(text: str) -> list[str]:
    return [f"data: {line}\n" for line in _LINE_END.split(text)]


def _field_lines(event: ServerSentEvent) -> Iterator[str]:
    if event.event is not None:
        yield f"event: {_value('event', event.event)}\n"
    if event.id is not None:
        yield f"id: {_value('id', event.id)}\n"
    if event.retry is not None:
        if not isinstance(event.retry, int) or isinstance(event.retry, bool) or event.retry < 0:
            raise EventError(f"retry is {event.retry!r}, not a whole number of milliseconds")
        yield f"retry: {event.retry}\n"


def _value(field: str, value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and field == "id":
        return str(value)
    if not isinstance(value, str):
        raise EventError(f"{field} is {value!r}, not text")
    if _NO_VALUE.search(value):
        raise EventError(f"{field} is {value!r}, and cannot have a line end or NUL")
    return value
