"""`middleware.py` in a root: `middleware(request)` before all routes, on every host."""

from __future__ import annotations

import json
from collections.abc import Callable
from textwrap import dedent

import pytest
from werkzeug.test import Client

Serve = Callable[..., Client]

KINDS = ("def", "async def")

PAGES = "def handler(req, res):\n    res.json([req.headers.get('x-user'), req.cookies, vars(req.state), req.body])\n"
EDGE = """
from nextapi import Response

config = {"runtime": "edge"}

async def handler(request):
    cookies = {cookie.name: cookie.value for cookie in request.cookies.get_all()}
    body = json.loads(text) if (text := request.text()) else None
    return Response.json([request.headers.get("x-user"), cookies, vars(request.state), body])
"""
ROUTE = """
import json
from nextapi import Response, cookies, headers

def POST(request):
    jar = {cookie.name: cookie.value for cookie in cookies().get_all()}
    body = json.loads(text) if (text := request.text()) else None
    return Response.json([headers().get("x-user"), jar, vars(request.state), body])

GET = POST
"""
ROUTES = {
    "pages/api/pages.py": PAGES,
    "pages/api/edge.py": f"import json\n{EDGE}",
    "app/api/route/route.py": ROUTE,
    "app/own/route.py": ROUTE,
}
PATHS = ("/api/pages", "/api/edge", "/api/route", "/own")


@pytest.fixture(params=KINDS)
def serve_behind(request: pytest.FixtureRequest, serve_files: Serve) -> Serve:
    """Return a function that serves the routes behind a middleware, whose text has `{kind}` for its `def`."""

    def mount(text: str, files: dict[str, str] | None = None, name: str = "middleware", **options: object) -> Client:
        text = "from nextapi import NextResponse, Response\n" + dedent(text).replace("{kind}", request.param)
        return serve_files({f"{name}.py": text, **ROUTES, **(files or {})}, **options)

    return mount


@pytest.mark.parametrize("returned", ["NextResponse.next()", "None"])
def test_it_lets_a_request_pass(serve_behind: Serve, returned: str) -> None:
    """NextResponse.next() and None have the route answer, in every dialect, with what state the middleware leaves."""
    client = serve_behind(f"{{kind}} middleware(request):\n    request.state.user = 'ada'\n    return {returned}\n")
    for path in PATHS:
        assert client.post(path, json=[1]).json == [None, {}, {"user": "ada"}, [1]], path


READERS = [
    "request.json()",
    "request.text()",
    "request.bytes()",
    "request.body.read()",
    "request.body.read(1)",
    "request.clone().text(), request.text()",
]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("returned", ["NextResponse.next()", "NextResponse.next(request=request)"])
def test_a_body_that_was_read_is_the_handlers(serve_behind: Serve, reader: str, returned: str) -> None:
    """However the middleware reads the body, the handler reads it again."""
    client = serve_behind(f"{{kind}} middleware(request):\n    {reader}\n    return {returned}\n")
    for path in PATHS:
        for body in ([1], ["x" * 700_000]):
            answer = client.post(path, json=body)
            assert answer.json is not None, (path, answer.status)
            assert answer.json[3] == body, path


def test_bad_json_is_the_clients_fault(serve_behind: Serve) -> None:
    """JSON that the middleware cannot read is a 400, and a body over max_body_size a 413."""
    client = serve_behind("{kind} middleware(request):\n    request.json()\n", max_body_size="20b")
    answer = client.post("/api/pages", data=b"{", content_type="application/json")
    assert (answer.status_code, answer.data) == (400, b"Invalid JSON")
    assert client.post("/api/pages", json="a" * 20).status_code == 413
    assert client.post("/api/pages", json="a").json == [None, {}, {}, "a"]


def test_other_request_headers(serve_behind: Serve) -> None:
    """The headers of `request=` are those that the handler has, in place of the client's; alone they change nothing."""
    client = serve_behind("""
        from nextapi import Headers

        {kind} middleware(request):
            way = request.next_url.search_params.get("way")
            if way == "headers":
                headers = Headers(request.headers)
                headers.set("x-user", "ada")
                headers.delete("x-secret")
                return NextResponse.next(request={"headers": headers})
            if way == "request":
                request.headers.set("x-user", "ada")
                request.cookies.set("b", "2")
                request.cookies.delete("a")
                return NextResponse.next(request=request)
            request.headers.set("x-user", "ada")
            return NextResponse.next()
        """)
    sent = {"Cookie": "a=1; c=3", "X-User": "eve"}
    for path in PATHS:
        assert client.post(f"{path}?way=headers", headers=sent, json=1).json == ["ada", {"a": "1", "c": "3"}, {}, 1]
        assert client.post(f"{path}?way=request", headers=sent, json=1).json == ["ada", {"c": "3", "b": "2"}, {}, 1]
        assert client.post(path, headers=sent, json=1).json == ["eve", {"a": "1", "c": "3"}, {}, 1]


