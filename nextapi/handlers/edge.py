"""An edge API route: `handler(request) -> Response` in a file of `pages/api` (Next's Edge API Routes)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from nextapi.handlers.config import PageOptions
from nextapi.handlers.host import HandlerHost
from nextapi.handlers.web import NextFetchEvent, WebHandlers
from nextapi.http.message import Request, Response
from nextapi.http.query import decode_pairs, fold_pairs, query_text
from nextapi.web.request import Site, request_of
from nextapi.web.scope import Scope

__all__ = ["EdgeEndpoint", "edge_query"]


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
        self._host = host

    def answer(self, request: Request, params: dict[str, Any]) -> Response:
        """Return the handler's answer; an exception of its passes through."""
        pairs = edge_query(request, params) if params or request.sent is not None else None
        handlers, scope = self._handlers, Scope(request, self._host)
        seen = request_of(request, self._site, pairs)
        return handlers.to_message(handlers.call(scope, self._handler, seen, *self._event), scope)


def edge_query(request: Request, params: dict[str, str | list[str]]) -> list[tuple[str, str]]:
    """Return the query that a handler of the edge runtime sees: a path's parameter is in the place of what was sent by
    its name, and what middleware has rewritten, too.
    """
    values = _by_name(request.query_string)
    if request.sent is not None:
        values = _by_name(request.sent[1]) | values
    values |= params
    pairs = []
    for name, value in values.items():
        if isinstance(value, str):
            pairs.append((name, value))
        else:
            pairs += [(name, text) for text in value]
    return pairs


def _by_name(query_string: str) -> dict[str, str | list[str]]:
    return fold_pairs(decode_pairs(query_text(query_string))) if query_string else {}
