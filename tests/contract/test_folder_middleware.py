"""`_middleware.py` in a folder: `middleware(request, call_next)` around the routes below it, on every host."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Callable
from contextvars import ContextVar
from textwrap import dedent
from urllib.parse import unquote, urlsplit

import pytest
from werkzeug.test import Client

Serve = Callable[..., Client]

seen: ContextVar[str] = ContextVar("seen", default="nothing")

KINDS = ("def", "async def")
PAIRS = tuple(itertools.product(KINDS, KINDS))

# Each is the text of a middleware that marks what passes; with `async def` its call_next is awaited.
MARKING = """
{kind} middleware(request, call_next):
    request.state.way = [*getattr(request.state, "way", []), "{name}"]
    response = {wait} call_next(request)
    response.headers.append("x-way", "{name}")
    return response
"""
PASSING = "{kind} middleware(request, call_next):\n    return {wait} call_next({argument})\n"


def middleware(kind: str, text: str, **names: str) -> str:
    """Return the text of a middleware of a kind."""
    wait = "await" if kind == "async def" else ""
    return dedent(text).format(kind=kind, wait=wait, **names).replace("  call_next", " call_next")


# Handlers of each dialect, and of each kind; all of them answer "/api/a/b" with the JSON of the way, or in its chunks.

PAGES = """
{kind} handler(req, res):
    res.status(201).json([*req.state.way, "handler"])
"""
PAGES_STREAM = """
def parts(way):
    yield json.dumps([*way, "handler"])[:3]
    yield json.dumps([*way, "handler"])[3:]

{kind} handler(req, res):
    res.status(201).set_header("Content-Type", "application/json").send(parts(req.state.way))
"""
PAGES_WRITES = """
{kind} handler(req, res):
    res.status(201).set_header("Content-Type", "application/json")
    text = json.dumps([*req.state.way, "handler"])
    res.write(text[:3])
    {sleep}
    res.end(text[3:])
"""
PAGES_EXTERNAL = """
config = {{"api": {{"externalResolver": True}}}}

def application(way):
    def answer(environ, start_response):
        start_response("201 Created", [("Content-Type", "application/json")])
        return [json.dumps([*way, "handler"]).encode()]
    return answer

{kind} handler(req, res):
    return application(req.state.way)
"""
EDGE = """
config = {{"runtime": "edge"}}

{kind} handler(request):
    return Response.json([*request.state.way, "handler"], status=201)
"""
EDGE_STREAM = """
config = {{"runtime": "edge"}}

def parts(way):
    yield json.dumps([*way, "handler"])[:3]
    yield json.dumps([*way, "handler"])[3:]

{kind} handler(request):
    return Response(parts(request.state.way), status=201, headers={{"content-type": "application/json"}})
