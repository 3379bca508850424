"""Bodies that are made while they are sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from werkzeug.test import Client

from tests.support.trees import async_route, route

Serve = Callable[..., Client]

SOURCES = {
    "generator": "(part for part in ['one', b'two', '', bytearray(b'three'), 'é'])",
    "iterator": "iter(['one', 'two', 'three', 'é'])",
    "async": "numbers()",
    "file": "io.BytesIO('onetwothreeé'.encode())",
    "text file": "io.StringIO('onetwothreeé')",
}
_NUMBERS = """
import io

async def numbers():
    for part in ("one", b"two", "", "three", "é"):
        await asyncio.sleep(0)
        yield part
"""


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
@pytest.mark.parametrize("kind", [route, async_route])
def test_what_is_sent_as_a_stream(serve: Serve, source: str, kind: Callable[..., str]) -> None:
    """Iterators, async iterators and files are sent as they are, without length and tag, as bytes unless said."""
    files = {
        "a": kind(f"res.send({source})", before="import asyncio" + _NUMBERS),
        "typed": kind(f"res.set_header('Content-Type', 'text/csv').send({source})", before="import asyncio" + _NUMBERS),
    }
    client = serve(files)
    answer = client.get("/api/a")
    assert answer.data == "onetwothreeé".encode()
    assert answer.headers.to_wsgi_list() == [("Content-Type", "application/octet-stream")]
    assert client.get("/api/typed").headers["Content-Type"] == "text/csv"
    head = client.head("/api/a")
    assert (head.status_code, head.data, "Content-Length" in head.headers) == (200, b"", False)


def test_a_list_is_no_stream(serve: Serve) -> None:
    """Lists, tuples and ranges of values are JSON, as ever."""
    assert serve({"a": "res.send(['one', 'two'])"}).get("/api/a").json == ["one", "two"]


def test_a_stream_keeps_the_length_that_was_set(serve: Serve) -> None:
    """Who knows the length says it."""
    answer = serve({"a": "res.set_header('Content-Length', 4).send(iter(['ab', 'cd']))"}).get("/api/a")
    assert (answer.data, answer.headers["Content-Length"]) == (b"abcd", "4")


def test_a_stream_is_closed(serve: Serve, tmp_path: Path) -> None:
    """Generators and files are closed after the answer, also where nothing of them was sent."""
    (tmp_path / "data.txt").write_text("text")
    before = (
        f"from pathlib import Path\nopened, closed = [], []\n\ndef parts():\n    try:\n        yield 'a'\n        "
        f"yield 'b'\n    finally:\n        closed.append('generator')\n\ndef data():\n    "
        f"opened.append(Path({str(tmp_path / 'data.txt')!r}).open('rb'))\n    return opened[-1]\n"
    )
    asked = {
        "generator": "res.send(parts())",
        "file": "res.send(data())",
        "empty": "res.status(204).send(data())",
        "said": "res.json([closed, [file.closed for file in opened]])",
    }
    body = "\n".join(f"if req.query['what'] == {name!r}: {line}" for name, line in asked.items())
    client = serve({"a": route(body, before=before)})
    for path in ("/api/a?what=generator", "/api/a?what=file", "/api/a?what=empty"):
        with client.get(path) as answer:
            assert answer.data in (b"ab", b"text", b"")
    with client.head("/api/a?what=file") as answer:
        assert answer.data == b""
    assert client.get("/api/a?what=said").json == [["generator"], [True, True, True]]


@pytest.mark.parametrize("value", ["1", "None", "{'a': 1}"])
def test_a_stream_of_something_else(serve: Serve, host: str, value: str, caplog: pytest.LogCaptureFixture) -> None:
    """A chunk that is neither text nor bytes is an error that says so, and None and "" are no chunks."""
    client = serve({"a": f"res.send(iter(['', {value}]))"})
    if value == "None":
        assert client.get("/api/a").data == b""
        return
    if host == "django":  # which asks for the first chunk when the answer has begun
        with pytest.raises(TypeError, match="a stream is made of text or bytes"):
            client.get("/api/a", buffered=True)
    else:
        assert client.get("/api/a").status_code == 500
    assert "a stream is made of text or bytes, not of" in caplog.text


def test_a_stream_that_fails_at_once(serve: Serve, host: str, caplog: pytest.LogCaptureFixture) -> None:
    """A failure before the first chunk is the handler's: a 500; in Django, where it comes after the head, it passes."""
    client = serve({"a": "res.send(1 // 0 for _ in [1])"})
    if host == "django":
        with pytest.raises(ZeroDivisionError):
            client.get("/api/a", buffered=True)
    else:
        assert client.get("/api/a").status_code == 500
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("source", ["(1 // n for n in [0])", "failing()"])
def test_a_stream_that_fails_later(serve: Serve, source: str, caplog: pytest.LogCaptureFixture) -> None:
    """A failure after the first chunk reaches the server, which cuts the connection, and is logged."""
    before = "import itertools\n\nasync def failing():\n    yield 'a'\n    raise ZeroDivisionError"
    body = f"res.send({source})" if "failing" in source else f"res.send(itertools.chain(['a'], {source}))"
    client = serve({"a": route(body, before=before)})
    with pytest.raises(ZeroDivisionError):
        client.get("/api/a", buffered=True)
    assert "raised after its answer had begun" in caplog.text or "Exception on /api/a" in caplog.text


