"""Handlers: functions and coroutine functions, as they stand and as `NextApiHandler`."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from typing import TypedDict

from nextapi import NextApiHandler, NextApiRequest, NextApiResponse


class Signup(TypedDict):
    name: str


class Welcome(TypedDict):
    message: str


class ErrorData(TypedDict):
    error: str


async def handle_form_input(name: str, message: str) -> None:
    """Stand for the operation of Next's examples."""


def by_method(req: NextApiRequest, res: NextApiResponse) -> None:
    """Next's example of `req.method`."""
    if req.method == "POST":
        res.status(201).json({"name": req.body["name"]})
    else:
        res.json([])


def returning(req: NextApiRequest, res: NextApiResponse[Welcome]) -> NextApiResponse[Welcome]:
    """`return res.redirect(...)` and its like end a handler early; what is returned is ignored."""
    return res.redirect(303, "/")


def typed(req: NextApiRequest[Signup], res: NextApiResponse[Welcome]) -> None:
    """Body and answer are typed."""
    res.json({"message": f"Hello {req.body['name']}"})


async def coroutine(req: NextApiRequest, res: NextApiResponse[ErrorData]) -> None:
    """Next's form example."""
    try:
        await handle_form_input(name=req.body["name"], message=req.body["message"])
        res.redirect(307, "/")
    except OSError:
        res.status(500).send({"error": "failed to fetch data"})


def one_argument(req: NextApiRequest) -> None:
    """No handler: the response is missing."""


def swapped(res: NextApiResponse, req: NextApiRequest) -> None:
    """No handler: the order is (req, res)."""


handlers: list[NextApiHandler] = [by_method, returning, typed, coroutine, lambda req, res: res.json(req.method)]

welcomes: NextApiHandler[Welcome] = typed
welcomes_too: NextApiHandler[Welcome] = lambda req, res: res.json({"message": req.method})  # noqa: E731  # as in TypeScript
other_data: NextApiHandler[Welcome] = coroutine  # type: ignore[assignment]
other_json: NextApiHandler[Welcome] = lambda req, res: res.json({"text": ""})  # type: ignore[typeddict-item, typeddict-unknown-key]  # noqa: E731
too_few: NextApiHandler = one_argument  # type: ignore[assignment]
wrong_order: NextApiHandler = swapped  # type: ignore[assignment]