"""
EDGE_ASYNC_STREAM = EDGE_STREAM.replace("def parts", "async def parts")
HEAD = "import asyncio, json\nfrom nextapi import HTTPError, NextResponse, Response\n"


def handler(text: str, kind: str) -> str:
    """Return the text of a handler of a kind."""
    sleep = "await asyncio.sleep(0)" if kind == "async def" else "pass"
    return HEAD + dedent(text).format(kind=kind, sleep=sleep)


HANDLERS = {
    "pages": PAGES,
    "pages-stream": PAGES_STREAM,
    "pages-async-stream": PAGES_STREAM.replace("def parts", "async def parts"),
    "pages-writes": PAGES_WRITES,
    "pages-external": PAGES_EXTERNAL,
    "edge": EDGE,
    "edge-stream": EDGE_STREAM,
    "edge-async-stream": EDGE_ASYNC_STREAM,
}


@pytest.mark.parametrize(("outer", "inner"), PAIRS)
def test_every_kind_around_every_kind(serve_files: Serve, outer: str, inner: str) -> None:
    """Middleware runs from the root to the leaf around handlers of all dialects, `def` or `async def` as they like."""
    files = {
        "pages/api/_middleware.py": middleware(outer, MARKING, name="api"),
        "pages/api/a/_middleware.py": middleware(inner, MARKING, name="a"),
        "app/_middleware.py": middleware(outer, MARKING, name="app"),
        "app/own/_middleware.py": middleware(inner, MARKING, name="own"),
    }
    for (name, text), kind in itertools.product(HANDLERS.items(), KINDS):
        files[f"pages/api/a/{name}-{kind[:3]}.py"] = handler(text, kind)
    for kind in KINDS:
        text = EDGE.replace('config = {{"runtime": "edge"}}', "").replace("handler(request)", "GET(request)")
        files[f"app/own/{kind[:3]}/route.py"] = handler(text, kind)
    client = serve_files(files)
    for name, kind in itertools.product(HANDLERS, KINDS):
        answer = client.get(f"/api/a/{name}-{kind[:3]}", buffered=True)
        assert (answer.status_code, json.loads(answer.data)) == (201, ["api", "a", "handler"]), (name, kind)
        assert ", ".join(answer.headers.getlist("x-way")) == "a, api", (name, kind)
        assert answer.headers.getlist("Content-Type")[0].startswith("application/json")
        head = client.head(f"/api/a/{name}-{kind[:3]}", buffered=True)
        assert (head.status_code, head.data) == (201, b""), (name, kind)
    for kind in KINDS:
        answer = client.get(f"/own/{kind[:3]}")
        assert (answer.status_code, answer.json) == (201, ["app", "own", "handler"])
        assert ", ".join(answer.headers.getlist("x-way")) == "own, app"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("argument", ["", "request", "request.clone()", "request=request"])
def test_what_passes_is_unchanged(serve_files: Serve, kind: str, argument: str) -> None:
    """A middleware that only passes leaves the bytes, the headers and their number as they are without it."""
    if argument == "request=request":
        argument = "request"
    routes = {
        "json.py": "def handler(req, res):\n    res.set_header('Set-Cookie', ['a=1', 'b=2']).json({'a': 1})\n",
        "end.py": "def handler(req, res):\n    res.status(204).end()\n",
        "send.py": "def handler(req, res):\n    res.status_message = 'Fine'\n    res.send('text')\n",
        "to.py": "def handler(req, res):\n    res.redirect(303, '/else?a=1')\n",
        "length.py": "def handler(req, res):\n    res.set_header('Content-Length', 4).send(iter(['text']))\n",
    }
    files = {f"pages/api/{folder}/{name}": text for name, text in routes.items() for folder in ("with", "without")}
    files["pages/api/with/_middleware.py"] = middleware(kind, PASSING, argument=argument)
    client = serve_files(files)
    for name, method in itertools.product(routes, ("GET", "HEAD", "POST")):
        passed, plain = (
            client.open(f"/api/{folder}/{name[:-3]}", method=method, buffered=True) for folder in ("with", "without")
        )
        assert (passed.status, passed.data) == (plain.status, plain.data)
        headers = [sorted((key.lower(), value) for key, value in answer.headers) for answer in (passed, plain)]
        assert headers[0] == headers[1], (name, method)
    etag = client.get("/api/with/json").headers["ETag"]
    fresh = client.get("/api/with/json", headers={"If-None-Match": etag})
    assert (fresh.status_code, fresh.data, fresh.headers["ETag"]) == (304, b"", etag)


ROUTE = """
from nextapi import cookies, not_found, redirect, Response

def GET(request):
    cookies().set("jar", "1")
    return Response("got")

def POST(request):
    not_found()

def PUT(request):
    cookies().set("jar", "1")
    redirect("/else")

async def PATCH(request):
    raise ValueError("patch")

def DELETE():
    return Response(None, status=204)
