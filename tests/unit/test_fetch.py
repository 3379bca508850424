"""`fetch`: what is sent, what comes back, redirects, failures, and what becomes of the connections."""

from __future__ import annotations

import gc
import gzip
import io
import os
import socket
import ssl
import subprocess
import sys
import threading
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from nextapi import URL, FormData, NextRequest, Response, URLSearchParams
from nextapi.errors import ExtraError, FetchError, FetchTimeoutError, HeaderError, NextApiError, URLError
from nextapi.web import fetch as module
from nextapi.web.fetch import fetch
from tests.support.upstream import Upstream, upstream


@pytest.fixture(autouse=True)
def connections() -> Iterator[None]:
    """Have each test begin without connections, and close what it leaves."""
    module._manager.cache_clear()
    yield
    module._manager().clear()
    module._manager.cache_clear()


@pytest.fixture
def server() -> Iterator[Upstream]:
    """Return the server that is asked."""
    with upstream() as told:
        yield told


@pytest.fixture
def other() -> Iterator[Upstream]:
    """Return a second server, which is another origin."""
    with upstream() as told:
        yield told


@contextmanager
def raw_server(answer: bytes, wrap: Callable[[socket.socket], socket.socket] = lambda it: it) -> Iterator[str]:
    """Have a server that sends these bytes to whoever has sent a head, and cuts the connection."""

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, suppress(OSError), wrap(connection) as wrapped:
                    data = b""
                    while b"\r\n\r\n" not in data and (received := wrapped.recv(4096)):
                        data += received
                    wrapped.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.parametrize("reason", [b"OK\rX-Evil: 1", b"O\0K", b"O\x1b[31mK"])
def test_a_reason_that_must_not_go_on_the_wire(reason: bytes) -> None:
    """A server cannot have a handler that passes its answer on send a line of its own."""
    answer = b"HTTP/1.1 200 " + reason + b"\r\nContent-Length: 0\r\n\r\n"
    with raw_server(answer) as host, pytest.raises(FetchError):
        fetch(f"http://{host}/")


def test_what_comes_back(server: Upstream) -> None:
    """Status, reason, headers and body of the answer, and where it came from."""
    server.status = 404
    server.headers = [("X-A", "1"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
    response = fetch(f"{server.url}/a?b=c#d")
    assert isinstance(response, Response)
    assert (response.status, response.status_text, response.ok, response.redirected) == (404, "Not Found", False, False)
    assert response.url == f"{server.url}/a?b=c"
    assert response.headers["x-a"] == "1"
    assert response.headers.get_set_cookie() == ["a=1", "b=2"]
    assert response.headers["content-length"] == "13"
    assert response.text() == "from upstream"
    assert server.received[0].path == "/a?b=c"


def test_the_ways_to_read_a_body(server: Upstream) -> None:
    """An answer is read as every `Response` is: whole, as JSON, or in pieces."""
    server.parts = [b'{"a": 1}']
    assert fetch(server.url).json() == {"a": 1}
    assert fetch(server.url).bytes() == b'{"a": 1}'
    body = fetch(server.url).body
    assert isinstance(body, Iterator)
    assert b"".join(body) == b'{"a": 1}'
    response = fetch(server.url)
    assert (response.clone().text(), response.text()) == ('{"a": 1}', '{"a": 1}')


def test_what_is_sent_by_itself(server: Upstream) -> None:
    """A plain request says whose it is and what it takes, and has no body."""
    fetch(URL(f"{server.url}/a")).close()
    (received,) = server.received
    assert (received.method, received.path, received.body) == ("GET", "/a", b"")
    assert received.headers == {
        "host": server.url.removeprefix("http://"),
        "accept": "*/*",
        "accept-encoding": "gzip, deflate",
        "user-agent": "nextapi",
    }


def test_headers(server: Upstream) -> None:
    """Headers go out as they are given, repeated ones as lines; None leaves one out."""
    headers = {"X-A": "1", "X-B": None, "X-C": ["1", "2"], "X-D": "é", "User-Agent": "me", "Accept": "text/csv"}
    fetch(server.url, headers=headers).close()
    received = server.received[0].headers
    assert (received["x-a"], received["x-d"], received["user-agent"], received["accept"]) == (
        "1",
        "é",
        "me",
        "text/csv",
    )
    assert "x-b" not in received
    assert received["x-c"] in ("1", "2")  # the last line: what the server keeps


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Host", "example.com"),
        ("Content-Length", "100"),
        ("Transfer-Encoding", "gzip"),
        ("Connection", "close, X-User"),
        ("Keep-Alive", "timeout=5"),
        ("TE", "trailers"),
        ("Upgrade", "h2c"),
        ("Expect", "100-continue"),
        ("Proxy-Authorization", "Basic x"),
        ("Accept-Encoding", "br"),
    ],
)
def test_headers_that_are_not_the_callers(server: Upstream, name: str, value: str) -> None:
    """What is about the connection and the framing of the body is left out, as if a client's headers were passed on."""
    headers = {name: value, "X-User": "1", "X-Kept": "1"}
    fetch(server.url, method="POST", headers=headers, body=b"abc").close()
    received = server.received[0]
    assert received.body == b"abc"
    assert received.headers.get(name.lower()) != value
    assert received.headers["host"] == server.url.removeprefix("http://")
    assert received.headers["x-kept"] == "1"
    assert received.headers["x-user"] == "1"  # whatever a client's Connection names


