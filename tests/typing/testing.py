"""Tests of handlers and trees, as users write them."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from typing import assert_type

from werkzeug.test import TestResponse

from nextapi import NextApiRequest, NextApiResponse, NextRequest, NextResponse, Response, RouteContext
from nextapi.testing import Client, call, call_middleware, load


async def waiting(req: NextApiRequest, res: NextApiResponse) -> None:
    """A coroutine is a handler."""
    res.end()


def test_alone() -> None:
    """A test of a handler alone, and of a tree."""
    response = call(waiting, "/api/post/7", method="POST", params={"pid": 7}, query={"tag": ["a"]}, json={"a": 1})
    assert_type(response, TestResponse)
    call(waiting, config={"api": {"bodyParser": False}}, data=b"", headers=[("X-A", "1")], raw=object())
    call(load("web/pages/api/post/[pid].py").handler)
    assert_type(Client("web", fresh=True, max_body_size="1mb").get("/api/user"), TestResponse)


def GET(request: NextRequest, context: RouteContext) -> Response:  # noqa: N802  # as route files have it
    """A route handler."""
    return NextResponse.json(context.params["id"])


def edge(request: NextRequest) -> Response:
    """An edge handler."""
    return Response(request.text())


def middleware(request: NextRequest) -> Response | None:
    """Middleware that lets all pass."""


def test_the_web_dialect() -> None:
    """Handlers of each kind, made alike; and middleware."""
    assert_type(call(GET, "/api/products/5", params={"id": "5"}, config={"same_origin": False}), TestResponse)
    call(edge, config={"runtime": "edge"}, data="a")
    call(edge, kind="edge")
    call(lambda: Response("a"), kind="route")
    call(edge, kind="middleware")  # type: ignore[arg-type]
    call(edge, config={"runtime": "edge", "sameOrigin": False})  # type: ignore[arg-type]
    result = call_middleware(middleware, "/api/admin", config={"matcher": "/api/:path*"})
    assert_type(result.response, TestResponse | None)
    assert_type(result.request_headers["x-user"], str)
    assert_type(GET(NextRequest("http://localhost/api/products/5"), RouteContext({"id": "5"})).status, int)
