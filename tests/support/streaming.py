"""A tree whose streams wait in their middle for what a client does, and a client that does it."""

from __future__ import annotations

import http.client
import itertools
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.trees import async_route, route, write_files, write_tree

_GATES = '''
"""Gates, by name: who waits at one goes on once it is open, or fails."""

import asyncio
import threading

_gates = {}


def gate(name):
    return _gates.setdefault(name, threading.Event())


def wait(name):
    if not gate(name).wait(60):
        raise TimeoutError(name)


async def wait_async(name):
    for _ in range(6000):
        if gate(name).is_set():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError(name)
'''

MEET = """
here = []

async def meet():
    here.append(1)
    for _ in range(3000):
        if len(here) >= 16:
            return
        await asyncio.sleep(0.01)
    raise TimeoutError
"""
"""What waits for 16 requests that are answered at the same time."""

_HEAD = "import asyncio\nfrom ._gates import gate, wait, wait_async\n"

_PARTS = """
def parts(name):
    yield "one"
    wait(name)
    yield "two"

async def async_parts(name):
    yield "one"
    await wait_async(name)
    yield "two"

class File:
    def __init__(self, parts):
        self.parts = parts

    def read(self, size):
        return next(self.parts, "")
"""

_ENDLESS = """
def endless(name):
    try:
        while True:
            yield bytes(1 << 16)
    finally:
        gate(name).set()

async def async_endless(name):
    try:
        while True:
            yield bytes(1 << 16)
    finally:
        await asyncio.sleep(0)
        gate(name).set()
"""

_FAILING = """
def failing(name):
    yield "one"
    raise ValueError(f"failed: {name}")

async def async_failing(name):
    yield "one"
    raise ValueError(f"failed: {name}")
"""

_NAME = "name = req.query['name']\n"

_ROUTES = {
    "open": route(_NAME + "gate(name).set()\nres.end('opened')", before=_HEAD),
    "wait": route(_NAME + "wait(name)\nres.end('passed')", before=_HEAD),
    "sent-generator": route(_NAME + "res.send(parts(name))", before=_HEAD + _PARTS),
    "sent-async-generator": route(_NAME + "res.send(async_parts(name))", before=_HEAD + _PARTS),
    "sent-by-async-handler": async_route(_NAME + "res.send(async_parts(name))", before=_HEAD + _PARTS),
    "sent-file": route(_NAME + "res.send(File(parts(name)))", before=_HEAD + _PARTS),
    "sent-pipe": route("res.send(open(req.query['path'], 'rb'))"),
    "async-written": async_route(_NAME + "res.write('one')\nawait wait_async(name)\nres.end('two')", before=_HEAD),
    "written": route(_NAME + "res.write('one')\nwait(name)\nres.end('two')", before=_HEAD),
    "collected": route("res.write('one')\nres.write('two')\nres.end()"),
    "left-generator": route(_NAME + "res.send(endless(name))", before=_HEAD + _ENDLESS),
    "left-async-generator": route(_NAME + "res.send(async_endless(name))", before=_HEAD + _ENDLESS),
    "left-async-writer": async_route(
        _NAME
        + "try:\n    while True:\n        res.write(bytes(1 << 16))\n        await asyncio.sleep(0)\n"
        + "except asyncio.CancelledError:\n    await asyncio.sleep(0)\n    gate(name).set()\n    raise",
        before=_HEAD,
    ),
    "failed-generator": route(_NAME + "res.send(failing(name))", before=_FAILING),
    "failed-async-generator": route(_NAME + "res.send(async_failing(name))", before=_FAILING),
    "failed-async-writer": async_route(
        _NAME + "res.write('one')\nawait wait_async(name)\nraise ValueError(f'failed: {name}')", before=_HEAD
    ),
    "failed-writer": route(_NAME + "res.write('one')\nraise ValueError(f'failed: {name}')"),
}

# The same in the web dialect, by EventStream as well; each is there with a folder's middleware around it, and without.

_WEB_HEAD = (
    "import asyncio\nfrom nextapi import EventStream, Response\nfrom {dots}gates import gate, wait, wait_async\n"
)
_EDGE = """
config = {"runtime": "edge"}

def handler(request):
    name = request.next_url.search_params.get("name")
    return ANSWER
"""
_ROUTE = """
def GET(request):
    name = request.next_url.search_params.get("name")
    return ANSWER
"""
_WEB_ANSWERS = {
    "generator": "Response(parts(name))",
    "async-generator": "Response(async_parts(name))",
    "events": "EventStream(parts(name))",
    "async-events": "EventStream(async_parts(name))",
    "left-generator": "Response(endless(name))",
    "left-async-generator": "Response(async_endless(name))",
    "left-events": "EventStream(no_events(name))",
    "left-async-events": "EventStream(async_no_events(name), heartbeat=0.05)",
}
_NO_EVENTS = """
def no_events(name):
    try:
        while True:
            yield None
            yield "a" * (1 << 16)
    finally:
        gate(name).set()

async def async_no_events(name):
    try:
        await asyncio.sleep(3600)
        yield "never"
    finally:
        await asyncio.sleep(0)
        gate(name).set()
"""
_MIDDLEWARE = """
def middleware(request, call_next):
    response = call_next(request)
    response.headers.set("x-around", "1")
    return response
"""
_AROUNDS = {
    "bare": None,
    "around": _MIDDLEWARE,
    "async-around": _MIDDLEWARE.replace("def ", "async def ").replace("= call", "= await call"),
}

