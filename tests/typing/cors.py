"""CORS policies keep the types of what they decorate, and events are typed."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, assert_type

from nextapi import (
    EventStream,
    NextApiHandler,
    NextApiRequest,
    NextApiResponse,
    NextRequest,
    NextResponse,
    Response,
    RouteContext,
    ServerSentEvent,
    cors,
)

policy = cors(origin=["https://app.example", re.compile(r"https://.*\.example")], credentials=True)
cors(origin=lambda origin: origin.endswith(".example"), methods="GET, PUT", max_age=60)
cors(origin=3)  # type: ignore[arg-type]


@policy
def page(req: NextApiRequest, res: NextApiResponse[dict[str, int]]) -> None:
    """A handler of the pages dialect."""
    res.json({"a": 1})
    res.send(EventStream(events()))


@cors()
async def edge(request: NextRequest) -> Response:
    """An edge handler."""
    return EventStream(async_events(), heartbeat=None)


@policy
def route(request: NextRequest, context: RouteContext) -> Response:
    """A route handler."""
    return NextResponse.json(context.params)


def events() -> Iterator[str | ServerSentEvent | dict[str, object] | None]:
    """Events of each kind."""
    yield "text"
    yield ServerSentEvent({"a": 1}, id=1)
    yield {"data": "text"}
    yield None


async def async_events() -> AsyncIterator[dict[str, str]]:
    """Events that come by themselves."""
    yield {"data": "text"}


def middleware(request: NextRequest) -> Response:
    """Middleware that asks a policy by hand."""
    assert_type(policy.apply(request, NextResponse.next()), NextResponse)
    return policy.preflight(request) or policy.apply(request, Response())


handlers: list[NextApiHandler] = [page]
edge_type: Callable[[NextRequest], Coroutine[Any, Any, Response]] = edge
route_type: Callable[[NextRequest, RouteContext], Response] = route
policy(3)  # type: ignore[type-var]
EventStream([1])  # type: ignore[list-item]
