"""A page's decorator keeps the types of views, and says what it is to be called with."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, assert_type

from nextapi import static_page


class Request:
    """A request of some framework."""


class Response:
    """A response of some framework."""


@static_page(revalidate=60, tags=["posts"])
def page(request: Request, name: str = "") -> Response:
    """A view with a parameter."""
    return Response()


@static_page(revalidate=False)
async def async_page(request: Request) -> Response:
    """An async view."""
    return Response()


class Page:
    """A view of a class."""

    @static_page(revalidate=1, tags=("a", "b"))
    def get(self, request: Request) -> Response:
        """A method."""
        return Response()


assert_type(page(Request(), name="a"), Response)
page_type: Callable[[Request, str], Response] = page
async_type: Callable[[Request], Coroutine[Any, Any, Response]] = async_page
assert_type(Page().get(Request()), Response)

page(3)  # type: ignore[arg-type]
static_page(page)  # type: ignore[arg-type]
static_page(revalidate="60")  # type: ignore[arg-type]
static_page(revalidate=60)(3)  # type: ignore[type-var]