@pytest.mark.parametrize("headers", [{"x": "a\r\nb: c"}, {"x": "a\nb"}, {"x y": "1"}, {"x": "\0"}, {"x": "漢"}])
def test_headers_that_must_not_go_on_the_wire(server: Upstream, headers: dict[str, str]) -> None:
    """A line end or what is no token is refused, and nothing is sent."""
    with pytest.raises(HeaderError):
        fetch(server.url, headers=headers)
    assert server.received == []


FORM = FormData()
FORM.append("a", "1")


@pytest.mark.parametrize(
    ("body", "content_type", "sent"),
    [
        ("é", "text/plain;charset=UTF-8", "é".encode()),
        (b"\xff\x00", None, b"\xff\x00"),
        (bytearray(b"a"), None, b"a"),
        (b"", None, b""),
        (URLSearchParams({"a": "1 2"}), "application/x-www-form-urlencoded;charset=UTF-8", b"a=1+2"),
    ],
)
def test_bodies(server: Upstream, body: Any, content_type: str | None, sent: bytes) -> None:
    """A body is sent with its length, and the type that it brings."""
    fetch(server.url, method="POST", body=body).close()
    received = server.received[0]
    assert received.body == sent
    assert received.headers.get("content-type") == content_type
    assert received.headers["content-length"] == str(len(sent))


def test_a_form(server: Upstream) -> None:
    """A form is multipart, and its boundary is that of the Content-Type."""
    fetch(server.url, method="PUT", body=FORM).close()
    received = server.received[0]
    kind, _, boundary = received.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/form-data"
    assert received.body.startswith(f"--{boundary}\r\n".encode())
    assert b'name="a"\r\n\r\n1\r\n' in received.body


def test_a_type_of_ones_own(server: Upstream) -> None:
    """A Content-Type that is given stands."""
    fetch(server.url, method="PATCH", body="{}", headers={"Content-Type": "application/json"}).close()
    assert server.received[0].headers["content-type"] == "application/json"


def test_streams_are_sent_in_chunks(server: Upstream) -> None:
    """An iterator of text and bytes is sent as it is made."""
    fetch(server.url, method="POST", body=(part for part in ["one", b"two", "", "é"])).close()
    received = server.received[0]
    assert received.body == "onetwoé".encode()
    assert received.headers["transfer-encoding"] == "chunked"
    assert "content-length" not in received.headers


def test_a_file_is_sent_with_its_length(server: Upstream, tmp_path: Path) -> None:
    """Of a file on disk the rest is sent, and servers that cannot read chunks are told its length."""
    (tmp_path / "a").write_bytes(b"x" * 200_000)
    with (tmp_path / "a").open("rb") as file:
        file.seek(100_000)
        fetch(server.url, method="POST", body=file).close()
    received = server.received[0]
    assert (len(received.body), received.headers["content-length"]) == (100_000, "100000")
    assert "transfer-encoding" not in received.headers


def test_a_length_that_came_with_a_stream(server: Upstream) -> None:
    """A stream that is passed on with its headers keeps its length."""
    fetch(server.url, method="POST", headers={"Content-Length": "6"}, body=iter([b"abc", b"def"])).close()
    assert (server.received[0].body, server.received[0].headers["content-length"]) == (b"abcdef", "6")


@pytest.mark.parametrize(("length", "what"), [("5", "longer"), ("7", "shorter")])
def test_a_length_that_is_wrong(server: Upstream, length: str, what: str) -> None:
    """No byte goes out beyond the length, and no request with fewer is done."""
    with pytest.raises(ValueError, match=f"{what} than its length of {length} bytes"):
        fetch(server.url, method="POST", headers={"Content-Length": length}, body=iter([b"abc", b"def"]))
    assert server.ended.wait(60)
    assert [received.body for received in server.received] in ([], [b"abc"], [b"abcdef"])


