"""Folder middleware where the host matters: Django's transaction, the response of the host's own, gevent."""

from __future__ import annotations

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from http.client import RemoteDisconnected
from pathlib import Path

import pytest
from django.urls import include, path

from tests.support.hosts import HOSTS, write_app
from tests.support.mounts import configure_django, django_project, flask_client
from tests.support.servers import serve, wait_for_log
from tests.support.streaming import MEET, ask, ask_step_by_step, asked, write_streams
from tests.support.trees import async_route, route, write_files

configure_django()
from nextapi.adapters.django import create_urlpatterns  # noqa: E402  # Django's settings come first
from tests.support.models import Row, atomic_rows  # noqa: E402

KINDS = ("def", "async def")

ORM = """
import asyncio
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection
from nextapi import HTTPError, Response
from tests.support.models import Row

async def insert(name):
    await Row.objects.acreate(name=name)

"""
INSERTING = {
    "def": "Row.objects.create(name={!r})",
    "async def": "await insert({!r})",
}


def orm_middleware(kind: str, name: str) -> str:
    """Return a middleware that writes a row before its handler and one after it."""
    wait = "await " if kind == "async def" else ""
    insert = INSERTING[kind]
    return (
        f"{ORM}{kind} middleware(request, call_next):\n    {insert.format(name)}\n"
        f"    response = {wait}call_next()\n    {insert.format(name + '2')}\n"
        "    return response\n"
    )