"""


@pytest.mark.parametrize("kind", KINDS)
def test_around_a_route_handler(serve_files: Serve, kind: str) -> None:
    """The automatic answers, not_found(), redirect() and cookies() are responses to the middleware, as all others."""
    text = """
    from nextapi import NextResponse

    {kind} middleware(request, call_next):
        response = {wait} call_next()
        response.headers.set("x-saw", f"{{request.method}} {{response.status}}")
        return response
    """
    client = serve_files({"app/a/_middleware.py": middleware(kind, text), "app/a/route.py": ROUTE})
    saw = {}
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "QUERY"):
        answer = client.open("/a", method=method)
        saw[method] = answer.status_code, answer.headers.get("x-saw"), answer.headers.get("Set-Cookie")
    assert saw == {
        "GET": (200, "GET 200", "jar=1; Path=/"),
        "HEAD": (200, "HEAD 200", "jar=1; Path=/"),
        "POST": (404, "POST 404", None),
        "PUT": (307, "PUT 307", "jar=1; Path=/"),
        "DELETE": (204, "DELETE 204", None),
        "OPTIONS": (204, "OPTIONS 204", None),
        "PATCH": (500, None, None),
        "QUERY": (400, "QUERY 400", None),
    }
    text = ROUTE.replace("def DELETE", "def HEAD")
    only = serve_files({"app/b/_middleware.py": middleware(kind, text="{kind} middleware(request, call_next):\n"
        "    return {wait} call_next()\n"), "app/b/route.py": text})  # fmt: skip
    refused = only.delete("/b")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD, OPTIONS, PATCH, POST, PUT")


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_of_its_own(serve_files: Serve, kind: str) -> None:
    """Without call_next the handler does not run; what is returned, cookies() with it, is the answer."""
    text = """
    from nextapi import HTTPError, NextResponse, Response, cookies, redirect

    {kind} middleware(request, call_next):
        way = request.next_url.search_params.get("way")
        if way == "json":
            response = NextResponse.json({{"by": "middleware"}}, status=401)
            response.cookies.set("a", "1")
            cookies().set("b", "2")
            return response
        if way == "raise":
            raise HTTPError(403, "Not yours", headers={{"x-a": "1"}})
        if way == "redirect":
            redirect("/login")
        if way == "stream":
            return Response(iter(["one", "two"]))
        return {wait} call_next(request)
    """
    route = "def handler(req, res):\n    raise SystemError('it ran')\n"
    client = serve_files({"pages/api/_middleware.py": middleware(kind, text), "pages/api/a.py": route})
    answer = client.get("/api/a?way=json")
    assert (answer.status_code, answer.json) == (401, {"by": "middleware"})
    assert answer.headers.getlist("Set-Cookie") == ["a=1; Path=/", "b=2; Path=/"]
    answer = client.get("/api/a?way=raise")
    assert (answer.status_code, answer.data, answer.headers["x-a"]) == (403, b"Not yours", "1")
    answer = client.post("/api/a?way=redirect")
    assert (answer.status_code, answer.headers["Location"]) == (307, "/login")
    assert client.get("/api/a?way=stream", buffered=True).data == b"onetwo"
    assert client.head("/api/a?way=json").headers["Content-Length"] == "19"
    assert client.get("/api/a").status_code == 500


@pytest.mark.parametrize("kind", KINDS)
def test_another_response(serve_files: Serve, kind: str) -> None:
    """Status, headers, cookies and body of the answer may be others; the body can be read whole or passed through."""
    text = """
    from nextapi import NextResponse, Response

    def shout(chunks):
        for chunk in chunks:
            yield chunk.upper() + b"!"

    {kind} middleware(request, call_next):
        response = {wait} call_next()
        way = request.next_url.search_params.get("way")
        if way == "headers":
            response.headers.delete("etag")
            response.headers.set("x-a", "1")
            response.headers.append("set-cookie", "m=1")
            return response
        if way == "text":
            return NextResponse(response.text().upper(), status=418, headers=response.headers)
        if way == "stream":
            return Response(shout(response.body), status=response.status, headers=response.headers)
        if way == "clone":
            copied = response.clone()
            response.headers.set("x-length", str(len(copied.bytes())))
            return response
    """
    files = {"pages/api/_middleware.py": middleware(kind, text)}
    for name, body in {**HANDLERS}.items():
        for inner in KINDS:
            text = handler(body, inner).replace("[*req.state.way, ", "[").replace("[*request.state.way, ", "[")
            text = text.replace("[*way, ", "[").replace("req.state.way", "0").replace("request.state.way", "0")
            files[f"pages/api/{name}-{inner[:3]}.py"] = text
    client = serve_files(files)
    for name, inner in itertools.product(HANDLERS, KINDS):
        path = f"/api/{name}-{inner[:3]}"
        answer = client.get(f"{path}?way=headers", buffered=True)
        assert (answer.status_code, json.loads(answer.data), answer.headers["x-a"]) == (201, ["handler"], "1"), path
        assert ("ETag" in answer.headers, answer.headers.getlist("Set-Cookie")) == (False, ["m=1"])
        answer = client.get(f"{path}?way=text", buffered=True)
        assert (answer.status_code, json.loads(answer.data)) == (418, ["HANDLER"]), path
        answer = client.get(f"{path}?way=stream", buffered=True)
        assert (answer.status_code, answer.data.replace(b"!", b"")) == (201, b'["HANDLER"]'), path
        assert "Content-Length" not in answer.headers or answer.headers["Content-Length"] == str(len(answer.data))
        answer = client.get(f"{path}?way=clone", buffered=True)
        assert (answer.headers["x-length"], json.loads(answer.data)) == ("11", ["handler"]), path


FAILING = {
    "pages": "{kind} handler(req, res):\n    raise {error}\n",
    "edge": "config = {{'runtime': 'edge'}}\n{kind} handler(request):\n    raise {error}\n",
}


@pytest.mark.parametrize(("outer", "inner"), PAIRS)
@pytest.mark.parametrize("dialect", FAILING)
def test_a_handler_that_fails(serve_files: Serve, outer: str, inner: str, dialect: str) -> None:
    """call_next raises what the handler raised, the same object, with the handler in its traceback."""
    text = """
    import traceback
    from nextapi import Response

    {kind} middleware(request, call_next):
        try:
            return {wait} call_next(request)
        except (KeyError, ValueError) as error:
            frames = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
            return Response.json([type(error).__name__, str(error), error.__cause__, "handler" in frames], status=409)
    """
    errors = {
        "key": "KeyError('a')",
        "value": "ValueError('b')",
        "os": "OSError('c')",
        "http": "HTTPError(402, 'Pay', headers=dict([('x-a', '1')]))",
    }
    files = {"pages/api/_middleware.py": middleware(outer, text)}
    files["pages/api/a/_middleware.py"] = middleware(outer, PASSING, argument="request")
    for name, error in errors.items():
        files[f"pages/api/a/{name}.py"] = HEAD + FAILING[dialect].format(kind=inner, error=error)
    client = serve_files(files)
    answer = client.get("/api/a/key")
    assert (answer.status_code, answer.json) == (409, ["KeyError", "'a'", None, True])
    assert client.get("/api/a/value").json == ["ValueError", "b", None, True]
    assert client.get("/api/a/os").status_code == 500
    answer = client.get("/api/a/http")
    assert (answer.status_code, answer.data, answer.headers["x-a"]) == (402, b"Pay", "1")


@pytest.mark.parametrize("kind", KINDS)
def test_odd_exceptions_do_not_hang(serve_files: Serve, kind: str) -> None:
    """What a future cannot take is an error below a coroutine, too: StopIteration, and a cancelled handler."""
    files = {
        "pages/api/_middleware.py": middleware(kind, PASSING, argument=""),
        "pages/api/stop.py": "def handler(req, res):\n    next(iter([]))\n",
        "pages/api/cancel.py": "import asyncio\nasync def handler(req, res):\n    raise asyncio.CancelledError\n",
    }
    client = serve_files(files)
    assert client.get("/api/stop").status_code == 500
    assert client.get("/api/cancel").status_code == 500


@pytest.mark.parametrize(("outer", "inner"), PAIRS)
@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_the_end_of_the_server_passes(serve_files: Serve, outer: str, inner: str, error: type[BaseException]) -> None:
    """SystemExit and KeyboardInterrupt go through, and leave a server that can answer."""
    files = {
        "pages/api/_middleware.py": middleware(outer, PASSING, argument=""),
        "pages/api/a.py": f"{inner} handler(req, res):\n    raise {error.__name__}\n",
        "pages/api/b.py": f"{inner} handler(req, res):\n    res.end('fine')\n",
    }
    client = serve_files(files)
    with pytest.raises(error):
        client.get("/api/a")
    assert client.get("/api/b").data == b"fine"


# Requests


SHOWING = {
    "pages/api/pages.py": """
        def handler(req, res):
            res.json([req.headers.get("x-user"), req.cookies, req.state.user, req.body])
        """,
    "pages/api/edge.py": """
        from nextapi import Response
        config = {"runtime": "edge"}
        async def handler(request):
            cookies = {cookie.name: cookie.value for cookie in request.cookies.get_all()}
            return Response.json([request.headers.get("x-user"), cookies, request.state.user, request.json()])
        """,
    "app/api/route/route.py": """
        from nextapi import Response, cookies, headers
        def POST(request):
            jar = {cookie.name: cookie.value for cookie in cookies().get_all()}
            return Response.json([headers().get("x-user"), jar, request.state.user, request.json()])
        """,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("argument", ["", "request", "request.clone()"])
def test_what_the_handler_sees(serve_files: Serve, kind: str, argument: str) -> None:
    """Headers, cookies and state that the middleware sets are the handler's in each dialect; so is the body."""
    text = """
    {kind} middleware(request, call_next):
        request.headers.set("x-user", "ada")
        request.headers.delete("x-secret")
        request.cookies.set("b", "2")
        request.state.user = request.json()
        return {wait} call_next({argument})
    """
    made = middleware(kind, text, argument=argument)
    if argument == "request.clone()":
        made = made.replace("= request.json()", "= request.clone().json()")
    client = serve_files({"pages/api/_middleware.py": made, "app/_middleware.py": made, **SHOWING})
    for name in ("pages", "edge", "route"):
        answer = client.post(f"/api/{name}", json=[1], headers={"Cookie": "a=1", "X-User": "eve"})
        assert answer.json == ["ada", {"a": "1", "b": "2"}, [1], [1]], name