def test_a_body_that_fails(server: Upstream) -> None:
    """What a generator raises passes, and the connection is not used again."""
    with pytest.raises(ZeroDivisionError):
        fetch(server.url, method="POST", body=(str(1 // number) for number in [1, 0]))
    assert fetch(server.url).text() == "from upstream"
    assert server.connections == 2


async def _parts() -> AsyncIterator[bytes]:
    yield b"a"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"body": "a"}, "GET"),
        ({"method": "HEAD", "body": b""}, "HEAD"),
        ({"method": "CONNECT"}, "CONNECT"),
        ({"method": "trace"}, "trace"),
        ({"method": "A B"}, "A B"),
        ({"method": "A\r\nB"}, "method"),
        ({"method": "POST", "body": {"a": 1}}, "dict"),
        ({"method": "POST", "body": _parts()}, "async"),
        ({"redirect": "never"}, "never"),
    ],
)
def test_arguments_that_cannot_be(server: Upstream, arguments: dict[str, Any], message: str) -> None:
    """A TypeError names what is wrong, and nothing is sent."""
    with pytest.raises(TypeError, match=message):
        fetch(server.url, **arguments)
    assert server.received == []


def test_methods_are_sent_in_upper_case(server: Upstream) -> None:
    """`patch` is PATCH, and any token is a method."""
    for method in ("patch", "PURGE"):
        fetch(server.url, method=method).close()
    assert [received.method for received in server.received] == ["PATCH", "PURGE"]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("/api/a", "absolute"),
        ("api", "absolute"),
        ("//example.com/a", "absolute"),
        ("", "absolute"),
        ("ftp://example.com/", "ftp:"),
        ("file:///etc/passwd", "file:"),
        ("data:,a", "data:"),
        ("http://", "http://"),
        ("http://me:secret@127.0.0.1:1/", "authorization"),
        ("http://me@127.0.0.1:1/", "authorization"),
    ],
)
def test_urls_that_cannot_be(url: str, message: str) -> None:
    """A URL is absolute, of http or https, and names no user; the error is a ValueError and tells no password."""
    with pytest.raises(URLError, match=message) as caught:
        fetch(url)
    assert isinstance(caught.value, ValueError)
    assert "secret" not in str(caught.value)


def test_a_request(server: Upstream) -> None:
    """A request in place of a URL is sent with its method, headers and body, unless others are given."""

    def request() -> NextRequest:
        return NextRequest(f"{server.url}/a", method="POST", headers={"x-a": "1"}, body="text")

    fetch(request()).close()
    fetch(request(), method="PUT", headers={"x-b": "1"}, body="other").close()
    fetch(NextRequest(f"{server.url}/b")).close()
    first, second, third = server.received
    assert (first.method, first.path, first.headers["x-a"], first.body) == ("POST", "/a", "1", b"text")
    assert first.headers["content-type"] == "text/plain;charset=UTF-8"
    assert (second.method, second.headers["x-b"], second.body) == ("PUT", "1", b"other")
    assert "x-a" not in second.headers
    assert (third.method, third.path) == ("GET", "/b")


def test_an_address_in_brackets() -> None:
    """A host may be an IPv6 address."""
    with pytest.raises(FetchError, match="::1"):
        fetch("http://[::1]:1/")


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT"])
def test_redirects_are_followed(server: Upstream, method: str, status: int) -> None:
    """301 and 302 make a POST a GET, 303 all but HEAD; 307 and 308 keep method and body."""
    server.redirects["/a"] = (status, "/b?c")
    body = None if method in ("GET", "HEAD") else "text"
    response = fetch(f"{server.url}/a#top", method=method, body=body, headers={"x-a": "1"})
    assert (response.status, response.redirected, response.url) == (200, True, f"{server.url}/b?c")
    first, second = server.received
    is_get = (status in (301, 302) and method == "POST") or (status == 303 and method != "HEAD")
    assert (first.method, second.method) == (method, "GET" if is_get else method)
    assert second.body == (b"" if is_get or body is None else b"text")
    assert ("content-type" in second.headers) == bool(second.body)
    assert second.headers["x-a"] == "1"
    assert server.connections == 1


