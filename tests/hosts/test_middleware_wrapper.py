"""`middleware.py` before what is not nextapi's: the fallback of a tree, and the host that `Middleware` is around."""

from __future__ import annotations

import http.client
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.handlers import SimpleHandler
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import flask
import pytest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path, re_path
from werkzeug.test import Client, EnvironBuilder, TestResponse, run_wsgi_app

from nextapi.adapters.flask import create_blueprint
from nextapi.adapters.wsgi import Middleware, create_app
from nextapi.errors import TreeError
from tests.support.mounts import configure_django, django_project
from tests.support.servers import serve
from tests.support.trees import write_files
from tests.support.upstream import upstream

configure_django()
from nextapi.adapters.django import create_urlpatterns  # noqa: E402  # Django's settings come first

ECHO = """
    def handler(req, res):
        mode = req.query.get("mode")
        if mode == "own":
            res.set_header("x-mw", "handler")
        if mode == "stream":
            res.send(iter(["one", "two"]))
        elif mode == "fail":
            raise ValueError
        else:
            res.json({"route": True, "url": req.url, "query": req.query, "body": req.body, "user": getattr(
                req.state, "user", None), "x": req.headers.get("x-one"), "host": req.headers.get("host")})
"""

MIDDLEWARE = """
    from nextapi import Headers, HTTPError, NextResponse, Response, URL, after

    calls = []

    def middleware(request):
        mode = request.next_url.search_params.get("mw") or request.headers.get("x-mode") or ""
        calls.append(request.next_url.pathname)
        request.state.user = "ada"
        if mode == "answer":
            return NextResponse.json({"by": "middleware"}, status=401)
        if mode == "fail":
            raise RuntimeError("secret detail")
        if mode == "refuse":
            raise HTTPError(403, "Not for you")
        if mode == "body":
            return NextResponse.next(headers={"x-length": str(len(request.bytes()))})
        if mode == "headers":
            headers = Headers(request.headers)
            headers.set("x-one", "given")
            headers.delete("x-two")
            return NextResponse.next(request={"headers": headers})
        if mode == "only":
            return NextResponse.next(request={"headers": {"x-one": "only"}})
        if mode == "origin":
            headers = Headers(request.headers)
            headers.set("origin", "http://localhost")
            headers.delete("sec-fetch-site")
            return NextResponse.next(request={"headers": headers})
        if mode.startswith("to:"):
            return NextResponse.rewrite(mode[3:], headers={"x-mw": "rewritten"})
        if mode.startswith("url:"):
            return NextResponse.rewrite(URL(mode[4:], request.url))
        response = NextResponse.next(headers={"x-mw": "1", "vary": "x-mode", "x-count": str(len(calls))})
        response.cookies.set("mw", "1")
        return response
"""


class Closing(Client):
    """A client that closes what it has read, as a server does."""

    def __init__(self, app: Any) -> None:
        super().__init__(app, use_cookies=False)

    def open(self, *args: Any, **kw: Any) -> TestResponse:
        return super().open(*args, buffered=True, **kw)


