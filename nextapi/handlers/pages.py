"""A module of `pages/api` becomes an endpoint: `handler(req, res)` between the body parser and the answer."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from nextapi.errors import BuildError, ConfigError, HandlerError, NoAnswerError, TreeError
from nextapi.handlers.config import PageOptions, page_options
from nextapi.http.body import parse_body
from nextapi.http.message import Request, Response
from nextapi.http.sizes import Limit
from nextapi.pages.request import NextApiRequest
from nextapi.pages.response import NextApiResponse, to_response
from nextapi.types import NextApiHandler

__all__ = ["PageEndpoint", "page_endpoint"]

Report = Callable[[Request, Exception], None]


class PageEndpoint:
    """A `handler(req, res)` and what its `config` says; given a request and the path's parameters, it answers."""

    def __init__(
        self,
        handler: NextApiHandler,
        options: PageOptions,
        file: Path,
        param_names: tuple[str, ...],
        max_body_size: Limit,
        report: Report,
    ) -> None:
        self.options = options
        self._handler = handler
        self._file = file
        self._param_names = param_names
        # With the parser off, the handler may still ask for `raw_body`.
        self._raw_limit = options.body_limit or max_body_size
        self._response_limit = options.response_limit
        self._report = report

    def answer(self, request: Request, params: dict[str, Any]) -> Response:
        """Return the handler's answer; an exception that it raises before it has answered passes through."""
        req: NextApiRequest[Any] = NextApiRequest(request, params, self._param_names, self._raw_limit)
        content_type = request.environ.get("CONTENT_TYPE")
        if (content_type or request.body is not None) and self.options.body_limit is not None:
            req.body = parse_body(req.raw_body, content_type)
        res: NextApiResponse[Any] = NextApiResponse(request)
        try:
            returned = self._handler(req, res)
        except Exception as error:
            if not res.writable_ended:
                raise
            # The answer stands, as in Next: what came after it is for the log.
            self._report(request, error)
            returned = None
        response = to_response(res, self._response_limit)
        if response is None:
            what = "" if returned is None else f" {type(returned).__name__}, which is ignored,"
            raise NoAnswerError(
                f"{self._file}: the handler returned{what} without an answer: call res.json(), send() or end()"
            )
        return response


def page_endpoint(
    module: ModuleType, file: Path, param_names: tuple[str, ...], max_body_size: Limit, report: Report
) -> PageEndpoint:
    """Return the endpoint that a loaded module defines; raise `TreeError` with all that is wrong with it."""
    options, wrong = page_options(getattr(module, "config", {}))
    faults: list[BuildError] = [ConfigError(f"{file}: {fault}", file) for fault in wrong]
    handler = getattr(module, "handler", None)
    if problem := _handler_problem(handler, module):
        faults.append(HandlerError(f"{file}: {problem}", file))
    if faults:
        raise TreeError(f"{file} is no route", faults)
    return PageEndpoint(handler, options, file, param_names, max_body_size, report)  # type: ignore[arg-type]  # it was checked


def _handler_problem(handler: object, module: ModuleType) -> str | None:
    if handler is None:
        own = [name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
        found = f"; there is {', '.join(own)}" if own else ""
        return f"there is no `handler`: define `def handler(req, res)`{found}"
    if not callable(handler):
        return f"`handler` is {type(handler).__name__}, not a function: define `def handler(req, res)`"
    if inspect.iscoroutinefunction(handler):
        return "`handler` is `async def`, and coroutines are not run: define `def handler(req, res)`"
    try:
        signature = inspect.signature(handler)
    except ValueError:  # some callables written in C tell nothing
        return None
    try:
        signature.bind(None, None)
    except TypeError:
        return f"`handler{signature}` cannot be called with (req, res): define `def handler(req, res)`"
    return None