def test_redirects_that_are_not_followed(server: Upstream) -> None:
    """`redirect="manual"` gives the redirect itself, and `"error"` forbids it."""
    server.redirects["/a"] = (302, "/b")
    response = fetch(f"{server.url}/a", redirect="manual")
    assert (response.status, response.headers["location"], response.redirected) == (302, "/b", False)
    with pytest.raises(FetchError, match="302 is a redirect"):
        fetch(f"{server.url}/a", redirect="error")
    assert fetch(f"{server.url}/b", redirect="error").text() == "from upstream"


@pytest.mark.parametrize(("status", "headers"), [(302, []), (304, [("Location", "/b")]), (201, [("Location", "/b")])])
def test_what_is_no_redirect(server: Upstream, status: int, headers: list[tuple[str, str]]) -> None:
    """Without a Location, and with another status, it is an answer."""
    server.status, server.headers = status, headers
    assert fetch(server.url).status == status
    assert len(server.received) == 1


def test_the_most_redirects(server: Upstream) -> None:
    """Twenty are followed, the next is an error."""
    for number in range(21):
        server.redirects[f"/{number}"] = (302, f"/{number + 1}")
    assert fetch(f"{server.url}/1").url == f"{server.url}/21"
    with pytest.raises(FetchError, match="more than 20 redirects"):
        fetch(f"{server.url}/0")


def test_credentials_stay_with_their_origin(server: Upstream, other: Upstream) -> None:
    """Authorization and Cookie are not sent to another origin, and not again when it leads back."""
    server.redirects["/a"] = (307, "/b")
    server.redirects["/b"] = (307, f"{other.url}/c")
    other.redirects["/c"] = (307, f"{server.url}/d")
    headers = {"Authorization": "Bearer abc", "Cookie": "a=1", "X-A": "1"}
    assert fetch(f"{server.url}/a", headers=headers).url == f"{server.url}/d"
    a, b, d = server.received
    (c,) = other.received
    assert [received.headers.get("authorization") for received in (a, b, c, d)] == ["Bearer abc"] * 2 + [None] * 2
    assert [received.headers.get("cookie") for received in (a, b, c, d)] == ["a=1"] * 2 + [None] * 2
    assert [received.headers["x-a"] for received in (a, b, c, d)] == ["1"] * 4


def test_a_stream_cannot_be_sent_again(server: Upstream) -> None:
    """A redirect that wants the body of a stream is an error; 303 does not want it."""
    server.redirects["/a"] = (307, "/b")
    server.redirects["/c"] = (303, "/d")
    with pytest.raises(FetchError, match="stream"):
        fetch(f"{server.url}/a", method="POST", body=iter([b"a"]))
    assert fetch(f"{server.url}/c", method="POST", body=iter([b"a"])).text() == "from upstream"


@pytest.mark.parametrize("location", ["ftp://a/", "http://me:secret@127.0.0.1/", "http://a b/", "javascript:x"])
def test_redirects_to_nowhere(server: Upstream, location: str) -> None:
    """A redirect leads to http and https alone, to nobody's account, and its URL is not told."""
    server.redirects["/a"] = (302, location)
    with pytest.raises(FetchError, match="302 leads to") as caught:
        fetch(f"{server.url}/a")
    assert "secret" not in str(caught.value)


def test_a_redirect_in_utf8(server: Upstream) -> None:
    """A Location that is not percent-encoded is read as UTF-8."""
    server.redirects["/a"] = (302, "/é".encode().decode("latin-1"))
    assert fetch(f"{server.url}/a").url == f"{server.url}/%C3%A9"


# Bodies of answers


def deflated(data: bytes) -> bytes:
    """Return data as `deflate` has it."""
    return zlib.compress(data)


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(
    ("coding", "encode"), [("gzip", gzip.compress), ("deflate", deflated), ("GZIP", gzip.compress)]
)
def test_what_is_encoded_is_decoded(
    server: Upstream, coding: str, encode: Callable[[bytes], bytes], chunked: bool
) -> None:
    """The bytes are decoded, and no header says otherwise."""
    data = os.urandom(1000) + b"from upstream" * 100_000
    server.headers, server.parts = [("Content-Encoding", coding), ("X-A", "1")], [encode(data)]
    server.chunked = chunked
    response = fetch(server.url)
    assert response.headers.multi_items() == [("x-a", "1")]
    assert response.bytes() == data


