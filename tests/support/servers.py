"""Real servers for tests: each its own process on a free port of 127.0.0.1, stopped by its handle."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

COMMANDS = {
    "gunicorn-sync": "-m gunicorn -k sync -w 1 -b {address} {app}",
    "gunicorn-gthread": "-m gunicorn -k gthread --threads 4 -w 1 -b {address} {app}",
    "gunicorn-gevent": "-m gunicorn -k gevent -w 1 -b {address} {app}",
    "gunicorn-two": "-m gunicorn -k gthread --threads 40 -w 2 -b {address} {app}",
    # Its log says which worker has answered which client.
    "gunicorn-two-logged": "-m gunicorn -k gthread --threads 4 -w 2 -b {address} --access-logfile -"
    " --access-logformat %(p)s:%(a)s {app}",
    "gunicorn-preload": "-m gunicorn -k sync --preload -w 2 -b {address} {app}",
    "gunicorn-gevent-preload": "-m gunicorn -k gevent --preload -w 1 -b {address} {app}",
    # The recorded requests have longer heads than gunicorn allows unless told.
    "gunicorn-unlimited": "-m gunicorn -k gthread --threads 4 -w 1 -b {address} --limit-request-line 0"
    " --limit-request-field_size 0 {app}",
    "waitress": "-m waitress --listen={address} {app}",
    "granian": "-m granian --interface wsgi --host {host} --port {port} {app}",
    # With reload.
    "nextapi-dev": "-m nextapi dev web --port {port}",
    "flask-debug": "-m flask --app {app} run --debug --port {port}",
    "runserver": "manage.py runserver {address}",
}

SECONDS = 60
"""How long a machine that does much else may take."""


@contextmanager
def serve(
    app: str,
    folder: Path,
    server: str = "gunicorn-gthread",
    source: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[int]:
    """Serve `app` ("module:name" in `source`, else in `folder`) and yield the port.

    The server runs in `folder`, its log is `folder/log.txt`; `environment` is added to this process's.
    """
    port = free_port()
    arguments = COMMANDS[server].format(address=f"127.0.0.1:{port}", host="127.0.0.1", port=port, app=app).split()
    variables = {
        **os.environ,
        "PYTHONPATH": f"{source or folder}{os.pathsep}{Path.cwd()}",
        "PYTHONWARNINGS": "default",
        **(environment or {}),
    }
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder,
            env=variables,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that its workers can be stopped with it
        )
        try:
            _wait_for(process, port, folder / "log.txt")
            yield port
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            with suppress(ProcessLookupError):  # none of its workers is left
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    # Below the ports that the kernel gives to connections: until the server has it, none of these can take it.
    for _ in range(100):
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port is free")


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}:\n{log.read_text()}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the server does not listen:\n{log.read_text()}")


def wait_until(is_so: Callable[[], object], what: str) -> None:
    """Wait for what another process or thread does; raise AssertionError, which says `what` is not so, after a time."""
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def wait_for_log(folder: Path, text: str) -> None:
    """Wait until the log of the server that runs in `folder` has a text, as it may be written after the answer."""
    log = folder / "log.txt"
    wait_until(lambda: text in log.read_text(), f"the log has no {text!r}")
