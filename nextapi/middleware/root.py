"""`middleware.py` in a root: what stands before all routes (Next's Middleware, which Next 16 calls Proxy)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from nextapi.errors import BuildError, ConfigError, HandlerError, HTTPError, TreeError
from nextapi.handlers.host import HandlerHost
from nextapi.handlers.signature import count_arguments, handler_problem
from nextapi.handlers.web import NextFetchEvent, WebHandlers
from nextapi.http.message import Request, Response
from nextapi.middleware.matcher import Matcher, read_matcher
from nextapi.middleware.passed import Passed
from nextapi.web.cors import ALL_METHODS, is_preflight, policy_of
from nextapi.web.request import Site, request_of
from nextapi.web.response import passage_of
from nextapi.web.scope import Scope

__all__ = ["RootMiddleware", "root_middleware"]


class RootMiddleware:
    """The function of a `middleware.py`, and which requests it is for; `place` is one path for each file."""

    def __init__(
        self,
        function: Callable[..., object],
        takes_event: bool,
        matcher: Matcher,
        file: Path,
        site: Site,
        host: HandlerHost,
    ) -> None:
        self.file = file
        self.place = file.resolve()
        self.matcher = matcher
        self.policy = policy_of(function)
        self._function = function
        self._host = host
        self._event = (NextFetchEvent(file.stem),) if takes_event else ()
        self._handlers = WebHandlers(file, host, site.limit, is_relative=True, may_pass=True)
        self._site = replace(site, keeps_body=True)

    def call(self, request: Request) -> Passed:
        """Return what becomes of a request; an exception of the function's passes through."""
        policy = self.policy
        if policy is None:
            return self._call(request)
        if is_preflight(request):
            headers = policy.preflight_headers(request.headers, ALL_METHODS)
            return Passed(self.place, Response(204, headers, b""))
        try:
            passed = self._call(request)
        except HTTPError as error:
            headers = [*error.headers]
            policy.add_headers(request.headers, headers)
            raise error.with_headers(headers) from error
        policy.add_headers(request.headers, passed.answer.headers if passed.answer is not None else passed.headers)
        request.is_admitted = policy.admits(request)
        return passed

    def _call(self, request: Request) -> Passed:
        handlers = self._handlers
        scope = Scope(request, self._host)
        response = handlers.call(scope, self._function, request_of(request, self._site), *self._event)
        passage = passage_of(response)
        passed = Passed(self.place)
        if passage is None:
            passed.answer = answer = handlers.to_message(response, scope)
            location = next((value for name, value in answer.headers if name == "location"), None)
            if location is not None and 300 <= answer.status <= 399:
                _set_body(request, answer, location.encode("latin-1"))
            return passed
        passed.headers = handlers.to_headers(response, scope)
        passed.status = response.status
        passed.request_headers, passed.target = passage.headers, passage.target
        return passed


def _set_body(request: Request, answer: Response, body: bytes) -> None:
    answer.headers = [pair for pair in answer.headers if pair[0] != "content-length"]
    answer.headers.append(("content-length", str(len(body))))
    answer.body = b"" if request.method == "HEAD" else body


def root_middleware(module: ModuleType, file: Path, site: Site, host: HandlerHost) -> RootMiddleware:
    """Return the middleware of a module `middleware.py`, or `proxy.py`; raise `TreeError` with all that is wrong."""
    name = file.stem
    matcher, wrong = read_matcher(getattr(module, "config", {}))
    faults: list[BuildError] = [ConfigError(f"{file}: {fault}", file) for fault in wrong]
    function = getattr(module, name, None)
    form = f"def {name}(request)"
    if function is None:
        faults.append(HandlerError(f"{file}: there is no `{name}`: define `{form}`", file))
    elif problem := handler_problem(name, function, form, None):
        faults.append(HandlerError(f"{file}: {problem}", file))
    if faults:
        raise TreeError(f"{file} is no middleware", faults)
    assert callable(function), "it was checked"
    return RootMiddleware(function, count_arguments(function, 2) == 2, matcher, file, site, host)
