"""`after`: work that is done once the answer has been sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.test import Client

from tests.support.journal import ENTRIES, note

HEAD = "from nextapi import Response, after, cookies, headers\nfrom tests.support.journal import note\n"
PAGE = "app/feed.xml/route.py"


@pytest.fixture(autouse=True)
def journal() -> Iterator[list[str]]:
    """Return what handlers note, which is nothing yet."""
    ENTRIES.clear()
    yield ENTRIES
    ENTRIES.clear()


def fetch(client: Client, path: str = "/feed.xml", **options: Any) -> int:
    """Ask for a path as a server does, which closes the answer once it has sent it; return the status."""
    answer = client.get(path, **options)
    for chunk in answer.response:
        note(f"chunk {chunk.decode()}" if answer.status_code == 200 else "chunk")  # type: ignore[union-attr]  # bytes
    note("sent")
    answer.close()
    return answer.status_code


def test_order(serve_files: Callable[..., Client]) -> None:
    """Work is done in the order that it was asked for, when the client has the answer."""
    client = serve_files(
        {
            PAGE: HEAD
            + """
def GET():
    after(lambda: note("first"))
    after(lambda: note("second"))
    note("handler")
    return Response("body")
"""
        }
    )
    assert fetch(client) == 200
    assert ENTRIES == ["handler", "chunk body", "sent", "first", "second"]
    assert fetch(client) == 200
    assert len(ENTRIES) == 10, "each request has its own"


def test_edge_and_middleware(serve_files: Callable[..., Client]) -> None:
    """An edge handler's `event.wait_until` and that of middleware are the same."""
    client = serve_files(
        {
            "middleware.py": HEAD
            + """
def middleware(request, event):
    event.wait_until(lambda: note("middleware"))
""",
            "pages/api/a.py": HEAD
            + """
config = {"runtime": "edge"}

def handler(request, event):
    event.wait_until(lambda: note("edge"))
    return Response("body")
""",
            "pages/api/b.py": """
def handler(req, res):
    res.end("body")
""",
        }
    )
    assert fetch(client, "/api/a") == 200
    assert ENTRIES == ["chunk body", "sent", "middleware", "edge"]
    ENTRIES.clear()
    assert fetch(client, "/api/b") == 200
    assert ENTRIES == ["chunk body", "sent", "middleware"]


@pytest.mark.parametrize("failure", ["raise ValueError('boom')", "raise HTTPError(500, 'boom')", "return 1"])
def test_failure(serve_files: Callable[..., Client], failure: str) -> None:
    """It is done also when the handler has failed, behind the host's answer to that."""
    client = serve_files(
        {
            PAGE: HEAD
            + f"""
from nextapi import HTTPError

def GET():
    after(lambda: note("after"))
    {failure}
"""
        }
    )
    assert fetch(client) == 500
    assert [entry for entry in ENTRIES if entry != "chunk"] == ["sent", "after"]


def test_async(serve_files: Callable[..., Client]) -> None:
    """An `async` function is run to its end, and so is a coroutine, from handlers of both kinds."""
    client = serve_files(
        {
            PAGE: HEAD
            + """
import asyncio

async def work(name):
    await asyncio.sleep(0)
    note(name)

async def GET():
    await asyncio.sleep(0)
    after(work("coroutine"))
    after(lambda: work("function"))
    return Response("body")

def POST():
    after(work("coroutine"))
    return Response("body")
"""
        }
    )
    assert fetch(client) == 200
    assert ENTRIES == ["chunk body", "sent", "coroutine", "function"]
    ENTRIES.clear()
    with client.post("/feed.xml", json={}):
        assert not ENTRIES
    assert ENTRIES == ["coroutine"]


def test_exceptions(serve_files: Callable[..., Client], caplog: pytest.LogCaptureFixture) -> None:
    """What work raises is logged, and the rest is done."""
    client = serve_files(
        {
            PAGE: HEAD
            + """
def fail():
    raise ValueError("too late")

def GET():
    after(fail)
    after(lambda: note("after"))
    return Response("body")
"""
        }
    )
    assert fetch(client) == 200
    assert ENTRIES == ["chunk body", "sent", "after"]
    assert "too late" in caplog.text
    assert "'/feed.xml': what was to be done after it failed" in caplog.text


def test_scope(serve_files: Callable[..., Client]) -> None:
    """`cookies()` and `headers()` are the finished request's, and the user's context variables are as they were."""
    client = serve_files(
        {
            PAGE: HEAD
            + """
from contextvars import ContextVar

user = ContextVar("user")

def work():
    note(cookies().get("a").value + headers()["x-b"] + user.get())
    after(lambda: note("and after that"))

def GET():
    user.set("ada")
    after(work)
    user.set("grace")
    return Response("body")
"""
        }
    )
    assert fetch(client, headers={"Cookie": "a=1", "X-B": "2"}) == 200
    assert ENTRIES == ["chunk body", "sent", "12ada", "and after that"]


@pytest.mark.parametrize("handler", ["def", "async def"])
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_the_scope_of_a_stream(serve_files: Callable[..., Client], kind: str, handler: str) -> None:
    """What is sent in chunks is made in the scope of its request, to its end, whoever makes it."""
    client = serve_files(
        {
            PAGE: HEAD
            + f"""
{kind} chunks():
    try:
        yield cookies().get("a").value
        after(lambda: note("after"))
        yield headers()["x-b"]
    finally:
        note(headers()["x-b"])

{handler} GET():
    return Response(chunks())
"""
        }
    )
    with client.get("/feed.xml", headers={"Cookie": "a=1", "X-B": "2"}) as answer:
        assert fetch(client, headers={"Cookie": "a=3", "X-B": "4"}) == 200
        assert ENTRIES == ["chunk 3", "chunk 4", "4", "sent", "after"]
        ENTRIES.clear()
        assert answer.data == b"12"
        assert ENTRIES == ["2"]
    assert ENTRIES == ["2", "after"]


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_streams(serve_files: Callable[..., Client], kind: str) -> None:
    """It is done after the last chunk; what makes the chunks may ask for it, too."""
    client = serve_files(
        {
            PAGE: HEAD
            + f"""
{kind} chunks():
    try:
        yield "one"
        after(lambda: note("late"))
        yield "two"
    finally:
        note("closed")

{kind} GET():
    after(lambda: note("early"))
    return Response(chunks())
"""
        }
    )
    assert fetch(client) == 200
    assert ENTRIES == ["chunk one", "chunk two", "closed", "sent", "early", "late"]


def test_without_a_body(serve_files: Callable[..., Client]) -> None:
    """Behind an answer without a body it is done as well."""
    client = serve_files(
        {
            PAGE: HEAD
            + """
def GET():
    after(lambda: note("after"))
    return Response(None, status=204)
"""
        }
    )
    for method in ("HEAD", "GET"):
        with client.open("/feed.xml", method=method) as answer:
            assert answer.status_code == 204
            assert not ENTRIES
        assert ENTRIES == ["after"]
        ENTRIES.clear()