def test_what_is_decoded_comes_in_pieces(server: Upstream) -> None:
    """A small answer that is large when it is decoded never stands in memory as a whole, unless all is asked for."""
    server.headers, server.parts = [("Content-Encoding", "gzip")], [gzip.compress(bytes(50_000_000))]
    body = fetch(server.url).body
    assert isinstance(body, Iterator)
    sizes = [len(piece) for piece in body]
    assert (sum(sizes), max(sizes)) == (50_000_000, 1 << 16)


def test_a_coding_that_nobody_knows(server: Upstream) -> None:
    """What cannot be decoded is left as it is, with the headers that say so."""
    server.headers, server.parts = [("Content-Encoding", "gzip, x-own")], [b"abc"]
    response = fetch(server.url)
    assert (response.headers["content-encoding"], response.headers["content-length"]) == ("gzip, x-own", "3")
    assert response.bytes() == b"abc"


def test_what_is_encoded_badly(server: Upstream) -> None:
    """Bytes that are no gzip are an error of the network, not text."""
    server.headers, server.parts = [("Content-Encoding", "gzip")], [b"no gzip at all"]
    with pytest.raises(FetchError):
        fetch(server.url).text()


@pytest.mark.parametrize(("method", "headers"), [("HEAD", {}), ("GET", {"Range": "bytes=0-1"})])
def test_when_nothing_is_to_be_encoded(server: Upstream, method: str, headers: dict[str, str]) -> None:
    """A part and the length of the whole are those of the plain bytes."""
    fetch(server.url, method=method, headers=headers).close()
    assert server.received[0].headers["accept-encoding"] == "identity"


def test_a_stream_without_length_or_with_both() -> None:
    """Where chunks and a length are said, the chunks are what is meant, and the length goes nowhere (RFC 9112, 6.3)."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
    with raw_server(head + b"5\r\nabcde\r\n0\r\n\r\n") as host:
        response = fetch(f"http://{host}/")
        assert "content-length" not in response.headers
        assert response.text() == "abcde"
    with raw_server(b"HTTP/1.0 200 OK\r\n\r\nabc") as host:
        assert fetch(f"http://{host}/").text() == "abc"


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("coding", [None, "gzip"])
def test_a_body_comes_as_it_is_sent(server: Upstream, chunked: bool, coding: str | None) -> None:
    """A piece is there before the server sends the next."""
    parts = [b"one", b"two"]
    if coding:
        packer = zlib.compressobj(wbits=31)
        parts = [packer.compress(part) + packer.flush(zlib.Z_SYNC_FLUSH) for part in parts]
        server.headers = [("Content-Encoding", coding)]
    server.parts, server.chunked = parts, chunked
    server.go_on.clear()
    body = fetch(server.url).body
    assert isinstance(body, Iterator)
    assert next(body) == b"one"
    server.go_on.set()
    assert b"".join(body) == b"two"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab",
    ],
)
def test_a_body_that_ends_early(answer: bytes) -> None:
    """A body that is cut short is an error, and never taken for the whole."""
    with raw_server(answer) as host:
        response = fetch(f"http://{host}/")
        with pytest.raises(FetchError, match=f"GET http://{host}"):
            response.bytes()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: a\x01b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    ],
)
def test_what_is_no_answer(answer: bytes) -> None:
    """What is no HTTP, and what could not be passed on, is an error."""
    with raw_server(answer) as host, pytest.raises(FetchError, match=f"fetch failed: GET http://{host}: ."):
        fetch(f"http://{host}/a")


# Failures


def test_nobody_there() -> None:
    """A refused connection is an `OSError` that tells the origin, and nothing of path, query or headers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(FetchError) as caught:
        fetch(f"http://127.0.0.1:{port}/a?token=secret", headers={"authorization": "secret"})
    assert isinstance(caught.value, OSError)
    assert isinstance(caught.value, NextApiError)
    assert not isinstance(caught.value, TimeoutError)
    assert str(caught.value).startswith(f"fetch failed: GET http://127.0.0.1:{port}: ")
    assert "refused" in str(caught.value)
    assert "secret" not in f"{caught.value}{caught.value.__cause__}"


