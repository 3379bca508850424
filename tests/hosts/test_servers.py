"""The same app on the servers that people run, each as a real process."""

from __future__ import annotations

import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.hosts import HOSTS, write_app
from tests.support.servers import serve, wait_until
from tests.support.streaming import ask
from tests.support.trees import async_route, route, write_files, write_tree

FILES = {
    "echo/[id]": "res.set_header('Set-Cookie', ['a=1', 'b=2']).json([req.method, req.params, req.query, req.body])",
    "fail": "raise ValueError('secret')",
    "async": async_route("await asyncio.sleep(0)\nres.json(req.body)"),
    "written": "res.write('one')\nres.write('two')\nres.end('three')",
    "async-written": async_route("res.write('one')\nawait asyncio.sleep(0.01)\nres.end('two')"),
    "sent": route("res.send(str(number) for number in range(9))"),
    "async-sent": route(
        "res.send(parts())", before="async def parts():\n    for number in range(9): yield str(number)"
    ),
}

_BODIES = {
    "written": b"onetwothree",
    "async-written": b"onetwo",
    "sent": b"012345678",
    "async-sent": b"012345678",
}


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("server", ["gunicorn-sync", "gunicorn-gthread", "waitress", "granian"])
def test_servers(server: str, host: str, tmp_path: Path) -> None:
    """Parameters, bodies with a length and in chunks, repeated headers, HEAD, failures, coroutines and streams come
    through.
    """
    app = write_app(host, write_tree(tmp_path / "web", FILES), tmp_path)
    with serve(app, tmp_path, server) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

        def ask(
            method: str, target: str, body: object = None, **headers: str
        ) -> tuple[http.client.HTTPResponse, bytes]:
            connection.request(method, target, body, headers, encode_chunked="Transfer-Encoding" in headers)  # type: ignore[arg-type]
            answer = connection.getresponse()
            return answer, answer.read()

        kind = {"Content-Type": "application/json"}
        answer, data = ask("POST", "/api/echo/a%20b?c=1", b'{"d":1}', **kind)
        assert json.loads(data) == ["POST", {"id": "a b"}, {"c": "1", "id": "a b"}, {"d": 1}]
        assert answer.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
        _, data = ask("PUT", "/api/echo/1", iter([b'{"d"', b":1}"]), **kind, **{"Transfer-Encoding": "chunked"})
        assert json.loads(data)[3] == {"d": 1}
        answer, data = ask("HEAD", "/api/echo/1")
        assert (answer.status, data) == (200, b"")
        assert int(answer.headers["Content-Length"]) > 20
        answer, data = ask("GET", "/api/fail")
        assert answer.status == 500
        assert b"secret" not in data
        _, data = ask("POST", "/api/async", b'{"d":1}', **kind)
        assert json.loads(data) == {"d": 1}
        for path, body in _BODIES.items():
            answer, data = ask("GET", f"/api/{path}")
            assert (answer.status, data) == (200, body)
        answer, data = ask("GET", "/api/none")
        assert (answer.status, data) == (404, b"Not Found")
        connection.close()


_MEET = """
import itertools
numbers, here = itertools.count(), []

async def meet(size):
    number = next(numbers)
    here.append(number)
    for _ in range(3000):
        if len(here) >= (number // size + 1) * size:
            return
        await asyncio.sleep(0.01)
    raise TimeoutError
"""


@pytest.mark.parametrize("host", HOSTS)
def test_threads_run_coroutines_at_the_same_time(host: str, tmp_path: Path) -> None:
    """Each of four threads has an event loop: four requests at a time wait for each other, again and again."""
    files = {"a": async_route("await meet(4)\nres.end('met')", before=_MEET)}
    app = write_app(host, write_tree(tmp_path / "web", files), tmp_path)
    with serve(app, tmp_path, "gunicorn-gthread") as port, ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda _: ask(port, "/api/a"), range(100))) == [b"met"] * 100


_FORKED = """
import os, pathlib

async def meet():
    pathlib.Path(f"{os.getpid()}.pid").touch()
    for _ in range(3000):
        if len([*pathlib.Path().glob("*.pid")]) == int(os.environ["PROCESSES"]):
            return
        await asyncio.sleep(0.01)
    raise TimeoutError

async def parts():
    yield str(os.getpid())
    await meet()
    yield " met"
"""


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize(("server", "workers"), [("gunicorn-preload", 2), ("gunicorn-gevent-preload", 1)])
def test_coroutines_before_and_after_a_fork(server: str, workers: int, host: str, tmp_path: Path) -> None:
    """Handlers that ran in gunicorn's master, before it forked, run in every worker."""
    app = write_app(
        host, write_tree(tmp_path / "web", {"a": async_route("res.send(parts())", before=_FORKED)}), tmp_path
    )
    with (tmp_path / "app.py").open("a") as file:
        file.write("\nfrom werkzeug.test import Client\n\nassert b'met' in Client(app).get('/api/a').data\n")
        file.write(f"import os\n\nos.environ['PROCESSES'] = '{workers + 1}'\n")
    with (
        serve(app, tmp_path, server, environment={"PROCESSES": "1"}) as port,
        ThreadPoolExecutor(workers) as threads,
    ):
        answers = set(threads.map(lambda _: ask(port, "/api/a"), range(workers)))
    assert len(answers) == workers
    assert all(answer.endswith(b" met") for answer in answers)


_AFTER = """
import pathlib
import time
from nextapi import Response, after

def wait():
    while not pathlib.Path("go").exists():
        time.sleep(0.01)
    pathlib.Path("done").touch()

def GET(request):
    after(wait)
    if "fail" in request.url:
        raise ValueError("failed")
    return Response(iter(["str", "eam"]) if "stream" in request.url else "body")
"""


@pytest.mark.parametrize("host", HOSTS)
def test_the_client_does_not_wait_for_what_comes_after(host: str, tmp_path: Path) -> None:
    """The whole answer is there while `after` still works: of a handler, of its failure, of a stream."""
    app = write_app(host, write_files(tmp_path / "web", {"app/a/route.py": _AFTER}), tmp_path)
    go, done = tmp_path / "go", tmp_path / "done"
    with serve(app, tmp_path, "gunicorn-sync") as port:
        for query, status, body in (("", 200, b"body"), ("?fail", 500, None), ("?stream", 200, b"stream")):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", f"/a{query}")
            answer = connection.getresponse()
            assert answer.status == status
            assert answer.read() == body or body is None
            assert not done.exists()
            go.touch()
            connection.close()
            wait_until(done.exists, "what comes after is not done")
            go.unlink()
            done.unlink()