_WEB = [f"{around}/{dialect}" for around in _AROUNDS for dialect in ("pages", "edge", "route")]
WEB_STREAMS = [
    f"{path}-{kind}"
    for path in _WEB
    for kind in _WEB_ANSWERS
    if not kind.startswith("left") and not (path == "bare/pages" and "events" not in kind)
]
"""Routes that send a chunk, wait, and send another."""
WEB_ENDLESS = [
    f"{path}-{kind}"
    for path in _WEB
    for kind in _WEB_ANSWERS
    if kind.startswith("left") and not (path == "bare/pages" and "events" not in kind)
]
"""Routes that send until the client leaves."""


def _web_files() -> dict[str, str]:
    """Return the files of these routes by their paths below the root."""
    files = {}
    body = _PARTS + _ENDLESS + _NO_EVENTS
    for around, middleware in _AROUNDS.items():
        for kind, answer in _WEB_ANSWERS.items():
            edge = _WEB_HEAD.format(dots=".._") + body + _EDGE.replace("ANSWER", answer)
            pages = _WEB_HEAD.format(dots=".._") + body + f"def handler(req, res):\n    {_NAME}    res.send(ANSWER)\n"
            sent = answer if "Event" in answer else answer.removeprefix("Response(").removesuffix(")")
            files[f"pages/api/{around}/edge-{kind}.py"] = edge
            files[f"pages/api/{around}/pages-{kind}.py"] = pages.replace("ANSWER", sent)
            dots = ".....pages.api._"
            route_text = _WEB_HEAD.format(dots=dots) + body + _ROUTE.replace("ANSWER", answer)
            files[f"app/api/{around}/route-{kind}/route.py"] = route_text
        if middleware is not None:
            files[f"pages/api/{around}/_middleware.py"] = files[f"app/api/{around}/_middleware.py"] = middleware
    return files


_names = itertools.count()


def write_streams(root: Path, **more: str) -> Path:
    """Write the tree, and `more` routes, below `root`."""
    write_tree(root, {**_ROUTES, **more})
    (root / "pages" / "api" / "_gates.py").write_text(_GATES)
    return write_files(root, _web_files())


def new_name() -> str:
    """Return a name that no gate has yet."""
    return f"gate{next(_names)}"


@contextmanager
def asked(port: int, target: str, **headers: str) -> Iterator[http.client.HTTPResponse]:
    """Have the answer to a GET request, its body unread."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", target, headers=headers)
        yield connection.getresponse()
    finally:
        connection.close()


def ask(port: int, target: str, **headers: str) -> bytes:
    """Return the body of the answer to a GET request, which is a 200."""
    with asked(port, target, **headers) as answer:
        data = answer.read()
        assert answer.status == 200, (target, data)
        return data


def ask_step_by_step(port: int, kind: str, first_size: int = 3) -> tuple[bytes, bytes]:
    """Return the first chunk of a route that waits after it, and what comes once it has been read."""
    name = new_name()
    with asked(port, f"/api/{kind}?name={name}") as answer:
        first = answer.read(first_size)
        ask(port, f"/api/open?name={name}")
        return first, answer.read()


def leave_early(port: int, kind: str) -> bytes:
    """Ask for an endless route, leave after some of it, and return what is said once that has been noticed."""
    name = new_name()
    with asked(port, f"/api/{kind}?name={name}") as answer:
        assert answer.read(3) in (bytes(3), b":\n\n")
    return ask(port, f"/api/wait?name={name}")


def ask_failing(port: int, kind: str) -> tuple[str, bytes]:
    """Return the name of a request to a route that fails after its first chunk, and all that comes over the wire."""
    name = new_name()
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(f"GET /api/{kind}?name={name} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        received = connection.recv(1 << 16)
        if kind == "failed-async-writer":
            ask(port, f"/api/open?name={name}")
        while True:
            try:
                data = connection.recv(1 << 16)
            except ConnectionResetError:
                data = b""
            if not data:
                return name, received
            received += data
