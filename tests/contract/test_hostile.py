"""What a hostile client sends, and what another server answers that means no good."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from werkzeug.test import Client, EnvironBuilder, run_wsgi_app

from tests.support.upstream import upstream

Serve = Callable[..., Client]

TELL = """
from nextapi import URL, Response

def GET(request):
    return Response(f"{URL(request.url).pathname} {request.next_url.pathname}")
"""
REWRITE = """
from nextapi import NextResponse, URL

def middleware(request):
    if request.next_url.pathname == "/api/rewritten":
        return NextResponse.rewrite(URL("/api/tell", request.url))
"""


@pytest.mark.parametrize("host_header", ["1.2.3.4.5", "256.1.1.1", "xn--a", "[:::]", "h:99999", "a%00b", "a" * 300])
@pytest.mark.parametrize("path", ["/api/tell", "/api/rewritten"])
def test_a_host_that_is_none(serve_files: Serve, path: str, host_header: str) -> None:
    """A Host that no URL can have is the client's fault, wherever the URL is asked for."""
    client = serve_files({"middleware.py": REWRITE, "app/api/tell/route.py": TELL})
    assert client.get(path, headers={"Host": "localhost"}).text == f"{path} {path}"
    environ = EnvironBuilder(path).get_environ() | {"HTTP_HOST": host_header}
    assert run_wsgi_app(client.application, environ, buffered=True)[1].startswith("400")


@pytest.mark.parametrize("tail", ["", "/", "%23", "%3F", "%0A", "\t", " ", ";a", "%00", "%2F..", '|^`{}<>"', "\x7f"])
@pytest.mark.parametrize("raw_key", ["RAW_URI", "REQUEST_URI", None])
def test_the_path_of_a_url_is_the_one_that_is_routed(serve_files: Serve, tail: str, raw_key: str | None) -> None:
    """What a guard reads from the URL, decoded, is what the parameter of the route is."""
    text = """
    from urllib.parse import unquote
    from nextapi import URL, Response

    def POST(request, context):
        seen = {unquote(path.rstrip("/")) for path in (URL(request.url).pathname, request.next_url.pathname)}
        return Response.json(seen == {"/api/" + context.params["name"]})
    """
    client = serve_files({"app/api/[name]/route.py": text})
    environ = {"PATH_INFO": "/api/" + _decoded(f"a{tail}b")}
    if raw_key:
        environ[raw_key] = f"/api/a{tail}b"
    answer = client.post("/", environ_overrides=environ)
    assert answer.json is True or answer.status_code in (400, 404), answer.text


def _decoded(path: str) -> str:
    return path.replace("%23", "#").replace("%3F", "?").replace("%0A", "\n").replace("%00", "\0").replace("%2F", "/")


