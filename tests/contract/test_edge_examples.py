"""The examples of Edge API Routes in Next's documentation, as routes that run."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator

import pytest
from werkzeug.test import Client

from nextapi.errors import TreeError
from tests.support.upstream import Upstream, upstream

Serve = Callable[..., Client]

BASIC = """
from nextapi import Response

config = {"runtime": "edge"}

def handler(request):
    return Response("Hello world!")
"""

ARROW = """
from nextapi import Response

config = {"runtime": "edge"}

handler = lambda request: Response("Hello world!")
"""

JSON = """
import json

from nextapi import Response

config = {"runtime": "edge"}

def handler(request):
    return Response(
        json.dumps({"name": "Jim Halpert"}),
        status=200,
        headers={"content-type": "application/json"},
    )
"""

CACHE_CONTROL = """
import json

from nextapi import Response

config = {"runtime": "edge"}

def handler(request):
    return Response(
        json.dumps({"name": "Jim Halpert"}),
        status=200,
        headers={
            "content-type": "application/json",
            "cache-control": "public, s-maxage=1200, stale-while-revalidate=600",
        },
    )
"""

QUERY = """
from nextapi import URL, Response

config = {"runtime": "edge"}

def handler(request):
    search_params = URL(request.url).search_params
    email = search_params.get("email")
    return Response(email)
"""

FORWARDING = """
from nextapi import fetch

config = {"runtime": "edge"}

def handler(request):
    authorization = request.cookies.get("authorization")
    return fetch(
        "https://backend-api.com/api/protected",
        method=request.method,
        headers={"authorization": authorization.value if authorization else None},
        redirect="manual",
    )
"""

REGIONS = """
from nextapi import NextResponse

config = {"regions": ["sfo1", "iad1"]}  # defaults to "all"

def get_nearby_data():
    return {"near": ["a", "b"], "distance": 1.0}

def handler(request):
    my_data = get_nearby_data()
    return NextResponse.json(my_data)
"""

STREAM = """
from nextapi import Response

config = {"runtime": "edge"}

def parts():
    yield "one, "
    yield b"two, "
    yield "thr\\u00e9e"

def handler(request):
    return Response(parts(), headers={"content-type": "text/plain; charset=utf-8"})
"""

ASYNC_STREAM = STREAM.replace("def parts", "async def parts")


@pytest.fixture(params=[("def", "edge"), ("async def", "experimental-edge")], ids=["def", "async def"])
def serve_edge(request: pytest.FixtureRequest, serve: Serve) -> Callable[[str], Client]:
    """Return a function that serves an example as /api/a, with either kind of handler, and name of the runtime."""
    kind, runtime = request.param

    def mount(text: str) -> Client:
        text = text.replace('"runtime": "edge"', f'"runtime": "{runtime}"')
        return serve({"a": text.replace("\ndef handler", f"\n{kind} handler")})

    return mount


@pytest.fixture
def backend() -> Iterator[Upstream]:
    """Return the server that stands for https://backend-api.com."""
    with upstream() as server:
        yield server


@pytest.fixture
def forwarding(serve_edge: Callable[[str], Client], backend: Upstream) -> Client:
    """Return a client of the example that forwards headers, with `backend` for the server that it asks."""
    return serve_edge(FORWARDING.replace("https://backend-api.com", backend.url))


def test_basic(serve_edge: Callable[[str], Client]) -> None:
    """Text is sent as plain text in UTF-8, whatever the method."""
    client = serve_edge(BASIC)
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        answer = client.open("/api/a", method=method)
        assert (answer.status_code, answer.data) == (200, b"Hello world!")
        assert answer.headers["Content-Type"] == "text/plain;charset=UTF-8"
        assert "ETag" not in answer.headers
    head = client.head("/api/a")
    assert (head.status_code, head.data, head.headers["Content-Type"]) == (200, b"", "text/plain;charset=UTF-8")


@pytest.mark.parametrize("runtime", ["edge", "experimental-edge"])
def test_basic_as_an_arrow_function(serve_files: Serve, runtime: str) -> None:
    """The handler may be a lambda, as Next's is an arrow function."""
    client = serve_files({"pages/api/a.py": ARROW.replace('"runtime": "edge"', f'"runtime": "{runtime}"')})
    assert client.get("/api/a").data == b"Hello world!"


def test_json(serve_edge: Callable[[str], Client]) -> None:
    """Text with a content type of its own goes out with that one alone."""
    answer = serve_edge(JSON).get("/api/a")
    assert (answer.status_code, answer.data) == (200, b'{"name": "Jim Halpert"}')
    assert answer.headers.getlist("Content-Type") == ["application/json"]
    assert "Cache-Control" not in answer.headers


