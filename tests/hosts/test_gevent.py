"""gunicorn's gevent worker: greenlets wait for coroutines that run in a thread of their own."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from http.client import RemoteDisconnected
from pathlib import Path

import pytest

from tests.support.hosts import HOSTS, write_app
from tests.support.servers import serve, wait_for_log
from tests.support.streaming import ask, ask_failing, ask_step_by_step, asked, leave_early, write_streams
from tests.support.trees import async_route

_MEET = """
here = []

async def meet():
    here.append(1)
    for _ in range(3000):
        if len(here) >= 16:
            return
        await asyncio.sleep(0.01)
    raise TimeoutError
"""
_ROUTES = {
    "met": async_route("await meet()\nres.end('met')", before=_MEET),
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
        before=_MODELS + _MEET,
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
    """Each greenlet has its own connection to Django's database, with its transaction, and its language."""
    app = write_app("django", write_streams(tmp_path / "web", **_DATABASE_ROUTES), tmp_path)
    text = (tmp_path / "app.py").read_text()
    (tmp_path / "app.py").write_text(text.replace("MIDDLEWARE=", _DATABASE) + _ROWS)
    with serve(app, tmp_path, "gunicorn-gevent") as port:
        assert ask_at_once(port, "/api/met") == [b'[["a","b","c"],3]'] * 16
        with asked(port, "/api/fails") as answer:
            assert answer.status == 500
        assert json.loads(ask(port, "/api/names")) == ["a", "b", "c"]
        assert json.loads(ask(port, "/api/locals", **{"Accept-Language": "de"})) == ["de"] * 3