@pytest.mark.parametrize("timeout", [0.1, (5, 0.1), (None, 0.1)])
def test_an_answer_that_is_late(server: Upstream, timeout: Any) -> None:
    """After `timeout` seconds without a byte it is a `TimeoutError`, before the head and within the body."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        pytest.raises(FetchTimeoutError, match="timeout") as caught,
    ):
        fetch(f"http://127.0.0.1:{listener.getsockname()[1]}/", timeout=timeout)
    assert isinstance(caught.value, TimeoutError)
    server.parts = [b"one", b"two"]
    server.go_on.clear()
    with pytest.raises(TimeoutError):
        fetch(server.url, timeout=timeout).bytes()


def test_no_timeout(server: Upstream) -> None:
    """None waits for ever, which is here until the answer comes."""
    assert fetch(server.url, timeout=None).text() == "from upstream"


@pytest.mark.parametrize("timeout", [0, -1, (1, 0)])
def test_timeouts_that_cannot_be(server: Upstream, timeout: Any) -> None:
    """A time that is none is a ValueError."""
    with pytest.raises(ValueError, match="timeout"):
        fetch(server.url, timeout=timeout)


def test_nothing_is_sent_twice() -> None:
    """A request that fails is not tried again, whatever its method."""
    with raw_server(b"") as host:
        for method in ("GET", "POST"):
            with pytest.raises(FetchError):
                fetch(f"http://{host}/", method=method)


def test_certificates_are_checked(tmp_path: Path) -> None:
    """A certificate that nobody trusts is refused."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(1))
    pem = tmp_path / "own.pem"
    pem.write_bytes(
        builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    wrap = lambda connection: context.wrap_socket(connection, server_side=True)  # noqa: E731
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with raw_server(answer, wrap) as host, pytest.raises(FetchError, match=r"(?i)certificate"):
        fetch(f"https://{host}/")


def test_no_proxy_of_the_environment(server: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables such as HTTP_PROXY, which a CGI server may set from a header, lead nowhere."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert fetch(server.url).text() == "from upstream"


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where urllib3 is not installed the error says what to install."""
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "urllib3", None)
        with pytest.raises(ExtraError, match=r"pip install 'nextapi-wsgi\[fetch\]'") as caught:
            fetch("http://127.0.0.1:1/")
    assert isinstance(caught.value, ImportError)


def test_nextapi_does_not_import_urllib3() -> None:
    """The library is imported by the first call alone."""
    code = "import sys, nextapi; assert 'urllib3' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


# Connections


@pytest.mark.parametrize("chunked", [False, True])
def test_a_connection_is_used_again(server: Upstream, chunked: bool) -> None:
    """When a body was read to its end, the next request takes its connection."""
    server.chunked = chunked
    for _ in range(3):
        fetch(server.url).bytes()
    assert server.connections == 1


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_an_answer_without_a_body_keeps_no_connection(server: Upstream, method: str, status: int) -> None:
    """Where there is no body, nothing has to be read or closed."""
    server.status = status
    server.parts = [b"from upstream"] if status == 200 else []
    responses = [fetch(server.url, method=method) for _ in range(3)]
    assert [(response.body, response.status) for response in responses] == [(None, status)] * 3
    assert server.connections == 1


@pytest.mark.parametrize("is_begun", [False, True])
@pytest.mark.parametrize("how", ["close", "with", "del"])
def test_an_answer_that_is_not_read(server: Upstream, is_begun: bool, how: str) -> None:
    """Closed or forgotten, it ends its connection, and leaves no warning."""
    server.parts = [b"one", b"two"]
    server.go_on.clear()
    response = fetch(server.url)
    body: Any = response.body
    if is_begun:
        assert next(body) == b"one"
    if how == "close":
        response.close()
    elif how == "with":
        with response:
            pass
    else:
        del body, response
        gc.collect()
    server.go_on.set()
    assert server.ended.wait(60)
    assert fetch(server.url).text() == "onetwo"


def test_threads(server: Upstream) -> None:
    """Many threads can fetch at the same time."""
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: fetch(server.url).text(), range(40))) == ["from upstream"] * 40
    assert server.connections <= 8


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_a_fork_has_connections_of_its_own(server: Upstream) -> None:
    """A process that was forked does not write to the connections of the other."""
    code = f"""
import os
from nextapi import fetch

def ask():
    assert fetch({server.url!r}).text() == "from upstream"

ask()
if child := os.fork():
    assert os.waitpid(child, 0)[1] == 0
    ask()
else:
    ask()
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
    assert (server.connections, len(server.received)) == (2, 3)


def test_a_stream_of_an_answer_can_be_sent_on(server: Upstream, other: Upstream) -> None:
    """The body of an answer can be that of a request."""
    fetch(other.url, method="POST", body=fetch(server.url).body).close()
    assert other.received[0].body == b"from upstream"


def test_a_buffer(server: Upstream) -> None:
    """A file in memory is sent with its length, too."""
    fetch(server.url, method="POST", body=io.BytesIO(b"abc")).close()
    assert server.received[0].headers["content-length"] == "3"
