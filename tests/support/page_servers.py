"""Servers of the app in `kept_pages.py`, and what a test does with one: ask, hold pages, and read what was noted."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.support.redis import RedisServer
from tests.support.servers import SECONDS, serve, wait_until
from tests.support.trees import write_tree

STALE = "s-maxage=0, stale-while-revalidate=600"
"""Of a page that is to be made anew from its first moment on: nobody has to wait for a clock."""

_WARNING = re.compile(r"^(\d+) WARNING page cache: (.*)$", re.MULTILINE)


class Answer(NamedTuple):
    """An answer; `state` is what x-nextjs-cache says."""

    status: int
    state: str | None
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_whole(self) -> bool:
        """Say whether the body is one that the app made."""
        said, _, text = self.body.partition(b"\n")
        return said == sha256(text).hexdigest().encode()

    @property
    def number(self) -> int:
        """How many times the page was made."""
        return int(self.body.split(None, 3)[2])


@dataclass
class PageServer:
    """A server of the app, on a port of 127.0.0.1, and the folder that it runs in."""

    port: int
    folder: Path
    threads: int
    """How many requests a worker answers at once."""
    redis: RedisServer | None = None
    """The server of its store, where that is one."""

    def send(self, target: str, method: str = "GET", **headers: str) -> socket.socket:
        """Ask, and return the connection, without a look at the answer; a header's name may have `_` for `-`."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return self.send_raw("\r\n".join((*lines, "", "")).encode())

    def send_raw(self, request: bytes) -> socket.socket:
        """Send bytes, and return the connection."""
        connection = socket.create_connection(("127.0.0.1", self.port), SECONDS)
        connection.sendall(request)
        return connection

    def ask(self, target: str, method: str = "GET", **headers: str) -> Answer:
        """Return the answer to a request."""
        return receive(self.send(target, method, **headers), method)

    def ask_raw(self, request: bytes) -> Answer:
        """Return the answer to bytes."""
        return receive(self.send_raw(request))

    def ask_until_hit(self, target: str) -> Answer:
        """Return the page, once it is kept and fresh."""
        answers: list[Answer] = []

        def is_hit() -> bool:
            answers.append(self.ask(target))
            assert answers[-1].status == 200
            return answers[-1].state == "HIT"

        wait_until(is_hit, f"{target} is not kept, or not made anew")
        return answers[-1]

    def hold(self, name: str) -> None:
        """Have who makes a page wait."""
        (self.folder / f"hold-{name}").touch()

    def release(self, name: str) -> None:
        """Have who makes a page go on."""
        (self.folder / f"hold-{name}").unlink()

    def say(self, name: str, cache_control: str) -> None:
        """Set the Cache-Control of a page that is made from now on; one that is being made says one of the two."""
        written = self.folder / "says"
        written.write_text(cache_control)
        written.replace(self.folder / f"says-{name}")

    def made(self, name: str) -> list[int]:
        """Return who has begun to make a page, by the ids of their processes."""
        return self._noted(f"made-{name}")

    def asked(self, name: str) -> list[int]:
        """Return who was asked for a page."""
        return self._noted(f"asked-{name}")

    def _noted(self, file: str) -> list[int]:
        path = self.folder / file
        return [int(line) for line in path.read_text().splitlines()] if path.exists() else []

    def workers(self) -> set[int]:
        """Return the ids of the two workers, once both are there."""
        found: set[int] = set()

        def are_there() -> bool:
            found.add(int(self.ask("/pid").body))
            found.difference_update([process for process in found if not _is_running(process)])
            return len(found) == 2

        wait_until(are_there, "there are no two workers")
        return found

    def log(self) -> str:
        """Return the log."""
        return (self.folder / "log.txt").read_text()

    def warnings(self, start: int = 0) -> list[tuple[int, str]]:
        """Return what the page cache has warned of since the log had `start` characters, and which process."""
        return [(int(process), text) for process, text in _WARNING.findall(self.log()[start:])]


def receive(connection: socket.socket, method: str = "GET") -> Answer:
    """Return the answer that comes on a connection, which is closed; raise OSError or HTTPException if none does."""
    with connection:
        response = HTTPResponse(connection, method=method)
        try:
            response.begin()
            body = response.read()
        finally:
            response.close()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers.get("x-nextjs-cache"), headers, body)


def receive_if_any(connection: socket.socket) -> Answer | None:
    """Return the answer that comes on a connection, None if there is none or it ends too early."""
    try:
        return receive(connection)
    except (OSError, HTTPException):
        return None


def kill(process: int) -> None:
    """End a process at once, wherever it is."""
    os.kill(process, signal.SIGKILL)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def serve_pages(store: str, command: str, threads: int, **environment: str) -> Iterator[PageServer]:
    """Serve the app, in a folder of its own; its log is on stdout at the end."""
    with TemporaryDirectory(prefix="nextapi-pages-") as name:
        folder = Path(name)
        write_tree(folder / "web", {"revalidate": "res.revalidate(req.query['path'])\nres.json({'revalidated': True})"})
        variables = {"PAGE_STORE": store, **environment}
        if store == "django":
            make = "from tests.support.kept_pages import make_table; make_table()"
            python = {**os.environ, "PYTHONPATH": str(Path.cwd()), **variables}
            subprocess.run([sys.executable, "-c", make], cwd=folder, env=python, check=True)
        try:
            with serve("tests.support.kept_pages:app", folder, command, environment=variables) as port:
                yield PageServer(port, folder, threads)
        finally:
            print((folder / "log.txt").read_text())  # noqa: T201
