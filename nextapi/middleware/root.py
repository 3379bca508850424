"""`middleware.py` in a root: what stands before all routes (Next's Middleware, which Next 16 calls Proxy)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType

from nextapi.errors import BuildError, ConfigError, HandlerError, HTTPError, TreeError
from nextapi.handlers.host import HandlerHost
from nextapi.handlers.web import NextFetchEvent, WebHandlers, count_arguments, handler_problem
from nextapi.http.message import Request, Response
from nextapi.middleware.matcher import Matcher, read_matcher
from nextapi.web.cors import ALL_METHODS, is_preflight, policy_of
from nextapi.web.headers import Headers
from nextapi.web.request import Site, request_of
from nextapi.web.response import passage_of
from nextapi.web.scope import Scope

__all__ = ["Passed", "RootMiddleware", "merge", "root_middleware"]


@dataclass(slots=True)
class Passed:
    """How a request goes on behind the middleware of the file `place`, or the `answer` that it was given there.

    `headers` and `status` are for the answer, `request_headers` for the handler, `target` is the URL to go on to.
    """

    place: Path
    answer: Response | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    status: int = 200
    request_headers: Headers | None = None
    target: str | None = None
    is_merged: bool = False
    """Whether the answer has got the headers."""
    is_exact: bool = True
    """Whether all read the path as middleware did; else a tree behind it asks again, for the path that it reads."""


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
        self._handlers = WebHandlers(file, host, is_relative=True, may_pass=True)
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


# What the answer gets

# What belongs to the answer that there is.
_ANSWERS_OWN = frozenset({"content-length", "content-type", "etag", "last-modified", "location"})


def merge(passed: Passed, response: Response, kind: str | None) -> None:
    """Add what middleware has set to the answer of a route of this kind, None for any other, as Next does.

    Cookies of both are sent, middleware's first, and Vary names what both do. Of a header that both set, the answer of
    a pages route has the handler's, that of a route handler middleware's, that of an edge route both lines.
    """
    passed.is_merged = True
    own = passed.headers
    if passed.status != 200 and response.status == 200:
        response.set_status(passed.status)
    if not own:
        return
    theirs = {name.lower() for name, _ in response.headers}
    dropped: set[str] = set()
    added = []
    for name, value in own:
        if name == "set-cookie":
            added.append((name, value))
        elif name == "vary":
            continue
        elif name not in theirs:
            if name != "content-type" or response.status not in (204, 304):
                added.append((name, value))
        elif name not in _ANSWERS_OWN:
            if kind == "route":
                dropped.add(name)
                added.append((name, value))
            elif kind == "edge" and not name.startswith("access-control-"):  # browsers refuse two
                added.append((name, value))
    if vary := _varies(own):
        dropped.add("vary")
        fields = {field.lower(): field for field in [*vary, *_varies(response.headers)]}
        added.append(("vary", ", ".join(fields.values())))
    cookies = {value for name, value in own if name == "set-cookie"}
    rest = [
        (name, value)
        for name, value in response.headers
        if name.lower() not in dropped and not (name.lower() == "set-cookie" and value in cookies)
    ]
    response.headers = [*added, *rest]


def _varies(headers: list[tuple[str, str]]) -> list[str]:
    """Return the names of headers in all Vary lines."""
    lines = [value for name, value in headers if name.lower() == "vary"]
    return [field.strip() for line in lines for field in line.split(",") if field.strip()]
