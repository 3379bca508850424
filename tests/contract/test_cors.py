"""CORS policies of handlers, folders and middleware, and the same-origin guard, in every host."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from werkzeug.test import Client, TestResponse

Serve = Callable[..., Client]

APP, OTHER = "https://app.example", "https://other.example"

_HEAD = "from nextapi import HTTPError, NextResponse, Response, cors\n\n"
_POLICY = _HEAD + "policy = cors(origin=['https://app.example'], credentials=True, max_age=60)\n\n\n"

HANDLERS = {
    "pages/api/pages.py": "@policy\ndef handler(req, res):\n"
    "    if 'fail' in req.query:\n        raise HTTPError(401, 'no')\n"
    "    res.set_header('Vary', 'Cookie').json(1)\n",
    "pages/api/edge.py": "config = {'runtime': 'edge'}\n\n\n@policy\ndef handler(request):\n"
    "    if request.next_url.search_params.has('fail'):\n        raise HTTPError(401, 'no')\n"
    "    return Response.json(1, headers={'vary': 'Cookie'})\n",
    "app/api/route/route.py": "def answer(request):\n    if request.next_url.search_params.has('fail'):\n"
    "        raise HTTPError(401, 'no')\n    return Response.json(1, headers={'vary': 'Cookie'})\n\n\n"
    "@policy\ndef GET(request, context):\n    return answer(request)\n\n\n"
    "@policy\nasync def POST(request):\n    return answer(request)\n\n\ndef DELETE():\n    return Response.json(1)\n",
}
PATHS = ["pages", "edge", "route"]
DECORATED = {name: _POLICY + text for name, text in HANDLERS.items()}
PLAIN = {name: _HEAD + text.replace("@policy\n", "") for name, text in HANDLERS.items()}
_FOLDER = _POLICY + "@policy\ndef middleware(request, call_next):\n    return call_next(request)\n"
_ASYNC_FOLDER = _FOLDER.replace("def ", "async def ").replace("return", "return await")
FOLDERS = PLAIN | {"pages/api/_middleware.py": _FOLDER, "app/_middleware.py": _ASYNC_FOLDER}
ROOT = PLAIN | {"middleware.py": _POLICY + "@policy\ndef middleware(request):\n    return None\n"}
BY_HAND = PLAIN | {
    "middleware.py": _POLICY + "def middleware(request):\n"
    "    return policy.preflight(request) or policy.apply(request, NextResponse.next())\n"
}
PLACES = {"handler": DECORATED, "folder": FOLDERS, "middleware": ROOT, "by hand": BY_HAND}

place = pytest.mark.parametrize("place", PLACES)


def preflight(client: Client, path: str, method: str = "POST", origin: str = APP, **headers: str) -> TestResponse:
    """Ask what a browser asks before a request."""
    asked = {"Origin": origin, "Access-Control-Request-Method": method, **headers}
    return client.options(path, headers=asked)


def varies(answer: TestResponse) -> set[str]:
    """Return what an answer varies by."""
    return {token.strip().lower() for value in answer.headers.getlist("Vary") for token in value.split(",")}


@place
def test_an_answer_to_an_allowed_origin(serve_files: Serve, place: str) -> None:
    """It names the origin once, and varies by it beside what it varied by."""
    client = serve_files(PLACES[place])
    for path in PATHS:
        answer = client.get(f"/api/{path}", headers={"Origin": APP})
        assert (answer.status_code, answer.json) == (200, 1)
        assert answer.headers.getlist("Access-Control-Allow-Origin") == [APP]
        assert answer.headers.getlist("Access-Control-Allow-Credentials") == ["true"]
        assert varies(answer) >= {"origin", "cookie"}


@place
def test_an_answer_to_another(serve_files: Serve, place: str) -> None:
    """It is answered, as it would be without the policy, and caches are told that others have another answer."""
    client = serve_files(PLACES[place])
    for path in PATHS:
        for headers in ({"Origin": OTHER}, {"Origin": "null"}, {}):
            answer = client.get(f"/api/{path}", headers=headers)
            assert (answer.status_code, answer.json) == (200, 1)
            assert "Access-Control-Allow-Origin" not in answer.headers
            assert varies(answer) >= {"origin", "cookie"}


@place
def test_an_error_has_the_headers(serve_files: Serve, place: str) -> None:
    """A script may read why it was refused."""
    client = serve_files(PLACES[place])
    for path in PATHS:
        answer = client.get(f"/api/{path}?fail", headers={"Origin": APP})
        assert (answer.status_code, answer.text) == (401, "no")
        assert answer.headers.getlist("Access-Control-Allow-Origin") == [APP]
        assert "origin" in varies(answer)


@place
def test_a_preflight(serve_files: Serve, place: str) -> None:
    """It is answered before the handler runs."""
    client = serve_files(PLACES[place])
    for path in PATHS:
        answer = preflight(client, f"/api/{path}?fail", **{"Access-Control-Request-Headers": "x-a"})
        assert (answer.status_code, answer.data) == (204, b"")
        assert answer.headers["Access-Control-Allow-Origin"] == APP
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        assert answer.headers["Access-Control-Allow-Headers"] == "x-a"
        assert answer.headers["Access-Control-Max-Age"] == "60"
        assert "POST" in answer.headers["Access-Control-Allow-Methods"]
        assert varies(answer) >= {"origin", "access-control-request-headers"}
        refused = preflight(client, f"/api/{path}", origin=OTHER)
        assert refused.status_code == 204
        assert "Access-Control-Allow-Origin" not in refused.headers
        assert "origin" in varies(refused)


def test_the_methods_of_a_route_handler(serve_files: Serve) -> None:
    """The methods are those with the policy: of one without it, nothing is said."""
    client = serve_files(DECORATED)
    assert preflight(client, "/api/route").headers["Access-Control-Allow-Methods"] == "GET, POST, HEAD"
    other = preflight(client, "/api/route", "DELETE")
    assert (other.status_code, other.headers["Allow"]) == (204, "DELETE, GET, HEAD, OPTIONS, POST")
    assert "Access-Control-Allow-Origin" not in other.headers
    own = client.options("/api/route", headers={"Origin": APP})  # no preflight
    assert own.headers["Allow"] == "DELETE, GET, HEAD, OPTIONS, POST"


def test_an_options_handler_of_ones_own(serve_files: Serve) -> None:
    """It answers what is no preflight."""
    text = _POLICY + "def OPTIONS():\n    return Response('own')\n\n\n@policy\ndef GET():\n    return Response()\n"
    client = serve_files({"app/a/route.py": text})
    assert client.options("/a").text == "own"
    assert preflight(client, "/a", "GET").status_code == 204


_REFUSING = _HEAD + "def middleware(request, call_next):\n    raise HTTPError(401, 'log in')\n"


def test_a_folder_that_refuses(serve_files: Serve) -> None:
    """A handler's policy stands around its folders' middleware: a browser may ask, and a script reads the 401."""
    files = DECORATED | {"pages/api/_middleware.py": _REFUSING, "app/_middleware.py": _REFUSING}
    client = serve_files(files)
    for path in PATHS:
        assert preflight(client, f"/api/{path}").headers["Access-Control-Allow-Origin"] == APP
        answer = client.get(f"/api/{path}", headers={"Origin": APP})
        assert (answer.status_code, answer.text) == (401, "log in")
        assert answer.headers["Access-Control-Allow-Origin"] == APP


def test_the_nearest_policy_counts(serve_files: Serve) -> None:
    """A handler's goes before its folder's, and an inner folder's before an outer's."""
    policy = _HEAD + "@cors(origin='{0}')\ndef middleware(request, call_next):\n    return call_next(request)\n"
    get = "def GET():\n    return Response()\n"
    files = {
        "app/_middleware.py": policy.format("https://outer.example"),
        "app/in/_middleware.py": policy.format("https://inner.example"),
        "app/out/route.py": _HEAD + get,
        "app/in/route.py": _HEAD + get,
        "app/in/own/route.py": _HEAD + "@cors()\n" + get,
    }
    client = serve_files(files)
    for path, origin in [("/out", "https://outer.example"), ("/in", "https://inner.example"), ("/in/own", "*")]:
        answer = client.get(path, headers={"Origin": "https://inner.example"})
        expected = [] if origin == "https://outer.example" else [origin]
        assert answer.headers.getlist("Access-Control-Allow-Origin") == expected, path


def post(client: Client, path: str, origin: str = APP, **headers: str) -> TestResponse:
    """Send what a page of another site can send without asking."""
    given = {"Origin": origin, "Sec-Fetch-Site": "cross-site", **headers}
    return client.post(path, headers=given, data="a", content_type="text/plain")


@place
def test_the_same_origin_guard(serve_files: Serve, place: str) -> None:
    """Origins of the policy may post, with cookies as it allows credentials; those of no other."""
    client = serve_files(PLACES[place])
    for path in PATHS:
        answer = post(client, f"/api/{path}", Cookie="session=1")
        assert (answer.status_code, answer.json) == (200, 1)
        assert answer.headers["Access-Control-Allow-Origin"] == APP
        assert post(client, f"/api/{path}", OTHER).status_code == 403
        assert post(client, f"/api/{path}", "null").status_code == 403


def test_the_guard_without_credentials(serve_files: Serve) -> None:
    """A policy for all lets all post, and none with a visitor's cookies."""
    client = serve_files({"pages/api/a.py": _HEAD + "@cors()\ndef handler(req, res):\n    res.json(1)\n"})
    assert post(client, "/api/a", OTHER).status_code == 200
    assert post(client, "/api/a", OTHER, Cookie="session=1").status_code == 403


