"""Wrappers: the withFoo of Next's documentation, and decorators that keep a handler's types."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from logging import getLogger
from typing import Any, ParamSpec, TypedDict, TypeVar, assert_type, cast

from nextapi import HTTPError, NextApiHandler, NextApiRequest, NextApiResponse

logger = getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")
Data = TypeVar("Data")


class NextApiRequestWithFoo(NextApiRequest):
    """A request with what a wrapper hangs on it."""

    foo: Callable[[str], None]


def with_foo(handler: Callable[[NextApiRequestWithFoo, NextApiResponse[Data]], object]) -> NextApiHandler[Data]:
    """Give a handler requests with `foo`."""

    @wraps(handler)
    def wrapped(req: NextApiRequest, res: NextApiResponse[Data]) -> object:
        extended = cast(NextApiRequestWithFoo, req)
        extended.foo = print
        return handler(extended, res)

    return wrapped


def with_user(handler: NextApiHandler[Data]) -> NextApiHandler[Data]:
    """Refuse who is not logged in."""

    @wraps(handler)
    def wrapped(req: NextApiRequest, res: NextApiResponse[Data]) -> object:
        if "session" not in req.cookies:
            raise HTTPError(401, "Log in first")
        return handler(req, res)

    return wrapped


def logged(handler: Callable[P, R]) -> Callable[P, R]:
    """Keep all types of what is wrapped, a coroutine function's as well."""

    @wraps(handler)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        logger.info("%s", handler)
        return handler(*args, **kwargs)

    return wrapped


class Welcome(TypedDict):
    message: str


def plain(req: NextApiRequestWithFoo, res: NextApiResponse) -> None:
    """Use what the wrapper gives."""
    req.foo("bar")
    req.foo(1)  # type: ignore[arg-type]
    res.end("ok")


@with_foo
def sync_handler(req: NextApiRequestWithFoo, res: NextApiResponse) -> None:
    """A function of the request with `foo`."""
    req.foo("bar")


@with_foo
async def async_handler(req: NextApiRequestWithFoo, res: NextApiResponse[Welcome]) -> None:
    """A coroutine function of it."""
    res.json({"message": "ok"})


@with_user
@with_foo
def both(req: NextApiRequestWithFoo, res: NextApiResponse[Welcome]) -> None:
    """Two wrappers, the inner one typed by its request."""
    res.json({"message": "ok"})


@with_user
def typed(req: NextApiRequest[Welcome], res: NextApiResponse[Welcome]) -> None:
    """A wrapper takes a handler with a typed body."""
    res.json(req.body)


@logged
async def kept(req: NextApiRequest, res: NextApiResponse[Welcome]) -> int:
    """A decorator of any function."""
    return 1


def swapped(res: NextApiResponse, req: NextApiRequest) -> None:
    """No handler, so no wrapper takes it."""


handlers: list[NextApiHandler] = [sync_handler, async_handler, both, typed, kept]
with_user(swapped)  # type: ignore[arg-type]
# Next's documentation warns that this compiles in TypeScript. Here it does not.
unwrapped: NextApiHandler = plain  # type: ignore[assignment]

assert_type(both, Callable[[NextApiRequest[Any], NextApiResponse[Welcome]], object])
kept_type: Callable[[NextApiRequest[Any], NextApiResponse[Welcome]], Coroutine[Any, Any, int]] = kept