def test_cache_control(serve_edge: Callable[[str], Client]) -> None:
    """Cache-Control goes out as it was written."""
    answer = serve_edge(CACHE_CONTROL).get("/api/a")
    assert answer.json == {"name": "Jim Halpert"}
    assert answer.headers.getlist("Content-Type") == ["application/json"]
    assert answer.headers.getlist("Cache-Control") == ["public, s-maxage=1200, stale-while-revalidate=600"]


def test_query_parameters(serve_edge: Callable[[str], Client]) -> None:
    """`request.url` is absolute and has the query, of which `URL` makes its search params."""
    client = serve_edge(QUERY)
    for query, email in [
        ("?email=ada%40example.com", "ada@example.com"),
        ("?page=1&email=ada@example.com", "ada@example.com"),
        ("?email=a&email=b", "a"),
        ("?email=ada+lovelace%2B%C3%A9", "ada lovelace+é"),
        ("?email=", ""),
    ]:
        answer = client.get(f"/api/a{query}")
        assert (answer.status_code, answer.data.decode()) == (200, email)
        assert answer.headers["Content-Type"] == "text/plain;charset=UTF-8"


def test_a_missing_query_parameter(serve_edge: Callable[[str], Client]) -> None:
    """`get` is None where the name is not there, and None is an empty body without a type."""
    answer = serve_edge(QUERY).get("/api/a?mail=x")
    assert (answer.status_code, answer.data) == (200, b"")
    assert "Content-Type" not in answer.headers


def test_forwarding_headers(forwarding: Client, backend: Upstream) -> None:
    """The server that is asked gets the method and the header, made of the cookie's value, and no other cookie."""
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        answer = forwarding.open("/api/a", method=method, headers={"Cookie": "a=1; authorization=Bearer%20abc; b=2"})
        assert (answer.status_code, answer.data) == (200, b"from upstream")
        received = backend.received.pop()
        assert backend.received == []
        assert (received.method, received.path, received.body) == (method, "/api/protected", b"")
        assert received.headers["authorization"] == "Bearer abc"
        assert received.headers["host"] == backend.url.removeprefix("http://")
        assert "cookie" not in received.headers


def test_forwarding_head(forwarding: Client, backend: Upstream) -> None:
    """HEAD is asked as HEAD, and answered without a body."""
    backend.headers = [("X-Upstream", "1")]
    answer = forwarding.head("/api/a")
    assert (answer.status_code, answer.data, answer.headers["X-Upstream"]) == (200, b"", "1")
    assert [received.method for received in backend.received] == ["HEAD"]


def test_forwarding_without_the_cookie(forwarding: Client, backend: Upstream) -> None:
    """A header whose value is None is left out."""
    assert forwarding.get("/api/a").data == b"from upstream"
    assert "authorization" not in backend.received[0].headers


@pytest.mark.parametrize("status", [200, 201, 404, 418, 500, 503])
def test_a_forwarded_answer_is_unchanged(forwarding: Client, backend: Upstream, status: int) -> None:
    """Status, headers and bytes of the answer are those that the server sent, several cookies stay several."""
    backend.status = status
    backend.headers = [
        ("Content-Type", "application/octet-stream"),
        ("Set-Cookie", "a=1; Path=/; HttpOnly"),
        ("Cache-Control", "private, max-age=5"),
        ("Set-Cookie", "b=2; Expires=Wed, 02 Jan 2030 03:04:05 GMT"),
        ("ETag", '"upstream"'),
        ("X-Upstream", "one, two"),
    ]
    backend.parts = [bytes(range(256))]
    answer = forwarding.get("/api/a")
    assert (answer.status_code, answer.data) == (status, bytes(range(256)))
    assert answer.headers.getlist("Set-Cookie") == [
        "a=1; Path=/; HttpOnly",
        "b=2; Expires=Wed, 02 Jan 2030 03:04:05 GMT",
    ]
    for name, value in backend.headers:
        assert value in answer.headers.getlist(name)
        assert name == "Set-Cookie" or len(answer.headers.getlist(name)) == 1


def test_a_forwarded_answer_without_a_type(forwarding: Client) -> None:
    """No content type is added to an answer that came without one."""
    assert "Content-Type" not in forwarding.get("/api/a").headers


@pytest.mark.parametrize("status", [204, 304])
def test_a_forwarded_answer_without_a_body(forwarding: Client, backend: Upstream, status: int) -> None:
    """An answer that has no body passes, too."""
    backend.status, backend.parts = status, []
    answer = forwarding.get("/api/a")
    assert (answer.status_code, answer.data) == (status, b"")


