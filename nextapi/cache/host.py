"""What a page cache needs to know of the app behind it: whose word it takes for scheme and host, its secret, and when
its database has committed. Each adapter has one; here is that of an app of no framework.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.sansio.utils import host_is_trusted

from nextapi.draft import Draft

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = ["BareHost", "CacheHost", "are_told", "forwarding_headers", "is_one_of", "normal_host"]

_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_.-]{0,253})|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class CacheHost(Protocol):
    """The app behind a page cache, as far as only its framework knows."""

    draft: Draft
    """The cookies of draft mode, made from the app's secret unless an option says another."""

    def trusted(self, environ: WSGIEnvironment) -> WSGIEnvironment | None:
        """Return an environ with the scheme, host and SCRIPT_NAME that the app will see; None where the host is none of
        the app's, or where a proxy's headers say what the app may or may not believe.
        """
        ...

    def origin(self) -> tuple[str, str] | None:
        """Return the scheme and host that the app's settings name as its own; None where they name none."""
        ...

    def prefix(self) -> str | None:
        """Return the SCRIPT_NAME that the app's settings put before each path, None where the server says it."""
        ...

    def when_committed(self, work: Callable[[], None]) -> None:
        """Do `work` once what the caller has written is there for others: now, where no transaction is open."""
        ...

    def leave_thread(self) -> None:
        """Close what the app has opened for the thread that is about to end."""
        ...


class BareHost:
    """An app of no framework, which believes what the server says, and those `ProxyFix`es that are around it."""

    def __init__(self, draft: Draft, hosts: Sequence[str] | None = None, proxies: Sequence[ProxyFix] = ()) -> None:
        self.draft = draft
        self._given_hosts = hosts
        # The middleware's own rules, without calling the app.
        self._proxies = [
            ProxyFix(_nothing, proxy.x_for, proxy.x_proto, proxy.x_host, proxy.x_port, proxy.x_prefix)
            for proxy in proxies
        ]

    def _hosts(self) -> Sequence[str] | None:
        return self._given_hosts

    def trusted(self, environ: WSGIEnvironment) -> WSGIEnvironment | None:
        forwarded = forwarding_headers(environ)
        if self._proxies:
            environ = environ.copy()
            for proxy in self._proxies:
                proxy(environ, _start_nothing)
        if forwarded and not ("werkzeug.proxy_fix.orig" in environ and are_told(environ, forwarded)):
            return None
        hosts = self._hosts()
        return environ if hosts is None or is_one_of(environ.get("HTTP_HOST", ""), hosts) else None

    def origin(self) -> tuple[str, str] | None:
        hosts = [host for host in self._hosts() or () if not host.startswith((".", "*"))]
        return ("https", hosts[0]) if hosts else None

    def prefix(self) -> str | None:
        return None

    def when_committed(self, work: Callable[[], None]) -> None:
        work()

    def leave_thread(self) -> None:
        """Nothing is opened for a thread."""


@lru_cache(maxsize=256)
def normal_host(scheme: str, host: str) -> str | None:
    """Return a host and port in the one form that names pages, None for what is none (RFC 3986, 6.2.2 and 6.2.3)."""
    lower = host.lower().removesuffix(_DEFAULT_PORTS.get(scheme, ":"))
    return lower if _HOST.fullmatch(lower) else None


def is_one_of(host: str, hosts: Sequence[str]) -> bool:
    """Say whether a host, with its port or without, is one of those that are named, or below such as ".example.com"."""
    if host.startswith("["):  # werkzeug takes what stands before the first ":" for the name
        return host in hosts or re.sub(r"(?<=\]):[0-9]*\Z", "", host) in hosts
    return host in hosts or host_is_trusted(host, hosts)


def forwarding_headers(environ: WSGIEnvironment) -> list[str]:
    """Return the names, as WSGI has them, of the headers by which proxies say what a request was (RFC 7239)."""
    if "FORWARDED" not in "".join(environ):  # asked for every request, of which few have one
        return []
    return [name for name in environ if name.startswith(("HTTP_X_FORWARDED", "HTTP_FORWARDED"))]


def are_told(environ: WSGIEnvironment, names: Iterable[str]) -> bool:
    """Say whether headers of proxies say no more of a page than the environ does, so that believing them or not is one.

    X-Forwarded-For is about who asked, which no page that is kept depends on, X-Forwarded-Server about the proxy.
    """
    host, scheme = environ.get("HTTP_HOST", ""), environ["wsgi.url_scheme"]
    bare = re.sub(r":[0-9]*\Z", "", host)
    port = host[len(bare) + 1 :] or _DEFAULT_PORTS.get(scheme, "").lstrip(":")
    known = {
        "HTTP_X_FORWARDED_HOST": {host, bare},
        "HTTP_X_FORWARDED_PORT": {environ.get("SERVER_PORT"), port},
        "HTTP_X_FORWARDED_PREFIX": {environ.get("SCRIPT_NAME")},
        "HTTP_X_FORWARDED_PROTO": {scheme},
        "HTTP_X_FORWARDED_SCHEME": {scheme},
        "HTTP_X_FORWARDED_SSL": {"on" if scheme == "https" else "off"},
    }
    return all(
        name in ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_SERVER")
        or not known.get(name, set()).isdisjoint(value.strip() for value in environ[name].split(","))
        for name in names
    )


def _nothing(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    return []


def _start_nothing(*_: object) -> Callable[[bytes], object]:
    raise AssertionError("no answer is started")
