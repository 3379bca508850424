"""`nextapi.testing`: a client of a tree, a module of it, and a handler alone."""

from __future__ import annotations

import asyncio
import logging
import sys
from functools import partial
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nextapi import (
    FormData,
    HTTPError,
    NextApiRequest,
    NextApiResponse,
    NextRequest,
    NextResponse,
    Response,
    RouteContext,
    cookies,
    cors,
    draft_mode,
    headers,
)
from nextapi.errors import LoadError, NoAnswerError, RootError, ScopeError, TreeError
from nextapi.testing import Client, call, call_middleware, load
from tests.support.trees import write_files, write_tree

pytestmark = pytest.mark.usefixtures("forget_modules")


# Client


def test_client_asks_the_tree(tmp_path: Path) -> None:
    """JSON goes in by `json=` and comes back by `.json`."""
    client = Client(write_tree(tmp_path, {"echo/[id]": "res.status(201).json([req.query, req.body])"}))
    response = client.post("/api/echo/7?tag=x", json={"n": 1})
    assert (response.status_code, response.json) == (201, [{"tag": "x", "id": "7"}, {"n": 1}])


def test_client_keeps_cookies(tmp_path: Path) -> None:
    """A cookie that an answer sets is sent with the next request, and by no other client."""
    files = {"login": 'res.set_header("Set-Cookie", "user=ada; Path=/").end()', "who": "res.json(req.cookies)"}
    root = write_tree(tmp_path, files)
    client = Client(root)
    client.post("/api/login")
    assert client.get("/api/who").json == {"user": "ada"}
    assert Client(root).get("/api/who").json == {}


def test_client_takes_the_options_of_a_mount(tmp_path: Path) -> None:
    """The options of `create_app` are those of a client; an unknown one is refused."""
    root = write_tree(tmp_path, {"a": "res.end()"})
    cross_site = {"Origin": "https://app.example.com", "Sec-Fetch-Site": "cross-site"}
    assert Client(root).post("/api/a", headers=cross_site).status_code == 403
    assert (
        Client(root, trusted_origins=["https://app.example.com"]).post("/api/a", headers=cross_site).status_code == 200
    )
    with pytest.raises(TypeError, match="trusted_origins"):
        Client(root, trusted_origin=[])  # type: ignore[call-arg]  # that is the test


