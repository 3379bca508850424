"""The page cache and its clients, over real sockets: what they send, how they read, and what they try."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator
from http.client import HTTPResponse

import pytest

from tests.support.page_servers import STALE, Answer, PageServer, receive, serve_pages
from tests.support.servers import wait_until

SQLITE = "kept/pages.sqlite3"


@pytest.fixture(scope="module")
def server() -> Iterator[PageServer]:
    with serve_pages(SQLITE, "gunicorn-gthread", 4) as served:
        yield served


def test_half_of_the_threads_make_pages_anew(server: PageServer) -> None:
    """Two of four threads make pages anew, however many are expired, and the server answers meanwhile."""
    names = [f"half{number}" for number in range(6)]
    # All four threads are known once they wait for each other.
    server.say("all", "no-store")
    assert server.ask("/long/all").state is None
    server.hold("all")
    connections = [server.send("/long/all") for _ in range(4)]
    wait_until(lambda: len(server.made("all")) == 5, "there are no four threads")
    server.release("all")
    assert {receive(connection).status for connection in connections} == {200}
    for name in names:
        server.say(name, STALE)
        assert server.ask(f"/long/{name}").state == "MISS"
        server.hold(name)
    for _ in range(3):
        assert {server.ask(f"/long/{name}").state for name in names} == {"STALE"}
        assert server.ask("/pid").status == 200
    wait_until(lambda: sum(len(server.made(name)) for name in names) == len(names) + 2, "no two are made anew")
    for _ in range(2):
        assert {server.ask(f"/long/{name}").number for name in names} == {1}
    assert sum(len(server.made(name)) for name in names) == len(names) + 2
    for name in names:
        server.say(name, "s-maxage=600")
        server.release(name)
    assert {server.ask_until_hit(f"/long/{name}").number for name in names} == {2}


def test_a_client_that_leaves(server: PageServer) -> None:
    """The page that nobody takes is kept, and the next client gets it."""
    server.hold("left")
    connection = server.send("/long/left")
    wait_until(lambda: server.made("left"), "nobody makes the page")
    connection.close()
    server.release("left")
    answer = server.ask("/long/left")
    assert (answer.state, answer.number) == ("HIT", 1)
    assert len(server.made("left")) == 1


@pytest.mark.parametrize("host", [True, False])
def test_http_1_0(server: PageServer, host: bool) -> None:
    """A client of HTTP/1.0 gets whole pages; one that names no host gets the app's own answer."""
    name = f"old{host}"
    head = f"GET /long/{name} HTTP/1.0\r\n" + (f"Host: 127.0.0.1:{server.port}\r\n" if host else "") + "\r\n"
    answers = [server.ask_raw(head.encode()) for _ in range(2)]
    assert all(answer.is_whole for answer in answers)
    assert [answer.state for answer in answers] == (["MISS", "HIT"] if host else [None, None])
    assert "transfer-encoding" not in answers[1].headers


def exchange(connection: socket.socket, request: bytes) -> Answer:
    """Return the answer to a request on a connection that stays open."""
    connection.sendall(request)
    response = HTTPResponse(connection)
    response.begin()
    body = response.read()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers.get("x-nextjs-cache"), headers, body)


def test_one_connection_for_many_requests(server: PageServer) -> None:
    """MISS, HIT, HEAD and 304 leave a connection as the next request needs it."""
    host = f"Host: 127.0.0.1:{server.port}\r\n"
    with socket.create_connection(("127.0.0.1", server.port), 60) as connection:
        first = exchange(connection, f"GET /long/kept HTTP/1.1\r\n{host}\r\n".encode())
        second = exchange(connection, f"GET /long/kept HTTP/1.1\r\n{host}\r\n".encode())
        assert (first.state, second.state, first.body) == ("MISS", "HIT", second.body)
        tag = f"If-None-Match: {first.headers['etag']}\r\n"
        third = exchange(connection, f"GET /long/kept HTTP/1.1\r\n{host}{tag}\r\n".encode())
        assert (third.status, third.body) == (304, b"")
        connection.sendall(f"HEAD /long/kept HTTP/1.1\r\n{host}\r\n".encode())
        head = HTTPResponse(connection, method="HEAD")
        head.begin()
        assert (head.status, head.headers["Content-Length"]) == (200, str(len(first.body)))
        assert exchange(connection, f"GET /long/kept HTTP/1.1\r\n{host}\r\n".encode()).body == first.body


# What others get

GREETING = "/greet/greeting"


