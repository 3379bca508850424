"""What users write, under both type checkers: the TypeScript examples of Next's documentation on API routes, in Python.

Nothing here runs. `make check` has mypy (strict) and pyright look at it; `assert_type` says what they are to find.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict, assert_type

from nextapi import (
    HTTPError,
    NextApiHandler,
    NextApiRequest,
    NextApiResponse,
    PageConfig,
    URLSearchParams,
    parse_cookie,
    serialize_cookie,
)

config: PageConfig = {"api": {"bodyParser": {"sizeLimit": "500kb"}, "responseLimit": False, "externalResolver": True}}
raw: PageConfig = {"api": {"bodyParser": False, "sameOrigin": False}}
wrong: PageConfig = {"api": {"bodyparser": False}}  # type: ignore[typeddict-unknown-key]


class ResponseData(TypedDict):
    message: str


class Signup(TypedDict):
    name: str


def typed(req: NextApiRequest, res: NextApiResponse[ResponseData]) -> None:
    """A response that says what it sends."""
    res.status(200).json({"message": "Hello from Next.js!"})
    res.json({"text": "Hello"})  # type: ignore[typeddict-item]


def untyped(req: NextApiRequest, res: NextApiResponse) -> None:
    """Without parameters, request and response take anything."""
    assert_type(req.body, Any)
    assert_type(req.method, str)
    assert_type(req.query, dict[str, Any])
    assert_type(req.cookies, dict[str, str])
    assert_type(req.search_params, URLSearchParams)
    assert_type(req.search_params.get("a"), str | None)
    assert_type(req.search_params.get("a", 1), str | int)
    assert_type(req.headers.get("x-one"), str | None)
    assert_type(req.raw_body, bytes)
    res.status(200).set_header("X-A", ["1", "2"]).json([1, "two", None])


def typed_body(req: NextApiRequest[Signup], res: NextApiResponse) -> None:
    """A request that says what its body is."""
    assert_type(req.body, Signup)
    res.redirect(307, f"/welcome/{req.body['name']}")


def redirects(req: NextApiRequest, res: NextApiResponse) -> None:
    """Both forms of a redirect, and none of the wrong ones."""
    res.redirect("/")
    res.redirect(303, "/")
    res.redirect()  # type: ignore[call-overload]
    res.redirect("/", 301)  # type: ignore[call-overload]


def set_cookie(res: NextApiResponse, name: str, value: object, *, path: str = "/", max_age: int | None = None) -> None:
    """Set a cookie by the response (the setCookie of Next's documentation)."""
    expires = datetime.now(UTC) + timedelta(seconds=max_age) if max_age is not None else None
    res.set_header("Set-Cookie", serialize_cookie(name, str(value), path=path, max_age=max_age, expires=expires))


def cookie_handler(req: NextApiRequest, res: NextApiResponse) -> None:
    """Show the header that was set: `end` takes what `get_header` returns."""
    set_cookie(res, "Next.js", "api-middleware!", path="/", max_age=2592000)
    header = res.get_header("Set-Cookie")
    assert_type(header, str | int | float | list[str] | None)
    res.end(header)
    assert_type(parse_cookie("a=1"), dict[str, str])


class RequestWithFoo(NextApiRequest):
    """A request with a property of a wrapper's (Next's NextApiRequestWithFoo)."""

    foo: Callable[[str], None]


def with_foo(handler: Callable[[RequestWithFoo, NextApiResponse], None]) -> NextApiHandler:
    """Give a handler requests with `foo`."""

    def wrapped(req: NextApiRequest, res: NextApiResponse) -> None:
        req.__class__ = RequestWithFoo
        assert isinstance(req, RequestWithFoo)
        req.foo = print
        handler(req, res)

    return wrapped


@with_foo
def handler(req: RequestWithFoo, res: NextApiResponse) -> None:
    """Use what the wrapper gave."""
    req.foo("bar")
    res.end("ok")


def failing(req: NextApiRequest, res: NextApiResponse) -> None:
    """Errors are answers."""
    raise HTTPError(404, "no such post", headers=[("X-Reason", "gone")])


handlers: list[NextApiHandler] = [typed, untyped, typed_body, redirects, cookie_handler, handler, failing]
