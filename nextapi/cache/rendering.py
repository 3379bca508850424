"""How the app is asked for a page that is for everybody: by a request of nobody's."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

from nextapi.cache.asked import Asked
from nextapi.cache.capture import Answer, Headers, call
from nextapi.cache.host import normal_host
from nextapi.cache.pages import Found, Key, environ_name
from nextapi.cache.policy import ignores_query, lifetime, vary_names
from nextapi.cache.visit import KEY, Revalidator, Visit, entered
from nextapi.errors import RevalidateError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

__all__ = ["Rendered", "Renderer", "clean_environ"]

# Headers that no page is made with, whatever its Vary says: it has its host already, and is nobody's.
_NOT_GIVEN = frozenset(("HTTP_AUTHORIZATION", "HTTP_COOKIE", "HTTP_HOST"))
# SERVER_NAME and SERVER_PORT are not of the server alone: on a Unix socket gunicorn takes them from the Host header.
_SERVERS = ("SERVER_SOFTWARE", "wsgi.multiprocess")
_NOBODYS_ADDRESS = "192.0.2.1"
"""For examples (RFC 5737): apps trust 127.0.0.1, as by Django's INTERNAL_IPS, and a page is for all."""
_split_host = re.compile(r"(.*?)(?::([0-9]+))?").fullmatch


class Rendered(NamedTuple):
    """What the app has answered to a clean request.

    `answer` is None where it is larger than the store takes; `environ` is that of the request, `key` what it names.
    """

    key: Key
    answer: Answer | None
    environ: WSGIEnvironment


class Renderer:
    """Asks `app` for pages by clean requests, whose environ has all of `clean`. More than `limit` bytes are no page."""

    def __init__(self, app: WSGIApplication, limit: int, clean: WSGIEnvironment) -> None:
        self._app = app
        self._clean = clean
        self._server: WSGIEnvironment = {}
        self.limit = limit

    def meet_server(self, environ: WSGIEnvironment) -> None:
        """Know what the environ of a request says of the server: clean requests say it, too."""
        self._server = {name: environ[name] for name in _SERVERS if name in environ}

    def render(self, asked: Asked, found: Found, cache: Revalidator, chain: tuple[str, ...] = ()) -> Rendered:
        """Return what the app answers to a clean request, which has come through `cache`.

        Of who asked it has only the headers that the page says that it varies by, and the query unless the page says
        that it is the same for all. `chain` are the paths that are made anew already, and ask for this one. Raises what
        the app raises, `RevalidateError` where it answers by an error.
        """
        key, asker, names = asked.key, asked.environ, set(found.vary)
        while True:
            environ = clean_environ(key, self._server, asker, names)
            visit = Visit(cache, (key.scheme, key.host), key.prefix, (*chain, key.path))
            with entered(visit):
                # The app writes in its own.
                answer = call(self._app, {**environ, **self._clean, KEY: visit}, _start_nothing, _hold_back, self.limit)
            if not isinstance(answer, Answer):
                _close(answer)
                return Rendered(key, None, environ)
            if answer.status >= 500 or answer.status == 429:
                raise RevalidateError(f"Failed to revalidate {key.sent_path}: Invalid response {answer.status}")
            if key.query and ignores_query(answer.headers):
                key = key._replace(query="")
                continue
            more = {
                name
                for name in vary_names(answer.headers)
                if asker and asker.get(environ_name(name)) != environ.get(environ_name(name))
                if environ_name(name) not in _NOT_GIVEN
            } - names
            if not more:
                if forgotten := sorted(names.difference(vary_names(answer.headers))):  # what it was made with
                    answer.headers.append(("Vary", ", ".join(forgotten)))
                return Rendered(key, answer, environ)
            names |= more

    def render_mended(self, asked: Asked, found: Found, cache: Revalidator, chain: tuple[str, ...]) -> Rendered:
        """Return what `render` does; a redirect that only mends a slash at the path's end is followed."""
        rendered = self.render(asked, found, cache, chain)
        mended = _mended(rendered.key, rendered.answer)
        return rendered if mended is None else self.render(Asked(mended, asked.environ), found, cache, chain)


def clean_environ(key: Key, server: WSGIEnvironment, asker: WSGIEnvironment, vary: Iterable[str]) -> WSGIEnvironment:
    """Return the environ of a GET that has nothing but what names a page: its URL, and the headers that it varies by.

    These are those of the environ `asker`, which is empty where nobody asks. `server` is what is known of the server.
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
        "REMOTE_ADDR": _NOBODYS_ADDRESS,
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
        if name in asker and name not in _NOT_GIVEN:
            environ[name] = asker[name]
        elif asker and name not in _NOT_GIVEN:
            environ.pop(name, None)
    return environ


def _mended(key: Key, answer: Answer | None) -> Key | None:
    """Return the key of a page's other spelling, where the answer leads to it: one slash at its end, or none."""
    if answer is None or answer.status not in (301, 302, 307, 308) or lifetime(answer.headers) is not None:
        return None
    parts = urlsplit(next((value for name, value in answer.headers if name.lower() == "location"), ""))
    path = unquote_to_bytes(parts.path).decode("latin-1")  # hosts escape more than clients do, or less
    if parts.path == key.sent_path or path.rstrip("/") != key.path.rstrip("/"):
        return None
    if parts.netloc and normal_host(parts.scheme or key.scheme, parts.netloc) != key.host:
        return None
    return key._replace(sent_path=parts.path, path=path)


def _hold_back(_: str, __: Headers) -> None:
    return None


def _start_nothing(*_: object) -> Callable[[bytes], object]:
    return lambda _: None


def _close(body: Iterable[bytes]) -> None:
    if close := getattr(body, "close", None):
        close()
