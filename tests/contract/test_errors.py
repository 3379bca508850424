"""What goes wrong, and what the client and the log get."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import Client

from tests.support.trees import route

Serve = Callable[..., Client]


def test_unknown_paths_below_api(serve: Serve) -> None:
    """A path that leads to no file is a 404 with Next's text, whatever the method."""
    client = serve({"a": "res.end()", "a/[id]/b": "res.end()"})
    for path in ("/api/b", "/api/A", "/api/a/1", "/api/a/1/b/c", "/api/a.py", "/api", "/api/a%20"):
        for method in ("GET", "POST", "PURGE"):
            answer = client.open(path, method=method)
            assert (answer.status_code, answer.data) == (404, b"Not Found"), path


@pytest.mark.parametrize(
    ("accept", "is_problem"),
    [
        ("application/json", True),
        ("application/problem+json", True),
        ("application/json, text/plain, */*", True),
        ("text/html, application/json;q=0.9", False),
        ("*/*", False),
        ("application/json;q=0", False),
        (None, False),
    ],
)
def test_problem_documents(serve: Serve, accept: str | None, is_problem: bool) -> None:
    """An error is a problem document (RFC 9457) for who names JSON and nothing that it would rather have."""
    client = serve({"a": "res.end()"})
    headers = {"Accept": accept} if accept else {}
    answer = client.put("/api/a", data="{", content_type="application/json", headers=headers)
    assert answer.status == "400 Invalid JSON"
    if is_problem:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json == {"title": "Bad Request", "status": 400, "detail": "Invalid JSON"}
    else:
        assert answer.data == b"Invalid JSON"


def test_raised_http_errors(serve: Serve) -> None:
    """`HTTPError` is an answer: status, message and headers, and nothing of what was set on `res` before it."""
    before = "from nextapi import HTTPError"
    body = "res.set_header('X-A', '1')\nraise HTTPError(402, 'pay first', headers=[('X-Price', '1')])"
    answer = serve({"a": route(body, before=before)}).get("/api/a")
    assert (answer.status_code, answer.data) == (402, b"pay first")
    assert answer.headers["X-Price"] == "1"
    assert "X-A" not in answer.headers


def test_raised_headers_are_checked(serve: Serve, host: str) -> None:
    """The headers of an `HTTPError` cannot break out of the head either."""
    before = "from nextapi import HTTPError"
    body = "raise HTTPError(400, 'x', headers=[('X-A', 'a\\r\\nX-Evil: 1')])"
    answer = serve({"a": route(body, before=before)}).get("/api/a")
    assert answer.status_code == 500
    assert "X-Evil" not in answer.headers


@pytest.mark.parametrize(
    "error",
    [
        "HTTPError(400, 'x', reason='a\\r\\nX-Evil: 1')",
        "BodyError(400, 'x', reason='漢')",
        "HTTPError(99, 'x')",
        "HTTPError('404', 'x')",
    ],
)
def test_raised_errors_are_checked(serve: Serve, error: str) -> None:
    """What cannot be a status line is a 500, and nothing of it is sent."""
    answer = serve({"a": route(f"raise {error}", before="from nextapi import BodyError, HTTPError")}).get("/api/a")
    assert answer.status_code == 500
    assert "X-Evil" not in answer.headers


def test_an_own_body_error_is_text(serve: Serve) -> None:
    """A handler's own `BodyError`, whatever it says, has a type, and the standard reason."""
    before = "from nextapi import BodyError"
    answer = serve({"a": route("raise BodyError(422, f'bad {req.query}')", before=before)}).get("/api/a?b=<b>漢")
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_a_raised_204_has_no_body(serve: Serve) -> None:
    """An error whose status has no body has none."""
    answer = serve({"a": route("raise HTTPError(204, 'x')", before="from nextapi import HTTPError")}).get("/api/a")
    assert (answer.status_code, answer.data, answer.headers.get("Content-Type")) == (204, b"", None)


@pytest.mark.parametrize(
    "body",
    [
        "raise ValueError('secret detail')",
        "res.status(404).set_header('X-A', '1')\nraise ValueError('secret detail')",
        "res.json({'a': {1, 2}})",
        "pass",
        "return {'ignored': True}",
        "def deep(): deep()\n    \ndeep()",
        "raise MemoryError",
    ],
    ids=["raise", "after status", "no JSON", "silent", "return", "recursion", "memory"],
)
def test_failing_handlers(serve: Serve, host: str, body: str, caplog: pytest.LogCaptureFixture) -> None:
    """A handler that fails, or never answers, is a 500 that tells the client nothing, and the log everything."""
    client = serve({"a": body.replace("def deep(): deep()\n    \n", "def deep(): deep()\n")})
    answer = client.get("/api/a")
    assert answer.status_code == 500
    assert b"secret" not in answer.data
    assert "X-A" not in answer.headers
    if host == "wsgi":
        assert answer.data == b"Internal Server Error"
    assert "Traceback" in caplog.text