def test_a_page_that_greets_by_a_cookie(server: PageServer) -> None:
    """Each user gets the own greeting or that of nobody, whatever was asked before, and is told to keep none."""
    ada, grace = {"Cookie": "name=ada"}, {"Cookie": "name=grace"}
    for state in (STALE, "s-maxage=600"):
        server.say("greeting", state)
        for _ in range(3):
            for headers in (ada, grace, {}):
                answer = server.ask(GREETING, **headers)
                assert answer.status == 200
                text = answer.body.partition(b"\n")[2].decode()
                if answer.state == "MISS":
                    assert text == f"Hello {headers.get('Cookie', 'stranger')}"
                    assert ("private" in answer.headers["cache-control"]) == bool(headers)
                else:
                    assert text == "Hello stranger"
        if state == STALE:
            assert server.ask("/api/revalidate?path=" + GREETING, Cookie="name=ada").status == 200
    assert server.ask_until_hit(GREETING).body.endswith(b"Hello stranger")


EVIL = "evil"
ATTACKS = {
    "X-Forwarded-Host": "X-Forwarded-Host: evil.example",
    "X-Forwarded-Proto": "X-Forwarded-Proto: evil",
    "X-Forwarded-For": "X-Forwarded-For: evil",
    "X-Forwarded-Prefix": "X-Forwarded-Prefix: /evil",
    "X-Forwarded-Scheme": "X-Forwarded-Scheme: evil",
    "Forwarded": "Forwarded: host=evil.example;proto=https",
    "X-Host": "X-Host: evil.example",
    "X-Original-URL": "X-Original-URL: /evil",
    "X-Rewrite-URL": "X-Rewrite-URL: /evil",
    "X-HTTP-Method-Override": "X-HTTP-Method-Override: evil",
    "Cookie": "Cookie: evil=1",
    "Authorization": "Authorization: Basic evil",
    "Proxy-Authorization": "Proxy-Authorization: evil",
    "Origin": "Origin: https://evil.example",
    "Referer": "Referer: https://evil.example",
    "Range": "Range: bytes=0-4\r\nX-Why: evil",
    "If-Range": "If-Range: evil",
    "If-None-Match": 'If-None-Match: "evil"',
    "Content-Type": "Content-Type: evil/evil",
    "Expect": "X-Requested-With: evil",
    "a body": "Content-Length: 4",
    "chunks": "Transfer-Encoding: chunked",
    "middleware": "x-middleware-subrequest: evil\r\nx-nextjs-data: evil",
    "a header twice": "Accept-Language: de\r\nX-Evil: evil",
    "an underscore": "X_Forwarded_Host: evil.example",
}
BODIES = {"a body": b"evil", "chunks": b"4\r\nevil\r\n0\r\n\r\n"}


def ask_in_peace(server: PageServer, target: str) -> None:
    """Ask as others do, and see that nothing of an attacker's is in the answer."""
    answer = server.ask(target)
    assert answer.status == 200
    assert EVIL.encode() not in answer.body
    assert EVIL not in str(answer.headers)


def attack(server: PageServer, line: str, header: str = "Accept: */*", body: bytes = b"", host: str = "") -> None:
    """Send what an attacker would, and do not mind the answer."""
    head = f"{line}\r\nHost: {host or f'127.0.0.1:{server.port}'}\r\nConnection: close\r\n{header}\r\n\r\n"
    with server.send_raw(head.encode() + body) as connection:
        while connection.recv(1 << 16):
            pass


@pytest.mark.parametrize("control", ["s-maxage=600", STALE])
@pytest.mark.parametrize("kind", ATTACKS)
def test_headers_of_an_attacker(server: PageServer, kind: str, control: str) -> None:
    """What an attacker sends is not in what others get, whether the page is new then, or kept, or made anew."""
    name = f"mirrored{[*ATTACKS].index(kind)}{control == STALE}"
    server.say(name, control)
    for _ in range(2):
        attack(server, f"GET /mirror/{name} HTTP/1.1", ATTACKS[kind], BODIES.get(kind, b""))
        ask_in_peace(server, f"/mirror/{name}")
    if control == STALE:
        server.say(name, "s-maxage=600")
        attack(server, f"GET /mirror/{name} HTTP/1.1", ATTACKS[kind], BODIES.get(kind, b""))
    server.ask_until_hit(f"/mirror/{name}")
    ask_in_peace(server, f"/mirror/{name}")


HOSTS = ("evil.example", "127.0.0.1:{port}@evil", "127.0.0.1:{port}/evil", "evil, 127.0.0.1:{port}", "localhost:evil")