READERS = {
    "json": "[request.json()]",
    "text": "request.text()",
    "bytes": "request.bytes().decode()",
    "stream": "request.body.read().decode()",
    "part": "request.body.read(2).decode()",
    "closed": "request.body.close()",
    "clone": "[request.clone().text(), request.clone().body.read(2).decode(), request.text()]",
    "none": "None",
}
READING = {
    "pages/api/body.py": """
        config = {"api": {"bodyParser": {"sizeLimit": "9mb"}}}
        def handler(req, res):
            res.json([req.body, req.raw_body.decode()])
        """,
    "pages/api/stream.py": """
        config = {"api": {"bodyParser": False}}
        async def handler(req, res):
            res.json([req.body, req.stream.read().decode()])
        """,
    "pages/api/raw.py": """
        config = {"api": {"bodyParser": False}}
        def handler(req, res):
            res.json([req.body, req.raw_body.decode()])
        """,
    "pages/api/edge.py": """
        from nextapi import Response
        config = {"runtime": "edge"}
        def handler(request):
            return Response.json([request.body_used, request.text()])
        """,
    "pages/api/external.py": """
        config = {"api": {"bodyParser": False, "externalResolver": True}}
        def application(environ, start_response):
            start_response("200 OK", [("Content-Type", "application/json")])
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            return [b'[0, "' + body.replace(b'"', b'\\\\"') + b'"]']
        def handler(req, res):
            return application
        """,
    "app/api/route/route.py": """
        from nextapi import Response
        async def POST(request):
            return Response.json([request.body_used, request.body.read().decode()])
        """,
}


