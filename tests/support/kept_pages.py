"""An app behind a page cache, for real servers: a test holds its pages, counts them, and says how long they are kept.

Everything is said by files in the server's folder. A test writes `hold-NAME`, and who makes the page NAME waits until
it is gone; `says-NAME` is the Cache-Control of the page; `limit` is the size in bytes that no file may pass. The app
adds the id of its process, in a line of its own, to `asked-NAME` when a page is asked for, and to `made-NAME` when the
app behind the cache begins to make it.

PAGE_STORE is the path of a SQLite file, a URL of Redis, or "django". With PAGE_USED the app has answered requests
before the server has it.
"""

from __future__ import annotations

import ctypes
import gzip
import logging
import os
import resource
import time
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from werkzeug.test import Client

from nextapi.adapters.wsgi import PageCache, create_app
from nextapi.cache.stores import open_store

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from nextapi.cache.store import Store

FOLDER = Path.cwd()
STORE = os.environ["PAGE_STORE"]

_SECONDS = 60
_BIG = 1_500_000

logging.basicConfig(format="%(process)d %(levelname)s %(message)s", level=logging.INFO)


def note(name: str) -> int:
    """Add a line to a file, in one write, and return how many there are."""
    file = FOLDER / name
    descriptor = os.open(file, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o666)
    try:
        os.write(descriptor, f"{os.getpid()}\n".encode())
    finally:
        os.close(descriptor)
    return len(file.read_text().splitlines())


def page(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer a page that says its name, how many times it was made and by which process, after the sum of all that."""
    kind, _, name = environ["PATH_INFO"].strip("/").partition("/")
    number = note(f"made-{name}")
    deadline = time.monotonic() + _SECONDS
    while (FOLDER / f"hold-{name}").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    says = FOLDER / f"says-{name}"
    control = says.read_text() if says.exists() else "s-maxage=600"
    text = f"{name} {number} {os.getpid()}\n".encode()
    if kind.endswith("big"):
        text += os.urandom(_BIG)
    if kind == "greet":
        text = f"Hello {environ.get('HTTP_COOKIE', 'stranger')}".encode()
    headers = [("Content-Type", "text/plain"), ("Cache-Control", control)]
    if kind == "mirror":
        return mirror(environ, start_response, headers)
    start_response("200 OK", headers)
    return [sha256(text).hexdigest().encode(), b"\n", text]


def mirror(environ: WSGIEnvironment, start_response: StartResponse, headers: list[tuple[str, str]]) -> Iterable[bytes]:
    """Answer by all that was asked, and do what the headers ask for, without a word of it in Vary."""
    asked = {name: value for name, value in environ.items() if isinstance(value, str)}
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    text = f"{asked} {body!r}".encode()
    status = "200 OK"
    if "HTTP_X_ORIGINAL_URL" in environ or "HTTP_X_REWRITE_URL" in environ:
        status = "404 Not Found"
    if "HTTP_X_HTTP_METHOD_OVERRIDE" in environ:
        headers = [*headers, ("Location", "/evil")]
        status = "301 Moved Permanently"
    if "HTTP_RANGE" in environ:
        status, text = "206 Partial Content", text[:5]
        headers = [*headers, ("Content-Range", "bytes 0-4/1000")]
    elif "HTTP_IF_NONE_MATCH" in environ:
        status, text = "304 Not Modified", b""
    elif "gzip" in environ.get("HTTP_ACCEPT_ENCODING", ""):
        text = gzip.compress(text)
        headers = [*headers, ("Content-Encoding", "gzip")]
    start_response(status, headers)
    return [text]


def plain(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer the process's id, as no page."""
    note("plain")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]


def pages(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The app behind the cache."""
    answer = plain if environ["PATH_INFO"] == "/pid" else page
    return answer(environ, start_response)


def store_of_environment() -> Store:
    """Return the store that the environment names."""
    return django_store() if STORE == "django" else open_store(STORE)


def django_store() -> Store:
    """Return a store in the table of Django's cache in a database, which `make_table` has made."""
    import django
    from django.conf import settings

    # As for any site of several workers: else SQLite refuses who begins to write while another does, and does not wait.
    options: dict[str, object] = {"timeout": 60}
    if django.VERSION >= (5, 1):
        options |= {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode = WAL"}
    database = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(FOLDER / "django.sqlite3"),
        "OPTIONS": options,
    }
    backend = {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "kept"}
    settings.configure(DATABASES={"default": database}, CACHES={"default": backend})
    django.setup(set_prefix=False)

    from nextapi.adapters.django import DjangoStore

    return DjangoStore()


def make_table() -> None:
    """Make the table of Django's cache, in a process of its own before the workers are there, as a site does."""
    from django.core.management import call_command

    call_command("createcachetable")


_store = store_of_environment()
_app = create_app(FOLDER / "web", fallback=pages)
_hosts = ["127.0.0.1", "localhost"]
_long = PageCache(_app, _store, hosts=_hosts, ignored_params=["utm_source"], wait=_SECONDS, timeout=_SECONDS)
_brief = PageCache(_app, _store, hosts=_hosts, wait=0.3, timeout=1.5)
"""It soon gives up what another makes: for the pages below "/brief" and "/briefbig"."""


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer a request."""
    limit = FOLDER / "limit"
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit.read_text()) if limit.exists() else most, most))
    kind, _, name = environ["PATH_INFO"].strip("/").partition("/")
    if kind not in ("pid", "api"):
        note(f"asked-{name}")
    return (_brief if kind.startswith("brief") else _long)(environ, start_response)


if "PAGE_USED" in os.environ:
    for _ in range(3):
        Client(app).get("/long/used")


def obey_modes() -> None:
    """Have root obey file modes, as every other user does: so a folder can be read-only for it (capabilities(7))."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable, twice
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.capget(header, sets) == 0:
        for number in (0, 1):
            sets[number] &= ~(1 << 1)  # CAP_DAC_OVERRIDE
        libc.capset(header, sets)


if os.geteuid() == 0:
    obey_modes()
