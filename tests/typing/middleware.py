"""Middleware: middleware.py of a root, and _middleware.py of a folder."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from typing import assert_type

from nextapi import (
    URL,
    AsyncCallNext,
    CallNext,
    Headers,
    MiddlewareConfig,
    NextFetchEvent,
    NextRequest,
    NextResponse,
    Response,
)

config: MiddlewareConfig = {"matcher": "/api/:path*"}
several: MiddlewareConfig = {"matcher": ["/api/:path*", "/admin"], "runtime": "nodejs"}
conditions: MiddlewareConfig = {
    "matcher": [
        {
            "source": "/api/:path*",
            "has": [{"type": "header", "key": "authorization", "value": "Bearer (.*)"}],
            "missing": [{"type": "cookie", "key": "token"}, {"type": "host", "value": "a.example"}],
            "locale": False,
        },
        "/admin",
    ]
}
misspelt: MiddlewareConfig = {"mathcer": "/api"}  # type: ignore[typeddict-unknown-key]
no_source: MiddlewareConfig = {"matcher": {"has": []}}  # type: ignore[typeddict-item]
no_type: MiddlewareConfig = {"matcher": {"source": "/", "has": [{"type": "path", "key": "a"}]}}  # type: ignore[typeddict-item]


def middleware(request: NextRequest) -> Response | None:
    """Next's example, and what lets a request pass."""
    if request.next_url.pathname.startswith("/api/admin") and not request.cookies.get("admin-token"):
        return NextResponse.json({"error": "Unauthorized"}, status=401)
    if request.next_url.pathname == "/old":
        return NextResponse.rewrite(URL("/new", request.url))
    sent = Headers(request.headers)
    sent.set("x-user", "ada")
    assert_type(NextResponse.next(request={"headers": sent}, headers={"X-Seen": "1"}), NextResponse)
    NextResponse.next({"headers": sent})  # type: ignore[call-arg]
    return None


async def proxy(request: NextRequest, event: NextFetchEvent) -> NextResponse:
    """A coroutine function with the event."""
    event.wait_until(event.source_page.title)
    return NextResponse.next()


def of_a_folder(request: NextRequest, call_next: CallNext) -> Response:
    """The answer of what is inside is there at once."""
    response = call_next()
    assert_type(response, Response)
    response.headers.set("x-time", "1")
    call_next("/other")  # type: ignore[arg-type]
    return call_next(request.clone())


async def of_a_folder_async(request: NextRequest, call_next: AsyncCallNext) -> Response:
    """A coroutine function awaits it."""
    call_next().headers.set("x-time", "1")  # type: ignore[attr-defined]
    assert_type(await call_next(), Response)
    return await call_next(request)


def not_awaited(request: NextRequest, call_next: AsyncCallNext) -> Response:
    """A function that is none cannot take it."""
    return call_next()  # type: ignore[return-value]