def test_a_silent_handler_is_named(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """The log says which file never answered, and what to call."""
    serve({"silent": "pass"}).get("/api/silent")
    assert "silent.py: the handler returned without an answer: call res.json()" in caplog.text


def test_what_was_returned_instead_is_named(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """Who returns a value instead of answering reads so in the log."""
    serve({"a": "return {'a': 1}"}).get("/api/a")
    assert "the handler returned dict, which is ignored, without an answer" in caplog.text


@pytest.mark.parametrize("error", ["SystemExit", "KeyboardInterrupt", "GeneratorExit"])
def test_what_is_no_error_propagates(serve: Serve, error: str) -> None:
    """What is meant for the server reaches it."""
    client = serve({"a": f"raise {error}"})
    with pytest.raises({"SystemExit": SystemExit, "KeyboardInterrupt": KeyboardInterrupt}.get(error, GeneratorExit)):
        client.get("/api/a")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_paths_are_mended_for_reading(serve: Serve, method: str) -> None:
    """Slashes that are too many are a 308 to where the file is, and the query goes along."""
    client = serve({"a": "res.json(req.url)", "a/[id]": "res.json(req.url)"})
    for path, location in (
        ("/api/a/", "/api/a"),
        ("/api/a/?b=1&c=%20", "/api/a?b=1&c=+"),
        ("/api//a?b=//c", "/api/a?b=//c"),
        ("/api/a/1/", "/api/a/1"),
    ):
        answer = client.open(path, method=method, environ_overrides={"RAW_URI": path})
        assert (answer.status_code, answer.headers["Location"]) == (308, location), path
        assert answer.data == (b"" if method == "HEAD" else location.encode())


def test_a_redirect_never_loses_a_body(serve: Serve) -> None:
    """A slash at the end is served, and not redirected, for what may have a body."""
    client = serve({"a": "res.json([req.method, req.body])"})
    assert client.post("/api/a/", json={"a": 1}).json == ["POST", {"a": 1}]
    assert client.delete("/api/a/").json == ["DELETE", None]


def test_dot_segments(serve: Serve, host: str) -> None:
    """Dot segments are resolved on bare WSGI; a host whose checks saw them is sent to the path, or refuses."""
    client = serve({"a": "res.json(req.url)"})
    raw: dict[str, Any] = {"environ_overrides": {"RAW_URI": "/api/x/../a", "PATH_INFO": "/api/x/../a"}}
    read, written = client.get("/api/a", **raw), client.post("/api/a", json=1, **raw)
    if host == "wsgi":
        assert (read.json, written.json) == ("/api/a", "/api/a")
    else:
        assert (read.status_code, read.headers["Location"], written.status_code) == (308, "/api/a", 400)


def test_no_path_redirects_to_another_site(serve: Serve) -> None:
    """However its slashes are written, a path is never mended into the name of another host."""
    client = serve({"a": "res.end()", "[...rest]": "res.end()"})
    for path in ("//evil.test/api/a/", "/\\evil.test/api/", "///evil.test", "/api//evil.test/", "/api/..//evil.test/"):
        answer = client.get("/", environ_overrides={"RAW_URI": path, "PATH_INFO": path})
        assert not answer.headers.get("Location", "/").startswith(("//", "/\\", "http"))


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({}, True),
        ({"Origin": "http://localhost"}, True),
        ({"Origin": "http://localhost:80"}, True),
        ({"Origin": "https://evil.test"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://localhost:8080"}, False),
        ({"Origin": "https://friend.test"}, True),
        ({"Origin": "https://friend.test", "Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, False),
    ],
)
def test_same_origin_guard(serve: Serve, headers: dict[str, str], passes: bool) -> None:
    """A POST across sites that no preflight preceded is a 403, unless its origin is trusted."""
    client = serve({"a": "res.end('done')"}, trusted_origins=["https://friend.test"])
    for content_type in (None, FORM, "multipart/form-data; boundary=x", "text/plain;charset=utf-8"):
        answer = client.post("/api/a", headers=headers, content_type=content_type)
        assert answer.status_code == (200 if passes else 403), content_type


def test_the_guard_says_how_to_allow(serve: Serve) -> None:
    """The 403 names the origin and both settings."""
    answer = serve({"a": "res.end()"}).post("/api/a", headers={"Origin": "https://evil.test"})
    for part in ("https://evil.test", "trusted_origins", "sameOrigin"):
        assert part in answer.text
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_what_had_a_preflight_is_not_guarded(serve: Serve) -> None:
    """JSON, other methods and own headers are the route's own CORS headers' to allow."""
    client = serve({"a": "res.end('done')"})
    evil = {"Origin": "https://evil.test"}
    assert client.post("/api/a", json={}, headers=evil).data == b"done"
    assert client.put("/api/a", headers=evil).data == b"done"
    assert client.get("/api/a", headers=evil).data == b"done"


def test_the_guard_can_be_switched_off(serve: Serve) -> None:
    """`sameOrigin: False` opens a route to everyone's forms."""
    client = serve({"a": route("res.end('done')", {"api": {"sameOrigin": False}})})
    assert client.post("/api/a", headers={"Origin": "https://evil.test"}).data == b"done"