@pytest.mark.parametrize("location", ["/elsewhere?a=1", "{url}/elsewhere", "https://example.com/a%20b"])
def test_a_forwarded_redirect_is_not_followed(forwarding: Client, backend: Upstream, location: str) -> None:
    """With `redirect="manual"` the client gets the redirect: status and place as the server said them."""
    location = location.format(url=backend.url)
    for status in (301, 302, 303, 307, 308):
        backend.status, backend.headers, backend.parts = status, [("Location", location)], []
        with forwarding.get("/api/a") as answer:
            assert (answer.status_code, answer.headers.getlist("Location")) == (status, [location])
    assert [received.path for received in backend.received] == ["/api/protected"] * 5


@pytest.mark.parametrize("chunked", [False, True])
def test_hop_by_hop_headers_are_dropped(forwarding: Client, backend: Upstream, chunked: bool) -> None:
    """What was about the connection to the server is not sent on (RFC 9110, 7.6.1)."""
    backend.chunked = chunked
    backend.headers = [
        ("Connection", "keep-alive, X-Hop"),
        ("Keep-Alive", "timeout=5"),
        ("X-Hop", "1"),
        ("Trailer", "X-Sum"),
        ("Upgrade", "h2c"),
        ("Proxy-Authenticate", "Basic"),
        ("X-End", "1"),
    ]
    answer = forwarding.get("/api/a")
    assert (answer.data, answer.headers["X-End"]) == (b"from upstream", "1")
    hop_by_hop = {"connection", "keep-alive", "x-hop", "trailer", "upgrade", "proxy-authenticate", "transfer-encoding"}
    assert {name.lower() for name, _ in answer.headers} & hop_by_hop == set()


def test_a_compressed_answer_is_whole(forwarding: Client, backend: Upstream) -> None:
    """Content-Encoding and Content-Length are those of the bytes that are sent on, decoded or not."""
    backend.headers = [("Content-Encoding", "gzip"), ("Content-Type", "text/plain")]
    backend.parts = [gzip.compress(b"from upstream" * 100)]
    answer = forwarding.get("/api/a")
    encoded = "Content-Encoding" in answer.headers
    assert (gzip.decompress(answer.data) if encoded else answer.data) == b"from upstream" * 100
    assert answer.headers.get("Content-Length", str(len(answer.data))) == str(len(answer.data))


@pytest.mark.parametrize("chunked", [False, True])
def test_a_forwarded_stream_passes_as_it_comes(forwarding: Client, backend: Upstream, chunked: bool) -> None:
    """The first part of the answer is there before the server sends the second."""
    backend.parts, backend.chunked = [b"one", b"two", b"three"], chunked
    backend.go_on.clear()
    with forwarding.get("/api/a") as answer:
        chunks = (chunk for chunk in answer.iter_encoded() if chunk)
        assert next(chunks) == b"one"
        backend.go_on.set()
        assert b"".join(chunks) == b"twothree"


@pytest.mark.parametrize(
    "config",
    [
        '{"regions": ["sfo1", "iad1"]}',
        '{"regions": "all"}',
        '{"runtime": "edge", "regions": ["sfo1", "iad1"]}',
        '{"runtime": "experimental-edge", "regions": ["sfo1", "iad1"]}',
    ],
)
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_regions(serve: Serve, config: str, kind: str) -> None:
    """A route with `regions` is an edge route, also where it names no runtime, as Next's documentation writes it."""
    text = REGIONS.replace('{"regions": ["sfo1", "iad1"]}', config).replace("\ndef handler", f"\n{kind} handler")
    answer = serve({"a": text}).get("/api/a")
    assert (answer.status_code, answer.data) == (200, b'{"near":["a","b"],"distance":1}')
    assert answer.headers.getlist("Content-Type") == ["application/json"]


def test_an_edge_handler_without_a_runtime(serve: Serve) -> None:
    """`handler(request)` without a runtime and without regions is a fault of the tree, which says what to add."""
    with pytest.raises(TreeError) as caught:
        serve({"a": BASIC.replace('config = {"runtime": "edge"}', "")})
    (fault,) = caught.value.exceptions
    assert "runtime" in str(fault)
    assert [file.name for file in fault.files] == ["a.py"]


@pytest.mark.parametrize("text", [STREAM, ASYNC_STREAM], ids=["generator", "async generator"])
def test_streaming(serve_edge: Callable[[str], Client], text: str) -> None:
    """A generator is sent chunk by chunk, with neither a length nor a tag."""
    with serve_edge(text).get("/api/a") as answer:
        assert [chunk for chunk in answer.iter_encoded() if chunk] == [b"one, ", b"two, ", "thrée".encode()]
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert "Content-Length" not in answer.headers
        assert "ETag" not in answer.headers


def test_a_stream_without_a_type(serve_edge: Callable[[str], Client]) -> None:
    """A stream has no content type unless one is set."""
    answer = serve_edge(STREAM.replace(', headers={"content-type": "text/plain; charset=utf-8"}', "")).get("/api/a")
    assert (answer.data, "Content-Type" in answer.headers) == ("one, two, thrée".encode(), False)