def old_app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer with what of the request has arrived."""
    said = {
        name: environ.get(key)
        for name, key in (
            ("path", "PATH_INFO"),
            ("query", "QUERY_STRING"),
            ("raw", "RAW_URI"),
            ("x", "HTTP_X_ONE"),
            ("two", "HTTP_X_TWO"),
            ("host", "HTTP_HOST"),
        )
    }
    length = int(environ.get("CONTENT_LENGTH") or 0)
    said["body"] = environ["wsgi.input"].read(length).decode()
    headers = [("Content-Type", "application/json"), ("Set-Cookie", "old=1"), ("Vary", "Cookie")]
    start_response("200 OK", headers)
    return [json.dumps({"old": True, **said}).encode()]


def write_root(folder: Path, **more: str) -> Path:
    """Write a tree with the middleware above, which sees all paths."""
    files = {"middleware.py": MIDDLEWARE, "pages/api/echo.py": ECHO, "pages/api/items/[id].py": ECHO}
    return write_files(folder / "web", files | more)


@pytest.fixture
def beside(tmp_path: Path) -> Client:
    """Return a client of a tree with an older application behind it."""
    return Closing(validator(create_app(write_root(tmp_path), fallback=validator(old_app))))


def new_flask(root: Path, url_prefix: str | None = None, **options: Any) -> flask.Flask:
    """Return a Flask app with routes of its own and a tree."""
    app = flask.Flask("app")

    @app.route("/own/<path:rest>", methods=["GET", "POST"])
    @app.route("/", defaults={"rest": ""})
    def own(rest: str) -> Any:
        request = flask.request
        return {
            "own": rest,
            "query": request.args.to_dict(),
            "body": request.get_data(as_text=True),
            "x": request.headers.get("x-one"),
            "host": request.host,
        }

    app.register_blueprint(create_blueprint(root, **options), url_prefix=url_prefix)
    return app


def new_django(root: Path, stack: ExitStack, url_prefix: str | None = None, **options: Any) -> Client:
    """Return a client of a Django project with views of its own and a tree."""

    def own(request: HttpRequest, rest: str = "") -> HttpResponse:
        return JsonResponse(
            {
                "own": rest,
                "query": request.GET.dict(),
                "body": request.body.decode(),
                "x": request.headers.get("x-one"),
                "host": request.get_host(),
            }
        )

    own.csrf_exempt = True  # type: ignore[attr-defined]  # what Django looks for
    tree = include(create_urlpatterns(root, **options))
    patterns = [
        re_path("^own/(?P<rest>.*)$", own),
        path("", own),
        path(f"{(url_prefix or '')[1:]}/" if url_prefix else "", tree),
    ]
    return stack.enter_context(django_project(patterns))


@pytest.fixture(params=["flask", "django"])
def wrapped(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Client]]:
    """Return a function that puts the middleware around a host in which the same tree is mounted."""
    with ExitStack() as stack:

        def wrap(root: Path | None = None, url_prefix: str | None = None, **options: Any) -> Client:
            root = root or write_root(tmp_path)
            if request.param == "flask":
                app: Any = new_flask(root, url_prefix).wsgi_app
            else:
                app = new_django(root, stack, url_prefix).application
            return Closing(validator(Middleware(validator(app), root, **options)))

        yield wrap


def lines(response: TestResponse, name: str) -> list[str]:
    return response.headers.getlist(name)


# Before a fallback


def test_fallback_is_behind_middleware(beside: Client) -> None:
    """Middleware runs for paths of the fallback; its headers are added, of those that both set the answer's stand."""
    answer = beside.get("/old/path?a=1")
    assert answer.json == {"old": True, "path": "/old/path", "query": "a=1", "raw": "/old/path?a=1", "x": None,
                           "two": None, "host": "localhost", "body": ""}  # fmt: skip
    assert answer.headers["x-mw"] == "1"
    assert lines(answer, "Set-Cookie") == ["mw=1; Path=/", "old=1"]
    assert lines(answer, "Vary") == ["x-mode, Cookie"]


@pytest.mark.parametrize("target", ["/old", "/api/echo"])
def test_middlewares_answer_stands_for_all(beside: Client, target: str) -> None:
    """What middleware answers is the answer, whoever has the path; its failure is a 500 that says nothing."""
    answer = beside.get(f"{target}?mw=answer")
    assert (answer.status_code, answer.json) == (401, {"by": "middleware"})
    refused = beside.get(f"{target}?mw=refuse")
    assert (refused.status_code, refused.text) == (403, "Not for you")


