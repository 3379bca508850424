"""`nextapi dev`, as a real process on a free port."""

from __future__ import annotations

import http.client
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.cli.commands import NEXTAPI, call, environment
from tests.support.servers import wait_until
from tests.support.trees import write_tree

FILES = {
    "post/[pid]": "res.json(req.query['pid'])",
    "fail": "raise ValueError('a <secret>')",
    "stream": "res.write('a')\nres.end()",
}


class _Server(NamedTuple):
    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def banner(self) -> str:
        return self.lines(1)[0]

    @property
    def port(self) -> int:
        address = re.search(r"http://\S+:(\d+)", self.banner)
        assert address is not None, self.banner
        return int(address[1])

    def lines(self, count: int) -> list[str]:
        """Return what was written to stdout, once it has so many lines."""

        def written() -> list[str]:
            return (self.folder / "out.txt").read_text().splitlines()

        wait_until(lambda: len(written()) >= count or self.process.poll() is not None, f"there are no {count} lines")
        lines = written()
        assert len(lines) >= count, (self.folder / "err.txt").read_text()
        return lines

    def get(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", path)
        answer = connection.getresponse()
        said = answer.read().decode()
        connection.close()
        return answer.status, said

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Return the exit code, and what was written to stderr."""
        self.process.send_signal(number)
        return self.process.wait(60), (self.folder / "err.txt").read_text()


@contextmanager
def _serving(folder: Path, *arguments: str) -> Iterator[_Server]:
    command = [sys.executable, *NEXTAPI, "dev", "web", "--port", "0", *arguments]
    with (folder / "out.txt").open("wb") as out, (folder / "err.txt").open("wb") as err:
        process = subprocess.Popen(command, cwd=folder, env=environment(), stdout=out, stderr=err)
        try:
            yield _Server(process, folder)
        finally:
            process.kill()
            process.wait()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a tree named `web`."""
    write_tree(tmp_path / "web", FILES)
    return tmp_path


def test_a_line_for_each_request(folder: Path) -> None:
    """The log has method, path, status, time and route; what a client sends is escaped in it."""
    with _serving(folder) as server:
        assert server.banner == f"Serving web at http://127.0.0.1:{server.port}"
        for number, (path, answer) in enumerate(
            [
                ("/api/post/a%20b?c=1", (200, '"a b"')),
                ("/api/stream", (200, "a")),
                ("/api/none", (404, "Not Found")),
            ],
            2,
        ):
            assert server.get(path) == answer
            server.lines(number)  # which is written when the answer has been sent
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(b"G\x1b[31mET /api/\x1b[31m\x08 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            while client.recv(1000):
                pass
        lines = server.lines(5)[1:]
        assert server.end() == (0, "")
    assert [re.sub(r"\d+\.\d ms", "TIME ms", line) for line in lines] == [
        "GET /api/post/a%20b 200 TIME ms  post/[pid]",
        "GET /api/stream 200 TIME ms  stream",
        "GET /api/none 404 TIME ms",
        r"G\x1b[31mET /api/%1B[31m%08 404 TIME ms",
    ]


def test_a_page_for_an_exception(folder: Path) -> None:
    """An exception is shown in the browser, escaped, with nothing that runs code; and on stderr."""
    with _serving(folder) as server:
        status, page = server.get("/api/fail")
        assert status == 500
        assert "ValueError: a &lt;secret&gt;" in page
        assert "EVALEX = false" in page
        server.lines(2)
        assert server.get("/api/fail?__debugger__=yes&cmd=resource&f=style.css")[0] == 200
        assert server.get("/console") == (404, "Not Found")
        server.lines(3)
        assert server.get("/api/post/1") == (200, '"1"')
        lines = server.lines(4)[1:]
        _, err = server.end(signal.SIGINT)
    assert [line.split(" ")[:3] for line in lines] == [
        ["GET", "/api/fail", "500"],
        ["GET", "/console", "404"],
        ["GET", "/api/post/1", "200"],
    ]
    assert "ValueError: a <secret>" in err


def test_without_debug_nothing_is_shown(folder: Path) -> None:
    """With --no-debug the client is told nothing of an exception, which is logged."""
    with _serving(folder, "--no-debug") as server:
        assert server.get("/api/fail") == (500, "Internal Server Error")
        _, err = server.end()
    assert "ValueError: a <secret>" in err


@pytest.mark.parametrize(
    ("arguments", "shown"), [((), "Internal Server Error"), (("--debug",), "ValueError: a &lt;secret&gt;")]
)
def test_beyond_loopback_debug_has_to_be_asked_for(folder: Path, arguments: tuple[str, ...], shown: str) -> None:
    """An address that is not known for loopback has tracebacks with --debug alone, and the banner warns of them."""
    # Another way to write 127.0.0.1, so that the test itself stays on loopback.
    with _serving(folder, "--host", "127.1", *arguments) as server:
        assert shown in server.get("/api/fail")[1]
        assert ("with tracebacks for all who can reach it" in server.banner) == bool(arguments)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly(folder: Path, number: int) -> None:
    """SIGINT and SIGTERM end it with the exit code 0 and without a traceback."""
    with _serving(folder) as server:
        assert server.banner
        assert server.end(number) == (0, "")


def test_a_port_that_is_taken(folder: Path) -> None:
    """A port that another server has is said to be taken, by the exit code 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, said = call(folder, *NEXTAPI, "dev", "web", "--port", str(taken.getsockname()[1]))
    assert code == 2
    assert "Address already in use" in said
    assert "take another by --port" in said
    assert "Traceback" not in said


def test_a_root_that_is_none(tmp_path: Path) -> None:
    """A wrong root is told as by the other commands."""
    code, said = call(tmp_path, *NEXTAPI, "dev", "nowhere", "--port", "0")
    assert code == 2
    assert "nowhere: E001 there is no such folder" in said
