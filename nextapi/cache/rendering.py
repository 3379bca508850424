"""How a page is made for everybody: from a request of nobody's, and, beside requests, on a thread of its own."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from contextvars import Context
from io import BytesIO
from threading import Thread
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from nextapi.cache.pages import Key, environ_name

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

__all__ = ["NOT_GIVEN", "Apart", "clean_environ", "server_facts"]

T = TypeVar("T")

NOT_GIVEN = frozenset(("HTTP_AUTHORIZATION", "HTTP_COOKIE", "HTTP_HOST"))
"""Headers that no page is made with, whatever its Vary says: it has its host already, and is nobody's."""

# SERVER_NAME and SERVER_PORT are not of the server alone: on a Unix socket gunicorn takes them from the Host header.
_SERVERS = ("SERVER_SOFTWARE", "wsgi.multiprocess")
_split_host = re.compile(r"(.*?)(?::([0-9]+))?").fullmatch


def server_facts(environ: WSGIEnvironment) -> WSGIEnvironment:
    """Return what an environ says of the server, and not of the request."""
    return {name: environ[name] for name in _SERVERS if name in environ}


def clean_environ(key: Key, server: WSGIEnvironment, asker: WSGIEnvironment, vary: Iterable[str]) -> WSGIEnvironment:
    """Return the environ of a GET that has nothing but what names a page: its URL, and the headers that it varies by.

    These are those of the environ `asker`, which is empty where nobody asks. `server` is what `server_facts` returned.
    """
    target = f"{key.sent_path}?{key.query}" if key.query else key.sent_path
    name, port = _split_host(key.host).groups()  # type: ignore[union-attr]  # it matches any text
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": key.prefix,
        "PATH_INFO": key.path[len(key.prefix) :],
        "QUERY_STRING": key.query,
        "RAW_URI": target,
        "REQUEST_URI": target,
        "SERVER_NAME": name,
        "SERVER_PORT": port or ("443" if key.scheme == "https" else "80"),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": key.host,
        "HTTP_ACCEPT": "*/*",
        "HTTP_USER_AGENT": "nextapi",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": key.scheme,
        "wsgi.input": BytesIO(),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **server,
    }
    for name in map(environ_name, vary):
        if name in asker and name not in NOT_GIVEN:
            environ[name] = asker[name]
        elif asker and name not in NOT_GIVEN:
            environ.pop(name, None)
    return environ


class Apart(Generic[T]):
    """Work on a thread of its own, in a clean context: none of the context variables or thread's locals of who starts
    it. `leave` is called on the thread at its end.
    """

    def __init__(self, work: Callable[[], T], leave: Callable[[], None]) -> None:
        self._work = work
        self._leave = leave
        self._result: T | None = None
        self._error: BaseException | None = None
        self._thread = Thread(target=Context().run, args=(self._run,), name="nextapi-page", daemon=True)

    def start(self) -> None:
        """Begin, and do not wait."""
        self._thread.start()

    def result(self, seconds: float) -> T:
        """Begin, and return what the work returns; raise what it raises, TimeoutError if it takes longer."""
        self._thread.start()
        self._thread.join(seconds)
        if self._thread.is_alive():
            raise TimeoutError
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]  # it has ended, and not by an error

    def _run(self) -> None:
        try:
            self._result = self._work()
        except BaseException as error:
            self._error = error
        finally:
            self._leave()
