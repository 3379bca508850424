"""An edge API route: `handler(request) -> Response` in a file of `pages/api` (Next's Edge API Routes)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from nextapi.handlers.config import PageOptions
from nextapi.handlers.host import HandlerHost
from nextapi.handlers.web import NextFetchEvent, WebHandlers
from nextapi.http.message import Request, Response
from nextapi.http.query import decode_pairs, query_text
from nextapi.web.request import Site, request_of

__all__ = ["EdgeEndpoint"]


class EdgeEndpoint:
    """A `handler(request)`, or `handler(request, event)`; the path's parameters are in the query, as in Next."""

    kind = "edge"
    methods = None

    def __init__(
        self,
        handler: Callable[..., object],
        takes_event: bool,
        options: PageOptions,
        file: Path,
        pattern: str,
        site: Site,
        host: HandlerHost,
    ) -> None:
        self.options = options
        self._handler = handler
        self._event = (NextFetchEvent(pattern),) if takes_event else ()
        self._handlers = WebHandlers(file, host, is_relative=True)
        self._site = site

    def answer(self, request: Request, params: dict[str, Any]) -> Response:
        """Return the handler's answer; an exception of its passes through."""
        pairs = _query(request, params) if params or request.sent is not None else None
        handlers = self._handlers
        seen = request_of(request, self._site, pairs)
        return handlers.to_message(handlers.call(request, self._handler, seen, *self._event), request)


def _query(request: Request, params: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the query that an edge handler sees: a path's parameter is in the place of what was sent by its name, and
    what middleware has rewritten, too.
    """
    values: dict[str, list[str]] = {}
    if request.sent is not None:
        _fold(values, request.sent[1])
    rewritten: dict[str, list[str]] = {}
    _fold(rewritten, request.query_string)
    values |= rewritten
    for name, value in params.items():
        values[name] = value if isinstance(value, list) else [value]
    return [(name, text) for name, texts in values.items() for text in texts]


def _fold(values: dict[str, list[str]], query_string: str) -> None:
    for name, value in decode_pairs(query_text(query_string)):
        values.setdefault(name, []).append(value)