READING_NAMES = ("body", "stream", "raw", "edge", "external", "route")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("size", [10, 700_000])
def test_a_body_that_was_read_is_read_again(serve_files: Serve, kind: str, reader: str, size: int) -> None:
    """However the middleware reads the body, the handler of every dialect has all of it, small or large."""
    text = "{kind} middleware(request, call_next):\n    " + READERS[reader] + "\n    return {wait} call_next(request)\n"
    made = middleware(kind, text)
    files = {"pages/api/_middleware.py": made, "app/_middleware.py": made, **READING}
    client = serve_files(files, max_body_size="9mb")
    body = json.dumps({"a": "é" * size}, ensure_ascii=False)
    names = ("body", "stream", "edge", "route") if size > 10 else READING_NAMES
    for name in names:
        answer = client.post(f"/api/{name}", data=body.encode(), content_type="application/json")
        assert answer.json is not None, (name, answer.status, answer.data[:200])
        assert answer.json[1] == body, name


@pytest.mark.parametrize("kind", KINDS)
def test_uploads_are_read_again(serve_files: Serve, kind: str) -> None:
    """Files that the middleware has read are whole for the handler."""
    text = """
    {kind} middleware(request, call_next):
        form = request.form_data()
        request.state.size = len(form.get("file").read()) + len(form.get("note"))
        return {wait} call_next()
    """
    files = {
        "pages/api/_middleware.py": middleware(kind, text),
        "pages/api/pages.py": """
            def handler(req, res):
                res.json([req.state.size, req.body["note"], req.files["file"].read().decode()])
            """,
        "pages/api/edge.py": """
            from nextapi import Response
            config = {"runtime": "edge"}
            def handler(request):
                form = request.form_data()
                return Response.json([request.state.size, form.get("note"), form.get("file").read().decode()])
            """,
    }
    client = serve_files(files)
    for name in ("pages", "edge"):
        form = {"note": "hey", "file": (io.BytesIO(b"content"), "a.txt")}
        assert client.post(f"/api/{name}", data=form).json == [10, "hey", "content"], name


@pytest.mark.parametrize("kind", KINDS)
def test_limits_of_a_body(serve_files: Serve, kind: str) -> None:
    """Read by middleware, a body is held to max_body_size, and then to the handler's limit; bad JSON is a 400."""
    text = """
    {kind} middleware(request, call_next):
        if request.next_url.search_params.get("as") == "json":
            request.json()
        request.clone().body.read(1)
        return {wait} call_next()
    """
    route = "config = {'api': {'bodyParser': {'sizeLimit': 5}}}\ndef handler(req, res):\n    res.json(req.body)\n"
    client = serve_files(
        {"pages/api/_middleware.py": middleware(kind, text), "pages/api/a.py": route}, max_body_size="100b"
    )
    assert client.post("/api/a", data=b"12345").json == "12345"
    assert client.post("/api/a", data=b"123456").status_code == 413
    answer = client.post("/api/a", data=b"1" * 101)
    assert (answer.status_code, answer.data) == (413, b"Body exceeded 100b limit")
    answer = client.post("/api/a?as=json", data=b"{")
    assert (answer.status_code, answer.data) == (400, b"Invalid JSON")


# Which routes


