"""Route handlers and edge handlers: what they are given, and what they return."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, assert_type

from nextapi import (
    URL,
    Headers,
    HTTPError,
    NextFetchEvent,
    NextRequest,
    NextResponse,
    RequestCookies,
    Response,
    RouteContext,
    URLSearchParams,
    after,
    cookies,
    draft_mode,
    headers,
    not_found,
    redirect,
)

dynamic = "force-dynamic"
revalidate = 60


def edge(request: NextRequest) -> Response:
    """An edge handler."""
    return Response("Hello world!")


async def edge_with_event(request: NextRequest, event: NextFetchEvent) -> Response:
    """An edge handler that has more to do than to answer."""
    event.wait_until(dict)
    event.wait_until(log())
    event.wait_until("log")  # type: ignore[arg-type]
    return Response.json({"name": "Jim Halpert"})


async def log() -> None:
    """Stand for work that is done after the answer."""


def GET() -> NextResponse:  # noqa: N802  # as route files have it
    """Next's first example."""
    return NextResponse.json({"message": "Hello from Next.js API"})


async def POST(request: NextRequest) -> NextResponse:  # noqa: N802  # as route files have it
    """Next's second one; nothing is awaited."""
    body = request.json()
    assert_type(body, Any)
    await request.text()  # type: ignore[misc]
    return NextResponse.json({"received": body}, status=201)


def PATCH(request: NextRequest, context: RouteContext) -> Response:  # noqa: N802  # as route files have it
    """A dynamic route: the checkers do not know the file's name, so a parameter is Any."""
    assert_type(context.params, dict[str, Any])
    pid: str = context.params["id"]
    if not pid.isdecimal():
        not_found()
    if pid == "0":
        redirect("/api/products")
    if pid == "1":
        redirect(URL("/api/products", request.url))
    if pid == "2":
        redirect(request.next_url)
    raise HTTPError(404, f"There is no product {context.param}")  # type: ignore[attr-defined]


def request_parts(request: NextRequest) -> Response:
    """What a request has."""
    assert_type(request.method, str)
    assert_type(request.url, str)
    assert_type(URL(request.url).search_params, URLSearchParams)
    assert_type(request.next_url.search_params.get("page"), str | None)
    assert_type(request.headers.get("user-agent"), str | None)
    assert_type(request.cookies, RequestCookies)
    token = request.cookies.get("session-token")
    if token is not None:
        assert_type(token.value, str)
    request.cookies.get("session-token").value.title()  # type: ignore[union-attr]
    assert_type(request.geo.get("country"), str | None)
    assert_type(request.text(), str)
    assert_type(request.bytes(), bytes)
    request.form_data().get("name")
    return Response(request.nexturl)  # type: ignore[attr-defined]


def json_builds_and_reads(request: NextRequest) -> Response:
    """`json` of a class builds a response of this class, of a response it reads the body."""
    assert_type(Response.json([1]), Response)
    made = NextResponse.json({"a": 1}, status=401, headers={"X-A": "1"})
    assert_type(made, NextResponse)
    assert_type(made.json(), Any)
    made.json({"a": 1})  # type: ignore[call-arg]
    NextResponse.json()  # type: ignore[call-arg]
    NextResponse.json({"a": 1}, {"status": 401})  # type: ignore[call-arg, arg-type]
    NextResponse.json({"a": 1}, status="401")  # type: ignore[arg-type]
    made.cookies.set("session-token", "1", http_only=True, secure=True, same_site="lax", max_age=604800)
    made.cookies.set("session-token", "1", httpOnly=True)  # type: ignore[call-overload]
    Response.json(1).cookies.delete("a")  # type: ignore[attr-defined]
    assert_type(NextResponse.redirect(URL("/login", request.url)), NextResponse)
    return made


def numbers() -> Iterator[str]:
    """Make a stream."""
    yield "1"


async def ticks() -> AsyncIterator[bytes]:
    """Make an async stream."""
    yield b"tick"


bodies: list[Response] = [
    Response("text"),
    Response(b"bytes", status=201, headers={"Content-Type": "image/png"}),
    Response(numbers(), headers=[("X-A", "1"), ("X-A", "2")]),
    Response(ticks(), headers=Headers({"X-A": "1"})),
    Response(URLSearchParams("a=1")),
    Response(None, status=204),
]
no_body = Response({"a": 1})  # type: ignore[arg-type]
no_keyword = Response("text", 201)  # type: ignore[call-arg]


def of_the_request() -> Response:
    """`next/headers`: plain values."""
    seen = cookies().get("visits")
    assert_type(seen.value if seen else None, str | None)
    cookies().set("visits", "1", http_only=True)
    assert_type(headers().get("user-agent"), str | None)
    headers().set("user-agent", "me")
    assert_type(draft_mode().is_enabled, bool)
    after(dict)
    after(log)
    after(log())
    return Response(headers=headers())
