"""The log of requests, `nextapi.access`."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator

import pytest
from werkzeug.test import Client

from tests.support.trees import route

Serve = Callable[..., Client]

FILES = {
    "post/[pid]": "res.status(201).end()",
    "fail": "raise ValueError",
    "http": route("raise HTTPError(403, 'no')", before="from nextapi import HTTPError"),
    "stream": "res.send(iter('ab'))",
    "twice": "res.json(1)",
}


@pytest.fixture
def access(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[str]]]:
    """Turn the log of requests on, and return what has its lines."""
    logger = logging.getLogger("nextapi.access")
    level = logger.level
    logger.setLevel(logging.INFO)
    yield lambda: [record.getMessage() for record in caplog.records if record.name == "nextapi.access"]
    logger.setLevel(level)


def test_a_line_for_each_request(serve: Serve, access: Callable[[], list[str]]) -> None:
    """It has the method, the route's pattern, the status, milliseconds and an id, whatever the answer was."""
    client = serve(FILES)
    for method, path in (("POST", "post/1"), ("GET", "fail"), ("GET", "http"), ("HEAD", "stream"), ("GET", "none")):
        client.open(f"/api/{path}", method=method)
    parts = [line.split() for line in access()]
    assert [part[:3] for part in parts] == [
        ["POST", "/api/post/[pid]", "201"],
        ["GET", "/api/fail", "500"],
        ["GET", "/api/http", "403"],
        ["HEAD", "/api/stream", "200"],
        ["GET", "-", "404"],
    ]
    assert all(re.fullmatch(r"\d+\.\d ms [0-9a-f]{32}", " ".join(part[3:])) for part in parts)


def test_it_is_off_unless_it_is_asked_for(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """The level of the root logger does not turn it on: a guest does not fill its host's log."""
    caplog.set_level(logging.DEBUG)
    serve(FILES).get("/api/twice")
    assert not [record for record in caplog.records if record.name == "nextapi.access"]


def test_the_parts_of_a_line(serve: Serve, access: Callable[[], list[str]], caplog: pytest.LogCaptureFixture) -> None:
    """A formatter of the program's own finds them on the record; the id is the one that a proxy has given."""
    serve(FILES).post("/api/post/1", headers={"X-Request-ID": "abc-1.2:3"})
    (record,) = (record for record in caplog.records if record.name == "nextapi.access")
    known = {name: vars(record)[name] for name in ("route", "status", "request_id")}
    assert known == {"route": "/api/post/[pid]", "status": 201, "request_id": "abc-1.2:3"}
    assert vars(record)["duration_ms"] > 0


@pytest.mark.parametrize("forged", ["a\tb", "x GET /api/a 200", "x" * 129, "é", "a\x7fb", ""])
def test_nothing_that_is_sent_can_forge_a_line(serve: Serve, access: Callable[[], list[str]], forged: str) -> None:
    """What a client sends is in a line only if it looks like an id, and its path never is."""
    client = serve(FILES)
    client.get("/api/no%0AGET%20/api/forged", environ_overrides={"HTTP_X_REQUEST_ID": forged})
    client.open("/api/twice", method="A\nB", environ_overrides={"REQUEST_METHOD": "A\nB"})
    lines = access()
    assert all(re.fullmatch(r"(GET|\?) (-|/api/twice) \d+ \d+\.\d ms [0-9a-f]{32}", line) for line in lines)
