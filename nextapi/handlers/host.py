"""What handlers need of the host, whatever their dialect."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from nextapi.draft import Draft
from nextapi.http.message import Relayed, Request, Response
from nextapi.running import Run

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = ["HandlerHost"]


class HandlerHost(Protocol):
    """What only the host can do for a handler."""

    draft: Draft
    """The cookies of draft mode, made from the host's secret unless an option says another."""

    def origin(self, request: Request) -> str:
        """Return the origin that a request is for, "https://example.com", as far as the host trusts what it says."""
        ...

    def report(self, request: Request, error: Exception) -> None:
        """Log an exception that cannot change the answer any more, and tell the host's error reporters."""

    def new_run(self, name: str) -> Run:
        """Return what runs the coroutines of a request; `name` is what the log says of it."""
        ...

    def call_after(self, request: Request, function: Callable[[], object]) -> None:
        """Have a function called once the answer has been sent, the handler's or one to its failure.

        It has the context variables of now, without those of the host.
        """

    def status_of(self, value: object) -> int | None:
        """Return the status of a response of the host's own, None where `value` is none."""

    def call(self, application: WSGIApplication, request: Request) -> Response:
        """Return what a WSGI application answers to a request."""
        ...

    def unpack(self, relayed: Relayed, request: Request) -> Response:
        """Return the host's own response as nextapi's, for middleware to look at."""
        ...
