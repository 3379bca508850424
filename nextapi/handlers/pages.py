"""A module of `pages/api` becomes an endpoint: `handler(req, res)` between the body parser and the answer."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from nextapi.errors import NoAnswerError
from nextapi.handlers.config import PageOptions
from nextapi.handlers.host import HandlerHost
from nextapi.handlers.sources import new_run, open_source
from nextapi.http.message import Relayed, Request, Response, Stream
from nextapi.http.sizes import Limit
from nextapi.pages.request import NextApiRequest, parse
from nextapi.pages.response import (
    NextApiResponse,
    flush_to,
    has_begun,
    source_of,
    take,
    to_head,
    to_response,
    to_stream_response,
)
from nextapi.running import Run
from nextapi.types import NextApiHandler

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = ["PageEndpoint"]


class PageEndpoint:
    """A `handler(req, res)` and what its `config` says; given a request and the path's parameters, it answers."""

    kind = "pages"
    methods = None

    def __init__(
        self,
        handler: NextApiHandler,
        options: PageOptions,
        file: Path,
        param_names: tuple[str, ...],
        max_body_size: Limit,
        host: HandlerHost,
    ) -> None:
        self.options = options
        self._handler = handler
        self._file = file
        self._param_names = param_names
        # With the parser off, the handler may still ask for `raw_body`.
        self._raw_limit = options.body_limit or max_body_size
        self._response_limit = options.response_limit
        self._host = host
        self._draft = host.draft

    def answer(self, request: Request, params: dict[str, Any]) -> Response:
        """Return the handler's answer; an exception that it raises before it has answered passes through."""
        res: NextApiResponse[Any] = NextApiResponse(request, self._draft)
        req: NextApiRequest[Any] = NextApiRequest(request, params, self._param_names, self._raw_limit, res)
        if (request.body is not None or request.environ.get("CONTENT_TYPE")) and self.options.body_limit is not None:
            parse(req)
        run = returned = None
        try:
            returned = self._handler(req, res)
            if returned is not None and isinstance(returned, Awaitable):
                run = new_run(request, self._host, self._file)
                flush_to(res, run.pause)
                run.start(returned)
                if not run.advance():
                    head = to_head(res)
                    head.body = Stream(self._written(request, res, run), partial(self._host.report, request))
                    return head
                returned = run.result()
        except Exception as error:
            if not res.writable_ended:
                if has_begun(res):
                    raise RuntimeError(f"{self._file}: the handler failed after its answer had begun") from error
                raise
            # The answer stands, as in Next: what came after it is for the log.
            self._host.report(request, error)
        response = to_response(res, self._response_limit)
        if response is None:
            source = source_of(res)
            if source is not None:
                return to_stream_response(res, open_source(source, request, self._host, self._file, run))
            response = self._relay(req, request, returned) if self.options.external_resolver else None
        if response is None:
            raise NoAnswerError(f"{self._file}: {_no_answer(returned, self.options.external_resolver)}")
        return response

    def _written(self, request: Request, res: NextApiResponse[Any], run: Run) -> Iterator[bytes]:
        """Yield what a coroutine writes, which goes on while a chunk is waited for."""
        is_done = False
        while True:
            if piece := take(res):
                yield piece
            elif is_done:
                break
            if not is_done:
                is_done = run.advance()
        try:
            run.result()
        except Exception as error:
            if not res.writable_ended:
                raise
            self._host.report(request, error)
        if not res.writable_ended:
            raise NoAnswerError(f"{self._file}: the handler wrote, and did not complete its answer: call res.end()")

    def _relay(self, req: NextApiRequest[Any], request: Request, returned: object) -> Response | None:
        """Return what a handler returned as an answer: the host's own response, or else a WSGI application's."""
        status = self._host.status_of(returned)
        if status is not None:
            return Response(status, [], Relayed(returned))
        if not callable(returned):
            return None
        if request.body is not None:
            # The application reads the body as the server gave it, which may have been read by now.
            was_parsed = self.options.body_limit is not None
            request.environ["wsgi.input"] = BytesIO(req.raw_body) if was_parsed else req.stream
        return self._host.call(cast("WSGIApplication", returned), request)


def _no_answer(returned: object, is_external: bool) -> str:
    what = "" if returned is None else f" {type(returned).__name__}"
    if is_external:
        return (
            f"the handler returned{what or ' nothing'} and did not answer: with externalResolver it returns a response "
            "of the host's, or a WSGI application"
        )
    hint = ""
    if callable(returned):
        hint = '; to return a response of the host\'s, set config = {"api": {"externalResolver": True}}'
    what = f"{what}, which is ignored," if what else ""
    return f"the handler returned{what} without an answer: call res.json(), send() or end(){hint}"