def test_which_files_are_middleware(serve_files: Serve) -> None:
    """Every folder's own file counts, also a group's; other names do not, nor do folders beside."""
    mark = "def middleware(request, call_next):\n    response = call_next()\n"
    mark += "    response.headers.append('x-way', __file__.rsplit('/', 2)[1])\n    return response\n"
    answer = "def handler(req, res):\n    res.end()\n"
    get = "from nextapi import Response\ndef GET():\n    return Response('')\n"
    files = {
        "pages/api/_middleware.py": mark,
        "pages/api/_other.py": "1 / 0",
        "pages/api/[id]/_middleware.py": mark,
        "pages/api/[id]/x.py": answer,
        "pages/api/static/x.py": answer,
        "pages/api/static/_private/_middleware.py": "1 / 0",
        "pages/api/static/deep/index.py": answer,
        "pages/api/static/deep/_middleware.py": mark,
        "pages/api/static/deep.py.txt": "",
        "app/_middleware.py": mark,
        "app/(group)/_middleware.py": mark,
        "app/(group)/api/in/route.py": get,
        "app/(other)/api/out/route.py": get,
        "app/api/in/sub/route.py": get,
    }
    client = serve_files(files)
    ways = {
        "/api/7/x": ["[id]", "api"],
        "/api/static/x": ["api"],
        "/api/static/deep": ["deep", "api"],
        "/api/in": ["(group)", "app"],
        "/api/out": ["app"],
        "/api/in/sub": ["app"],
        "/api/nowhere": [],
        "/api/7": [],
    }
    assert {
        path: [way for line in client.get(path).headers.getlist("x-way") for way in line.split(", ")] for path in ways
    } == ways