@pytest.mark.parametrize("host", HOSTS)
def test_hosts_of_an_attacker(server: PageServer, host: str) -> None:
    """A Host that is none of the app's reaches the app alone."""
    name = f"hosted{HOSTS.index(host)}"
    attack(server, f"GET /mirror/{name} HTTP/1.1", host=host.format(port=server.port))
    ask_in_peace(server, f"/mirror/{name}")
    server.ask_until_hit(f"/mirror/{name}")
    ask_in_peace(server, f"/mirror/{name}")


TARGETS = {
    "GET {target} HTTP/1.1\r\nHost: evil.example": "a second host",
    "GET http://evil.example{target} HTTP/1.1": "another host in the target",
    "GET http://evil@127.0.0.1:{port}{target} HTTP/1.1": "a user in the target",
    "GET http://127.0.0.1:{port}{target}?evil HTTP/1.1": "a whole URL",
    "GET http://127.0.0.1:{port}/evil/..{target} HTTP/1.1": "a path that goes back",
    "GET //evil.example{target} HTTP/1.1": "what looks like a host",
    "GET {target}?evil HTTP/1.1": "a query",
    "GET {target}#evil HTTP/1.1": "a fragment",
    "GET {target}/ HTTP/1.1\r\nX-Evil: evil": "a slash",
    "HEAD {target} HTTP/1.1\r\nX-Evil: evil": "HEAD",
}


@pytest.mark.parametrize("line", TARGETS, ids=TARGETS.values())
def test_targets_of_an_attacker(server: PageServer, line: str) -> None:
    """What the line of a request says makes a page of its own, or none."""
    target = f"/mirror/targeted{[*TARGETS].index(line)}"
    attack(server, line.format(target=target, port=server.port))
    ask_in_peace(server, target)
    server.ask_until_hit(target)
    ask_in_peace(server, target)


QUERIES = ("utm_source=evil", "utm%5Fsource=evil", "&utm_source=evil&", "utm_source=evil&utm_source=evil")


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("rest", ["", "a=1"])
def test_parameters_that_are_left_out_of_the_name(server: PageServer, query: str, rest: str) -> None:
    """The value of one is in nobody's page but in that of who sent it."""
    target = f"/mirror/query{QUERIES.index(query)}{len(rest)}?{rest}"
    attack(server, f"GET {target}{rest and '&'}{query} HTTP/1.1")
    ask_in_peace(server, target)
    ask_in_peace(server, f"{target}&utm_source=good")
    server.ask_until_hit(target)
    ask_in_peace(server, target)


def test_parameters_that_come_twice(server: PageServer) -> None:
    """Each query has a page of its own, in which all of it is."""
    attack(server, "GET /mirror/doubled?a=1&a=evil HTTP/1.1")
    for query in ("a=1", "a=1&a=2", "a=2&a=1"):
        ask_in_peace(server, f"/mirror/doubled?{query}")
        assert f"'QUERY_STRING': '{query}'".encode() in server.ask(f"/mirror/doubled?{query}").body


def test_a_compressed_page_that_does_not_say_so_in_vary(server: PageServer) -> None:
    """Who takes no gzip gets none, whoever asked before, and who takes it gets it."""
    for _ in range(3):
        assert gzip.decompress(server.ask("/mirror/zipped", Accept_Encoding="gzip").body)
        answer = server.ask("/mirror/zipped")
        assert "content-encoding" not in answer.headers
        assert b"SERVER_PROTOCOL" in answer.body


# gevent


def test_gevent() -> None:
    """Greenlets get pages as threads do: new, kept, expired and revalidated ones; and so do pipelined requests."""
    with serve_pages(SQLITE, "gunicorn-gevent", 1000) as server:
        server.hold("cold")
        connections = [server.send("/long/cold") for _ in range(16)]
        wait_until(lambda: len(server.asked("cold")) == 16, "not all have asked")
        server.release("cold")
        assert sorted(str(receive(connection).state) for connection in connections) == ["HIT"] * 15 + ["MISS"]
        server.say("expired", STALE)
        assert server.ask("/long/expired").state == "MISS"
        server.say("expired", "s-maxage=600")
        server.hold("expired")
        assert {server.ask("/long/expired").state for _ in range(16)} == {"STALE"}
        server.release("expired")
        assert server.ask_until_hit("/long/expired").number == 2
        assert len(server.made("expired")) == 2
        assert server.ask("/api/revalidate?path=/long/expired").status == 200
        answer = server.ask("/long/expired")
        assert (answer.state, answer.number) == ("HIT", 3)
        request = f"GET /long/expired HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        with server.send_raw(f"{request}\r\n{request}\r\n{request}Connection: close\r\n\r\n".encode()) as connection:
            received = b"".join(iter(lambda: connection.recv(1 << 16), b""))
        assert received.count(answer.body) == 3
        assert received.count(b"x-nextjs-cache: HIT") == 3