def test_an_answer_of_its_own(serve_behind: Serve) -> None:
    """A response is the answer, and no route is asked; an HTTPError is one, too."""
    client = serve_behind("""
        from nextapi import HTTPError, cookies

        {kind} middleware(request):
            way = request.next_url.search_params.get("way")
            if way == "json":
                response = NextResponse.json({"by": "middleware"}, status=401)
                response.cookies.set("a", "1")
                cookies().set("b", "2")
                return response
            if way == "raise":
                raise HTTPError(403, "Not yours")
            if way == "redirect":
                return NextResponse.redirect(request.next_url.clone().href.partition("?")[0] + "/else")
            if way == "stream":
                return Response(iter(["one", "two"]))
        """)
    for path in (*PATHS, "/api/nowhere"):
        answer = client.get(f"{path}?way=json")
        assert (answer.status_code, answer.json) == (401, {"by": "middleware"}), path
        assert answer.headers.getlist("Set-Cookie") == ["a=1; Path=/", "b=2; Path=/"]
        assert client.get(f"{path}?way=raise").data == b"Not yours"
        answer = client.get(f"{path}?way=redirect")
        assert (answer.status_code, answer.headers["Location"]) == (307, f"{path}/else")
        with client.get(f"{path}?way=stream") as streamed:
            assert streamed.data == b"onetwo"


def test_cookies_and_headers_for_the_answer(serve_behind: Serve) -> None:
    """What the middleware sets on its response is sent with the route's answer, its cookies before the route's."""
    routes = {
        "pages/api/pages.py": "def handler(req, res):\n    res.set_header('Set-Cookie', 'r=1').json({})\n",
        "pages/api/stream.py": """
            def handler(req, res):
                res.set_header("Set-Cookie", "r=1").send(iter(["a", "b"]))
            """,
        "pages/api/writes.py": """
            import asyncio
            async def handler(req, res):
                res.set_header("Set-Cookie", "r=1").write("a")
                await asyncio.sleep(0)
                res.end("b")
            """,
        "pages/api/fails.py": "from nextapi import HTTPError\ndef handler(req, res):\n    raise HTTPError(402, '')\n",
    }
    client = serve_behind(
        """
        {kind} middleware(request):
            response = NextResponse.next()
            response.cookies.set("m", "1")
            response.headers.set("x-m", "1")
            return response
        """,
        {name: dedent(text) for name, text in routes.items()},
    )
    for name in ("pages", "stream", "writes"):
        with client.get(f"/api/{name}") as answer:
            cookies = [line.partition(";")[0] for line in answer.headers.getlist("Set-Cookie")]
            assert (answer.status_code, answer.headers["x-m"], cookies) == (200, "1", ["m=1", "r=1"]), name
            assert answer.data in (b"{}", b"ab")
    answer = client.get("/api/fails")
    assert (answer.status_code, answer.headers["x-m"]) == (402, "1")
    assert client.get("/api/nowhere").headers["x-m"] == "1"


DENY = "{kind} middleware(request):\n    return Response('no', status=418)\n"


def test_it_is_for_all_requests(serve_behind: Serve) -> None:
    """Without a matcher it runs for every path that reaches the tree, also below /api where no route is."""
    client = serve_behind(DENY)
    assert [client.get(path).status_code for path in (*PATHS, "/api/nowhere", "/api")] == [418] * 6


def test_a_matcher_of_paths(serve_behind: Serve) -> None:
    """A matcher says which paths it runs for, whether a route serves them or not."""
    client = serve_behind(f"config = {{'matcher': ['/api/p:rest', '/api/unknown/:path*']}}\n{DENY}")
    answers = {path: client.get(path).status_code for path in (*PATHS, "/api/unknown/a", "/api/nowhere")}
    assert answers == {
        "/api/pages": 418,
        "/api/edge": 200,
        "/api/route": 200,
        "/own": 200,
        "/api/unknown/a": 418,
        "/api/nowhere": 404,
    }


