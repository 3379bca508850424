"""Tests of handlers and trees, as users write them."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from typing import assert_type

from werkzeug.test import TestResponse

from nextapi import NextApiRequest, NextApiResponse
from nextapi.testing import Client, call, load


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
