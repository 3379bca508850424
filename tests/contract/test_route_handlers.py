"""Route handlers, beyond the examples: methods, segment config, functions about the request, errors, limits."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from werkzeug.test import Client

from nextapi.errors import DynamicError

Serve = Callable[..., Client]

ROUTE = "app/api/a/route.py"
MANY = """
from nextapi import Response

def GET(request):
    return Response("got", headers={"x-seen": request.method})

def POST():
    return Response(status=204)
"""


def _serve(serve_files: Serve, body: str, head: str = "", **options: object) -> Client:
    """Mount one route handler whose GET and POST have `body`."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    text = f"from nextapi import *\n{head}\n\ndef GET(request, context):\n{lines}\n\nPOST = GET\n"
    return serve_files({ROUTE: text}, **options)


# Methods


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_method_without_a_handler(serve_files: Serve, method: str) -> None:
    """It is a 405 with an empty body that names what there is, HEAD and OPTIONS among it."""
    answer = serve_files({ROUTE: MANY}).open("/api/a", method=method)
    assert (answer.status_code, answer.data) == (405, b"")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert "content-type" not in answer.headers


def test_405_as_a_problem(serve_files: Serve) -> None:
    """Who prefers JSON gets a problem document."""
    answer = serve_files({ROUTE: MANY}).delete("/api/a", headers={"Accept": "application/json"})
    assert answer.content_type == "application/problem+json"
    assert answer.json == {"title": "Method Not Allowed", "status": 405, "detail": ""}


def test_head_and_options_by_themselves(serve_files: Serve) -> None:
    """HEAD runs GET and has its headers; OPTIONS says which methods there are."""
    client = serve_files({ROUTE: MANY})
    head = client.head("/api/a")
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["x-seen"] == "HEAD"
    assert head.headers["content-length"] == "3"
    options = client.options("/api/a")
    assert (options.status_code, options.data) == (204, b"")
    assert options.headers["allow"] == "GET, HEAD, OPTIONS, POST"


def test_method_that_no_file_can_answer(serve_files: Serve) -> None:
    """It is a 400, as in Next."""
    assert serve_files({ROUTE: MANY}).open("/api/a", method="PROPFIND").status_code == 400


# What the path matches


def test_params_are_not_in_the_query(serve_files: Serve) -> None:
    """`context.params` has the path's parameters, decoded once; the query is what was sent."""
    text = """
    from nextapi import Response

    def GET(request, context):
        return Response.json([context.params, request.next_url.search_params.multi_items()])
    """
    client = serve_files({"app/api/[id]/x/[...rest]/route.py": text, "app/api/route.py": text})
    assert client.get("/api/a%2Fb/x/1/2%203?id=9&id=8&x=").json == [
        {"id": "a/b", "rest": ["1", "2 3"]},
        [["id", "9"], ["id", "8"], ["x", ""]],
    ]
    assert client.get("/api").json == [{}, []]


def test_params_in_the_query_of_the_edge_runtime(serve_files: Serve) -> None:
    """With `runtime = "edge"` they are in the query as well, in place of what was sent, as in Next."""
    text = """
    from nextapi import Response

    runtime = "edge"

    def GET(request, context):
        return Response.json([context.params, request.next_url.search])
    """
    client = serve_files({"app/api/[id]/route.py": text, "app/api/route.py": text})
    assert client.get("/api/a%20b?x=1&id=z").json == [{"id": "a b"}, "?x=1&id=a+b"]
    assert client.get("/api?x=1").json == [{}, "?x=1"]


# Segment config


@pytest.mark.parametrize(
    ("config", "value"),
    [
        ("", None),
        ("dynamic = 'force-dynamic'", None),
        ("revalidate = 0", None),
        ("revalidate = 60", "s-maxage=60, stale-while-revalidate=31535940"),
        ("revalidate = False", "s-maxage=31536000"),
        ("dynamic = 'force-static'", "s-maxage=31536000"),
        ("dynamic = 'force-static'; revalidate = 1", "s-maxage=1, stale-while-revalidate=31535999"),
    ],
)
def test_cache_control_of_a_segment(serve_files: Serve, config: str, value: str | None) -> None:
    """`revalidate` and `dynamic` say for how long a shared cache may keep what GET answers."""
    client = _serve(serve_files, "return Response('x')", config)
    assert client.get("/api/a").headers.get("cache-control") == value
    assert client.head("/api/a").headers.get("cache-control") == value
    assert "cache-control" not in client.post("/api/a").headers


