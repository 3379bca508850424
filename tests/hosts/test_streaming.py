"""What is sent while it is made, on a real server: when it arrives, what it costs, and how it ends."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.hosts import HOSTS, write_app
from tests.support.servers import serve, wait_for_log, wait_until
from tests.support.streaming import (
    WEB_ENDLESS,
    WEB_STREAMS,
    ask,
    ask_failing,
    ask_step_by_step,
    asked,
    leave_early,
    write_streams,
)
from tests.support.trees import async_route, route

_BLOCKS = """
block = bytes(1 << 16)

async def blocks():
    for _ in range(1 << 14):
        yield block
"""
_READ = "count = 0\nwhile block := req.stream.read(1 << 16):\n    count += len(block)\nres.json(count)"
_ROUTES = {
    "pid": "import os\nres.json(os.getpid())",
    "blocks": route("res.send(block for _ in range(1 << 14))", before=_BLOCKS),
    "async-blocks": route("res.send(blocks())", before=_BLOCKS),
    "read": route(_READ, {"api": {"bodyParser": False}}),
    "async-read": async_route(_READ, {"api": {"bodyParser": False}}),
    "files": route(
        "upload = req.files['file']\nlink = os.readlink(f'/proc/self/fd/{upload.fileno()}')\n"
        "res.json([upload.seek(0, os.SEEK_END), link])",
        {"api": {"bodyParser": {"sizeLimit": "200mb"}}},
        "import os",
    ),
}
_BLOCK = bytes(1 << 20)


@pytest.fixture(scope="module", params=HOSTS)
def host(request: pytest.FixtureRequest) -> str:
    """Return the name of the host that is served."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def port(host: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Serve the host by gunicorn, one worker with four threads."""
    folder = tmp_path_factory.mktemp(host)
    with serve(write_app(host, write_streams(folder / "web", **_ROUTES), folder), folder) as port:
        yield port


# When it arrives


@pytest.mark.parametrize(
    "kind",
    ["sent-generator", "sent-async-generator", "sent-by-async-handler", "sent-file", "async-written"],
)
def test_chunks_are_not_held_back(port: int, kind: str) -> None:
    """A chunk is with the client before the next one is made, which waits here until the client has told so."""
    assert ask_step_by_step(port, kind) == (b"one", b"two")


@pytest.mark.parametrize("kind", WEB_STREAMS)
def test_chunks_of_the_web_dialect_are_not_held_back(port: int, kind: str) -> None:
    """So it is with responses of generators and with events, in each dialect, and behind a folder's middleware."""
    first, second = (b"data: one\n\n", b"data: two\n\n") if kind.endswith("events") else (b"one", b"two")
    assert ask_step_by_step(port, kind, len(first)) == (first, second)


def test_a_pipe_is_not_held_back(port: int, tmp_path: Path) -> None:
    """Of a pipe is sent what is there, however little."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    end = os.open(pipe, os.O_RDWR)  # so that neither side waits for the other
    os.write(end, b"one")
    with asked(port, f"/api/sent-pipe?path={pipe}") as answer:
        assert answer.read(3) == b"one"
        os.write(end, b"two")
        os.close(end)
        assert answer.read() == b"two"


def test_what_a_plain_handler_writes(port: int, host: str) -> None:
    """On bare WSGI it is sent as it is written; elsewhere it is collected, and its length is known."""
    if host == "wsgi":
        assert ask_step_by_step(port, "written") == (b"one", b"two")
        return
    with asked(port, "/api/collected") as answer:
        assert answer.headers["Content-Length"] == "6"
        assert answer.read() == b"onetwo"


# What it costs


@contextmanager
def few_memory(pid: int) -> Iterator[None]:
    """Hold that a process never has 30 MB more in memory than it has now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak is what there is now
    before = _peak(pid)
    yield
    assert _peak(pid) - before < 30_000


