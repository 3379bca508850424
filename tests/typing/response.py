"""`res`: typed answers, and what every call takes and returns."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

import json
from typing import Any, TypedDict, assert_type

from nextapi import HTTPError, NextApiRequest, NextApiResponse


class ResponseData(TypedDict):
    message: str


class ErrorData(TypedDict):
    error: str


async def some_async_operation() -> str:
    """Stand for the operation of Next's examples."""
    return "done"


def bare(req: NextApiRequest, res: NextApiResponse) -> None:
    """The first example of Next's documentation, by Node's calls alone."""
    res.status_code = 200
    res.set_header("Content-Type", "application/json")
    res.end(json.dumps({"name": "Jhon Doe"}))


def untyped(req: NextApiRequest, res: NextApiResponse) -> None:
    """Without a parameter, a response takes anything."""
    assert_type(res, NextApiResponse[Any])
    res.status(200).json({"name": "John Doe"})
    res.json([1, "two", None])


def typed(req: NextApiRequest, res: NextApiResponse[ResponseData]) -> None:
    """A response that says what it sends refuses all else, also behind `status`."""
    assert_type(res.status(200), NextApiResponse[ResponseData])
    res.status(200).json({"message": "Hello from Next.js!"})
    res.json({"text": "Hello"})  # type: ignore[typeddict-item, typeddict-unknown-key]
    res.status(500).json({"message": 1})  # type: ignore[typeddict-item]
    res.set_header("X-A", "1").json("Hello")  # type: ignore[arg-type]


def sent(req: NextApiRequest, res: NextApiResponse[ResponseData]) -> None:
    """`send` takes text and bytes beside the data."""
    res.send({"message": "Hello"})
    res.send("Hello")
    res.send(b"Hello")
    res.send(None)
    res.send(1)  # type: ignore[arg-type]


async def either(req: NextApiRequest, res: NextApiResponse[ResponseData | ErrorData]) -> None:
    """A union has the errors in the type as well; an HTTPError needs none."""
    try:
        res.status(200).json({"message": await some_async_operation()})
    except OSError:
        res.status(500).json({"error": "failed to load data"})
    except LookupError:
        raise HTTPError(404, "no such data", headers=[("X-Reason", "gone")]) from None
    res.json({"failure": "unknown"})  # type: ignore[arg-type]


def redirects(req: NextApiRequest, res: NextApiResponse) -> None:
    """Both forms of a redirect, and none of the wrong ones."""
    res.redirect("/")
    res.redirect(307, "/")
    res.redirect()  # type: ignore[call-overload]
    res.redirect("/", 307)  # type: ignore[call-overload]


def headers(req: NextApiRequest, res: NextApiResponse) -> None:
    """A header is text, a number or a list of texts; `end` takes what `get_header` returns."""
    res.set_header("X-A", "1").set_header("X-B", 2).set_header("X-C", ["3", "4"]).append_header("X-A", "5")
    res.write_head(200, {"X-D": "6"})
    res.write_head(200, "Fine", {"X-D": ["6", "7"]})
    assert_type(res.get_header("X-A"), str | int | float | list[str] | None)
    assert_type(res.get_headers(), dict[str, str | int | float | list[str]])
    assert_type(res.has_header("X-A"), bool)
    assert_type(res.headers_sent, bool)
    assert_type(res.writable_ended, bool)
    assert_type(res.status_message, str)
    res.set_header("X-E", None)  # type: ignore[arg-type]
    res.headers_sent = True  # type: ignore[misc]
    res.write("a")
    res.end(res.get_header("X-A"))


def draft(req: NextApiRequest, res: NextApiResponse) -> None:
    """Draft mode is a bool, preview data are whatever they were."""
    assert_type(req.draft_mode, bool)
    assert_type(req.preview_data, Any)
    res.set_draft_mode(enable=False).set_preview_data({"a": 1}, max_age=60, path="/x").clear_preview_data().end()
