"""The shapes that route files are typed with. `PageConfig` is spelled as in Next, so that configs can be copied."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Required, TypedDict

from nextapi.http.sizes import Size
from nextapi.pages.request import NextApiRequest
from nextapi.pages.response import DataT, NextApiResponse
from nextapi.web.request import NextRequest
from nextapi.web.response import Response

__all__ = [
    "ApiConfig",
    "AsyncCallNext",
    "BodyParserConfig",
    "CallNext",
    "MatcherCondition",
    "MatcherObject",
    "MiddlewareConfig",
    "NextApiHandler",
    "PageConfig",
    "RouteContext",
    "Size",
]

NextApiHandler = Callable[[NextApiRequest[Any], NextApiResponse[DataT]], object]
"""What a file of `pages/api` defines as `handler`, a function or a coroutine function; what it returns is ignored,
unless `externalResolver` makes it the answer.

`NextApiHandler[Data]` says what the handler sends, as `NextApiHandler<Data>` does in Next.
"""


class BodyParserConfig(TypedDict, total=False):
    """`sizeLimit`: the largest body that is parsed, "1mb" unless said."""

    sizeLimit: Size


class ApiConfig(TypedDict, total=False):
    """The `api` part of a route's `config`.

    `bodyParser`: False leaves the body to `req.stream`; `responseLimit`: the size from which an answer is warned of,
    "4mb" unless said, False for never; `externalResolver`: True lets the handler return its answer, a response of
    the host's or a WSGI application; `sameOrigin`: False switches the same-origin guard off for this route (nextapi's
    own).
    """

    bodyParser: bool | BodyParserConfig
    responseLimit: bool | Size
    externalResolver: bool
    sameOrigin: bool


class PageConfig(TypedDict, total=False):
    """The `config` of a file of `pages/api` (Next's name and spelling).

    `runtime`: "edge" for `handler(request)`; `regions` and `maxDuration`, in seconds, are for a deployment to read.
    """

    api: ApiConfig
    maxDuration: int
    regions: str | list[str]
    runtime: Literal["nodejs", "edge", "experimental-edge"]


class MatcherCondition(TypedDict, total=False):
    """What a matcher asks of a request, by `type`; `value` is a regular expression."""

    type: Required[Literal["header", "cookie", "query", "host"]]
    key: str
    value: str


class MatcherObject(TypedDict, total=False):
    """A path, `source`, with what else has to be so: all of `has`, and nothing of `missing`."""

    source: Required[str]
    has: list[MatcherCondition]
    missing: list[MatcherCondition]
    locale: Literal[False]


class MiddlewareConfig(TypedDict, total=False):
    """The `config` of `middleware.py`: `matcher` says which requests it is for, all without one (Next's name)."""

    matcher: str | MatcherObject | Sequence[str | MatcherObject]
    regions: str | list[str]
    runtime: Literal["nodejs", "edge", "experimental-edge"]


@dataclass(slots=True)
class RouteContext:
    """What a route handler is given beside the request: the parameters of its path, a list for a catch-all."""

    params: dict[str, Any]


class CallNext(Protocol):
    """What a folder's `middleware(request, call_next)` calls to have the answer of what is inside.

    It may be given the request, or a clone of it with other headers.
    """

    def __call__(self, request: NextRequest | None = None, /) -> Response: ...


class AsyncCallNext(Protocol):
    """What `CallNext` is to a middleware that is `async def`, which awaits the answer."""

    def __call__(self, request: NextRequest | None = None, /) -> Awaitable[Response]: ...
