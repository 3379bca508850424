"""Server-sent events from each dialect, in every host."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from werkzeug.test import Client, TestResponse

Serve = Callable[..., Client]

_EVENTS = """
import asyncio

from nextapi import EventStream, NextResponse, ServerSentEvent

seen = []


def events(last):
    try:
        yield {"data": {"after": last}, "id": 8}
        yield None
        yield ServerSentEvent("bye", event="end")
        yield "more"
    finally:
        seen.append("def")


async def async_events(last):
    try:
        for event in events(last):
            await asyncio.sleep(0)
            yield event
    finally:
        await asyncio.sleep(0)
        seen.append("async def")


KINDS = {"def": events, "async def": async_events}
"""
_PAGES = (
    "def handler(req, res):\n    res.send(EventStream(KINDS[req.query['kind']](req.headers.get('last-event-id'))))\n"
)
_WEB = (
    "def {name}(request):\n"
    "    make = KINDS[request.next_url.search_params.get('kind')]\n"
    "    return EventStream(make(request.headers.get('last-event-id')))\n"
)
_EDGE = 'config = {"runtime": "edge"}\n\n' + _WEB.format(name="handler")
_MIDDLEWARE = (
    "def middleware(request, call_next):\n    response = call_next(request)\n"
    "    response.headers.set('x-seen', '1')\n    return response\n"
)
_ASYNC_MIDDLEWARE = _MIDDLEWARE.replace("def ", "async def ").replace("= call", "= await call")

FILES = {
    "pages/api/pages.py": _EVENTS + _PAGES,
    "pages/api/async-pages.py": _EVENTS + "async " + _PAGES,
    "pages/api/edge.py": _EVENTS + _EDGE,
    "pages/api/async-edge.py": _EVENTS + _EDGE.replace("def handler", "async def handler"),
    "app/api/route/route.py": _EVENTS + _WEB.format(name="GET"),
    "app/api/async-route/route.py": _EVENTS + "async " + _WEB.format(name="GET"),
}
PATHS = ["pages", "async-pages", "edge", "async-edge", "route", "async-route"]

middleware = pytest.mark.parametrize("text", ["", _MIDDLEWARE, _ASYNC_MIDDLEWARE], ids=["none", "def", "async def"])


def write(text: str) -> dict[str, str]:
    """Return the files of the tree, with a middleware around all."""
    return FILES | ({"pages/api/_middleware.py": text, "app/_middleware.py": text} if text else {})


@middleware
def test_events_in_every_dialect(serve_files: Serve, text: str) -> None:
    """The answer has the stream's headers and its events, and the handler is told what the client has seen."""
    client = serve_files(write(text))
    for path in PATHS:
        for kind in ("def", "async%20def"):
            check(client.get(f"/api/{path}?kind={kind}", headers={"Last-Event-ID": "7"}), text)


def check(answer: TestResponse, text: str) -> None:
    """Hold that an answer is the whole stream of events, and has passed the middleware."""
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache, no-transform"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert answer.headers.get("X-Seen") == ("1" if text else None)
    assert "Content-Length" not in answer.headers
    assert "ETag" not in answer.headers
    assert answer.text == 'id: 8\ndata: {"after":"7"}\n\n:\n\nevent: end\ndata: bye\n\ndata: more\n\n'


_ENDLESS = """
import asyncio
import threading

from nextapi import EventStream, Response

closed = threading.Event()


async def events():
    try:
        yield "one"
        await asyncio.sleep(3600)
    finally:
        await asyncio.sleep(0)
        closed.set()


def GET(request):
    return EventStream(events(), heartbeat=0.01)


def POST():
    return Response.json(closed.wait(0))
"""


@middleware
def test_a_client_that_leaves_between_heartbeats(serve_files: Serve, text: str) -> None:
    """The generator, which waits for its next event, ends with time to clean up."""
    files = {"app/api/a/route.py": _ENDLESS} | ({"app/_middleware.py": text} if text else {})
    client = serve_files(files)
    with client.get("/api/a") as answer:
        chunks = answer.iter_encoded()
        assert [next(chunks) for _ in range(3)] == [b"data: one\n\n", b":\n\n", b":\n\n"]
        assert client.post("/api/a").json is False
    assert client.post("/api/a").json is True


def test_head(serve_files: Serve) -> None:
    """HEAD has the headers, and none of the events."""
    client = serve_files(FILES)
    for path in PATHS:
        for kind in ("def", "async%20def"):
            with client.head(f"/api/{path}?kind={kind}") as answer:
                assert (answer.status_code, answer.data) == (200, b"")
                assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"


def test_headers_that_res_has(serve_files: Serve) -> None:
    """In the pages dialect what was set on `res` goes before the stream's."""
    body = "res.status(201).set_header('Cache-Control', 'no-store').send(EventStream(['one'], headers={'X-A': '1'}))"
    files = {"pages/api/a.py": f"from nextapi import EventStream\n\ndef handler(req, res):\n    {body}\n"}
    answer = serve_files(files).get("/api/a")
    assert (answer.status_code, answer.text) == (201, "data: one\n\n")
    assert (answer.headers["Cache-Control"], answer.headers["X-A"]) == ("no-store", "1")
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
