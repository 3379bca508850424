"""`nextapi dev`: a tree on a development server, with a log of requests and a page for tracebacks."""

from __future__ import annotations

import ipaddress
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from werkzeug.debug import DebuggedApplication
from werkzeug.serving import WSGIRequestHandler, make_server

from nextapi.adapters.wsgi import WSGIApp, create_app
from nextapi.commands.colours import BOLD, DIM, GREEN, RED, YELLOW, paint
from nextapi.commands.mounts import shown
from nextapi.errors import CommandError
from nextapi.routing.paths import raw_path

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["serve"]


def serve(root: Path, host: str, port: int, debug: bool | None, out: TextIO) -> int:
    """Serve the tree `root` until SIGINT or SIGTERM; port 0 is any that is free.

    With `debug`, edited routes are reloaded, and an exception is shown in the browser; unless said, this is so on a
    loopback address alone. Raises `TreeError` for a faulty tree, `CommandError` for an address that cannot be had.
    """
    debug = _is_loopback(host) if debug is None else debug
    app = create_app(root, debug=debug)
    logged = _Log(app, _with_traceback_page(app) if debug else app, out)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    address = f"[{host}]" if ":" in host else host
    # Bound here, as werkzeug would end the process with words of its own where the port is taken.
    with (
        suppress(KeyboardInterrupt),
        _listen(host, port) as listening,
        make_server(host, port, logged, True, request_handler=_QuietHandler, fd=listening.fileno()) as server,
    ):
        out.write(f"Serving {shown(root.absolute())} at {paint(out, BOLD, f'http://{address}:{server.port}')}")
        out.write(", with tracebacks for all who can reach it\n" if debug and not _is_loopback(host) else "\n")
        out.flush()
        server.serve_forever()
    return 0


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CommandError(f"cannot listen at {host}, port {port}: {reason}; take another by --port") from None


class _QuietHandler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Leave the log of requests to `_Log`."""


def _with_traceback_page(app: WSGIApp) -> WSGIApplication:
    """Return `app` with werkzeug's page for an exception; without its console, which would run code for a browser."""
    app.raise_errors = True
    return DebuggedApplication(app, evalex=False, pin_logging=False)


class _Log:
    """A line for each request that `served` answers: "GET /api/post/abc 200 1.2 ms  post/[pid]"."""

    def __init__(self, app: WSGIApp, served: WSGIApplication, out: TextIO) -> None:
        self._app = app
        self._served = served
        self._out = out

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        began = time.perf_counter()
        status = ""

        def start(line: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:
            nonlocal status
            status = line[:3]
            return start_response(line, headers, *error)

        body = self._served(environ, start)
        try:
            yield from body
        finally:
            if close := getattr(body, "close", None):
                close()
            if not environ["QUERY_STRING"].startswith("__debugger__=yes"):  # what the traceback page asks for itself
                self._write(environ, status, (time.perf_counter() - began) * 1000)

    def _write(self, environ: WSGIEnvironment, status: str, milliseconds: float) -> None:
        path = raw_path(environ)[1]
        route = self._app.application.match(path).route
        # What a client sends is written escaped, so that it cannot forge a line.
        request = repr(f"{environ['REQUEST_METHOD']} {path}")[1:-1]
        colour = {"2": GREEN, "3": DIM, "4": YELLOW}.get(status[:1], RED)
        name = f"  {route.name}" if route else ""
        self._out.write(f"{request} {paint(self._out, colour, status)} {milliseconds:.1f} ms{name}\n")
        self._out.flush()
