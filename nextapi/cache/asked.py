"""Which page a request is for, and whether it says more than that: something of who asks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from nextapi.cache.host import CacheHost, normal_host
from nextapi.cache.pages import Key
from nextapi.routing.paths import raw_path

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

__all__ = ["Asked", "is_personal", "page_of"]

# What browsers say to everybody; a page that differs by it says Vary. All else may be about who asked.
_PLAIN_HEADERS = frozenset(
    f"HTTP_{name}"
    for name in (
        "ACCEPT",
        "ACCEPT_CHARSET",
        "ACCEPT_ENCODING",
        "ACCEPT_LANGUAGE",
        "CACHE_CONTROL",
        "CONNECTION",
        "DNT",
        "HOST",
        "KEEP_ALIVE",
        "PRAGMA",
        "PRIORITY",
        "TE",
        "UPGRADE_INSECURE_REQUESTS",
        "USER_AGENT",
    )
)
_PLAIN_PREFIXES = ("HTTP_SEC_CH_", "HTTP_SEC_FETCH_", "HTTP_SEC_GPC")
_PERSONAL = frozenset(("HTTP_COOKIE", "HTTP_AUTHORIZATION", "REMOTE_USER", "AUTH_TYPE"))
# What servers say of every request. All else may be about who asks: a certificate, a country, what middleware found.
_SERVER_NAMES = frozenset(
    (
        "CONTENT_LENGTH",
        "CONTENT_TYPE",
        "DOCUMENT_ROOT",
        "GATEWAY_INTERFACE",
        "HTTPS",
        "PATH_INFO",
        "PATH_TRANSLATED",
        "QUERY_STRING",
        "RAW_URI",
        "REMOTE_ADDR",
        "REMOTE_HOST",
        "REMOTE_PORT",
        "REQUEST_METHOD",
        "REQUEST_SCHEME",
        "REQUEST_URI",
        "SCRIPT_FILENAME",
        "SCRIPT_NAME",
        "UWSGI_ROUTER",
    )
)
_SERVER_PREFIXES = (
    "CONTEXT_",
    "SERVER_",
    "apache.",
    "eventlet.",
    "gunicorn.",
    "mod_wsgi.",
    "uwsgi.",
    "waitress.",
    "werkzeug.",
    "wsgi.",
)

_EVERYWHERE = (
    *("SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "SERVER_SOFTWARE", "wsgi.errors", "wsgi.file_wrapper"),
    *("wsgi.input", "wsgi.input_terminated", "wsgi.multiprocess", "wsgi.multithread", "wsgi.run_once"),
    *("wsgi.url_scheme", "wsgi.version"),
)
_KNOWN = _PLAIN_HEADERS | _SERVER_NAMES | frozenset(_EVERYWHERE)
"""Names that need no second look."""


class Asked:
    """A GET or HEAD that a page may answer."""

    __slots__ = ("_is_plain", "environ", "key")

    def __init__(self, key: Key, environ: WSGIEnvironment) -> None:
        self.key = key
        self.environ = environ
        self._is_plain: bool | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it has nothing but what a page's name has, and what browsers say to everybody.

        Looked for when it is first asked: of most paths nobody has to know.
        """
        if self._is_plain is None:
            self._is_plain = _is_plain(self.key, self.environ)
        return self._is_plain


def page_of(environ: WSGIEnvironment, host: CacheHost, ignored_params: frozenset[str]) -> Asked | None:
    """Return what page a request is for; None where none is kept for it.

    `ignored_params` are left out of the page's query.
    """
    trusted = host.trusted(environ)
    if trusted is None:
        return None
    scheme = trusted["wsgi.url_scheme"]
    name = normal_host(scheme, trusted.get("HTTP_HOST", ""))
    info: str = trusted.get("PATH_INFO", "")
    if name is None or not info.startswith("/"):
        return None
    query: str = environ.get("QUERY_STRING", "")
    if query and ignored_params:
        pairs = query.split("&")
        query = "&".join(pair for pair in pairs if unquote_plus(pair.partition("=")[0]) not in ignored_params)
    prefix: str = trusted.get("SCRIPT_NAME", "")
    return Asked(Key(scheme, name, "".join(raw_path(trusted)), query, prefix + info, prefix), environ)


def is_personal(environ: WSGIEnvironment) -> bool:
    """Say whether a request says who asks."""
    return not environ.keys().isdisjoint(_PERSONAL)


def _is_plain(key: Key, environ: WSGIEnvironment) -> bool:
    if is_personal(environ):
        return False
    for name in environ.keys() - _KNOWN:
        if name.startswith("HTTP_"):
            if not name.startswith(_PLAIN_PREFIXES):
                return False
        elif name.startswith("nextapi."):
            if not getattr(environ[name], "is_plain", True):
                return False
        elif not name.startswith(_SERVER_PREFIXES) and os.environ.get(name) != environ[name]:
            return False  # wsgiref adds the variables of the process
    return (
        environ.get("HTTP_HOST") == key.host
        and environ.get("QUERY_STRING", "") == key.query
        and environ.get("CONTENT_LENGTH") in (None, "", "0")
        and environ.get("CONTENT_TYPE") in (None, "", "text/plain")  # wsgiref's for none
        and "no-store" not in environ.get("HTTP_CACHE_CONTROL", "").lower()
        and _is_target(environ.get("RAW_URI", ""), key)
        and _is_target(environ.get("REQUEST_URI", ""), key)
    )


def _is_target(target: str, key: Key) -> bool:
    """Say whether a target as it was sent, which the application may read, says no more than the page's name."""
    path, _, query = target.partition("?")
    # A proxy may have taken a prefix off.
    return path[:1] in ("", "/") and key.sent_path.endswith(path) and query in ("", key.query)