def test_exception_of_a_handler_is_raised_to_the_test(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What a handler raises is the test's, and is not logged besides; an `HTTPError` is an answer."""
    files = {"bug": "1 / 0", "none": "pass", "no": "from nextapi import HTTPError\nraise HTTPError(403, 'Not yours')"}
    client = Client(write_tree(tmp_path, files))
    with pytest.raises(ZeroDivisionError):
        client.get("/api/bug")
    with pytest.raises(NoAnswerError, match=r"none\.py"):
        client.get("/api/none")
    response = client.get("/api/no")
    assert (response.status_code, response.text) == (403, "Not yours")
    assert caplog.records == []


def test_exception_may_be_answered_as_by_a_server(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With `raise_errors=False` an exception is a 500 that says nothing, and a line in the log."""
    client = Client(write_tree(tmp_path, {"bug": "1 / 0"}), raise_errors=False)
    response = client.get("/api/bug")
    assert (response.status_code, response.text) == (500, "Internal Server Error")
    assert caplog.record_tuples == [("nextapi", logging.ERROR, "GET '/api/bug' failed")]


_STREAMS = """
EVENTS = []


def numbers():
    try:
        yield "1"
        yield "2"
        EVENTS.append("made")
        yield "3"
    finally:
        EVENTS.append("closed")


async def ticks():
    yield "tick"
    yield "tock"


def handler(req, res):
    match req.query["how"]:
        case "send":
            res.send(numbers())
        case "async":
            res.send(ticks())
        case "write":
            res.write("a")
            res.write("b")
            res.end("c")
        case "fail":
            res.send(x / 0 for x in (1, 2))
        case "late":
            res.send("ab"[x] for x in range(3))
"""


@pytest.mark.parametrize(("how", "body"), [("send", b"123"), ("async", b"ticktock"), ("write", b"abc")])
def test_streams_are_read_to_their_end(tmp_path: Path, how: str, body: bytes) -> None:
    """`data` of a streamed answer is all of it, however it was sent."""
    assert Client(write_tree(tmp_path, {"s": _STREAMS})).get(f"/api/s?how={how}").data == body


@pytest.mark.parametrize(("how", "error"), [("fail", ZeroDivisionError), ("late", IndexError)])
def test_stream_that_fails_raises(tmp_path: Path, how: str, error: type[Exception]) -> None:
    """An exception in a stream is raised to the test, whether it comes before the first chunk or later."""
    with pytest.raises(error):
        Client(write_tree(tmp_path, {"s": _STREAMS})).get(f"/api/s?how={how}")


def test_stream_may_be_read_chunk_by_chunk(tmp_path: Path) -> None:
    """With `buffered=False` chunks are made as they are asked for, and closing the answer closes the stream."""
    root = write_tree(tmp_path, {"s": _STREAMS})
    client = Client(root)
    events = load(root / "pages/api/s.py").EVENTS
    response = client.get("/api/s?how=send", buffered=False)
    chunks = response.iter_encoded()
    assert [next(chunks), next(chunks)] == [b"1", b"2"]
    assert events == []
    response.close()
    assert events == ["closed"]


def test_uploads_are_closed_when_the_answer_is_there(tmp_path: Path) -> None:
    """What a request has open is closed by the time that a test has the answer."""
    source = "SEEN = []\n\n\ndef handler(req, res):\n    SEEN.append(req.files['f'].stream)\n    res.end()\n"
    root = write_tree(tmp_path, {"up": source})
    Client(root).post("/api/up", data={"f": (BytesIO(b"abc"), "f.txt")})
    (stream,) = load(root / "pages/api/up.py").SEEN
    assert stream.closed


_COUNTER = """
from ...lib.state import COUNT


def handler(req, res):
    COUNT.append(1)
    res.json(len(COUNT))
"""


def test_fresh_client_has_nothing_of_earlier_tests(tmp_path: Path) -> None:
    """Clients share the tree's modules; a fresh one has new ones, and the earlier keep those that they have."""
    root = write_tree(tmp_path, {"count": _COUNTER})
    (root / "lib").mkdir()
    (root / "lib/state.py").write_text("COUNT = []\n")
    first, second = Client(root), Client(root)
    assert [client.get("/api/count").json for client in (first, second)] == [1, 2]
    fresh = Client(root, fresh=True)
    assert [client.get("/api/count").json for client in (fresh, first, fresh)] == [1, 3, 2]


# load


def test_load_gives_the_module_of_the_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is named by its path, brackets and all; what a test sets in the module, the tree sees."""
    write_tree(tmp_path / "web", {"post/[pid]": "WHO = 'ada'\n\n\ndef handler(req, res):\n    res.json(WHO)\n"})
    monkeypatch.chdir(tmp_path)
    client = Client("web")
    module = load("web/pages/api/post/[pid].py")
    assert module.WHO == "ada"
    monkeypatch.setattr(module, "WHO", "grace")
    assert client.get("/api/post/1").json == "grace"


def test_load_gives_what_is_no_route(tmp_path: Path) -> None:
    """A module beside `pages` is the one that route files import; relative imports work in all of them."""
    root = write_tree(tmp_path, {"count": _COUNTER})
    (root / "lib").mkdir()
    (root / "lib/state.py").write_text("COUNT = []\n")
    assert load(root / "pages/api/count.py").COUNT is load(root / "lib/state.py").COUNT


def test_load_finds_a_root_whose_api_is_a_file(tmp_path: Path) -> None:
    """`pages/api.py` alone makes a root, too."""
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages/api.py").write_text("from .. import pages\n")
    assert load(tmp_path / "pages/api.py").pages.__path__ == [str(tmp_path / "pages")]


_HELLO = {"app/api/hello/route.py": "from ...lib import WHO\n\ndef GET():\n    return WHO\n", "app/lib.py": "WHO = 1\n"}


@pytest.mark.parametrize("file", ["app/lib.py", "app/api/hello/route.py", "middleware.py"])
def test_load_finds_a_root_that_has_app_alone(tmp_path: Path, file: str) -> None:
    """A folder with route handlers in its `app` is a root for all files below it."""
    write_files(tmp_path / "web", {**_HELLO, "middleware.py": "from .app.lib import WHO\n"})
    assert load(tmp_path / "web" / file).WHO == 1


def test_load_takes_a_root(tmp_path: Path) -> None:
    """A folder named `app` that has routes in it is a part of the path, where a root above it is said."""
    root = write_files(
        tmp_path, {"app/api/app/route.py": "from ... import api\n", "app/api/lib.py": "from . import app\n"}
    )
    with pytest.raises(LoadError, match="beyond top-level"):
        load(root / "app/api/app/route.py")
    assert load(root / "app/api/app/route.py", root=root).api.__path__ == [str(root / "app/api")]
    with pytest.raises(RootError):
        load(root / "app/api/lib.py", root=root / "app/api/app")


def test_load_says_what_is_missing(tmp_path: Path) -> None:
    """A file that is not there, and a file that is below no root, are named."""
    (tmp_path / "alone.py").touch()
    with pytest.raises(RootError, match=r"alone\.py: no folder above it is a root"):
        load(tmp_path / "alone.py")
    with pytest.raises(LoadError, match=r"nowhere\.py: there is no such file"):
        load(tmp_path / "nowhere.py")


# call


def _echo(req: Any, res: Any) -> None:
    names = ("method", "url", "query", "params", "cookies", "body")
    res.json({name: getattr(req, name) for name in names} | {"x": req.headers.get("x-a")})


def test_call_without_more_is_a_get() -> None:
    """A handler alone is asked by GET, with nothing in the request."""
    response = call(_echo)
    expected = {"method": "GET", "url": "/api/test", "query": {}, "params": {}, "cookies": {}, "body": None, "x": None}
    assert (response.status_code, response.json) == (200, expected)
    assert response.headers["ETag"]


def test_call_makes_the_request_from_keywords() -> None:
    """Each part of the request is a keyword, and reaches the handler by the way of a real request."""
    response = call(
        _echo,
        "/api/post/7",
        method="POST",
        query={"tag": ["a", "b"], "n": 1},
        params={"pid": 7, "rest": ["a/b", "c%"]},
        headers={"X-A": "1"},
        cookies={"user": "ada; b", "other": "2"},
        json={"n": [1, None]},
    )
    assert response.json == {
        "method": "POST",
        "url": "/api/post/7?tag=a&tag=b&n=1",
        "query": {"tag": ["a", "b"], "n": "1", "pid": "7", "rest": ["a/b", "c%"]},
        "params": {"pid": "7", "rest": ["a/b", "c%"]},
        "cookies": {"user": "ada; b", "other": "2"},
        "body": {"n": [1, None]},
        "x": "1",
    }


@pytest.mark.parametrize("query", ["a=1&a=2", {"a": ["1", "2"]}, [("a", "1"), ("a", "2")]])
def test_call_takes_a_query_in_each_form(query: Any) -> None:
    """A query is text, a mapping, or pairs."""
    assert call(_echo, query=query).json["query"] == {"a": ["1", "2"]} == call(_echo, "/x?a=1&a=2").json["query"]


@pytest.mark.parametrize(
    ("sent", "body"),
    [
        ({"data": {"a": "ü"}}, {"a": "ü"}),
        ({"data": "text", "headers": {"Content-Type": "text/plain"}}, "text"),
        ({"data": b'{"a":1}', "headers": {"Content-Type": "application/json"}}, {"a": 1}),
        ({"json": []}, []),
        ({"body": {"any": "thing"}}, {"any": "thing"}),
    ],
)
def test_call_sends_a_body_in_each_form(sent: Any, body: object) -> None:
    """A body is JSON, a form, text or bytes, parsed on its way; or it is put into `req.body` as it is."""
    assert call(_echo, method="POST", **sent).json["body"] == body


def test_call_takes_one_body() -> None:
    """A body that stands in `req.body` and another one that is sent are a mistake."""
    with pytest.raises(TypeError, match="give one of them"):
        call(_echo, json={}, body={})


def test_call_sends_files() -> None:
    """A form with a file is multipart."""
    response = call(
        lambda req, res: res.send(req.files["f"].read()), method="POST", data={"f": (BytesIO(b"abc"), "f.txt")}
    )
    assert response.data == b"abc"


def test_call_runs_coroutines() -> None:
    """An `async def` handler is run to its end."""

    async def handler(req: Any, res: Any) -> None:
        await asyncio.sleep(0)
        res.json(req.body)

    assert call(handler, method="POST", json=[1]).json == call(handler, body=[1]).json == [1]


def test_call_takes_the_config_of_the_module(tmp_path: Path) -> None:
    """Limits hold as they do in the tree, unless the test says otherwise."""
    source = "config = {'api': {'bodyParser': {'sizeLimit': 4}}}\n\n\ndef handler(req, res):\n    res.json(req.body)\n"
    root = write_tree(tmp_path, {"small": source})
    handler = load(root / "pages/api/small.py").handler
    response = call(handler, method="POST", json="long")
    assert (response.status_code, response.text) == (413, "Body exceeded 4 limit")
    assert call(handler, method="POST", json="long", config={}).json == "long"
    raw = call(
        lambda req, res: res.send(req.stream.read()), method="POST", data="x", config={"api": {"bodyParser": False}}
    )
    assert raw.data == b"x"


def test_call_takes_the_config_of_a_module_that_is_replaced(tmp_path: Path) -> None:
    """A fresh client has new modules; a handler of an earlier one keeps the config that it has."""
    source = "config = {'api': {'bodyParser': {'sizeLimit': 4}}}\n\n\ndef handler(req, res):\n    res.json(req.body)\n"
    root = write_tree(tmp_path, {"small": source})
    handler = load(root / "pages/api/small.py").handler
    (root / "pages/api/small.py").write_text(source.replace("config", "CONFIG"))
    Client(root, fresh=True)
    assert call(handler, method="POST", json="long").status_code == 413


def test_call_takes_any_callable() -> None:
    """An object that can be called is a handler."""

    class Answering:
        def __call__(self, req: Any, res: Any) -> None:
            res.json(req.method)

    assert call(Answering()).json == "GET"
    assert call(partial(_echo)).json["method"] == "GET"


def test_call_guards_as_the_tree_does() -> None:
    """A form that a browser sends across sites is refused here, too."""
    sent: Any = {"method": "POST", "headers": {"Origin": "https://other.example", "Sec-Fetch-Site": "cross-site"}}
    assert call(_echo, **sent).status_code == 403
    assert call(_echo, **sent, config={"api": {"sameOrigin": False}}).status_code == 200


def test_call_keeps_to_a_cors_policy() -> None:
    """A handler's policy has its headers, answers preflights and lets a POST pass the guard, in each dialect."""
    policy = cors(origin="https://a.example")

    def pages(req: NextApiRequest[Any], res: NextApiResponse[Any]) -> None:
        res.json(1)

    def POST() -> Response:  # noqa: N802  # the name that a route handler has
        return Response.json(1)

    for handler in (policy(pages), policy(POST)):
        for origin, status in (("https://a.example", 200), ("https://b.example", 403)):
            sent = {"Origin": origin, "Sec-Fetch-Site": "cross-site", "Content-Type": "text/plain"}
            answer = call(handler, method="POST", data="a", headers=sent)
            assert answer.status_code == status
            assert answer.headers.get("Access-Control-Allow-Origin") == (origin if status == 200 else None)
        asks = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
        asked = call(handler, method="OPTIONS", headers=asks)
        assert (asked.status_code, asked.headers["Access-Control-Allow-Origin"]) == (204, "https://a.example")


def test_call_gives_the_hosts_request() -> None:
    """`raw` stands for the request of a host."""
    request = SimpleNamespace(user="ada")
    assert call(lambda req, res: res.json(req.raw.user), raw=request).json == "ada"
    assert call(lambda req, res: res.json(req.raw["REQUEST_METHOD"])).json == "GET"


def test_call_raises_what_the_handler_raises() -> None:
    """An `HTTPError` is an answer; any other exception is the test's, and so is a missing answer."""

    def refuse(req: Any, res: Any) -> None:
        raise HTTPError(422, "A note has a text", {"X-Field": "text"})

    response = call(refuse)
    assert (response.status_code, response.text, response.headers["X-Field"]) == (422, "A note has a text", "text")
    with pytest.raises(ZeroDivisionError):
        call(lambda req, res: 1 / 0)
    with pytest.raises(NoAnswerError, match=r"test_testing\.py"):
        call(lambda req, res: None)


@pytest.mark.parametrize(
    ("handler", "config", "fault"),
    [
        (lambda req: None, None, "cannot be called with"),
        (sys, None, "is module, not a function"),
        (_echo, {"api": {"bodyparser": False}}, "did you mean 'bodyParser'"),
    ],
)
def test_call_finds_the_faults_that_a_tree_has(handler: Any, config: Any, fault: str) -> None:
    """A handler that cannot be called, and a wrong `config`, are what they are when a tree is built."""
    with pytest.raises(TreeError) as raised:
        call(handler, config=config)
    assert fault in str(raised.value.exceptions[0])


def GET(request: NextRequest, context: RouteContext) -> Response:  # noqa: N802  # as route files have it
    """Return what a route handler is given."""
    jar = request.cookies.get("user")
    seen = [request.method, request.url, context.params, jar and jar.value, request.headers.get("x-a"), request.text()]
    return NextResponse.json(seen)


def test_call_knows_a_route_handler_by_its_name() -> None:
    """A function named after a method is called as a route handler, by that method."""

    def PATCH(request: NextRequest, context: RouteContext) -> Response:  # noqa: N802  # as route files have it
        return NextResponse.json([context.params, request.json()], status=201)

    sent: Any = {"params": {"id": 5, "rest": ["a/b"]}, "query": {"q": 1}}
    response = call(GET, "/api/products/5", cookies={"user": "ada"}, headers={"X-A": "1"}, **sent)
    assert response.json == ["GET", "http://localhost/api/products/5?q=1", {"id": "5", "rest": ["a/b"]}, "ada", "1", ""]
    response = call(PATCH, params={"id": "5"}, json={"price": 2})
    assert (response.status_code, response.json) == (201, [{"id": "5"}, {"price": 2}])
    assert call(GET, method="HEAD").data == b""
    assert (call(GET, method="POST").status_code, call(GET, method="OPTIONS").headers["Allow"]) == (
        405,
        "GET, HEAD, OPTIONS",
    )


def test_call_knows_a_route_handler_of_many_names(tmp_path: Path) -> None:
    """A function that its module binds to methods is called by the one that is asked for, else by the first."""
    file = tmp_path / "app/api/auth/route.py"
    file.parent.mkdir(parents=True)
    file.write_text(
        "from nextapi import Response\n"
        "def handler(request, context): return Response(f'{request.method} {context.params}')\n"
        "GET = POST = handler\n"
    )
    handler = load(file).GET
    assert call(handler, params={"id": "5"}).text == "GET {'id': '5'}"
    assert call(handler, method="POST").text == "POST {}"
    assert call(handler, method="PUT").status_code == 405


def test_call_is_told_the_kind() -> None:
    """A function of another name is a route handler, or an edge handler, where `kind` says so."""

    async def respond(request: NextRequest) -> Response:
        await asyncio.sleep(0)
        return Response(f"{request.method} {request.next_url.search}")

    assert call(respond, kind="route", method="PUT", params={"id": "5"}).text == "PUT "
    assert call(respond, kind="edge", params={"id": "5"}).text == "GET ?id=5"
    assert call(respond, config={"runtime": "edge"}, params={"id": "5"}).text == "GET ?id=5"
    assert call(lambda: Response("a"), kind="route").text == "a"
    with pytest.raises(TreeError) as raised:
        call(respond)
    assert 'add config = {"runtime": "edge"}' in str(raised.value.exceptions[0])
    edge: Any = {"config": {"runtime": "edge"}, "kind": "pages"}
    assert call(lambda req, res: res.json(req.method), **edge).json == "GET"


def test_call_takes_the_settings_of_a_module(tmp_path: Path) -> None:
    """What a route's module says holds, unless the test says otherwise; its other names do not count."""
    files = {
        "pages/api/edge.py": """\
            from nextapi import Response

            config = {"regions": "sfo1"}

            def handler(request):
                return Response(request.url)
            """,
        "pages/api/named.py": """\
            from nextapi import Response

            runtime = "edge"

            def handler(request):
                return Response(request.url)
            """,
        "app/api/small/route.py": """\
            from nextapi import Response

            max_body_size = 2

            def POST(request):
                return Response(request.text())

            def GET(request):
                1 / 0
            """,
    }
    root = write_files(tmp_path, files)
    for name in ("edge", "named"):
        assert call(load(root / f"pages/api/{name}.py").handler, "/x?a=1").text == "http://localhost/x?a=1"
    handler = load(root / "app/api/small/route.py").POST
    assert [call(handler, data=data).status_code for data in ("ab", "abc")] == [200, 413]
    assert call(handler, data="abc", config={}).text == "abc"
    forged: Any = {"headers": {"Origin": "https://other.example", "Content-Type": "text/plain"}, "data": "a"}
    assert call(handler, **forged).status_code == 403
    assert call(handler, **forged, config={"same_origin": False}).status_code == 200
    with pytest.raises(TreeError):
        call(handler, config={"revalidate": True})


@pytest.mark.parametrize("kind", ["edge", "route"])
def test_call_has_no_parsed_body_for_the_web_dialect(kind: Any) -> None:
    """`body` stands in `req.body`, which handlers of the web dialect have not: that is a mistake."""
    with pytest.raises(TypeError, match=f"a handler of kind '{kind}' has not"):
        call(lambda request: Response(), kind=kind, body={})


def test_call_has_a_scope() -> None:
    """`cookies()` and its like are of the request that `call` makes; a cookie that is set is in the answer."""

    def POST() -> Response:  # noqa: N802  # as route files have it
        cookies().set("seen", "1")
        user = cookies().get("user")
        return Response(f"{user and user.value} {headers().get('x-a')} {draft_mode().is_enabled}")

    response = call(POST, cookies={"user": "ada"}, headers={"X-A": "1"})
    assert (response.text, response.headers["Set-Cookie"]) == ("ada 1 False", "seen=1; Path=/")
    with pytest.raises(ScopeError, match=r"in a test have `nextapi\.testing\.call` run the handler"):
        POST()


# A request made by hand


def test_a_request_by_hand_goes_straight_to_a_handler() -> None:
    """A handler is a function: it can be given a `NextRequest`, and what it returns can be read."""
    request = NextRequest("http://localhost/api/products/5?q=1", headers={"Cookie": "user=ada", "X-A": "1"})
    seen = GET(request, RouteContext({"id": "5"})).json()
    assert seen == ["GET", "http://localhost/api/products/5?q=1", {"id": "5"}, "ada", "1", ""]


@pytest.mark.parametrize("async_", [False, True])
def test_a_request_by_hand_has_a_body(async_: bool) -> None:
    """Text, forms and bytes are bodies of a request that is made by hand."""

    def POST(request: NextRequest) -> Response:  # noqa: N802  # as route files have it
        return Response(request.form_data().get("a") if "form" in request.headers["content-type"] else request.text())

    async def waiting(request: NextRequest) -> Response:
        return POST(request)

    form = FormData()
    form.append("a", "1")
    for body, text in [(form, "1"), ("[1]", "[1]")]:
        request = NextRequest("http://localhost/", method="POST", body=body)
        response = asyncio.run(waiting(request)) if async_ else POST(request)
        assert response.text() == text


# call_middleware


def _guard(request: NextRequest) -> Response | None:
    if request.next_url.pathname == "/api/old":
        return NextResponse.rewrite("/api/new", headers={"x-old": "1"})
    if request.next_url.pathname == "/api/broken":
        raise HTTPError(418, "A teapot")
    token = request.cookies.get("token")
    if token is None:
        return NextResponse.json({"error": "Unauthorized"}, status=401)
    if token.value == "plain":
        return None
    sent = {**request.headers, "x-user": token.value}
    return NextResponse.next(request={"headers": sent}, headers={"x-seen": "1"})


def test_middleware_answers() -> None:
    """What middleware answers is there as of any request; an `HTTPError` is an answer."""
    result = call_middleware(_guard, "/api/admin")
    assert result.ran
    assert result.response is not None
    assert (result.response.status_code, result.response.json) == (401, {"error": "Unauthorized"})
    result = call_middleware(_guard, "/api/broken")
    assert result.response is not None
    assert (result.response.status_code, result.response.text) == (418, "A teapot")


def test_middleware_lets_a_request_pass() -> None:
    """A request that goes on has no answer, and the headers that it goes on with are told."""
    result = call_middleware(_guard, cookies={"token": "ada"}, headers={"X-A": "1"}, method="POST", json=[])
    assert (result.ran, result.response, result.rewrite) == (True, None, None)
    assert (result.request_headers["x-user"], result.request_headers["x-a"]) == ("ada", "1")
    assert result.headers["x-seen"] == "1"
    plain = call_middleware(_guard, cookies={"token": "plain"})
    assert (plain.response, plain.request_headers["cookie"]) == (None, "token=plain")


def test_middleware_rewrites() -> None:
    """A rewrite tells where the request goes on."""
    result = call_middleware(_guard, "/api/old")
    assert (result.response, result.rewrite, result.headers["x-old"]) == (None, "/api/new", "1")


def test_middleware_runs_where_its_matcher_says(tmp_path: Path) -> None:
    """The matcher is the module's unless the test gives another."""
    source = """\
        from nextapi import Response

        config = {"matcher": "/api/:path*"}

        async def proxy(request):
            return Response("no", status=403)
        """
    root = write_files(tmp_path, {"proxy.py": source, "app/route.py": ""})
    proxy = load(root / "proxy.py").proxy
    assert [call_middleware(proxy, path).ran for path in ("/api/a", "/other")] == [True, False]
    assert call_middleware(proxy, "/other").response is None
    assert call_middleware(proxy, "/other", config={"matcher": "/other"}).ran
    with pytest.raises(TreeError, match="no middleware"):
        call_middleware(proxy, config={"matcher": ":"})


def test_middleware_that_fails_raises() -> None:
    """An exception of middleware is the test's."""
    with pytest.raises(ZeroDivisionError):
        call_middleware(lambda request: 1 / 0)