def test_middleware_that_fails(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An exception of middleware's is logged, and a 500 that says nothing of it; nothing behind is called."""
    root = write_root(tmp_path)
    for app in (create_app(root, fallback=old_app), Middleware(old_app, root)):
        for target in ("/old", "/api/echo"):
            answer = Closing(app).get(f"{target}?mw=fail")
            assert (answer.status_code, answer.text) == (500, "Internal Server Error")
            assert "secret detail" in caplog.text
            caplog.clear()


def test_fallback_gets_headers_and_body(beside: Client) -> None:
    """The fallback sees the headers that middleware gave, with Host and length as they came, and the body again."""
    sent = {"x-one": "1", "x-two": "2"}
    seen = beside.post("/old?mw=headers", data="abc", headers=sent).json
    assert seen is not None
    assert (seen["x"], seen["two"], seen["body"]) == ("given", None, "abc")
    only = beside.post("/old?mw=only", data="abc", headers=sent).json
    assert only is not None
    assert (only["x"], only["two"], only["host"], only["body"]) == ("only", None, "localhost", "abc")
    read = beside.post("/old?mw=body", data="abc", headers=sent)
    assert read.json is not None
    assert (read.headers["x-length"], read.json["body"], read.json["x"]) == ("3", "abc", "1")


@pytest.mark.parametrize("asked", ["/old", "/api/echo"])
@pytest.mark.parametrize("kind", ["to", "url"])
def test_rewrite_to_the_fallback(beside: Client, asked: str, kind: str) -> None:
    """A rewrite to what no route names is the fallback's, which sees the other path under all its names."""
    answer = beside.get(asked, headers={"x-mode": f"{kind}:/else/a%2Fb%20c?z=1"})
    assert answer.json is not None
    assert answer.json["path"] == "/else/a/b c"
    assert (answer.json["query"], answer.json["raw"]) == ("z=1", "/else/a%2Fb%20c?z=1")
    assert answer.headers["x-middleware-rewrite"] == "/else/a%2Fb%20c?z=1"


def test_rewrite_from_the_fallback_to_a_route(beside: Client) -> None:
    """A path of the fallback can be rewritten to a route, which sees the URL that was asked for and the other query."""
    answer = beside.get("/old?a=1", headers={"x-mode": "to:/api/items/7?b=2"})
    assert answer.json is not None
    assert answer.json["url"] == "/old?a=1"
    assert answer.json["query"] == {"b": "2", "id": "7"}
    assert answer.json["user"] == "ada"
    assert (answer.headers["x-mw"], answer.headers["x-middleware-rewrite"]) == ("rewritten", "/api/items/7?b=2")


def by_write(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    write(b"written ")
    return [b"and returned"]


def late(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"late"


def again(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    try:
        raise ValueError
    except ValueError as error:
        start_response("503 Busy", [("Content-Type", "text/plain")], (type(error), error, error.__traceback__))
    return [b"again"]


def empty(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("204 No Content", [])
    return []


@pytest.mark.parametrize(
    ("app", "status", "body"),
    [(by_write, "200 OK", b"written and returned"), (late, "200 OK", b"late"), (again, "503 Busy", b"again"),
     (empty, "204 No Content", b"")],
)  # fmt: skip
def test_fallback_may_answer_in_every_way(tmp_path: Path, app: Any, status: str, body: bytes) -> None:
    """The fallback may write, begin late and begin again: the answer has middleware's headers all the same."""
    served = validator(create_app(write_root(tmp_path), fallback=validator(app)))
    out = io.BytesIO()
    SimpleHandler(io.BytesIO(), out, io.StringIO(), EnvironBuilder("/old").get_environ()).run(served)
    head, _, got = out.getvalue().partition(b"\r\n\r\n")
    assert head.decode().splitlines()[0] == f"HTTP/1.0 {status}"
    assert b"x-mw: 1" in head
    assert got == body


def test_fallbacks_iterable_is_the_servers(tmp_path: Path) -> None:
    """What the fallback returns reaches the server as it is, so that a `wsgi.file_wrapper` is sent by the system."""
    file = FileWrapper((tmp_path / "file").open("w+b"))

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        return file

    served = create_app(write_root(tmp_path), fallback=app)
    assert served(EnvironBuilder("/old").get_environ(), lambda *_: lambda _: None) is file
    file.close()


def test_fallbacks_exception_is_the_servers(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What the fallback raises passes through, and is not logged here."""

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        raise KeyError("of the fallback")

    served = create_app(write_root(tmp_path), fallback=app)
    with pytest.raises(KeyError, match="of the fallback"):
        Closing(served).get("/old")
    assert not caplog.records


def test_fallback_without_middleware_is_untouched(tmp_path: Path) -> None:
    """Without a middleware.py the fallback is called with the very environ and start_response."""
    seen: list[object] = []

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        seen.extend((environ, start_response))
        return []

    served = create_app(write_files(tmp_path / "web", {"pages/api/echo.py": ECHO}), fallback=app)
    environ, start = EnvironBuilder("/old").get_environ(), lambda *_: lambda _: None
    served(environ, start)
    assert seen[0] is environ
    assert seen[1] is start


def test_paths_that_the_matcher_leaves_out(tmp_path: Path) -> None:
    """What the matcher does not name is the fallback's with the very environ."""
    matcher = MIDDLEWARE + '\n    config = {"matcher": "/api/:path*"}\n'
    seen: list[object] = []

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        seen.append(environ)
        start_response("200 OK", [])
        return []

    served = create_app(write_root(tmp_path, **{"middleware.py": matcher}), fallback=app)
    environ = EnvironBuilder("/old").get_environ()
    served(environ, lambda *_: lambda _: None)
    assert seen[0] is environ


def test_routes_behind_middleware(tmp_path: Path) -> None:
    """A route behind middleware streams its answer, and fails as any other."""
    client = Closing(create_app(write_root(tmp_path)))
    streamed = client.get("/api/echo?mode=stream")
    assert (streamed.status_code, streamed.text, streamed.headers["x-mw"]) == (200, "onetwo", "1")
    failed = client.get("/api/echo?mode=fail")
    assert (failed.status_code, failed.text) == (500, "Internal Server Error")


def test_work_after_the_answer(tmp_path: Path) -> None:
    """What middleware leaves for later is done when the fallback's answer has been sent and closed."""
    done: list[str] = []

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            return iter([b"sent"])

        def close(self) -> None:
            done.append("closed")

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        return Body()

    text = """
    def middleware(request, event):
        event.wait_until(lambda: request.raw["done"].append("after"))
    """
    served = Middleware(app, write_files(tmp_path / "web", {"middleware.py": text}))
    body = served(EnvironBuilder("/").get_environ() | {"done": done}, lambda *_: lambda _: None)
    assert (b"".join(body), done) == (b"sent", [])
    body.close()  # type: ignore[attr-defined]  # it closes more than itself
    assert done == ["closed", "after"]


# Around a host


def test_wrapper_runs_for_the_hosts_urls(wrapped: Callable[..., Client]) -> None:
    """Middleware runs before the host: it answers, changes the request and the answer, and reads the body."""
    client = wrapped()
    passed = client.get("/own/page?a=1")
    assert (passed.json or {})["own"] == "page"
    assert (passed.headers["x-mw"], lines(passed, "Set-Cookie")) == ("1", ["mw=1; Path=/"])
    answer = client.get("/own/page?mw=answer")
    assert (answer.status_code, answer.json) == (401, {"by": "middleware"})
    assert (client.get("/own/p?mw=headers").json or {})["x"] == "given"
    assert (client.get("/own/p?mw=only").json or {})["host"] == "localhost"
    read = client.post("/own/p?mw=body", data="abc")
    assert ((read.json or {})["body"], read.headers["x-length"]) == ("abc", "3")


def test_wrapper_rewrites_to_any_url(wrapped: Callable[..., Client]) -> None:
    """A rewrite leads from any URL of the host to any other, of its own or of the tree."""
    client = wrapped()
    own = client.get("/own/p", headers={"x-mode": "to:/own/other%20page?z=1"})
    assert (own.json or {})["own"] == "other page"
    assert (own.json or {})["query"] == {"z": "1"}
    assert own.headers["x-middleware-rewrite"] == "/own/other%20page?z=1"
    route = client.get("/own/p?a=1", headers={"x-mode": "url:/api/items/7?b=2"})
    assert route.json is not None
    assert (route.json["url"], route.json["query"]) == ("/own/p?a=1", {"b": "2", "id": "7"})
    back = client.get("/api/echo", headers={"x-mode": "to:/own/from-route"})
    assert (back.json or {})["own"] == "from-route"
    assert client.get("/own/p", headers={"x-mode": "to:/none"}).status_code == 404


def test_wrapped_tree_runs_its_middleware_once(wrapped: Callable[..., Client]) -> None:
    """A tree in a wrapped host answers as behind its own middleware, which it does not run again."""
    client = wrapped()
    first = client.get("/api/echo")
    assert first.json is not None
    assert (first.headers["x-count"], first.json["user"]) == ("1", "ada")
    assert lines(first, "Set-Cookie") == ["mw=1; Path=/"]
    assert lines(first, "Vary") == ["x-mode"]
    assert client.get("/api/none").headers["x-count"] == "2"
    own = client.get("/api/echo?mode=own")
    assert (lines(own, "x-mw"), own.headers["x-count"]) == (["handler"], "3")
    assert lines(client.get("/api/echo?mode=stream"), "x-mw") == ["1"]


def test_wrapped_tree_keeps_what_is_held_against_headers(wrapped: Callable[..., Client]) -> None:
    """A change of headers reaches the handler; the guard looks at those that the client sent."""
    client = wrapped()
    seen = client.get("/api/echo?mw=headers", headers={"x-one": "1"}).json
    assert (seen or {})["x"] == "given"
    evil = {"Origin": "https://evil.test", "Sec-Fetch-Site": "cross-site"}
    assert client.post("/api/echo", data="a", headers=evil).status_code == 403
    assert client.post("/api/echo?mw=origin", data="a", headers=evil).status_code == 403
    assert client.post("/own/p", headers=evil | {"x-mode": "to:/api/echo"}).status_code == 403


@pytest.mark.parametrize("script", ["", "/site"])
def test_wrapped_tree_below_a_prefix(wrapped: Callable[..., Client], script: str) -> None:
    """With a prefix before the tree, and SCRIPT_NAME before the host, rewrites and URLs are as they should be."""
    client = wrapped(url_prefix="/v2")
    base = f"http://localhost{script}/"
    direct = client.get("/v2/api/echo?a=1", base_url=base)
    assert (direct.json or {})["url"] == "/api/echo?a=1"
    assert direct.headers["x-count"] == "1"
    led = client.get("/v2/api/echo?a=1", base_url=base, headers={"x-mode": "to:/v2/api/items/7?b=2"})
    assert (led.json or {})["url"] == "/api/echo?a=1"
    assert (led.json or {})["query"] == {"b": "2", "id": "7"}
    assert led.headers["x-middleware-rewrite"] == f"{script}/v2/api/items/7?b=2"
    outside = client.get("/own/p", base_url=base, headers={"x-mode": f"url:{script}/v2/api/items/7"})
    assert (outside.json or {})["url"] == f"{script}/own/p"


def test_tree_behind_a_matcher_of_its_own_paths(wrapped: Callable[..., Client], tmp_path: Path) -> None:
    """A matcher that names the tree's paths without the prefix of the mount still guards them, once."""
    matcher = MIDDLEWARE + '\n    config = {"matcher": "/api/:path*"}\n'
    client = wrapped(write_root(tmp_path, **{"middleware.py": matcher}), url_prefix="/v2")
    assert client.get("/v2/api/echo?mw=answer").status_code == 401
    assert "x-mw" not in client.get("/own/p").headers


def test_wrapper_of_another_root(tmp_path: Path) -> None:
    """A tree with a middleware.py of its own runs that, too, and its guard sees what the client sent."""
    outer = write_files(tmp_path / "outer", {"middleware.py": MIDDLEWARE.replace("x-mw", "x-outer")})
    client = Closing(Middleware(new_flask(write_root(tmp_path)).wsgi_app, outer))
    answer = client.get("/api/echo")
    assert (answer.headers["x-outer"], answer.headers["x-mw"]) == ("1", "1")
    evil = {"Origin": "https://evil.test", "Sec-Fetch-Site": "cross-site"}
    assert client.post("/api/echo?mw=origin", data="a", headers=evil).status_code == 403


def test_wrapper_around_itself_and_by_another_path(tmp_path: Path) -> None:
    """Two wrappers of one middleware.py are one, also where a link leads to it."""
    root = write_root(tmp_path)
    (tmp_path / "link").symlink_to(root)
    client = Closing(Middleware(Middleware(old_app, tmp_path / "link"), root))
    assert client.get("/old").headers.getlist("x-count") == ["1"]


def test_wrapper_loads_the_middleware_alone(tmp_path: Path) -> None:
    """A faulty route is no matter of the wrapper's; a root without middleware is."""
    root = write_root(tmp_path, **{"pages/api/broken.py": "raise ValueError"})
    assert Closing(Middleware(old_app, root)).get("/x").headers["x-mw"] == "1"
    (root / "middleware.py").unlink()
    with pytest.raises(TreeError, match=r"there is no middleware\.py or proxy\.py in it"):
        Middleware(old_app, root)
    with pytest.raises(TreeError, match="there is no such folder"):
        Middleware(old_app, tmp_path / "nowhere")


def test_wrapper_in_debug_reads_edited_files(tmp_path: Path) -> None:
    """In debug an edited middleware.py counts at once, for the wrapper and for the tree."""
    root = write_root(tmp_path)
    client = Closing(Middleware(new_flask(root, debug=True).wsgi_app, root, debug=True))
    assert client.get("/api/echo").headers["x-mw"] == "1"
    write_files(root, {"middleware.py": MIDDLEWARE.replace('"x-mw": "1"', '"x-mw": "edited"')})
    assert client.get("/own/p").headers["x-mw"] == "edited"
    assert client.get("/api/echo").headers.getlist("x-mw") == ["edited"]


def test_access_log_has_one_line(wrapped: Callable[..., Client], caplog: pytest.LogCaptureFixture) -> None:
    """A request has one line of the access log, the tree's or the middleware's; the host's URLs have none."""
    client = wrapped()
    with caplog.at_level("INFO", "nextapi.access"):
        client.get("/api/echo")
        client.get("/own/p?mw=answer")
        client.get("/own/p")
    texts = [record.getMessage() for record in caplog.records if record.name == "nextapi.access"]
    assert [text.split()[:3] for text in texts] == [["GET", "/api/echo", "200"], ["GET", "-", "401"]]


def test_error_without_the_wrapper_shows_the_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Inside a host a rewrite to a URL of the host's own is an error that says how to have it."""
    client = new_flask(write_root(tmp_path)).test_client()
    assert client.get("/api/echo", headers={"x-mode": "to:/own/p"}).status_code == 500
    assert "app.wsgi_app = nextapi.adapters.wsgi.Middleware(app.wsgi_app, root)" in caplog.text


# What clients try

GUARD = """
    from nextapi import NextResponse

    config = {"matcher": "/api/admin/:path*"}

    def middleware(request):
        return NextResponse.json({"by": "guard"}, status=401)
"""
GUARD_INSIDE = """
    from nextapi import NextResponse

    def middleware(request):
        if request.next_url.pathname.startswith("/api/admin"):
            return NextResponse.json({"by": "guard"}, status=401)
"""
ADMIN = "def handler(req, res): res.end('secret')"
SPELLINGS = (
    "/api/admin", "/api/admin/", "//api/admin", "/api//admin", "/api/%61dmin", "/%61pi/admin", "/api/./admin",
    "/api/%2e/admin", "/./api/admin", "/api/x/../admin", "/api/x/%2e%2E/admin", "/api\\admin", "\\api\\admin",
    "/api%2fadmin", "/api%5cadmin", "/API/admin", "/api/ADMIN", "/api/admin%2f", "/api/admin/.", "/%2fapi/admin",
    "/api/admin;x", "/api/admin%00", "/api/admin%3f", "/api/%2561dmin", "/x/..%2fapi/admin", "/api/admin.json",
    "http://localhost/api/admin", "/api/admin?x", "/api/admin#x", "///api///admin///", "/api/admin/%2e",
    "api/admin", "x/api/admin", "*/api/admin", "%2fapi/admin", "./api/admin", "../api/admin", ".//api/admin",
    "/api/adm\tin", "/api/adm#in", "\t/api/admin", "/api/admin\t",
)  # fmt: skip
HEADERS = {
    "x-middleware-subrequest": "middleware:middleware:middleware:middleware:middleware",
    "x-middleware-next": "1",
    "x-middleware-rewrite": "/api/echo",
    "x-middleware-override-headers": "x",
    "x-middleware-set-cookie": "a=1",
    "x-nextapi-passed": "1",
    "nextapi.passed": "1",
    "nextapi-passed": "1",
    "x-original-url": "/api/echo",
    "x-rewrite-url": "/api/echo",
    "via": "1.0 nextapi",
}


def guarded_hosts(folder: Path, guard: str, stack: ExitStack) -> dict[str, Any]:
    """Return what serves a guarded tree, in every way that there is."""
    root = write_files(folder / "web", {"middleware.py": guard, "pages/api/admin.py": ADMIN, "pages/api/echo.py": ECHO})

    def own(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if guard is GUARD:  # a fallback that mends paths in its own way, as careless ones do
            path = os.path.normpath(path.replace("\\", "/").replace("//", "/")).replace("//", "/")
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"secret" if path == "/api/admin" else b"nothing"]

    app = new_flask(root)
    project = new_django(root, stack).application
    no_routes = write_files(folder / "only", {"middleware.py": guard})
    other = write_files(folder / "other", {"middleware.py": guard, "app/x/route.py": "def GET(): ..."})
    return {
        "wsgi": create_app(root),
        "fallback": create_app(other, fallback=own),
        "flask": app.wsgi_app,
        "django": project,
        "wrapped fallback": Middleware(own, no_routes),
        "wrapped wsgi": Middleware(create_app(root), root),
        "wrapped flask": Middleware(app.wsgi_app, root),
        "wrapped django": Middleware(project, root),
    }  # fmt: skip


@pytest.fixture(params=[GUARD, GUARD_INSIDE], ids=["by a matcher", "by the function"])
def guarded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Have all hosts with a guard that looks at the path in one of the two ways."""
    with ExitStack() as stack:
        hosts = guarded_hosts(tmp_path, request.param, stack)
        yield hosts


def ask(app: Any, method: str, target: str, headers: dict[str, str], raw_key: str | None) -> tuple[str, bytes]:
    """Return status and body of the answer to a target as servers hand it over, `raw_key` being theirs for it."""
    path_only = target.partition("#")[0].partition("?")[0].removeprefix("http://localhost")
    environ = EnvironBuilder("/", method=method, headers=headers, data=b"x" if method == "POST" else None).get_environ()
    environ["PATH_INFO"] = unquote_to_bytes(path_only).decode("latin-1")
    for key in ("RAW_URI", "REQUEST_URI"):
        environ.pop(key, None)
    if raw_key:
        environ[raw_key] = target
    chunks, status, _ = run_wsgi_app(app, environ, buffered=True)
    return status, b"".join(chunks)


@pytest.mark.parametrize("raw_key", ["RAW_URI", "REQUEST_URI", None])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "BREW"])
def test_no_spelling_of_a_path_goes_round_a_matcher(guarded: dict[str, Any], method: str, raw_key: str | None) -> None:
    """However a client writes a path, what would be served to it is what the matcher has seen."""
    for name, app in guarded.items():
        for target in SPELLINGS:
            status, body = ask(app, method, target, {}, raw_key)
            assert b"secret" not in body, (name, method, target, status)
        assert ask(app, method, "/api/admin", {}, raw_key)[0].startswith("401"), name


@pytest.mark.parametrize(
    "target",
    ["/public/../admin/x", "/public/%2e%2e%2fadmin/x", "/public/%2e%2e/admin/x", "/admin/../public/x",
     "/admin/%2e%2e/public/x", "/admin%2f..%2fpublic/x", "/admin/%252e%252e/public/x", "/public/..\\admin/x",
     "/%61dmin/x", "//admin/x", "/public/%2e./%2E%2e/admin/x"],
)  # fmt: skip
@pytest.mark.parametrize("raw_key", ["RAW_URI", None])
def test_host_gets_the_path_that_middleware_saw(tmp_path: Path, target: str, raw_key: str | None) -> None:
    """No path is one to middleware, and another to the host behind it."""

    def host(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        path = environ["PATH_INFO"]
        assert "/../" not in path
        return [b"secret" if path.startswith("/admin/") else b"public"]

    text = """
    from nextapi import Response

    def middleware(request):
        if not request.next_url.pathname.startswith("/public/"):
            return Response("no", status=401)
    """
    served = Middleware(host, write_files(tmp_path / "web", {"middleware.py": text}))
    for method in ("GET", "POST"):
        assert b"secret" not in ask(served, method, target, {}, raw_key)[1]
    assert ask(served, "GET", "/public/x", {}, raw_key) == ("200 OK", b"public")


def test_path_that_is_read_in_two_ways(wrapped: Callable[..., Client], tmp_path: Path) -> None:
    """For a path with an escaped slash, which is one to the host and none to a tree, the tree asks again."""
    text = (
        MIDDLEWARE
        + """
    config = {"matcher": "/api/items/:id"}
    """
    )
    seen = wrapped(write_root(tmp_path, **{"middleware.py": text})).get(
        "/", environ_overrides={"PATH_INFO": "/api/items/a/b", "RAW_URI": "/api/items/a%2Fb"}
    )
    assert (seen.json or {})["query"] == {"id": "a/b"}
    assert (seen.json or {})["url"] == "/api/items/a%2Fb"
    assert (lines(seen, "x-mw"), lines(seen, "Set-Cookie")) == (["1"], ["mw=1; Path=/"])


def test_no_header_switches_middleware_off(guarded: dict[str, Any]) -> None:
    """Nothing that a client sends beside path, query and what the matcher asks for decides whether middleware runs."""
    for name, app in guarded.items():
        for method in ("GET", "POST"):
            for header in HEADERS.items():
                status, _ = ask(app, method, "/api/admin", dict([header]), "RAW_URI")
                assert status.startswith("401"), (name, header)
            assert ask(app, method, "/api/admin", HEADERS, "RAW_URI")[0].startswith("401"), name


def test_what_is_handed_over_cannot_be_forged(guarded: dict[str, Any]) -> None:
    """Text in the environ under the name of what is handed over, as from a server's variables, counts for nothing."""
    for name, app in guarded.items():
        environ = EnvironBuilder("/api/admin").get_environ() | {"nextapi.passed": "1", "HTTP_NEXTAPI.PASSED": "1"}
        assert run_wsgi_app(app, environ, buffered=True)[1].startswith("401"), name


# To another site


def proxying(tmp_path: Path, target: str, request: str = "", origins: tuple[str, ...] | None = None) -> Client:
    """Return a client of a tree whose middleware sends all to another site."""
    text = f"""
    from nextapi import NextResponse

    def middleware(request):
        path = request.next_url.pathname + request.next_url.search
        headers = {{"x-mw": "1", "set-cookie": "mw=1"}}
        return NextResponse.rewrite({target!r} + path, headers=headers{request})
    """
    root = write_files(tmp_path / "web", {"middleware.py": text, "pages/api/echo.py": ECHO})
    app = create_app(root, proxy_origins=(target,) if origins is None else origins)
    return Closing(app)


SECRETS = {
    "Cookie": "sid=1",
    "Authorization": "Bearer token",
    "Connection": "X-Hop, close",
    "X-Hop": "1",
    "TE": "trailers",
    "Proxy-Authorization": "x",
    "X-Forwarded-For": "6.6.6.6",
    "X-Forwarded-Prefix": "/evil",
    "Forwarded": "for=6.6.6.6",
    "X-Kept": "yes",
}


def test_another_site_gets_the_request_without_secrets(tmp_path: Path) -> None:
    """Method, path, query, body and headers go on, without what is the client's own; the answer comes back whole."""
    with upstream() as site:
        site.status, site.headers = 201, [("Set-Cookie", "up=1"), ("Set-Cookie", "up2=2"), ("X-Up", "1")]
        answer = proxying(tmp_path, site.url).post(
            "/any/path?q=a%20b", data=b"body", headers=SECRETS, environ_overrides={"REMOTE_ADDR": "10.0.0.9"}
        )
        (received,) = site.received
    assert (received.method, received.path, received.body) == ("POST", "/any/path?q=a+b", b"body")
    sent = received.headers
    assert sent["x-kept"] == "yes"
    assert not {"cookie", "authorization", "x-hop", "te", "proxy-authorization", "forwarded"} & set(sent)
    assert sent["host"] == site.url.removeprefix("http://")
    assert sent["via"] == "1.1 nextapi"
    forwarded = {name: value for name, value in sent.items() if name.startswith("x-forwarded")}
    assert forwarded == {"x-forwarded-for": "10.0.0.9", "x-forwarded-host": "localhost", "x-forwarded-proto": "http"}
    assert (answer.status_code, answer.text, answer.headers["x-up"]) == (201, "from upstream", "1")
    assert lines(answer, "Set-Cookie") == ["mw=1", "up=1", "up2=2"]
    assert answer.headers["x-mw"] == "1"
    assert "x-middleware-rewrite" not in answer.headers


def test_bodies_are_sent_on_in_pieces(tmp_path: Path) -> None:
    """Neither the request's body nor the answer's is held: each is sent on while it is read."""
    with upstream() as site:
        site.parts, site.chunked = [b"one", b"two"], True
        site.go_on.clear()
        environ = EnvironBuilder("/", method="POST", data=b"x" * 300_000).get_environ()
        most = 0
        stream = environ["wsgi.input"]

        class Watched:
            def read(self, size: int = -1) -> bytes:
                nonlocal most
                data: bytes = stream.read(size)
                most = max(most, len(data))
                return data

        environ["wsgi.input"] = Watched()
        chunks, status, _ = run_wsgi_app(proxying(tmp_path, site.url).application, environ)
        pieces = iter(chunks)
        assert (status, next(pieces)) == ("200 OK", b"one")
        site.go_on.set()
        assert b"".join(pieces) == b"two"
        chunks.close()  # type: ignore[attr-defined]  # what closes the connection
        assert len(site.received[0].body) == 300_000
        assert 0 < most <= 1 << 16


def test_headers_that_middleware_gives_are_sent(tmp_path: Path) -> None:
    """Headers that middleware names reach the other site, Cookie and Authorization, too; what a client says of proxies
    does not.
    """
    given = """, request={"headers": {"authorization": "Bearer own", "cookie": request.headers["cookie"],
            "x-forwarded-for": request.headers["x-forwarded-for"], "x-forwarded-host": "public.test"}}"""
    with upstream() as site:
        proxying(tmp_path, site.url, given).get("/", headers=SECRETS)
        sent = site.received[0].headers
    assert (sent["authorization"], sent["cookie"]) == ("Bearer own", "sid=1")
    assert (sent["x-forwarded-host"], "6.6.6.6" in sent.get("x-forwarded-for", "")) == ("public.test", False)
    assert "x-kept" not in sent


def test_a_client_takes_no_header_away(tmp_path: Path) -> None:
    """What Connection names is the client's own alone: headers that are said of it, or that middleware gives, stay."""
    headers = {**SECRETS, "Connection": "X-Forwarded-For, X-Forwarded-Host, Via, X-User, close", "X-User": "alice"}
    given = """, request={"headers": {**request.headers, "x-user": "alice"}}"""
    with upstream() as site:
        for request in ("", given):
            folder = tmp_path / str(len(site.received))
            proxying(folder, site.url, request).get("/", headers=headers, environ_overrides={"REMOTE_ADDR": "10.0.0.9"})
        own, with_user = (received.headers for received in site.received)
    for sent in (own, with_user):
        assert (sent["x-forwarded-for"], sent["x-forwarded-host"]) == ("10.0.0.9", "localhost")
        assert sent["via"] == "1.1 nextapi"
        assert "forwarded" not in sent
    assert "x-user" not in own
    assert with_user["x-user"] == "alice"


def test_a_site_gets_no_header_that_is_none(tmp_path: Path) -> None:
    """What a server has let pass, and must not go on the wire, is a 400."""
    with upstream() as site:
        environ = {"HTTP_X_FOLDED": "a\r\n b"}
        assert proxying(tmp_path, site.url).get("/", environ_overrides=environ).status_code == 400
        assert site.received == []


def test_sites_that_are_not_listed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A site that proxy_origins does not name gets nothing, and the log says what to write."""
    with upstream() as site:
        answer = proxying(tmp_path, site.url, origins=("http://other.test",)).get("/")
        assert (answer.status_code, answer.text, site.received) == (500, "Internal Server Error", [])
        assert f"add it to the option proxy_origins=('{site.url}',)" in caplog.text


def test_another_site_that_does_not_answer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A site that cannot be reached is a 502, and a line of the log."""
    answer = proxying(tmp_path, "http://127.0.0.1:9").get("/")
    assert (answer.status_code, answer.text) == (502, "Bad Gateway")
    assert "127.0.0.1:9" in caplog.text


def test_a_circle_is_cut(tmp_path: Path) -> None:
    """A request that was sent on once is not sent on again; of one's own origin it never is."""
    with upstream() as site:
        client = proxying(tmp_path, site.url)
        assert client.get("/", headers={"Via": "1.1 a.test, 1.1 nextapi"}).status_code == 508
        assert site.received == []
        own = client.get("/api/echo", base_url=site.url)
        assert ((own.json or {})["route"], site.received) == (True, [])


@pytest.mark.parametrize("method", ["HEAD", "TRACE"])
def test_methods_without_a_body(tmp_path: Path, method: str) -> None:
    """HEAD is sent on as it is; TRACE, which would show the headers, is not."""
    with upstream() as site:
        answer = proxying(tmp_path, site.url).open("/", method=method)
        assert (answer.status_code, answer.data) == ((200, b"") if method == "HEAD" else (501, b"Not Implemented"))
        assert [each.method for each in site.received] == (["HEAD"] if method == "HEAD" else [])


# On a server

STREAMS_APP = """
import threading

from nextapi.adapters.wsgi import Middleware, create_app

gate = threading.Event()


def old(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/open":
        gate.set()
        start_response("200 OK", [("Content-Length", "0")])
        return []
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    if path == "/written":
        write(b"one")
        gate.wait(60)
        return [b"two"]
    return parts()


def parts():
    yield b"one"
    gate.wait(60)
    yield b"two"


app = {app}
"""


@pytest.mark.parametrize("app", ["create_app('web', fallback=old)", "Middleware(old, 'web')"])
@pytest.mark.parametrize("kind", ["written", "iterated"])
def test_nothing_is_held_up(tmp_path: Path, app: str, kind: str) -> None:
    """What the application behind sends arrives while it goes on."""
    write_root(tmp_path)
    (tmp_path / "app.py").write_text(STREAMS_APP.format(app=app))
    with serve("app:app", tmp_path) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", f"/{kind}")
        answer = connection.getresponse()
        assert answer.headers["x-mw"] == "1"
        assert answer.read(3) == b"one"
        other = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        other.request("GET", "/open")
        assert other.getresponse().read() == b""
        assert answer.read() == b"two"
        connection.close()
        other.close()
