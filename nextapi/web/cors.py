"""Cross-origin resource sharing (Fetch standard, 3.2): which other sites' scripts may read what a route answers.

A `Cors` is such a policy. It decorates a handler or a folder's middleware, for the route to keep to it, and
`middleware.py` asks it by hand. Names are those of the npm package `cors`, in snake_case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from re import Pattern
from typing import TypeAlias, TypeVar, cast

from nextapi.errors import CorsError, HeaderError
from nextapi.http.headers import EnvironHeaders, check_header_name
from nextapi.http.message import Request
from nextapi.web.request import NextRequest, message_of
from nextapi.web.response import Response, pairs_of

__all__ = ["ALL_METHODS", "Cors", "Origin", "cors", "is_preflight", "policy_of"]

HandlerT = TypeVar("HandlerT", bound=Callable[..., object])
ResponseT = TypeVar("ResponseT", bound=Response)
Pairs: TypeAlias = list[tuple[str, str]]

Origin: TypeAlias = str | Pattern[str] | Sequence[str | Pattern[str]] | Callable[[str], bool]
"""Who is allowed: "*", an origin "https://example.com", a pattern that matches one as a whole, a list of these, or a
function that says so.
"""

_DECIDED = ("access-control-allow-origin", "access-control-allow-credentials")
"""What a policy alone says, also by leaving it out."""
_MARK = "__nextapi_cors__"
ALL_METHODS = ("GET", "HEAD", "PUT", "PATCH", "POST", "DELETE")
"""The methods that a policy lists where the route does not say which it has."""
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@*\sA-Z]+")
_DEFAULT_PORT = re.compile(r"http://.*:80|https://.*:443")


class Cors:
    """A policy, made by `cors`; it decorates handlers and middleware."""

    def __init__(
        self,
        origin: Origin,
        methods: tuple[str, ...] | None,
        allowed_headers: tuple[str, ...] | None,
        exposed_headers: tuple[str, ...],
        credentials: bool,
        max_age: int | None,
    ) -> None:
        self._is_open = origin == "*"
        self._asks: Callable[[str], bool] | None = None
        listed: Sequence[str | Pattern[str]] = ()
        if isinstance(origin, str | Pattern):
            listed = (origin,)
        elif isinstance(origin, Sequence):
            listed = origin
        else:
            self._asks = origin
        self._origins = frozenset(item for item in listed if isinstance(item, str))
        self._patterns = tuple(item for item in listed if isinstance(item, Pattern))
        self._methods = methods
        self._allowed_headers = allowed_headers
        self._credentials = credentials
        self._max_age = max_age
        self._shown: Pairs = [("access-control-allow-credentials", "true")] if credentials else []
        self._exposed: Pairs = (
            [("access-control-expose-headers", ", ".join(exposed_headers))] if exposed_headers else []
        )

    def __call__(self, handler: HandlerT) -> HandlerT:
        """Return `handler`, for which its route keeps to this policy; a middleware's does so for all that it is for.

        It is the outermost decorator: one above it that is made without `functools.wraps` would hide it.
        """
        if not callable(handler):
            raise CorsError(f"cors() decorates a function, not {handler!r}")

        # A function of its own: the same handler may stand elsewhere without the policy.
        @wraps(handler)
        def decorated(*arguments: object, **named: object) -> object:
            return handler(*arguments, **named)

        setattr(decorated, _MARK, self)
        return cast("HandlerT", decorated)

    def preflight(self, request: NextRequest) -> Response | None:
        """Return the answer to a browser that asks whether it may send a request; None where `request` is no such."""
        message = message_of(request)
        if not is_preflight(message):
            return None
        return Response(status=204, headers=self.preflight_headers(message.headers, ALL_METHODS))

    def apply(self, request: NextRequest, response: ResponseT) -> ResponseT:
        """Add to a response what lets the allowed origins read it, and return it.

        In `middleware.py` it also has a POST from one of them pass the same-origin guard.
        """
        message = message_of(request)
        if self.admits(message):
            message.is_admitted = True
        self.add_headers(message.headers, pairs_of(response))
        return response

    # What routes ask of it

    def describe(self) -> dict[str, object]:
        """Return whom it allows, and what, as JSON has it; `origins` is None where a function says who is allowed."""
        return {
            "origins": None if self._asks is not None else ["*"] if self._is_open else sorted(self._origins),
            "patterns": [pattern.pattern for pattern in self._patterns],
            "credentials": self._credentials,
            "max_age": self._max_age,
        }

    def allows(self, origin: str) -> bool:
        """Say whether scripts of an origin may read; "null", which any page can send, only if it is listed."""
        if self._is_open or origin in self._origins:
            return True
        if origin == "null":
            return False
        if self._asks is not None:
            return self._asks(origin) is True
        return any(pattern.fullmatch(origin) for pattern in self._patterns)

    def admits(self, request: Request) -> bool:
        """Say whether a cross-site request that no preflight preceded may pass the same-origin guard.

        Without `credentials` it may not bring any: what a browser adds by itself is what the guard is there for.
        """
        headers = request.headers
        origin = headers.get("origin")
        if origin is None or not self.allows(origin):
            return False
        return self._credentials or not ("cookie" in headers or "authorization" in headers)

    def add_headers(self, asked: EnvironHeaders, pairs: Pairs) -> None:
        """Add the headers of an answer to `pairs`, in place of those that are there; Vary keeps what it has."""
        own = [*self._origin_headers(asked), *self._exposed]
        replaced = {*_DECIDED, *(name for name, _ in own)}
        varies = [value for name, value in pairs if name.lower() == "vary"]
        known = {token.strip().lower() for value in varies for token in value.split(",")}
        if not self._is_open and not known & {"*", "origin"}:
            replaced.add("vary")
            own.append(("vary", ", ".join([*varies, "Origin"])))
        pairs[:] = [pair for pair in pairs if pair[0].lower() not in replaced] + own

    def preflight_headers(self, asked: EnvironHeaders, methods: Sequence[str]) -> Pairs:
        """Return the headers of the answer to a preflight; `methods` are those of the route."""
        pairs = self._origin_headers(asked)
        vary = [] if self._is_open else ["Origin"]
        if self._allowed_headers is None:
            vary.append("Access-Control-Request-Headers")
        if pairs:
            pairs.append(("access-control-allow-methods", ", ".join(self._methods or methods)))
            names = asked.get("access-control-request-headers")
            if self._allowed_headers is not None:
                names = ", ".join(self._allowed_headers)
            if names:
                pairs.append(("access-control-allow-headers", names))
            if self._max_age is not None:
                pairs.append(("access-control-max-age", str(self._max_age)))
        if vary:
            pairs.append(("vary", ", ".join(vary)))
        return pairs

    def _origin_headers(self, asked: EnvironHeaders) -> Pairs:
        if self._is_open:
            return [("access-control-allow-origin", "*")]
        origin = asked.get("origin")
        if origin is None or not self.allows(origin):
            return []
        return [("access-control-allow-origin", origin), *self._shown]


def is_preflight(request: Request) -> bool:
    """Say whether a browser asks whether it may send another request (Fetch standard, CORS-preflight request)."""
    headers = request.headers
    return request.method == "OPTIONS" and "origin" in headers and "access-control-request-method" in headers


def policy_of(function: object) -> Cors | None:
    """Return the policy that a function was decorated with."""
    policy = getattr(function, _MARK, None)
    return policy if isinstance(policy, Cors) else None


def cors(
    *,
    origin: Origin = "*",
    methods: str | Iterable[str] | None = None,
    allowed_headers: str | Iterable[str] | None = None,
    exposed_headers: str | Iterable[str] = (),
    credentials: bool = False,
    max_age: int | None = None,
) -> Cors:
    """Return a policy that lets scripts of other sites read what a route answers.

    `origin` says whose. `methods` are those of the route unless given; `allowed_headers` are the request's headers that
    a script may set, any unless given; `exposed_headers` are the answer's that it may read beside the usual ones. With
    `credentials`, requests may bring cookies, for which the origins have to be named. `max_age` is for how many seconds
    a browser may keep the answer to a preflight. Raises `CorsError` for what browsers would refuse or nothing is meant
    by.
    """
    _check_origin(origin)
    method_names = _tokens("methods", methods, str.upper)
    allowed = _tokens("allowed_headers", allowed_headers)
    exposed = _tokens("exposed_headers", exposed_headers) or ()
    if credentials:
        if origin == "*":
            say = "every site could read what a visitor's cookies show, and browsers refuse it"
            raise CorsError(f"origin='*' with credentials: {say}; name the origins")
        for option, names in (("methods", method_names), ("allowed_headers", allowed), ("exposed_headers", exposed)):
            if names and "*" in names:
                raise CorsError(f"{option}='*' with credentials: browsers take it for a name then; list the names")
    if max_age is not None and (not isinstance(max_age, int) or isinstance(max_age, bool) or max_age < 0):
        raise CorsError(f"max_age is {max_age!r}, not a whole number of seconds")
    return Cors(origin, method_names, allowed, exposed, bool(credentials), max_age)


def _check_origin(origin: object) -> None:
    if origin == "*" or callable(origin):
        return
    listed = [origin] if isinstance(origin, str | Pattern) else origin
    if not isinstance(listed, Sequence) or isinstance(listed, bytes):
        say = "not '*', an origin, a compiled pattern, a list of these, or a function"
        raise CorsError(f"origin is {origin!r}, {say}")
    for item in listed:
        if isinstance(item, Pattern) and isinstance(item.pattern, str):
            continue
        if item == "*":
            raise CorsError("origin has '*' in a list: write origin='*', or leave it out")
        if not isinstance(item, str) or (item != "null" and not _ORIGIN.fullmatch(item)):
            say = "as a browser sends it: 'https://example.com', in lower case, without a path or a slash at the end"
            more = "; for several hosts write re.compile(r'https://[a-z]+\\.example\\.com')" if "*" in str(item) else ""
            raise CorsError(f"origin {item!r} is none {say}{more}")
        if _DEFAULT_PORT.fullmatch(item):
            raise CorsError(f"origin {item!r} has its scheme's own port, which browsers leave out: leave it out, too")


def _tokens(
    option: str, given: str | Iterable[str] | None, change: Callable[[str], str] = str
) -> tuple[str, ...] | None:
    if given is None:
        return None
    names = [name.strip() for name in given.split(",")] if isinstance(given, str) else list(given)
    for name in names:
        try:
            check_header_name(name)
        except HeaderError:
            raise CorsError(f"{option} has {name!r}, which is no name: give a list of names") from None
    return tuple(map(change, names))
