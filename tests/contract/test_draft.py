"""Draft mode and preview data."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from tests.support.trees import route

Serve = Callable[..., Client]

SECRET = "a secret for the tests"
MODE = {
    "on": "res.set_draft_mode().end()",
    "off": "res.set_draft_mode(enable=False).end()",
    "set": "res.set_preview_data(req.body or {'a': [1, 'é']}).end()",
    "clear": "res.clear_preview_data().end()",
    "read": "res.json([req.preview, req.draft_mode, req.preview_data])",
}
CLEARED = [
    f"{name}=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=None"
    for name in ("__prerender_bypass", "__next_preview_data")
]


def cookie_header(answer: TestResponse) -> dict[str, str]:
    """Return the header by which a browser sends back the cookies of an answer."""
    return {"Cookie": "; ".join(line.partition(";")[0] for line in answer.headers.getlist("Set-Cookie"))}


@pytest.fixture
def client(serve: Serve) -> Iterator[Client]:
    """Return a client of all files of MODE."""
    return serve(MODE, secret=SECRET)


def test_draft_mode(client: Client) -> None:
    """Draft mode is on from the next request on, without data; without its cookie it is off."""
    assert client.get("/api/read").json == [False, False, False]
    enabled = client.get("/api/on")
    assert len(enabled.headers.getlist("Set-Cookie")) == 1
    answer = client.get("/api/read", headers=cookie_header(enabled))
    assert answer.json == [True, True, {}]
    assert not answer.headers.getlist("Set-Cookie")


def test_preview_data(client: Client) -> None:
    """Preview data come with the requests of the client, as JSON has them."""
    answer = client.get("/api/set")
    assert client.get("/api/read", headers=cookie_header(answer)).json == [True, True, {"a": [1, "é"]}]
    answer = client.post("/api/set", json=["text"])
    assert client.get("/api/read", headers=cookie_header(answer)).json == [True, True, ["text"]]


def test_ending_it(client: Client) -> None:
    """Draft mode is ended by a cookie of the past, preview data by two."""
    (cookie,) = client.get("/api/off").headers.getlist("Set-Cookie")
    assert cookie.startswith("__prerender_bypass=")
    assert cookie.endswith("; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=None")
    assert client.get("/api/clear").headers.getlist("Set-Cookie") == CLEARED


@pytest.mark.parametrize(
    "forge",
    [
        lambda mode, data: f"__prerender_bypass={'0' * 32}",
        lambda mode, data: f"__prerender_bypass={mode[:-1]}",
        lambda mode, data: f"__next_preview_data={data}",
        lambda mode, data: f"__prerender_bypass={mode}; __next_preview_data={data[:-1]}",
        lambda mode, data: f"__prerender_bypass={mode}; __next_preview_data=%C3%A9",
        lambda mode, data: f"__prerender_bypass=%zz; __next_preview_data={data}",
    ],
)
@pytest.mark.parametrize("attribute", ["preview", "draft_mode", "preview_data"])
def test_forged_cookies_are_off_and_cleared(serve: Serve, forge: Callable[[str, str], str], attribute: str) -> None:
    """Whichever attribute is read, cookies that were not set here are off, and the answer clears both, once."""
    files = {**MODE, "one": f"res.set_header('Set-Cookie', 'own=1')\nres.json([req.{attribute}, req.{attribute}])"}
    client = serve(files, secret=SECRET)
    mode, data = (part.partition("=")[2] for part in cookie_header(client.get("/api/set"))["Cookie"].split("; "))
    answer = client.get("/api/one", headers={"Cookie": forge(mode, data)})
    assert answer.json == [False, False]
    assert answer.headers.getlist("Set-Cookie") == ["own=1", *CLEARED]
    assert not client.get("/api/on", headers={"Cookie": forge("0", "0")}).headers.getlist("Set-Cookie")[1:]


def test_reading_late_clears_nothing(serve: Serve) -> None:
    """Where the headers are final already, forged cookies are off all the same."""
    client = serve({"a": "res.write_head(200).write('x')\nres.end(str(req.preview))"}, secret=SECRET)
    answer = client.get("/api/a", headers={"Cookie": "__prerender_bypass=x"})
    assert (answer.data, answer.headers.getlist("Set-Cookie")) == (b"xFalse", [])


def test_async_handler(serve: Serve) -> None:
    """A coroutine reads and sets it alike."""
    text = "async def handler(req, res):\n    res.set_draft_mode().json(req.draft_mode)\n"
    client = serve({"a": text}, secret=SECRET)
    first = client.get("/api/a")
    assert (first.json, client.get("/api/a", headers=cookie_header(first)).json) == (False, True)


def test_debug_cookies_go_over_plain_http(serve: Serve) -> None:
    """In debug the cookies are as in `next dev`."""
    answer = serve(MODE, secret=SECRET, debug=True).get("/api/set")
    attributes = [cookie.partition("; ")[2] for cookie in answer.headers.getlist("Set-Cookie")]
    assert attributes == ["Path=/; HttpOnly; SameSite=Lax"] * 2


def test_secret_may_be_bytes(serve: Serve) -> None:
    """Bytes are the same secret as the text that they are in UTF-8."""
    sent = cookie_header(serve(MODE, secret=SECRET).get("/api/set"))
    assert serve({}, secret=SECRET.encode()).get("/api/read", headers=sent).json[0] is True
    assert serve({}, secret=f"{SECRET}!").get("/api/read", headers=sent).json[0] is False


def test_after_the_answer_it_is_too_late(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """Set after the answer was complete, it is an error in the log, and the answer stands."""
    client = serve({"a": "res.end('ok')\nres.set_draft_mode()"}, secret=SECRET)
    with caplog.at_level(logging.ERROR):
        answer = client.get("/api/a")
    assert (answer.data, answer.headers.getlist("Set-Cookie")) == (b"ok", [])
    assert "after the answer was complete" in caplog.text


def test_what_cannot_be_set_is_an_exception(serve: Serve) -> None:
    """A handler can catch what is wrong with its data, and answer; no cookie is set then."""
    body = """
    try:
        res.set_preview_data(DATA[req.query["data"]])
    except (DraftError, TypeError) as error:
        res.json(f"{type(error).__name__}: {error}")
    """
    before = "from nextapi.errors import DraftError\nDATA = {'big': 'x' * 3000, 'none': None, 'set': {1}}"
    client = serve({"a": route(body, before=before)}, secret=SECRET)
    messages: dict[str, Any] = {}
    for data in ("big", "none", "set"):
        answer = client.get(f"/api/a?data={data}")
        assert not answer.headers.getlist("Set-Cookie")
        messages[data] = answer.json
    assert messages["big"].startswith("DraftError: Preview data is limited to 2KB currently")
    assert messages["none"].startswith("TypeError: preview data cannot be None")
    assert messages["set"].startswith("SerializationError: ")