def test_what_an_async_handler_writes(serve: Serve) -> None:
    """It is sent as it is written; where all is written before the first wait, it has its length."""
    files = {
        "slow": async_route("for part in 'abc':\n    res.write(part)\n    await pause()\nres.end('d')", before=_PAUSE),
        "fast": async_route("res.write('a')\nres.end('b')"),
        "json": async_route("res.write('a')\nawait pause()\nres.json({'b': 1})", before=_PAUSE),
    }
    client = serve(files)
    assert client.get("/api/slow").data == b"abcd"
    assert "Content-Length" not in client.get("/api/slow").headers
    assert client.get("/api/fast").data == b"ab"
    assert client.get("/api/json").data == b'a{"b":1}'
    head = client.head("/api/slow")
    assert (head.data, head.headers["Content-Length"]) == (b"", "4")


def test_an_async_handler_that_does_not_end(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """What was written and not completed, or fails, is no answer: the connection is cut, and the log says why."""
    files = {
        "open": async_route("res.write('a')\nawait pause()", before=_PAUSE),
        "fails": async_route("res.write('a')\nawait pause()\nraise ValueError('late')", before=_PAUSE),
        "after": async_route("res.write('a')\nawait pause()\nres.end('b')\nraise ValueError('after')", before=_PAUSE),
    }
    client = serve(files)
    with pytest.raises(RuntimeError, match="did not complete its answer"):
        client.get("/api/open", buffered=True)
    with pytest.raises(ValueError, match="late"):
        client.get("/api/fails", buffered=True)
    assert client.get("/api/after").data == b"ab"
    assert "ValueError: after" in caplog.text


def test_a_client_that_leaves(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """What makes a stream is closed when nobody reads it any more: generators, async generators, also one within
    another, and handlers, each with time to clean up.
    """
    before = (
        "seen = []\n\ndef parts():\n    try:\n        while True: yield 'a'\n    finally:\n        "
        "seen.append('def')\n\n"
        "async def async_parts():\n    try:\n        while True: yield 'a'\n    finally:\n        "
        "await asyncio.sleep(0)\n        seen.append('async def')\n\n"
        "async def outer_parts():\n    async for part in async_parts(): yield part\n"
    )
    body = (
        "if 'def' in req.query: return res.send(parts())\nif 'async' in req.query: return res.send(async_parts())\n"
        "if 'nested' in req.query: return res.send(outer_parts())\n"
        "if 'seen' in req.query: return res.json(seen)\ntry:\n    while True:\n        res.write('a')\n        "
        "await asyncio.sleep(0)\nexcept asyncio.CancelledError:\n    await asyncio.sleep(0)\n    "
        "seen.append('handler')\n    raise"
    )
    client = serve({"a": async_route(body, before=before)})
    for query in ("def", "async", "nested", "handler"):
        with client.get(f"/api/a?{query}") as answer:
            assert next(answer.iter_encoded()).startswith(b"a")
    assert client.get("/api/a?seen").json == ["def", "async def", "async def", "handler"]
    assert "left over" not in caplog.text


def test_the_context_of_a_stream(serve: Serve) -> None:
    """All steps of an async generator see the context variables that the handler set, and those that it sets itself."""
    before = (
        "from contextvars import ContextVar\nname = ContextVar('name')\n\nasync def parts():\n    "
        "yield name.get()\n    name.set('b')\n    yield name.get()\n    await asyncio.sleep(0)\n    yield name.get()\n"
    )
    assert serve({"a": async_route("name.set('a')\nres.send(parts())", before=before)}).get("/api/a").data == b"abb"


def test_a_stream_among_others(serve: Serve) -> None:
    """While a stream is open, the same thread answers other requests."""
    files = {
        "a": async_route("res.send(parts())", before=_TICKS),
        "b": async_route("await asyncio.sleep(0)\nres.end('b')"),
    }
    client = serve(files)
    with client.get("/api/a") as answer:
        chunks = answer.iter_encoded()
        assert next(chunks) == b"0"
        assert client.get("/api/b").data == b"b"
        assert next(chunks) == b"1"
    assert asyncio._get_running_loop() is None


_PAUSE = "async def pause():\n    for _ in range(9): await asyncio.sleep(0)"
_TICKS = "async def parts():\n    for number in range(3):\n        await asyncio.sleep(0)\n        yield str(number)\n"
