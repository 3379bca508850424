"""A server on this machine that stands for the one that a route asks: it records what it gets, and answers as told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Received(NamedTuple):
    """A request as it came: header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Upstream:
    """What a server answers, and what it has got so far.

    The body is sent in `parts`, with its length or else `chunked`. Between two of them the server waits for `go_on`,
    which is set unless a test clears it, and after a minute sends "late" instead and cuts the connection. A path in
    `redirects` is answered with that status and Location. `connections` counts those that were made; `ended` is set
    when one has ended.
    """

    url: str
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    parts: list[bytes] = field(default_factory=lambda: [b"from upstream"])
    chunked: bool = False
    redirects: dict[str, tuple[int, str]] = field(default_factory=dict)
    connections: int = 0
    ended: threading.Event = field(default_factory=threading.Event)
    received: list[Received] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)


@contextmanager
def upstream() -> Iterator[Upstream]:
    """Have a server on a free port of 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            connections.append(self.connection)
            told.connections += 1

        def finish(self) -> None:
            told.ended.set()
            with suppress(OSError):
                super().finish()

        def handle(self) -> None:
            with suppress(OSError):  # the client has left
                super().handle()

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            self._answer()

        def log_message(self, format: str, *args: object) -> None:
            pass

        def _answer(self) -> None:
            sent = {name.lower(): value for name, value in self.headers.items()}
            is_chunked = sent.get("transfer-encoding") == "chunked"
            body = self._read_chunks() if is_chunked else self.rfile.read(int(sent.get("content-length", "0")))
            told.received.append(Received(self.command, self.path, sent, body))
            if redirect := told.redirects.get(self.path):
                self.send_response_only(redirect[0])
                self.send_header("Location", redirect[1])
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response_only(told.status)
            for name, value in told.headers:
                self.send_header(name, value)
            if told.chunked:
                self.send_header("Transfer-Encoding", "chunked")
            else:
                self.send_header("Content-Length", str(sum(map(len, told.parts))))
            self.end_headers()
            if self.command == "HEAD" or told.status in (204, 304):
                return
            for number, part in enumerate(told.parts):
                if number and not told.go_on.wait(60):
                    self._send(b"late")
                    self.close_connection = True
                    return
                self._send(part)
            if told.chunked:
                self.wfile.write(b"0\r\n\r\n")

        def _read_chunks(self) -> bytes:
            body = b""
            while size := int(self.rfile.readline() or b"0", 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def _send(self, part: bytes) -> None:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part) if told.chunked else part)
            self.wfile.flush()

    connections: list[socket.socket] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    told = Upstream(f"http://127.0.0.1:{server.server_address[1]}")
    told.go_on.set()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield told
    finally:
        told.go_on.set()
        server.shutdown()
        thread.join()
        server.socket.close()
        for connection in connections:  # which a client may have kept for its next request
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
