"""`async def` handlers answer as others do."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

import pytest
from werkzeug.test import Client

from tests.support.trees import async_route, route

Serve = Callable[..., Client]

user: ContextVar[str] = ContextVar("user", default="nobody")


def test_an_async_handler_answers(serve: Serve) -> None:
    """A coroutine is awaited, with all that it awaits itself."""
    body = "await asyncio.sleep(0)\nres.status(201).json([req.query['a'], req.body])"
    answer = serve({"a": async_route(body)}).post("/api/a?a=1", json={"b": 2})
    assert (answer.status_code, answer.json) == (201, ["1", {"b": 2}])
    assert answer.headers["Content-Length"] == "13"


def test_what_returns_an_awaitable_is_awaited(serve: Serve) -> None:
    """A plain function around a coroutine function is a handler, too."""
    wrapper = "\n\ndef wrap(inner):\n    return lambda req, res: inner(req, res)\n\nhandler = wrap(handler)\n"
    assert serve({"a": async_route("res.end('done')") + wrapper}).get("/api/a").data == b"done"


def test_an_async_handler_that_fails(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """Its exception is a 500, an HTTPError its answer, and silence is named as of any handler."""
    files = {
        "fail": async_route("await asyncio.sleep(0)\nraise ValueError('secret')"),
        "http": async_route("raise HTTPError(403, 'Not yours')", before="from nextapi import HTTPError"),
        "silent": async_route("await asyncio.sleep(0)"),
        "cancelled": async_route("raise asyncio.CancelledError"),
        "late": async_route("res.end('done')\nraise ValueError('late')"),
    }
    client = serve(files)
    assert client.get("/api/fail").status_code == 500
    answer = client.get("/api/http")
    assert (answer.status_code, answer.data) == (403, b"Not yours")
    assert client.get("/api/silent").status_code == 500
    assert "silent.py: the handler returned without an answer" in caplog.text
    assert client.get("/api/cancelled").status_code == 500
    assert "cancelled.py: the coroutine was cancelled" in caplog.text
    assert client.get("/api/late").data == b"done"
    assert "ValueError: late" in caplog.text


def test_the_context_of_the_host_is_seen(serve: Serve) -> None:
    """Context variables have the values that they have around the handler; tasks of its own see them as well."""
    before = "from tests.contract.test_async import user"
    body = "async def ask(): return user.get()\nres.json([user.get(), await asyncio.create_task(ask())])"
    client = serve({"a": async_route(body, before=before)})
    token = user.set("ada")
    try:
        assert client.get("/api/a").json == ["ada", "ada"]
    finally:
        user.reset(token)
    assert client.get("/api/a").json == ["nobody", "nobody"]


def test_tasks_that_are_left_over(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """A task that a handler began and did not wait for is cancelled after the answer, and the log names it."""
    before = (
        "seen = []\n\nasync def forever():\n    try:\n        await asyncio.Event().wait()\n"
        "    except asyncio.CancelledError:\n        seen.append('cancelled')\n        raise\n"
    )
    body = "asyncio.create_task(forever(), name='counting')\nawait asyncio.sleep(0)\nres.json(list(seen))"
    client = serve({"a": async_route(body, before=before)})
    with client.get("/api/a") as first:
        assert first.json == []
    with client.get("/api/a") as second:
        assert second.json == ["cancelled"]
    assert "a.py: the task counting was left over, and is cancelled" in caplog.text


def test_within_a_running_loop(serve: Serve) -> None:
    """A request made from within a coroutine of this thread cannot be waited for: it is a 500, and no hang."""
    import asyncio

    client = serve({"a": async_route("res.end('done')"), "b": route("res.end('done')")})

    async def ask(path: str) -> int:
        return client.get(path).status_code

    assert asyncio.run(ask("/api/a")) == 500
    assert asyncio.run(ask("/api/b")) == 200
    assert client.get("/api/a").status_code == 200
