"""`req`: what each attribute is, without and with the type of the body."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any, TypedDict, assert_type

from nextapi import NextApiRequest, NextApiResponse, URLSearchParams


class Message(TypedDict):
    name: str
    message: str


def untyped(req: NextApiRequest, res: NextApiResponse) -> None:
    """The body is Any: the client may send anything."""
    assert_type(req, NextApiRequest[Any])
    assert_type(req.body, Any)
    assert_type(req.method, str)
    assert_type(req.url, str)
    assert_type(req.headers, Mapping[str, str])
    assert_type(req.headers["x-one"], str)
    assert_type(req.headers.get("x-one"), str | None)
    assert_type(req.cookies, dict[str, str])
    assert_type(req.cookies.get("token"), str | None)
    assert_type(req.cookies.get("token", ""), str)
    assert_type(req.search_params, URLSearchParams)
    assert_type(req.search_params.get("page"), str | None)
    assert_type(req.search_params.get("page", "1"), str)
    assert_type(req.search_params.get_all("tag"), list[str])
    assert_type(req.raw_body, bytes)
    assert_type(req.stream, IO[bytes])
    assert_type(req.raw, Any)


def dynamic(req: NextApiRequest, res: NextApiResponse) -> None:
    """`pages/api/post/[pid].py`: the checkers do not know the file's name, so a query's value is Any."""
    assert_type(req.query, dict[str, Any])
    pid = req.query["pid"]
    assert_type(pid, Any)
    res.end(f"Post: {pid}")


def dynamic_annotated(req: NextApiRequest, res: NextApiResponse) -> None:
    """The annotation of a variable says what the file's name does."""
    pid: str = req.query["pid"]
    assert_type(req.params, dict[str, str | list[str]])
    res.end(f"Post: {pid.upper()}")


def catch_all(req: NextApiRequest, res: NextApiResponse) -> None:
    """`pages/api/post/[...slug].py`: a list."""
    slug: list[str] = req.query["slug"]
    res.end(f"Post: {', '.join(slug)}")


def typed(req: NextApiRequest[Message], res: NextApiResponse) -> None:
    """A handler may say what the body is. It is not looked at: the handler still has to."""
    assert_type(req.body, Message)
    assert_type(req.body["name"], str)
    req.body["nmae"]  # type: ignore[typeddict-item]
    req.body = {"name": "Ada", "message": "Hello"}
    req.body = {"name": "Ada"}  # type: ignore[typeddict-item]
    res.redirect(307, "/")


def read_only(req: NextApiRequest, res: NextApiResponse) -> None:
    """What the client sent stays as it is, but for the body."""
    req.query = {}  # type: ignore[misc]
    req.cookies = {}  # type: ignore[misc]
    req.headers["x-one"] = "1"  # type: ignore[index]
    res.send(req.boby)  # type: ignore[attr-defined]
