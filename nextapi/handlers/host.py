"""What handlers need of the host, whatever their dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from nextapi.http.message import Relayed, Request, Response
from nextapi.web.scope import ScopeHost

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = ["HandlerHost"]


class HandlerHost(ScopeHost, Protocol):
    """What only the host can do for a handler, beside what functions such as `after` ask of it."""

    def origin(self, request: Request) -> str:
        """Return the origin that a request is for, "https://example.com", as far as the host trusts what it says."""
        ...

    def report(self, request: Request, error: Exception) -> None:
        """Log an exception that cannot change the answer any more, and tell the host's error reporters."""

    def status_of(self, value: object) -> int | None:
        """Return the status of a response of the host's own, None where `value` is none."""

    def call(self, application: WSGIApplication, request: Request) -> Response:
        """Return what a WSGI application answers to a request."""
        ...

    def unpack(self, relayed: Relayed, request: Request) -> Response:
        """Return the host's own response as nextapi's, for middleware to look at."""
        ...
