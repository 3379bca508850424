"""gunicorn's gevent worker: greenlets wait for coroutines that run in a thread of their own."""

from __future__ import annotations

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import RemoteDisconnected
from pathlib import Path

import pytest

from tests.support.hosts import HOSTS, write_app
from tests.support.servers import serve, wait_for_log
from tests.support.streaming import MEET, ask, ask_failing, ask_step_by_step, asked, leave_early, write_streams
from tests.support.trees import async_route, write_files

_ROUTES = {
    "met": async_route("await meet()\nres.end('met')", before=MEET),
    "threads": async_route("res.json(await asyncio.gather(*(asyncio.to_thread(abs, n) for n in range(9))))"),
    "exit": async_route("raise SystemExit(3)"),
    "pid": async_route("await asyncio.sleep(0)\nres.json(os.getpid())", before="import os"),
}

_MODELS = """
import asyncio
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.contenttypes.models import ContentType
"""
_DATABASE_ROUTES = {
    "met": async_route(
        "await meet()\nnames = [row.model async for row in ContentType.objects.order_by('id')]\n"
        "res.json([names, await sync_to_async(ContentType.objects.count)()])",
        before=_MODELS + MEET,
    ),
    "fails": async_route(
        "await ContentType.objects.acreate(app_label='a', model='lost')\nraise ValueError", before=_MODELS
    ),
    "locals": async_route(
        "async def language(): return get_language()\nasked = sync_to_async(async_to_sync(language))\n"
        "res.json([get_language(), await sync_to_async(get_language)(), await asked()])",
        before=_MODELS + "from django.utils.translation import get_language",
    ),
    "names": async_route("res.json([row.model async for row in ContentType.objects.order_by('id')])", before=_MODELS),
    "committed": async_route(
        "before = len(done)\nDjangoCacheHost(b'', None).when_committed(lambda: done.append(1))\n"
        "res.json([before, len(done)])",
        before="from nextapi.adapters.django.page_cache import DjangoCacheHost\ndone = []",
    ),
}
_DATABASE = """INSTALLED_APPS=["django.contrib.contenttypes"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3", "ATOMIC_REQUESTS": True}},
    MIDDLEWARE=["django.middleware.locale.LocaleMiddleware"] + """
_ROWS = """
from django.contrib.contenttypes.models import ContentType
from django.db import connection

with connection.schema_editor() as editor:
    editor.create_model(ContentType)
ContentType.objects.bulk_create(ContentType(app_label="a", model=name) for name in "abc")
connection.close()
"""


def ask_at_once(port: int, target: str) -> list[bytes]:
    """Return the answers to sixteen requests that are under way at the same time."""
    with ThreadPoolExecutor(16) as threads:
        return list(threads.map(lambda _: ask(port, target), range(16)))


@pytest.mark.parametrize("host", HOSTS)
def test_gevent(host: str, tmp_path: Path) -> None:
    """Coroutines of all requests go on at the same time, streams are sent as they are made, and threads can be had."""
    app = write_app(host, write_streams(tmp_path / "web", **_ROUTES), tmp_path)
    with serve(app, tmp_path, "gunicorn-gevent") as port:
        assert ask_at_once(port, "/api/met") == [b"met"] * 16
        assert json.loads(ask(port, "/api/threads")) == [*range(9)]
        for kind in ("sent-generator", "sent-async-generator", "sent-by-async-handler", "async-written"):
            assert ask_step_by_step(port, kind) == (b"one", b"two")
        for kind in ("left-generator", "left-async-generator", "left-async-writer"):
            assert leave_early(port, kind) == b"passed"
        for kind in ("failed-generator", "failed-async-generator", "failed-async-writer"):
            name, received = ask_failing(port, kind)
            assert b"\r\n\r\n3\r\none\r\n" in received
            assert not received.endswith(b"0\r\n\r\n")
            wait_for_log(tmp_path, f"ValueError: failed: {name}\n")
        worker = ask(port, "/api/pid")
        with pytest.raises(RemoteDisconnected):
            ask(port, "/api/exit")
        assert ask(port, "/api/pid") == worker


def test_the_database_under_gevent(tmp_path: Path) -> None:
    """Each greenlet has its own connection to the database, its transaction and what waits for that, and language."""
    app = write_app("django", write_streams(tmp_path / "web", **_DATABASE_ROUTES), tmp_path)
    text = (tmp_path / "app.py").read_text()
    (tmp_path / "app.py").write_text(text.replace("MIDDLEWARE=", _DATABASE) + _ROWS)
    with serve(app, tmp_path, "gunicorn-gevent") as port:
        assert ask_at_once(port, "/api/met") == [b'[["a","b","c"],3]'] * 16
        with asked(port, "/api/fails") as answer:
            assert answer.status == 500
        assert json.loads(ask(port, "/api/names")) == ["a", "b", "c"]
        assert json.loads(ask(port, "/api/locals", **{"Accept-Language": "de"})) == ["de"] * 3
        assert [json.loads(ask(port, "/api/committed")) for _ in range(2)] == [[0, 0], [1, 1]]


_READERS = {
    "json": "return Response.json(request.json())",
    "form": "return Response.json((await asyncio.sleep(0)) or dict(request.form_data()))",
    "stream": "return Response(request.body.read())",
}
_PAGES = {"raw": "res.send(req.raw_body)", "file": "res.send(req.stream.read())"}
_FORM = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n'


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("is_chunked", [False, True])
def test_bodies_that_come_slowly(host: str, is_chunked: bool, tmp_path: Path) -> None:
    """Coroutines read a body that is not there yet, though its socket belongs to another thread than theirs."""
    files = {
        f"pages/api/{name}.py": (
            "import asyncio\nfrom nextapi import Response\nconfig = {'runtime': 'edge'}\n"
            f"async def handler(request):\n    {body}\n"
        )
        for name, body in _READERS.items()
    } | {
        f"pages/api/{name}.py": async_route(body, {"api": {"bodyParser": False}}) for name, body in _PAGES.items()
    }  # fmt: skip
    app = write_app(host, write_files(tmp_path / "web", files), tmp_path)
    expected = {"json": [b"[1", b", 2]", b"[1,2]"], "form": [_FORM[:20], _FORM[20:], b'{"a":"1"}']}
    with serve(app, tmp_path, "gunicorn-gevent") as port:
        for name in (*_READERS, *_PAGES):
            first, rest, answer = expected.get(name, [b"one", b"two", b"onetwo"])
            assert send_in_parts(port, f"/api/{name}", [first, rest], is_chunked) == answer, name


def send_in_parts(port: int, target: str, parts: list[bytes], is_chunked: bool) -> bytes:
    """Return the answer to a POST whose body comes in parts, the first of them after the head."""
    length = sum(map(len, parts))
    framing = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {length}"
    kind = "multipart/form-data; boundary=x"
    head = f"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n{framing}\r\n"
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode())
        for part in parts:
            time.sleep(0.2)  # by then the server waits for it
            connection.sendall(b"%x\r\n%b\r\n" % (len(part), part) if is_chunked else part)
        if is_chunked:
            connection.sendall(b"0\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    head_of_answer, _, body = answer.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head_of_answer.lower():
        body = body.partition(b"\r\n")[2].partition(b"\r\n")[0]
    return body