def test_a_body_that_middleware_gave_up_on(serve_files: Serve, host: str) -> None:
    """What is left of a body over the limit, which middleware began to read, is nobody's body."""
    files = {
        "middleware.py": """
        from nextapi import BodyError

        def middleware(request):
            try:
                request.bytes()
            except BodyError:
                pass
        """,
        "app/api/a/route.py": """
        from nextapi import Response

        max_body_size = "1gb"

        def POST(request):
            return Response(str(len(request.bytes())))
        """,
    }
    client = serve_files(files, max_body_size="100kb")
    environ = {"wsgi.input": io.BytesIO(b"x" * 300_000), "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    chunked = {**environ, "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_TYPE": "application/octet-stream"}
    assert client.post("/api/a", environ_overrides=chunked).status_code == 400
    known = client.post("/api/a", data=b"x" * 300_000, content_type="application/octet-stream")
    assert (known.status_code, known.text) == (200, "300000")


def test_an_answer_of_another_server_lets_no_request_pass(serve_files: Serve) -> None:
    """Middleware that returns what `fetch` got has answered, whatever headers that has."""
    text = """
    from nextapi import fetch

    def middleware(request):
        return fetch(request.headers.get("x-site"))
    """
    client = serve_files({"middleware.py": text, "pages/api/a.py": "def handler(req, res): res.end('secret')"})
    with upstream() as site:
        site.status, site.headers = 403, [("x-middleware-next", "1")]
        answer = client.get("/api/a", headers={"x-site": site.url})
    assert (answer.status_code, answer.text) == (403, "from upstream")


@pytest.mark.parametrize("path", ["/\t/other.test", "//other.test", "/\\other.test", "/\t\t//other.test"])
def test_a_redirect_to_the_own_site_leads_to_no_other(serve_files: Serve, path: str) -> None:
    """An absolute Location is made a path only where browsers do not take that for another site."""
    text = f"""
    from nextapi import Response

    def middleware(request):
        return Response(status=307, headers={{"location": request.next_url.origin + {path!r}}})
    """
    client = serve_files({"middleware.py": text, "pages/api/a.py": "def handler(req, res): res.end()"})
    assert client.get("/api/a").headers["Location"].startswith("http://localhost/")


def test_a_reason_that_must_not_go_on_the_wire(serve_files: Serve) -> None:
    """A reason phrase is checked when it is sent, as it can be set without being looked at."""
    text = """
    from nextapi import Response

    def GET(request):
        response = Response("x")
        response.status_text = request.headers.get("x-reason").replace("|", "\\r\\n")
        return response
    """
    client = serve_files({"app/api/a/route.py": text})
    assert client.get("/api/a", headers={"x-reason": "Fine"}).status == "200 Fine"
    assert client.get("/api/a", headers={"x-reason": "OK|X-Evil: 1"}).status_code == 500


def test_a_length_that_is_no_number_of_pythons(serve_files: Serve) -> None:
    """A Content-Length of thousands of digits is refused, or is none; it does not fail."""
    text = """
    from nextapi import Response

    def POST(request):
        return Response(f"{len(request.bytes())}")
    """
    answer = serve_files({"app/api/a/route.py": text}).post("/api/a", environ_overrides={"CONTENT_LENGTH": "9" * 5000})
    assert answer.status_code in (400, 413) or answer.text == "0"  # Flask takes it for none


def test_an_error_that_is_raised_again_tells_nothing_of_others(serve_files: Serve) -> None:
    """One exception may be raised for all requests: what is added to it is for one of them."""
    files = {
        "middleware.py": """
        import re
        from nextapi import HTTPError, cors

        REFUSED = HTTPError(403, "No")

        @cors(origin=re.compile("https://.*[.]test"))
        def middleware(request):
            if request.headers.get("origin"):
                raise REFUSED
        """,
        "app/api/a/route.py": """
        from nextapi import HTTPError, cookies

        LOGIN = HTTPError(307, "", {"location": "/login"})

        def GET(request):
            if name := request.headers.get("x-name"):
                cookies().set("name", name)
            raise LOGIN
        """,
    }
    client = serve_files(files)
    for name in ("alice", "bob"):
        answer = client.get("/api/a", headers={"x-name": name})
        assert [line.partition(";")[0] for line in answer.headers.getlist("Set-Cookie")] == [f"name={name}"]
    other = Client(client.application).get("/api/a")
    assert (other.status_code, other.headers["Location"], "Set-Cookie" in other.headers) == (307, "/login", False)
    refused = client.get("/api/a", headers={"Origin": "https://a.test"})
    assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (403, "https://a.test")
    refused = client.get("/api/a", headers={"Origin": "https://evil.example"})
    assert (refused.status_code, "Access-Control-Allow-Origin" in refused.headers) == (403, False)


def test_more_headers_than_anybody_has(serve_files: Serve) -> None:
    """Whoever looks at all headers finds up to 1000, which servers need not see to; the environment does not count."""
    text = "from nextapi import Response\ndef GET(request): return Response.json(len(request.headers))\n"
    client = serve_files({"app/api/a/route.py": text})
    many = {f"HTTP_X_{number}": "1" for number in range(1001)}
    assert client.get("/api/a", environ_overrides=many).status_code == 431
    others = {f"SOME_SERVICE_{number}": "1" for number in range(2000)}
    assert int(client.get("/api/a", environ_overrides={"HTTP_X": "1", **others}).text) < 10
