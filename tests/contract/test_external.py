"""`externalResolver`: a handler returns an answer that is not nextapi's."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from werkzeug.test import Client, EnvironBuilder

from tests.support.trees import async_route, route

Serve = Callable[..., Client]

EXTERNAL = {"api": {"bodyParser": False, "externalResolver": True}}
PARSED = {"api": {"externalResolver": True}}

APPS = """
import sys

closed = []

class Body:
    def __init__(self, chunks): self.chunks = chunks
    def __iter__(self): return iter(self.chunks)
    def close(self): closed.append(1)

def plain(environ, start_response):
    start_response("201 Made", [("X-A", "1"), ("X-A", "2"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
    return Body([environ["REQUEST_METHOD"].encode(), b" ", environ["PATH_INFO"].encode()])

def echo(environ, start_response):
    start_response("200 OK", [])
    return Body([environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))])

def writes(environ, start_response):
    write = start_response("200 OK", [])
    write(b"a")
    write(b"b")
    return Body([b"c"])

def late(environ, start_response):
    def chunks():
        start_response("202 Accepted", [("X-A", "late")])
        yield b""
        yield b"late"
    return Body(chunks())

def again(environ, start_response):
    start_response("200 OK", [("X-A", "first")])
    try:
        raise ValueError
    except ValueError:
        start_response("503 Service Unavailable", [("X-A", "second")], sys.exc_info())
    return Body([b"again"])

def wrapped(environ, start_response):
    import io
    start_response("200 OK", [])
    file = io.BytesIO(b"a" * 100_000)
    wrapper = environ.get("wsgi.file_wrapper")
    return wrapper(file) if wrapper else Body(iter(lambda: file.read(8192), b""))

def fails(environ, start_response):
    raise ValueError("before")

def fails_later(environ, start_response):
    start_response("200 OK", [])
    def chunks():
        yield b"a"
        raise ValueError("later")
    return Body(chunks())

def nothing(environ, start_response):
    start_response(environ["QUERY_STRING"].partition("&")[2], [])
    return Body([b"body"])

def as_list(environ, start_response):
    start_response("304 Not Modified", [])
    return [b"body"]

def of_text(environ, start_response):
    start_response("200 OK", [])
    yield "text"

def one_piece(environ, start_response):
    start_response("200 OK", [])
    return b"bytes"

def no_head(environ, start_response):
    return Body([])
"""
CHOOSE = "if 'closed' in req.query: return res.json(len(closed))\nreturn globals()[req.query['app']]"


def test_an_application_answers(serve: Serve) -> None:
    """Status, reason, repeated headers and body are as it gave them; it sees the path as it came in."""
    answer = serve({"a": route(CHOOSE, EXTERNAL, APPS)}).put("/api/a?app=plain")
    assert (answer.status, answer.data) == ("201 Made", b"PUT /api/a")
    assert answer.headers.getlist("X-A") in (["1", "2"], ["1, 2"])
    assert answer.headers.getlist("Set-Cookie") == ["a=1", "b=2"]


@pytest.mark.parametrize("config", [EXTERNAL, PARSED])
@pytest.mark.parametrize("kind", [route, async_route])
def test_an_application_reads_the_body(serve: Serve, config: object, kind: Callable[..., str]) -> None:
    """The body is there as it came in, also where it was parsed before."""
    client = serve({"a": kind(CHOOSE, config=config, before=APPS)})
    assert client.put("/api/a?app=echo", json={"a": 1}).data == b'{"a": 1}'


@pytest.mark.parametrize(
    ("app", "status", "body"),
    [("writes", 200, b"abc"), ("late", 202, b"late"), ("again", 503, b"again"), ("wrapped", 200, b"a" * 100_000)],
)
def test_what_the_standard_allows(serve: Serve, app: str, status: int, body: bytes) -> None:
    """`write()`, a late `start_response`, a second one with `exc_info`, `wsgi.file_wrapper`: PEP 3333 has them all."""
    client = serve({"a": route(CHOOSE, EXTERNAL, APPS)})
    environ = EnvironBuilder("/api/a", query_string={"app": app}).get_environ()
    lines: list[str] = []
    written: list[bytes] = []

    def start_response(
        line: str, headers: list[tuple[str, str]], exc_info: object = None, /
    ) -> Callable[[bytes], None]:
        assert not lines or exc_info
        lines.append(line)
        return written.append

    chunks = client.application(environ, start_response)
    assert b"".join([*written, *chunks]) == body
    assert lines[-1].startswith(str(status))


def test_it_is_closed_once(serve: Serve) -> None:
    """`close()` of the application's iterable is called exactly once, however the answer came about."""
    client = serve({"a": route(CHOOSE, EXTERNAL, APPS)})
    for number, app in enumerate(("plain", "writes", "late"), 1):
        with client.get(f"/api/a?app={app}") as answer:
            assert answer.data
        assert client.get("/api/a?closed").json == number
    with client.get("/api/a?app=plain"):
        pass  # nobody read it
    assert client.get("/api/a?closed").json == 4
    with pytest.raises(ValueError, match="later"):
        client.get("/api/a?app=fails_later", buffered=True)
    assert client.get("/api/a?closed").json == 5


def test_an_application_that_fails(serve: Serve, host: str, caplog: pytest.LogCaptureFixture) -> None:
    """An exception before it has answered is the host's, on bare WSGI the server's."""
    client = serve({"a": route(CHOOSE, EXTERNAL, APPS)})
    if host == "wsgi":
        with pytest.raises(ValueError, match="before"):
            client.get("/api/a?app=fails")
    else:
        assert client.get("/api/a?app=fails").status_code == 500
    assert "ValueError: before" in caplog.text


def test_without_the_flag(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """What is returned is ignored unless the route's config says otherwise, and the log says what to write."""
    client = serve({"a": route(CHOOSE, {}, APPS), "b": route("return {'a': 1}", EXTERNAL)})
    assert client.get("/api/a?app=plain").status_code == 500
    assert "externalResolver" in caplog.text
    assert client.get("/api/b").status_code == 500
    assert "the handler returned dict and did not answer: with externalResolver it returns" in caplog.text


def test_an_answer_comes_first(serve: Serve) -> None:
    """Who has answered by `res` has answered."""
    assert serve({"a": route("res.end('res')\nreturn plain", EXTERNAL, APPS)}).get("/api/a").data == b"res"


@pytest.mark.parametrize("query", ["app=nothing&204 No Content", "app=nothing&304 Not Modified", "app=as_list"])
def test_what_has_no_body(serve: Serve, host: str, query: str) -> None:
    """A body of a 204 or a 304, which the client would take for the next answer, is left out in Flask and Django."""
    if host == "wsgi":
        return  # the application answers to the server
    with serve({"a": route(CHOOSE, EXTERNAL, APPS)}).get("/api/a", query_string=query) as answer:
        assert answer.status_code in (204, 304)
        assert (answer.data, answer.headers.get("Content-Length", "0")) == (b"", "0")


@pytest.mark.parametrize(("app", "kind"), [("of_text", "str"), ("one_piece", "int")])
def test_a_body_that_is_not_made_of_bytes(
    serve: Serve, host: str, app: str, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What PEP 3333 does not allow is a 500, and never another body."""
    if host == "wsgi":
        return  # the application answers to the server
    assert serve({"a": route(CHOOSE, EXTERNAL, APPS)}).get(f"/api/a?app={app}").status_code == 500
    assert f"body is made of bytes (PEP 3333), not of {kind}" in caplog.text