def test_own_cache_control_wins(serve_files: Serve) -> None:
    """A Cache-Control of the handler's stands."""
    client = _serve(serve_files, "return Response('x', headers={'Cache-Control': 'no-store'})", "revalidate = 60")
    assert client.get("/api/a").headers.getlist("cache-control") == ["no-store"]


@pytest.mark.parametrize(
    "look", ["cookies()", "headers()", "request.cookies.get('a')", "request.headers.get('accept')", "draft_mode()"]
)
def test_answer_that_may_depend_on_who_asked_is_private(serve_files: Serve, look: str) -> None:
    """Whoever looks at cookies or headers has an answer that no shared cache keeps."""
    client = _serve(serve_files, f"{look}\nreturn Response('x')", "revalidate = 60")
    is_private = look != "draft_mode()"
    assert client.get("/api/a").headers["cache-control"].startswith("private, no-cache, no-store") is is_private


def test_dynamic_error(serve_files: Serve) -> None:
    """With `dynamic = "error"` a handler that looks at cookies or headers has failed; else nothing is different."""
    head = "dynamic = 'error'\nimport builtins"
    client = _serve(serve_files, "request.next_url.search_params.has('x') and cookies()\nreturn Response('x')", head)
    assert client.get("/api/a").status_code == 200
    assert client.get("/api/a?x").status_code == 500


def test_force_static_sees_nothing_of_who_asks(serve_files: Serve) -> None:
    """As in Next, GET has no query, cookies and headers: its answer is the same for all, and says so. POST has them."""
    body = (
        "seen = [request.next_url.search, request.headers.get('x-a'), headers().get('x-a'), str(cookies())]\n"
        "return Response.json(seen)"
    )
    client = _serve(serve_files, body, "dynamic = 'force-static'")
    given = {"X-A": "1", "Cookie": "a=1"}
    answer = client.get("/api/a?x=1", headers=given)
    assert answer.json == ["", None, None, ""]
    assert (answer.headers["cache-control"], answer.headers["no-vary-search"]) == ("s-maxage=31536000", "params")
    assert client.post("/api/a?x=1", headers=given).json == ["?x=1", "1", "1", "a=1; Path=/"]


@pytest.mark.parametrize("config", ["revalidate = 60", "dynamic = 'force-static'"])
def test_a_draft_is_private(serve_files: Serve, config: str) -> None:
    """Who is in draft mode sees the request as it is, and the answer is nobody else's, whatever it says itself."""
    body = (
        "request.method == 'POST' and draft_mode().enable()\n"
        "return Response(str(draft_mode().is_enabled), headers={'Cache-Control': 's-maxage=5'})"
    )
    client = _serve(serve_files, body, config, secret="a secret for the tests")
    assert client.get("/api/a").headers.getlist("cache-control") == ["s-maxage=5"]
    cookie = client.post("/api/a").headers["set-cookie"].partition(";")[0]
    answer = client.get("/api/a", headers={"Cookie": cookie})
    assert answer.text == "True"
    assert answer.headers.getlist("cache-control") == ["private, no-cache, no-store, max-age=0, must-revalidate"]


@pytest.mark.parametrize("look", ["cookies()", "headers()", "request.cookies"])
def test_a_stream_that_asks_who_asked_is_cut(serve_files: Serve, look: str) -> None:
    """Its head has said that it is the same for all: so it must not end well, and no cache keeps it."""
    text = f"""
from nextapi import *

revalidate = 60

def GET(request):
    def steps():
        yield "a"
        request.next_url.pathname == "/api/a" and {look}
        yield "b"

    return Response(steps())
"""
    client = serve_files({ROUTE: text, "app/api/b/route.py": text})
    with pytest.raises(DynamicError, match="its stream asked for cookies or headers after its head"):
        _ = client.get("/api/a").text
    assert client.get("/api/b").text == "ab"


def test_max_body_size(serve_files: Serve) -> None:
    """What is read at once is held to the segment's limit, and to the option's without one; the stream is not."""
    body = (
        "if request.next_url.search_params.has('stream'):\n    return Response.json(len(request.body.read()))\n"
        "return Response(request.text())"
    )
    client = _serve(serve_files, body, "max_body_size = '10b'")
    assert client.post("/api/a", data=b"x" * 10).text == "x" * 10
    refused = client.post("/api/a", data=b"x" * 11)
    assert (refused.status_code, refused.text) == (413, "Body exceeded 10b limit")
    assert client.post("/api/a?stream", data=b"x" * 11).json == 11