@pytest.mark.parametrize("kind", KINDS)
def test_what_comes_before_it(serve_files: Serve, kind: str) -> None:
    """A 404, a refusal of the same-origin guard and a parameter that cannot be decoded do not reach it."""
    files = {
        "pages/api/_middleware.py": f"{kind} middleware(request, call_next):\n    raise SystemError\n",
        "pages/api/a/[id].py": "def handler(req, res):\n    res.end()\n",
    }
    client = serve_files(files)
    assert client.get("/api/b").status_code == 404
    assert client.post("/api/a/1", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.get(environ_overrides={"PATH_INFO": "/api/a/\xff", "RAW_URI": "/api/a/%ff"}).status_code == 400
    assert client.get("/api/a/1").status_code == 500


SPELLINGS = ()


@pytest.mark.parametrize("where", ["folder", "root"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_no_spelling_of_a_path_leads_past_a_guard(serve_files: Serve, where: str, method: str) -> None:
    """A handler below a guard never runs without it, however the path is spelled, and whatever headers say."""
    ran = "def handler(req, res):\n    res.set_header('x-ran', '1').end()\n"
    deny = "from nextapi import Response\nconfig = {'matcher': '/api/admin/:path*'}\n"
    deny += "def middleware(request, call_next=None):\n    return Response('', status=403)\n"
    if where == "folder":
        guard = {"pages/api/admin/_middleware.py": deny.replace("config", "_")}
    else:
        guard = {"middleware.py": deny.replace(", call_next=None", "")}
    files = {**guard, "pages/api/admin/secret.py": ran, "pages/api/admin/index.py": ran, "pages/api/admin/[id].py": ran}
    if where == "root":
        files["pages/api/[a]/[b].py"] = ran.replace("res.set", "req.params['a'].lower() == 'admin' and res.set")
    client = serve_files(files)
    headers = {
        "x-middleware-subrequest": "middleware:middleware:middleware:middleware:middleware",
        "x-middleware-next": "1",
        "x-middleware-rewrite": "/api/admin/secret",
        "x-nextjs-data": "1",
        "X-Original-URL": "/api/open",
        "X-HTTP-Method-Override": "OPTIONS",
    }
    for path in SPELLINGS:
        plain = urlsplit(path).path if path.startswith("http") else path.partition("?")[0].partition("#")[0]
        for told in ({"RAW_URI": path, "REQUEST_URI": path}, {}):
            environ = {**told, "PATH_INFO": unquote(plain, "latin-1")}
            answer = client.open(method=method, environ_overrides=environ, headers=headers)
            assert "x-ran" not in answer.headers, (path, told)
            assert answer.status_code in (301, 308, 400, 403, 404, 500), (path, told)


def test_the_plain_path_of_the_guarded_route_is_refused(serve_files: Serve) -> None:
    """What the spellings are compared with: the guard answers, and a route beside it is not guarded."""
    files = {
        "pages/api/admin/_middleware.py": (
            "from nextapi import Response\ndef middleware(request, call_next):\n    return Response('no', status=403)\n"
        ),
        "pages/api/admin/secret.py": "def handler(req, res):\n    res.end('ran')\n",
        "pages/api/open.py": "def handler(req, res):\n    res.end('ran')\n",
    }
    client = serve_files(files)
    assert [client.get(f"/api/{name}").status_code for name in ("admin/secret", "open")] == [403, 200]


# What is called wrongly


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "{wait} call_next()\n    return {wait} call_next()",
            "call_next() was called a second time: the handler has run",
        ),
        ("return {wait} call_next(Request())", "takes the request that the middleware was given, or a clone of it"),
        ("return {wait} call_next(NextRequest('http://a/'))", "takes the request that the middleware was given"),
        (
            "return None",
            "_middleware.py: middleware() returned nothing: return what call_next() returns, or a Response",
        ),
        ("return 'text'", "middleware() returned str, which is no Response"),
        ("return NextResponse.next()", "here `return call_next(request)` lets a request pass"),
    ],
)
def test_mistakes_are_told(
    serve_files: Serve, kind: str, body: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A middleware that is wrong is a 500, and the log says what is wrong, in which file."""
    text = "from nextapi import NextRequest, NextResponse\nclass Request: ...\n"
    text += "{kind} middleware(request, call_next):\n    "
    files = {
        "pages/api/_middleware.py": middleware(kind, text + body + "\n"),
        "pages/api/a.py": "ran = []\ndef handler(req, res):\n    ran.append(1)\n    res.json(len(ran))\n",
    }
    assert serve_files(files).get("/api/a").status_code == 500
    assert said in caplog.text
    assert "_middleware.py" in caplog.text


@pytest.mark.parametrize(
    "body",
    [
        "return call_next()",
        "call_next()\n    return Response('own')",
        "response = call_next()\n    response.headers.set('x-a', '1')\n    return response",
    ],
)
@pytest.mark.filterwarnings("error")
def test_a_forgotten_await_is_told(serve_files: Serve, body: str, caplog: pytest.LogCaptureFixture) -> None:
    """An `async def` middleware that does not await call_next is a 500 that says so, and the handler has not run."""
    files = {
        "pages/api/_middleware.py": (
            f"from nextapi import Response\nasync def middleware(request, call_next):\n    {body}\n"
        ),
        "pages/api/a.py": "def handler(req, res):\n    print('it ran')\n    res.end()\n",
    }
    assert serve_files(files).get("/api/a").status_code == 500
    assert "write `response = await call_next(request)`" in caplog.text


def test_call_next_after_the_answer(serve_files: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """A call_next that was kept does nothing once the middleware has answered."""
    files = {
        "pages/api/_middleware.py": """
            from nextapi import Response, after
            def middleware(request, call_next):
                after(call_next)
                return Response("own")
            """,
        "pages/api/a.py": "def handler(req, res):\n    print('it ran')\n    res.end()\n",
    }
    with serve_files(files).get("/api/a") as answer:
        assert answer.data == b"own"
    assert "call_next() was called after the middleware had answered" in caplog.text


# Coroutines


@pytest.mark.parametrize(("outer", "inner"), PAIRS)
def test_context_variables(serve_files: Serve, outer: str, inner: str) -> None:
    """What middleware sets before call_next the handler sees, whatever kind they are of; nothing of it stays."""
    text = """
    from tests.contract.test_folder_middleware import seen

    {kind} middleware(request, call_next):
        token = seen.set(seen.get() + "+{name}")
        response = {wait} call_next()
        seen.reset(token)
        return response
    """
    route = "from tests.contract.test_folder_middleware import seen\n{} handler(req, res):\n    res.end(seen.get())\n"
    files = {
        "pages/api/_middleware.py": middleware(outer, text, name="api"),
        "pages/api/a/_middleware.py": middleware(inner, text, name="a"),
        "pages/api/a/plain.py": route.format("def"),
        "pages/api/a/async.py": route.format("async def"),
    }
    client = serve_files(files)
    for name in ("plain", "async"):
        assert client.get(f"/api/a/{name}").data == b"nothing+api+a"
    assert seen.get() == "nothing"


def test_tasks_that_middleware_leaves_over(serve_files: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """A task that it began and did not wait for is cancelled after the answer, with a line that names the file."""
    files = {
        "pages/api/_middleware.py": """
            import asyncio
            async def middleware(request, call_next):
                asyncio.create_task(asyncio.sleep(100), name="sleeping")
                return await call_next()
            """,
        "pages/api/a.py": "async def handler(req, res):\n    res.end('done')\n",
    }
    with serve_files(files).get("/api/a") as answer:
        assert answer.data == b"done"
    assert "_middleware.py: the task sleeping was left over, and is cancelled" in caplog.text


def test_call_next_by_a_task(serve_files: Serve) -> None:
    """call_next can be awaited by a task, with a time limit, and beside other work."""
    files = {
        "pages/api/_middleware.py": """
            import asyncio
            async def middleware(request, call_next):
                response, _ = await asyncio.gather(call_next(), asyncio.sleep(0))
                return await asyncio.wait_for(asyncio.sleep(0, response), 60)
            """,
        "pages/api/a/_middleware.py": """
            import asyncio
            async def middleware(request, call_next):
                async with asyncio.timeout(60):
                    return await asyncio.create_task(call_next(request))
            """,
        "pages/api/a/b.py": (
            "import asyncio\nasync def handler(req, res):\n    await asyncio.sleep(0)\n    res.end('done')\n"
        ),
    }
    client = serve_files(files)
    assert [client.get("/api/a/b").data for _ in range(3)] == [b"done"] * 3


def test_a_request_made_by_a_handler(serve_files: Serve) -> None:
    """A `def` middleware has responses of call_next also where a coroutine further out has made the request."""
    files = {
        "pages/api/a.py": """
            from tests.contract.test_folder_middleware import clients
            async def handler(req, res):
                res.end(clients[-1].get("/api/b/c").data)
            """,
        "pages/api/b/_middleware.py": middleware("def", MARKING, name="b"),
        "pages/api/b/c.py": handler(PAGES, "def"),
    }
    clients.append(serve_files(files))
    assert clients[-1].get("/api/a").data == b'["b","handler"]'


clients: list[Client] = []


# Streams


@pytest.mark.parametrize(("outer", "inner"), PAIRS)
@pytest.mark.parametrize("name", ["pages-writes", "sends", "edge"])
def test_chunks_pass_at_once(serve_files: Serve, outer: str, inner: str, name: str) -> None:
    """A chunk reaches the client before the next one is made, through middleware of both kinds."""
    routes = {
        "pages-writes": """
            import asyncio
            from tests.contract.test_folder_middleware import made
            async def handler(req, res):
                for number in range(3):
                    made.append(number)
                    res.write(str(number))
                    await asyncio.sleep(0.01)
                res.end()
            """,
        "sends": """
            from tests.contract.test_folder_middleware import made
            def parts():
                for number in range(3):
                    made.append(number)
                    yield str(number)
            def handler(req, res):
                res.send(parts())
            """,
        "edge": """
            from nextapi import Response
            from tests.contract.test_folder_middleware import made
            config = {"runtime": "edge"}
            async def parts():
                for number in range(3):
                    made.append(number)
                    yield str(number)
            async def handler(request):
                return Response(parts())
            """,
    }
    text = """
    from nextapi import Response

    def pieces(body):
        for chunk in body:
            yield b"<" + chunk + b">"

    {kind} middleware(request, call_next):
        response = {wait} call_next()
        return Response(pieces(response.body), headers=response.headers)
    """
    files = {
        "pages/api/_middleware.py": middleware(outer, text),
        "pages/api/a/_middleware.py": middleware(inner, PASSING, argument=""),
        "pages/api/a/b.py": routes[name],
    }
    made.clear()
    with serve_files(files).get("/api/a/b", buffered=False) as answer:
        chunks = (chunk for chunk in answer.iter_encoded() if chunk)
        assert next(chunks) == b"<0>"
        assert made in ([0], [0, 1])  # the first is made before the answer begins
        assert list(chunks) == [b"<1>", b"<2>"]


made: list[int] = []


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_that_fails_is_reported_once(serve_files: Serve, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """An exception behind the first chunk cuts the answer, and the log has it once, also through middleware."""
    files = {
        "pages/api/_middleware.py": middleware(kind, PASSING, argument=""),
        "pages/api/a/_middleware.py": middleware(kind, PASSING, argument=""),
        "pages/api/a/b.py": """
            def parts():
                yield "one"
                raise ValueError("broken")
            def handler(req, res):
                res.send(parts())
            """,
    }
    client = serve_files(files)
    with pytest.raises(ValueError, match="broken"), client.get("/api/a/b", buffered=False) as answer:
        list(answer.iter_encoded())
    assert caplog.text.count("raise ValueError") == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_that_is_not_sent_is_closed(serve_files: Serve, kind: str) -> None:
    """Where middleware answers something else, the handler's stream is closed all the same."""
    files = {
        "pages/api/_middleware.py": middleware(
            kind,
            "from nextapi import Response\n{kind} middleware(request, call_next):\n"
            "    {wait} call_next()\n    return Response('own')\n",
        ),
        "pages/api/a.py": """
            from tests.contract.test_folder_middleware import closed
            class Parts:
                def __iter__(self): return self
                def __next__(self): return "part"
                def close(self): closed.append(1)
            def handler(req, res):
                res.send(Parts())
            """,
    }
    closed.clear()
    with serve_files(files).get("/api/a") as answer:
        assert answer.data == b"own"
    assert closed == [1]


closed: list[int] = []