@pytest.mark.parametrize(("outer", "inner", "kind"), [*itertools.product(KINDS, KINDS, KINDS)])
@pytest.mark.parametrize(
    ("end", "rows"),
    [("res.end()", 5), ("raise ValueError", 0), ("raise HTTPError(400, 'no')", 0)],
)
def test_one_connection_and_one_transaction(
    tmp_path: Path, outer: str, inner: str, kind: str, end: str, rows: int
) -> None:
    """Middleware and handler, `def` or not, have the request's connection; a handler that fails rolls all back."""
    body = f"assert connection.in_atomic_block\n{INSERTING['def'].format('h')}\n{end}"
    if kind == "async def":
        body = f"assert await sync_to_async(lambda: connection.in_atomic_block)()\n{INSERTING[kind].format('h')}\n{end}"
    files = {
        "pages/api/_middleware.py": orm_middleware(outer, "o"),
        "pages/api/a/_middleware.py": orm_middleware(inner, "i"),
        "pages/api/a/b.py": (route if kind == "def" else async_route)(body, before=ORM),
    }
    urls = [path("", include(create_urlpatterns(write_files(tmp_path / "web", files))))]
    with atomic_rows(), django_project(urls) as client:
        assert client.get("/api/a/b").status_code == {"res.end()": 200, "raise ValueError": 500}.get(end, 400)
        assert Row.objects.count() == rows


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("error", ["ValueError('no')", "HTTPError(400, 'no')"])
def test_a_failure_that_middleware_answers(tmp_path: Path, kind: str, error: str) -> None:
    """What a failed handler has written is rolled back also where its middleware makes another answer of it."""
    wait = "await " if kind == "async def" else ""
    text = f"""{ORM}
{kind} middleware(request, call_next):
    try:
        response = {wait}call_next()
    except ValueError as error:
        return Response("caught", status=409)
    return Response("caught", status=409)
"""
    files = {
        "pages/api/_middleware.py": text,
        "pages/api/a.py": route(f"Row.objects.create(name='a')\nraise {error}", before=ORM),
        "pages/api/b.py": route("Row.objects.create(name='a')\nres.status(500).end()", before=ORM),
    }
    urls = [path("", include(create_urlpatterns(write_files(tmp_path / "web", files))))]
    with atomic_rows(), django_project(urls) as client:
        answer = client.get("/api/a")
        assert (answer.status_code, answer.data, Row.objects.count()) == (409, b"caught", 0)
        assert (client.get("/api/b").status_code, Row.objects.count()) == (409, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_async_to_sync_in_a_handler(tmp_path: Path, kind: str) -> None:
    """A `def` handler below async middleware may run coroutines of its own, after the middleware has used threads."""
    wait = "await " if kind == "async def" else ""
    use = "await sync_to_async(Row.objects.count)()" if kind == "async def" else "Row.objects.count()"
    text = f"{ORM}{kind} middleware(request, call_next):\n    {use}\n    return {wait}call_next()\n"
    body = "async_to_sync(insert)('a')\nasyncio.run(asyncio.sleep(0))\nres.json(Row.objects.count())"
    files = {"pages/api/_middleware.py": text, "pages/api/a.py": route(body, before=ORM)}
    urls = [path("", include(create_urlpatterns(write_files(tmp_path / "web", files))))]
    with atomic_rows(), django_project(urls) as client:
        assert client.get("/api/a").json == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_response_of_flasks_own(tmp_path: Path, kind: str) -> None:
    """What a handler returns with externalResolver is a response to the middleware, and keeps status and headers."""
    wait = "await " if kind == "async def" else ""
    text = (
        f"{kind} middleware(request, call_next):\n    response = {wait}call_next()\n"
        "    response.headers.set('x-saw', str(response.status))\n"
        "    return response\n"
    )
    config = {"api": {"externalResolver": True}}
    body = "answer = flask.make_response({'a': 1}, 201)\nanswer.set_cookie('a', '1')\nreturn answer"
    files = {
        "pages/api/_middleware.py": text,
        "pages/api/a.py": route(body, config, "import flask"),
        "pages/api/b.py": route("return flask.Response(iter(['one', 'two']))", config, "import flask"),
    }
    client = flask_client(write_files(tmp_path / "web", files))
    answer = client.get("/api/a")
    assert (answer.status_code, answer.json, answer.headers["x-saw"]) == (201, {"a": 1}, "201")
    assert answer.headers["Set-Cookie"] == "a=1; Path=/"
    with client.get("/api/b") as answer:
        assert answer.data == b"onetwo"


_GEVENT = {
    "pages/api/sync/_middleware.py": "def middleware(request, call_next):\n    return call_next()\n",
    "pages/api/async/_middleware.py": (
        "import asyncio\nasync def middleware(request, call_next):\n    await asyncio.sleep(0)\n"
        "    response = await call_next()\n    response.headers.set('x-saw', str(response.status))\n"
        "    return response\n"
    ),
    "pages/api/async/meet/_middleware.py": (
        f"import asyncio\n{MEET}\nasync def middleware(request, call_next):\n    await meet()\n"
        "    request.state.user = request.json()\n    return await call_next()\n"
    ),
    "pages/api/async/meet/def.py": "def handler(req, res):\n    res.json([req.state.user, req.body])\n",
    "pages/api/async/fails.py": "def handler(req, res):\n    raise ValueError('below')\n",
    "pages/api/async/exit.py": "def handler(req, res):\n    raise SystemExit(3)\n",
    "pages/api/async/read/_middleware.py": (
        "from nextapi import Response\nasync def middleware(request, call_next):\n"
        "    return Response((await call_next()).text())\n"
    ),
    "pages/api/async/read/whole.py": "def handler(req, res):\n    res.end('whole')\n",
    "pages/api/async/read/stream.py": "def handler(req, res):\n    res.send(iter(['a', 'b']))\n",
}


@pytest.mark.parametrize("host", HOSTS)
def test_gevent(host: str, tmp_path: Path) -> None:
    """Under gevent's worker, async middleware waits beside others, around handlers of both kinds, and streams pass."""
    files = dict(_GEVENT)
    files["pages/api/async/meet/async.py"] = files["pages/api/async/meet/def.py"].replace("def h", "async def h")
    root = write_files(write_streams(tmp_path / "web"), files)
    streams = ("sent-generator", "sent-async-generator", "async-written")
    for folder, name in itertools.product(("sync", "async"), streams):
        text = (root / "pages" / "api" / f"{name}.py").read_text()
        (root / "pages" / "api" / folder / f"{name}.py").write_text(text.replace("from .", "from .."))
    app = write_app(host, root, tmp_path)
    with serve(app, tmp_path, "gunicorn-gevent") as port:
        for name in ("def", "async"):
            with ThreadPoolExecutor(16) as threads:
                met = [*threads.map(lambda _, name=name: post(port, f"/api/async/meet/{name}"), range(16))]
            assert met == [b"[[1],[1]]"] * 16, (tmp_path / "log.txt").read_text()
        for folder, name in itertools.product(("sync", "async"), streams):
            assert ask_step_by_step(port, f"{folder}/{name}") == (b"one", b"two")
        assert ask(port, "/api/async/read/whole") == b"whole"
        for name in ("fails", "read/stream"):
            with asked(port, f"/api/async/{name}") as answer:
                assert answer.status == 500
        if host != "django":  # it logs nothing unless it is told to
            wait_for_log(tmp_path, "ValueError: below")
            wait_for_log(tmp_path, "cannot read a stream")
        with pytest.raises(RemoteDisconnected):
            ask(port, "/api/async/exit")
        assert ask(port, "/api/async/read/whole") == b"whole"


def post(port: int, target: str) -> bytes:
    """Return the answer to a POST of the JSON [1]."""
    from http.client import HTTPConnection

    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", target, json.dumps([1]), {"Content-Type": "application/json"})
    data: bytes = connection.getresponse().read()
    connection.close()
    return data
