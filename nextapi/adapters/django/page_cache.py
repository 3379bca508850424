"""What a page cache before a Django project asks of it: hosts and schemes as its settings trust them, its secrets and
those of its trees, and its transactions.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.cache import caches
from django.core.exceptions import DisallowedHost
from django.core.handlers.wsgi import WSGIRequest
from django.db import connections, transaction
from django.urls import URLResolver, get_resolver
from werkzeug.middleware.proxy_fix import ProxyFix

from nextapi.adapters.django.host import secrets_of
from nextapi.adapters.django.mount import mounted_trees
from nextapi.cache.host import are_told, forwarding_headers, is_one_of
from nextapi.draft import Draft
from nextapi.running import call_masked, call_waiting

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

__all__ = ["cache_host"]

_logger = logging.getLogger("nextapi")

_MOST_KNOWN = 256


def cache_host(app: object, secret: bytes, hosts: Sequence[str] | None, proxies: Sequence[ProxyFix]) -> DjangoCacheHost:
    """Return what the page cache before a project is told of it; `secret` and `hosts` are options of the cache."""
    return DjangoCacheHost(secret, hosts)


class DjangoCacheHost:
    """What Django's settings say (`nextapi.cache.host.CacheHost`)."""

    def __init__(self, secret: bytes, hosts: Sequence[str] | None) -> None:
        self.draft = Draft(secret, False, _secrets)
        self._given_hosts = hosts
        self._known: dict[tuple[str | None, ...], tuple[str, str] | None] = {}

    def trusted(self, environ: WSGIEnvironment) -> WSGIEnvironment | None:
        proxy_header, _ = settings.SECURE_PROXY_SSL_HEADER or ("", "")
        believed = {proxy_header} if proxy_header else set()
        if settings.USE_X_FORWARDED_HOST:
            believed.add("HTTP_X_FORWARDED_HOST")
        if settings.USE_X_FORWARDED_PORT:
            believed.add("HTTP_X_FORWARDED_PORT")
        others = [name for name in forwarding_headers(environ) if name not in believed]
        if others and not believed:
            return None
        names = ("wsgi.url_scheme", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT", *sorted(believed))
        said = tuple(environ.get(name) for name in names)
        if said not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[said] = self._ask(environ)
        found = self._known[said]
        if found is None:
            return None
        trusted = {**environ, "wsgi.url_scheme": found[0], "HTTP_HOST": found[1]}
        if (prefix := self.prefix()) is not None:
            trusted["SCRIPT_NAME"] = prefix
        return trusted if are_told(trusted, others) else None

    def _ask(self, environ: WSGIEnvironment) -> tuple[str, str] | None:
        request = WSGIRequest(environ.copy())  # which it changes
        try:
            host = request.get_host()
        except DisallowedHost:
            return None
        if self._given_hosts is not None and not is_one_of(host, self._given_hosts):
            return None
        return request.scheme or "http", host

    def origin(self) -> tuple[str, str] | None:
        hosts = [name for name in self._given_hosts or settings.ALLOWED_HOSTS if not name.startswith((".", "*"))]
        is_secure = settings.SECURE_SSL_REDIRECT or settings.SECURE_PROXY_SSL_HEADER
        return ("https" if is_secure else "http", hosts[0]) if hosts else None

    def prefix(self) -> str | None:
        forced: str | None = settings.FORCE_SCRIPT_NAME  # a proxy has taken it off, and URLs are made with it
        return None if forced is None else forced.rstrip("/").encode().decode("latin-1")

    def when_committed(self, work: Callable[[], None]) -> None:
        # Where a loop runs, as for an `async def` handler, Django shows other connections than the request's.
        call_waiting(partial(call_masked, partial(self._when_committed, work)))

    def _when_committed(self, work: Callable[[], None]) -> None:
        open_ones = [alias for alias in connections if connections[alias].in_atomic_block]
        if not open_ones:
            work()
            return
        # Most projects have one database. Where several are in a transaction, one may yet be rolled back: after each
        # commit a page shows more than before.
        for alias in open_ones:
            transaction.on_commit(partial(_log_failure, work), using=alias)

    def leave_thread(self) -> None:
        connections.close_all()
        caches.close_all()


def _secrets() -> list[str | bytes]:
    """Return those of the project, and of its trees."""
    try:
        given = _given_secrets(get_resolver())
    except Exception:  # a URLconf that cannot be loaded is Django's to tell
        given = ()
    return [*secrets_of(), *given]


@lru_cache(maxsize=1)  # a cookie that is forged is no reason to walk through all URLs of a project
def _given_secrets(_: URLResolver) -> tuple[bytes, ...]:
    """Return the secrets that the trees of a URLconf were given as an option."""
    return tuple(tree.options.secret for tree in mounted_trees() if tree.options.secret)


def _log_failure(work: Callable[[], Any]) -> None:
    """Do what was to wait for a commit: nobody is there any more who could be told that it failed."""
    try:
        work()
    except Exception:
        _logger.exception("page cache: what waited for the commit failed")