def _peak(pid: int) -> int:
    """Return how many kB a process has had in memory at most."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def upload(port: int, target: str, body: Iterator[bytes], **headers: str) -> object:
    """Return the JSON that a POST request is answered with."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        is_chunked = "Transfer-Encoding" in headers
        connection.request("POST", target, body, headers, encode_chunked=is_chunked)
        answer = connection.getresponse()
        data = answer.read()
        assert answer.status == 200, data
        return json.loads(data)
    finally:
        connection.close()


@pytest.mark.parametrize("kind", ["read", "async-read"])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_large_body_is_read_in_constant_memory(port: int, kind: str, is_chunked: bool) -> None:
    """100 MB pass through `req.stream`, with a length or without."""
    length = {"Transfer-Encoding": "chunked"} if is_chunked else {"Content-Length": str(100 * len(_BLOCK))}
    with few_memory(json.loads(ask(port, "/api/pid"))):
        body = (_BLOCK for _ in range(100))
        assert upload(port, f"/api/{kind}", body, **length) == 100 * len(_BLOCK)


@pytest.mark.parametrize("kind", ["blocks", "async-blocks"])
def test_a_large_answer_is_sent_in_constant_memory(port: int, kind: str) -> None:
    """1 GB passes through a generator."""
    buffer, count = bytearray(1 << 16), 0
    with few_memory(json.loads(ask(port, "/api/pid"))), asked(port, f"/api/{kind}") as answer:
        while size := answer.readinto(buffer):
            count += size
    assert count == 1 << 30


def test_a_large_file_is_uploaded_in_constant_memory(port: int) -> None:
    """It is on disk while the handler has it, and gone after the answer."""
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    tail = b"\r\n--x--\r\n"
    pid = json.loads(ask(port, "/api/pid"))

    def body() -> Iterator[bytes]:
        yield head
        for _ in range(100):
            yield _BLOCK
        yield tail

    size = len(head) + 100 * len(_BLOCK) + len(tail)
    kind = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(size)}
    with few_memory(pid):
        answer = upload(port, "/api/files", body(), **kind)
    assert isinstance(answer, list)
    assert answer[0] == 100 * len(_BLOCK)
    assert answer[1].endswith("(deleted)")
    # A server closes an answer after the client has read it; so this waits until it has.
    wait_until(lambda: answer[1] not in _open_files(pid), "the file is still open")


def _open_files(pid: int) -> set[str]:
    """Return the targets of a process's file descriptors, less those that close meanwhile."""
    targets = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            targets.add(str(link.readlink()))
    return targets


# How it ends


@pytest.mark.parametrize("kind", ["left-generator", "left-async-generator", "left-async-writer"])
def test_a_client_that_leaves(port: int, kind: str) -> None:
    """Generators are closed, and a handler that writes is cancelled, with time to clean up."""
    assert leave_early(port, kind) == b"passed"


@pytest.mark.parametrize("kind", WEB_ENDLESS)
def test_a_client_that_leaves_the_web_dialect(port: int, kind: str) -> None:
    """What makes the body is closed, also while it waits for an event and nothing but comments is sent."""
    assert leave_early(port, kind) == b"passed"


_FAILING = ["failed-generator", "failed-async-generator", "failed-writer", "failed-async-writer"]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("server", ["gunicorn-sync", "gunicorn-gthread", "waitress"])
def test_a_failure_after_the_first_chunk(server: str, host: str, tmp_path: Path) -> None:
    """The connection is cut, so that no client takes the answer for complete, and the log has the exception."""
    with serve(write_app(host, write_streams(tmp_path / "web"), tmp_path), tmp_path, server) as port:
        for kind in _FAILING:
            if kind == "failed-writer" and host != "wsgi":
                continue  # it is collected, and answered 500
            if kind == "failed-async-writer" and server == "gunicorn-sync":
                continue  # it waits for a second request
            name, received = ask_failing(port, kind)
            assert b"\r\n\r\n3\r\none\r\n" in received
            assert not received.endswith(b"0\r\n\r\n")
            wait_for_log(tmp_path, f"ValueError: failed: {name}\n")