def test_max_body_size_of_the_option(serve_files: Serve) -> None:
    """Without a limit of its own a segment has that of the option."""
    client = _serve(serve_files, "return Response(request.text())", max_body_size="1kb")
    assert client.post("/api/a", data=b"x" * 1024).status_code == 200
    assert client.post("/api/a", data=b"x" * 1025).status_code == 413


@pytest.mark.parametrize(("config", "status"), [("", 403), ("same_origin = False", 200)])
def test_same_origin(serve_files: Serve, config: str, status: int) -> None:
    """The guard is there unless the segment switches it off."""
    client = _serve(serve_files, "return Response('x')", config)
    answer = client.post("/api/a", headers={"Origin": "https://other.example", "Content-Type": "text/plain"}, data="x")
    assert answer.status_code == status


# Functions about the request


def test_cookies_are_read_as_they_were_set(serve_files: Serve) -> None:
    """What `cookies().set` has set is read at once, sent with the answer, and unknown to `request.cookies`."""
    body = (
        "jar = cookies()\njar.set('a', 'new', http_only=True).set('b', '2')\njar.delete('c')\n"
        "return Response.json([{k: v.value for k, v in jar}, request.cookies.get('a').value])"
    )
    answer = _serve(serve_files, body).get("/api/a", headers={"Cookie": "a=old; c=3; d=4"})
    assert answer.json == [{"a": "new", "b": "2", "c": "", "d": "4"}, "old"]
    assert answer.headers.getlist("set-cookie") == [
        "a=new; Path=/; HttpOnly",
        "b=2; Path=/",
        "c=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    ]


@pytest.mark.parametrize(
    ("end", "status", "cookies"),
    [
        ("redirect('/t')", 307, ["a=1; Path=/"]),
        ("permanent_redirect('/t')", 308, ["a=1; Path=/"]),
        ("not_found()", 404, []),
        ("forbidden()", 403, []),
        ("unauthorized()", 401, []),
        ("raise HTTPError(409, 'no')", 409, []),
    ],
)
def test_cookies_beside_a_raised_answer(serve_files: Serve, end: str, status: int, cookies: list[str]) -> None:
    """They are sent with a redirect, and lost with what refuses."""
    answer = _serve(serve_files, f"cookies().set('a', '1')\n{end}").get("/api/a")
    assert answer.status_code == status
    assert answer.headers.getlist("set-cookie") == cookies
    assert answer.headers.get("location") == ("/t" if cookies else None)
    assert answer.text == ("no" if status == 409 else "")


def test_redirect_to_a_url(serve_files: Serve) -> None:
    """A `URL`, and the request's own, will do as well as text."""
    head = "def PUT(request):\n    permanent_redirect(request.next_url)\n"
    client = _serve(serve_files, "redirect(URL('/t?x=1', 'https://a.example'))", head)
    assert client.get("/api/a").headers["location"] == "https://a.example/t?x=1"
    answer = client.put("/api/a?b=2", base_url="https://shop.example")
    assert (answer.status_code, answer.headers["location"]) == (308, "https://shop.example/api/a?b=2")


def test_functions_in_coroutines_and_helpers(serve_files: Serve) -> None:
    """`cookies()` and `headers()` know the request in whatever the handler calls, tasks among it."""
    text = """
    import asyncio
    from nextapi import Response, cookies, headers

    async def name():
        await asyncio.sleep(0)
        return [cookies().get("a").value, headers()["x-one"]]

    async def GET():
        return Response.json(await asyncio.gather(name(), asyncio.create_task(name())))
    """
    client = serve_files({ROUTE: text})
    answer = client.get("/api/a", headers={"Cookie": "a=1", "X-One": "one"})
    assert answer.json == [["1", "one"], ["1", "one"]]


def test_headers_cannot_be_changed(serve_files: Serve) -> None:
    """`headers()` can be read alone."""
    body = "try:\n    headers().set('a', 'b')\nexcept TypeError as error:\n    return Response(str(error))"
    assert "Headers cannot be modified" in _serve(serve_files, body).get("/api/a").text


def test_draft_mode(serve_files: Serve) -> None:
    """It is switched on and off by a cookie, as the request sees at once; pages routes see the same."""
    text = """
    from nextapi import Response, draft_mode

    def GET(request):
        what = request.next_url.search_params.get("what")
        if what:
            getattr(draft_mode(), what)()
        return Response.json(draft_mode().is_enabled)
    """
    pages = "def handler(req, res):\n    res.json(req.draft_mode)\n"
    client = serve_files({ROUTE: text, "pages/api/pages.py": pages}, secret="s" * 16)
    enabled = client.get("/api/a?what=enable")
    assert enabled.json is True
    line = enabled.headers["set-cookie"]
    assert re.fullmatch("__prerender_bypass=[0-9a-f]{32}; Path=/; Secure; HttpOnly; SameSite=none", line)
    sent = {"Cookie": line.partition(";")[0]}
    assert [client.get(path, headers=sent).json for path in ("/api/a", "/api/pages")] == [True, True]
    disabled = client.get("/api/a?what=disable", headers=sent)
    assert disabled.json is False
    assert disabled.headers["set-cookie"].startswith("__prerender_bypass=; Path=/; Expires=Thu, 01 Jan 1970")
    assert client.get("/api/a").json is False


def test_forged_draft_cookie_is_cleared(serve_files: Serve) -> None:
    """A cookie that this server has not made counts as off, and the answer clears both cookies."""
    client = _serve(serve_files, "return Response.json(draft_mode().is_enabled)", secret="s" * 16)
    answer = client.get("/api/a", headers={"Cookie": "__prerender_bypass=forged"})
    assert answer.json is False
    names = [line.partition("=")[0] for line in answer.headers.getlist("set-cookie")]
    assert names == ["__prerender_bypass", "__next_preview_data"]


# What goes wrong


@pytest.mark.parametrize(
    "body",
    [
        "return None",
        "return 'text'",
        "return {'a': 1}",
        "return Response.error()",
        "return NextResponse.next()",
        "return NextResponse.rewrite('/api/a')",
        "raise Response('x')",
        "response = Response('x')\nresponse.text()\nreturn response",
        "redirect('')",
    ],
)
def test_what_is_no_answer_is_a_failure(serve_files: Serve, body: str) -> None:
    """It is a 500 whose log names the file, never half an answer."""
    assert _serve(serve_files, body).get("/api/a").status_code == 500


# One file for each place where code of the web dialect runs, by the path that it stands before.
_PLACES = {
    "/api/edge": ("pages/api/edge.py", "config = {{'runtime': 'edge'}}\n{kind} handler(request):\n    {body}"),
    "/api/route": ("app/api/route/route.py", "{kind} GET():\n    {body}"),
    "/api/free": (
        "middleware.py",
        "config = {{'matcher': '/api/free'}}\n{kind} middleware(request):\n    {body}",
    ),
    "/api/in/a": ("app/api/in/_middleware.py", "{kind} middleware(request, call_next):\n    {body}"),
}
_ANSWERING = "from nextapi import *\ndef GET():\n    return Response('x')\n"


def _failing(serve_files: Serve, path: str, kind: str, body: str) -> Client:
    file, text = _PLACES[path]
    files = {"app/api/free/route.py": _ANSWERING, "app/api/in/a/route.py": _ANSWERING}
    return serve_files({**files, file: "from nextapi import *\n" + text.format(kind=kind, body=body)})


@pytest.mark.parametrize("path", _PLACES)
@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize("error", ["MemoryError", "RecursionError", "ValueError('secret')"])
def test_what_fails_is_a_500(
    serve_files: Serve, path: str, kind: str, error: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Handlers and middleware that fail tell the client nothing, and the log everything."""
    answer = _failing(serve_files, path, kind, f"raise {error}").get(path)
    assert answer.status_code == 500
    assert b"secret" not in answer.data
    assert "Traceback" in caplog.text


@pytest.mark.parametrize("path", _PLACES)
@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_what_is_no_error_propagates(serve_files: Serve, path: str, kind: str, error: type[BaseException]) -> None:
    """What is meant for the server reaches it from everywhere."""
    client = _failing(serve_files, path, kind, f"raise {error.__name__}")
    with pytest.raises(error):
        client.get(path)


@pytest.mark.parametrize("path", _PLACES)
def test_problem_documents(serve_files: Serve, path: str) -> None:
    """What is raised as an `HTTPError` is a problem document (RFC 9457) for who prefers JSON, and else text."""
    client = _failing(serve_files, path, "def", "raise HTTPError(409, 'no', headers={'x-a': '1'})")
    text = client.get(path)
    assert (text.status_code, text.text, text.headers["x-a"]) == (409, "no", "1")
    problem = client.get(path, headers={"Accept": "application/json"})
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.headers["x-a"] == "1"
    assert problem.json == {"title": "Conflict", "status": 409, "detail": "no"}


def test_bad_json(serve_files: Serve) -> None:
    """A body that is no JSON is a 400 unless the handler catches it, which it can as a ValueError."""
    body = (
        "try:\n    return Response.json(request.json())\nexcept ValueError:\n"
        "    if 'catch' not in request.url:\n        raise\n    return Response('caught')"
    )
    client = _serve(serve_files, body)
    answer = client.post("/api/a", data=b"{", content_type="application/json")
    assert (answer.status_code, answer.text) == (400, "Invalid JSON")
    assert client.post("/api/a", data=b"").status_code == 400
    assert client.post("/api/a", data="\ufeff[1]".encode(), content_type="text/plain").json == [1]
    assert client.post("/api/a?catch", data=b"{").text == "caught"


@pytest.mark.parametrize("sent", [{}, {"data": b""}, {"data": b"x"}])
def test_a_body_is_read_once(serve_files: Serve, sent: dict[str, object]) -> None:
    """Also one of nothing; that of GET and HEAD is none, and can be asked for again."""
    body = (
        "seen = [request.body is None, request.body_used, request.text()]\ntry:\n    seen.append(request.text())\n"
        "except TypeError as error:\n    seen.append(str(error))\nreturn Response.json([*seen, request.body_used])"
    )
    client = _serve(serve_files, body)
    text = sent.get("data", b"").decode()  # type: ignore[attr-defined]
    assert client.get("/api/a").json == [True, False, "", "", False]
    used = "Body is unusable: Body has already been read"
    assert client.post("/api/a", **sent).json == [False, False, text, used, True]  # type: ignore[arg-type]


# Responses


def test_headers_of_an_answer(serve_files: Serve) -> None:
    """Repeated headers are joined, but for cookies; what is the server's to say is not sent; the length is right."""
    body = (
        "return Response('é', headers=[('x-a', '1'), ('X-A', '2'), ('set-cookie', 'a=1'), ('set-cookie', 'b=2'),"
        " ('content-length', '7'), ('connection', 'close'), ('transfer-encoding', 'chunked')])"
    )
    answer = _serve(serve_files, body).get("/api/a")
    assert answer.headers.getlist("x-a") == ["1, 2"]
    assert answer.headers.getlist("set-cookie") == ["a=1", "b=2"]
    assert answer.headers.getlist("content-length") == ["2"]
    assert "connection" not in answer.headers
    assert "transfer-encoding" not in answer.headers
    assert answer.content_type == "text/plain;charset=UTF-8"


@pytest.mark.parametrize(
    ("made", "content_type", "data"),
    [
        ("Response()", None, b""),
        ("Response(b'\\xff')", None, b"\xff"),
        ("Response(URLSearchParams({'a': '1 2'}))", "application/x-www-form-urlencoded;charset=UTF-8", b"a=1+2"),
        ("Response(iter(['a', b'b', 'c']))", None, b"abc"),
        ("Response(__import__('io').BytesIO(b'file'))", None, b"file"),
        ("Response(5)", "text/plain;charset=UTF-8", b"5"),
        ("Response.json(None)", "application/json", b"null"),
        ("NextResponse.json({'a': 1}, headers={'content-type': 'a/b'})", "a/b", b'{"a":1}'),
    ],
)
def test_bodies(serve_files: Serve, made: str, content_type: str | None, data: bytes) -> None:
    """What a body is made of says its type, and no host adds one."""
    answer = _serve(serve_files, f"return {made}").get("/api/a")
    assert (answer.headers.get("content-type"), answer.data) == (content_type, data)


def test_clone(serve_files: Serve) -> None:
    """A response that was read is answered by its copy, a stream as well."""
    body = "one = Response(iter(['a', 'b']), status=201)\nother = one.clone()\nassert one.text() == 'ab'\nreturn other"
    answer = _serve(serve_files, body).get("/api/a")
    assert (answer.status_code, answer.text) == (201, "ab")


def test_generators_are_closed(serve_files: Serve) -> None:
    """A HEAD request reads nothing of a stream, and closes it."""
    text = """
    from nextapi import Response

    closed = []

    def chunks():
        try:
            yield "a"
        finally:
            closed.append(True)

    def GET(request):
        if request.next_url.search_params.has("closed"):
            return Response.json(len(closed))
        return Response(chunks())
    """
    client = serve_files({ROUTE: text})
    with client.get("/api/a") as answer:
        assert answer.data == b"a"
    assert client.get("/api/a?closed").json == 1


def test_options_as_javascript_has_them(serve_files: Serve) -> None:
    """An object of options, as in JavaScript, is an error that shows the keywords."""
    body = (
        "try:\n    NextResponse.json({}, {'status': 401})\nexcept TypeError as error:\n    return Response(str(error))"
    )
    assert "NextResponse.json(value, status=201, headers=...)" in _serve(serve_files, body).get("/api/a").text