def test_a_matcher_of_more_than_paths(serve_behind: Serve) -> None:
    """`has` and `missing` look at the rest of the request."""
    rule = "{'source': '/api/:path*', 'has': [{'type': 'header', 'key': 'x-a', 'value': 'b.*'}], "
    client = serve_behind(f"config = {{'matcher': {rule}'missing': [{{'type': 'cookie', 'key': 'in'}}]}}}}\n{DENY}")
    assert client.get("/api/pages").status_code == 200
    assert client.get("/api/pages", headers={"x-a": "bc"}).status_code == 418
    assert client.get("/api/pages", headers={"x-a": "bc", "Cookie": "in=1"}).status_code == 200


def test_what_it_does_after_the_answer(serve_behind: Serve) -> None:
    """`event.wait_until` takes a function or a coroutine, and does it once the answer is sent, whoever answers."""
    client = serve_behind(
        """
        from tests.contract.test_middleware import done

        async def later():
            done.append("coroutine")

        {kind} middleware(request, event):
            event.wait_until(lambda: done.append(event.source_page))
            event.wait_until(later())
            if request.next_url.search_params.has("own"):
                return Response("own")
        """
    )
    for path in ("/api/pages", "/api/edge?own", "/api/nowhere"):
        done.clear()
        client.get(path).close()
        assert sorted(done) == ["coroutine", "middleware"], path


done: list[str] = []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise ValueError('broken')", "ValueError: broken"),
        ("return 'text'", "middleware.py: middleware() returned str, which is no Response"),
        ("return Response.error()", "Response.error() was returned, which is no answer"),
    ],
)
def test_one_that_fails(serve_behind: Serve, body: str, said: str, caplog: pytest.LogCaptureFixture) -> None:
    """An exception of it is a 500 of the host's, also for what no route serves, and no handler runs."""
    client = serve_behind(
        f"{{kind}} middleware(request):\n    {body}\n",
        {"pages/api/pages.py": "def handler(req, res):\n    print('it ran')\n"},
    )
    for path in ("/api/pages", "/api/nowhere"):
        caplog.clear()
        assert client.get(path).status_code == 500
        assert said in caplog.text
    assert "it ran" not in caplog.text


def test_the_way_of_a_request(serve_behind: Serve) -> None:
    """middleware.py, then the guard, then the folders' middleware, then the handler; state goes all the way."""
    folder = """
        def middleware(request, call_next):
            request.state.way.append("folder")
            response = call_next()
            response.headers.set("x-way", " ".join(request.state.way))
            return response
        """
    files = {"pages/api/_middleware.py": dedent(folder), "pages/api/pages.py": PAGES}
    client = serve_behind(
        """
        {kind} middleware(request):
            request.state.way = ["root"]
            return NextResponse.next(headers={"x-root": "1"})
        """,
        files,
    )
    answer = client.get("/api/pages")
    assert (answer.json[2], answer.headers["x-way"]) == ({"way": ["root", "folder"]}, "root folder")
    answer = client.post("/api/pages", headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.headers["x-root"], "x-way" in answer.headers) == (403, "1", False)


def test_proxy(serve_behind: Serve) -> None:
    """`proxy.py` with a function `proxy` is the same under the name that Next 16 has for it."""
    client = serve_behind("{kind} proxy(request):\n    return Response('proxied')\n", name="proxy")
    assert client.get("/api/pages").data == b"proxied"


def test_a_middleware_in_pages_api_is_a_route(serve_files: Serve) -> None:
    """As in Next, pages/api/middleware.py answers /api/middleware, and stands before nothing."""
    client = serve_files({"pages/api/middleware.py": PAGES, "pages/api/proxy.py": PAGES, "pages/api/a.py": PAGES})
    assert [client.get(f"/api/{name}").status_code for name in ("middleware", "proxy", "a")] == [200] * 3


def test_state_is_a_requests_own(serve_behind: Serve) -> None:
    """Nothing of one request's state is left for the next."""
    client = serve_behind("{kind} middleware(request):\n    request.state.n = vars(request.state).get('n', 0) + 1\n")
    assert [json.loads(client.get("/api/pages").data)[2] for _ in range(2)] == [{"n": 1}] * 2