def test_the_guard_of_a_method_without_a_policy(serve_files: Serve) -> None:
    """A policy of GET says nothing of POST."""
    text = _POLICY + "@policy\ndef GET():\n    return Response()\n\n\ndef POST():\n    return Response()\n"
    assert post(serve_files({"app/a/route.py": text}), "/a").status_code == 403


def test_a_streamed_answer(serve_files: Serve) -> None:
    """What is sent while it is made has the headers, from a handler that writes as well."""
    handlers = {
        "send": "def handler(req, res):\n    res.send(iter(['a', 'b']))\n",
        "write": "def handler(req, res):\n    res.write('a')\n    res.end('b')\n",
        "async-write": "async def handler(req, res):\n    res.write('a')\n    await asyncio.sleep(0)\n"
        "    res.end('b')\n",
    }
    files = {f"pages/api/{name}.py": f"import asyncio\n{_POLICY}@policy\n{text}" for name, text in handlers.items()}
    client = serve_files(files)
    for name in ("send", "write", "async-write"):
        answer = client.get(f"/api/{name}", headers={"Origin": APP})
        assert (answer.text, answer.headers["Access-Control-Allow-Origin"]) == ("ab", APP), name


_SEED = """
from nextapi import NextResponse

cors_headers = {
    "Access-Control-Allow-Origin": "https://your-app.com",
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, Authorization",
}


async def OPTIONS():
    return NextResponse.json({}, headers=cors_headers)


async def GET():
    return NextResponse.json({"data": "your data"}, headers=cors_headers)
"""


def test_headers_written_by_hand(serve_files: Serve) -> None:
    """Without a policy a route's own OPTIONS handler answers preflights, with the headers that it sets."""
    client = serve_files({"app/api/data/route.py": _SEED})
    asked = preflight(client, "/api/data", "GET", "https://your-app.com")
    assert (asked.status_code, asked.json) == (200, {})
    assert asked.headers["Access-Control-Allow-Methods"] == "GET, POST, PUT, DELETE, OPTIONS"
    answer = client.get("/api/data", headers={"Origin": "https://your-app.com"})
    assert answer.json == {"data": "your data"}
    assert answer.headers.getlist("Access-Control-Allow-Origin") == ["https://your-app.com"]
