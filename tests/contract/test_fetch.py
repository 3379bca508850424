"""What `fetch` has returned, returned by a handler: the answer passes through, and the connection is not lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from werkzeug.test import Client

from nextapi.web import fetch
from tests.support.upstream import Upstream, upstream

Serve = Callable[..., Client]

ROUTE = """
from nextapi import fetch

def GET(request):
    return fetch("{url}/a")

def POST(request):
    return fetch("{url}/a", method="POST", headers=request.headers, body=request.body)
"""

AFTER_HEADERS = """
from nextapi import fetch

async def GET(request):
    import asyncio
    first, second = await asyncio.gather(*[asyncio.to_thread(fetch, "{url}/" + path) for path in "ab"])
    first.headers.set("x-other", second.text())
    return first
"""


@pytest.fixture
def backend() -> Iterator[Upstream]:
    """Return the server that handlers ask."""
    fetch._manager.cache_clear()
    with upstream() as server:
        yield server
    fetch._manager().clear()


def test_the_connection_goes_back_to_its_pool(serve_files: Serve, backend: Upstream) -> None:
    """An answer that was sent to its end leaves its connection for the next, HEAD and errors too."""
    client = serve_files({"app/api/a/route.py": ROUTE.format(url=backend.url)})
    for _ in range(3):
        assert client.get("/api/a").data == b"from upstream"
    backend.status = 500
    assert client.get("/api/a").status_code == 500
    assert (backend.connections, len(backend.received)) == (1, 4)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_client_that_leaves(serve_files: Serve, backend: Upstream, chunked: bool) -> None:
    """When the answer is closed early, so is the connection that it came from."""
    client = serve_files({"app/api/a/route.py": ROUTE.format(url=backend.url)})
    backend.parts, backend.chunked = [b"one", b"two", b"three"], chunked
    backend.go_on.clear()
    answer = client.get("/api/a")
    assert next(chunk for chunk in answer.iter_encoded() if chunk) == b"one"
    assert not backend.ended.is_set()
    answer.close()
    backend.go_on.set()
    assert backend.ended.wait(60)
    assert client.get("/api/a").data == b"onetwothree"
    assert backend.connections == 2


def test_head_of_a_handler_for_get(serve_files: Serve, backend: Upstream) -> None:
    """The body of GET, which HEAD is not sent, is closed."""
    client = serve_files({"app/api/a/route.py": ROUTE.format(url=backend.url)})
    backend.parts = [b"one", b"two"]
    backend.go_on.clear()
    with client.head("/api/a") as answer:
        assert (answer.status_code, answer.data, answer.headers["Content-Length"]) == (200, b"", "6")
    backend.go_on.set()
    assert backend.ended.wait(60)


def test_a_request_is_passed_on(serve_files: Serve, backend: Upstream) -> None:
    """Headers and body of a request can be those of the next, with its length."""
    client = serve_files({"app/api/a/route.py": ROUTE.format(url=backend.url)})
    answer = client.post("/api/a", data=b"x" * 100_000, headers={"X-A": "1", "Content-Type": "text/csv"})
    assert answer.data == b"from upstream"
    (received,) = backend.received
    assert received.body == b"x" * 100_000
    assert (received.headers["x-a"], received.headers["content-type"]) == ("1", "text/csv")
    assert received.headers["content-length"] == "100000"
    assert received.headers["host"] == backend.url.removeprefix("http://")


def test_two_at_a_time(serve_files: Serve, backend: Upstream) -> None:
    """`asyncio.to_thread` fetches in parallel, and what it returns is an answer."""
    answer = serve_files({"app/api/a/route.py": AFTER_HEADERS.format(url=backend.url)}).get("/api/a")
    assert (answer.data, answer.headers["X-Other"]) == (b"from upstream", "from upstream")
    assert sorted(received.path for received in backend.received) == ["/a", "/b"]


def test_an_answer_that_breaks_off(serve_files: Serve, backend: Upstream) -> None:
    """A server that is lost on the way is an error of the answer, which has no clean end."""
    client = serve_files({"app/api/a/route.py": ROUTE.format(url=backend.url)})
    backend.parts, backend.chunked = [b"one", b"two"], True
    backend.headers = [("Content-Encoding", "gzip")]
    with pytest.raises(Exception, match=r"fetch failed|500"):  # noqa: PT012  # Django has sent the head by then
        answer = client.get("/api/a", buffered=True)
        raise RuntimeError(str(answer.status_code))
