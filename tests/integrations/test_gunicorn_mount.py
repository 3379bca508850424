"""The application behind `make demo`, served as it is."""

from __future__ import annotations

import hmac
import http.client
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.servers import serve
from tests.support.visitors import Visitor

FOLDER = Path(__file__).parents[2] / "integrations/gunicorn_mount"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Serve the application, its log in a folder of the test's own."""
    with serve("app:app", tmp_path_factory.mktemp("serve"), source=FOLDER) as port:
        yield port


@pytest.mark.parametrize(
    ("method", "target", "body", "status", "answer"),
    [
        ("GET", "/api/user", None, 200, b'{"name":"John Doe"}'),
        ("GET", "/api/post/abc?page=2", None, 200, b'{"post":"abc","page":"2"}'),
        ("GET", "/api/docs/a/b/c", None, 200, b"Docs: a, b, c\n"),
        (
            "GET",
            "/api/search/books?tag=a&tag=b",
            None,
            200,
            b'{"query":{"tag":["a","b"],"kind":"books"},"params":{"kind":"books"},"tags":["a","b"],"page":"1"}',
        ),
        ("GET", "/api/request?a=1", None, 200, b'{"method":"GET","url":"/api/request?a=1","agent":null,"server":"gun'),
        ("GET", "/api/greet", None, 200, b'{"message":"POST a name'),
        ("POST", "/api/greet", b'{"name": "Ada"}', 201, b'{"message":"Hello Ada!"}'),
        ("POST", "/api/greet", b"[]", 422, b"Say your name"),
        ("POST", "/api/greet", b'{"name":', 400, b"Invalid JSON"),
        ("POST", "/api/greet", b" " * 1025, 413, b"Body exceeded 1kb limit"),
        ("POST", "/api/webhook", b"{}", 401, b"Wrong signature"),
        ("POST", "/api/checksum", b"hello", 200, b'{"size":5,"sha256":"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7'),
        ("GET", "/api/teapot", None, 418, b"Here is my handle"),
        ("GET", "/api/page?name=%3Cb%3E", None, 200, b"<!doctype html><title>Hello</title><h1>Hello, &lt;b&gt;!</h1>"),
        ("GET", "/api/rates", None, 200, b'{"EUR":1,"USD":1.09,"GBP":0.84}'),
        ("GET", "/api/old/a%2Fb/c", None, 308, b"/api/docs/a%2Fb/c"),
        ("GET", "/api/report", None, 200, b"id,name\r\n1,Ada\r\n2,Grace\r\n"),
        ("GET", "/api/account", None, 401, b"Send a bearer token"),
        ("POST", "/api/upload", b"{}", 422, b"Send one file"),
        ("GET", "/api/count", None, 200, b"1\n2\n3\n4\n5\n"),
        ("GET", "/api/environ", None, 200, b"Hello world!\n"),
        ("GET", "/api/edge?name=Ada", None, 200, b"Hello Ada!"),
        ("GET", "/api/products/1", None, 200, b'{"id":"1","name":"Fountain pen","price":2900}'),
        ("GET", "/api/products/2", None, 404, b""),
        ("POST", "/api/products/1", b'{"count": 2}', 201, b'{"id":"1","ordered":{"count":2}}'),
        ("DELETE", "/api/products/1", None, 405, b""),
        ("GET", "/api/clock", None, 200, b'id: 1\ndata: {"tick":1}\n\n'),
        ("GET", "/api/admin/stats", None, 401, b'{"error":"Unauthorized"}'),
        ("GET", "/api/nothing", None, 200, b"<!doctype html>"),
    ],
)
def test_it_answers(port: int, method: str, target: str, body: bytes | None, status: int, answer: bytes) -> None:
    """Files answer what they name, the old application all else."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, target, body, {"Content-Type": "application/json"} if body else {})
    got = connection.getresponse()
    assert (got.status, got.read()[: len(answer)]) == (status, answer)
    connection.close()


def test_cookies(port: int) -> None:
    """A visitor is counted by a cookie."""
    visitor = Visitor(port)
    assert [visitor.get("/api/visits").json()["visits"] for _ in range(3)] == [1, 2, 3]
    cookie = visitor.get("/api/visits").headers["Set-Cookie"]
    assert cookie == "visits=4; Max-Age=3600; Path=/api; HttpOnly; SameSite=Lax"


def test_who_is_let_in(port: int) -> None:
    """The middleware looks at the value of the cookie."""
    visitor = Visitor(port)
    answers = [visitor.get("/api/admin/stats", Cookie=f"admin-token={token}") for token in ("guess", "swordfish")]
    assert [answer.status for answer in answers] == [401, 200]


def test_headers(port: int) -> None:
    """Headers are as they were set, a repeated one on lines of its own, and an ETag is answered by 304."""
    visitor = Visitor(port)
    rates = visitor.get("/api/rates")
    assert rates.headers.get_all("Link") == ['</api/user>; rel="author"', '</>; rel="index"']
    assert visitor.get("/api/rates", If_None_Match=rates.headers["ETag"]).status == 304
    assert visitor.get("/api/report").headers["Content-Disposition"] == 'attachment; filename="report.csv"'
    assert visitor.get("/api/account").headers["WWW-Authenticate"] == "Bearer"
    assert visitor.get("/api/account", Authorization="Bearer x").status == 403
    assert visitor.get("/api/account", Authorization="Bearer swordfish").json() == {"name": "Ada"}


def test_a_signed_body(port: int) -> None:
    """The signature of a webhook is made over the bytes that were sent."""
    body = '{"event": "paid"}'
    signature = hmac.new(b"a secret that the sender knows, too", body.encode(), "sha256").hexdigest()
    answer = Visitor(port).ask("POST", "/api/webhook", data=json.loads(body), X_Signature=signature)
    assert answer.json() == {"received": {"event": "paid"}}


def test_an_upload(port: int) -> None:
    """A file of a form is there beside its fields."""
    head = 'Content-Disposition: form-data; name="'
    parts = (f'{head}title"\r\n\r\nNotes', f'{head}file"; filename="notes.txt"\r\n\r\nhello')
    body = "".join(f"--x\r\n{part}\r\n" for part in parts) + "--x--\r\n"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/api/upload", body, {"Content-Type": "multipart/form-data; boundary=x"})
    assert json.load(connection.getresponse()) == {"name": "notes.txt", "size": 5, "title": "Notes"}
    connection.close()


def test_the_page_lists_every_route(port: int) -> None:
    """Each file is linked to by a path that leads to it."""
    api = FOLDER / "web/pages/api"
    paths = re.findall(r'href="/api/([^"?]*)', Visitor(port).get("/").text)
    for file in api.rglob("*.py"):
        pattern = re.sub(r"\\\[.*?\\\]", ".+", re.escape(file.relative_to(api).with_suffix("").as_posix()))
        assert [path for path in paths if re.fullmatch(pattern, path)], file


def test_the_demo_says_what_to_try() -> None:
    """`make demo`'s program knows its options, and needs no server to say so."""
    done = subprocess.run([sys.executable, FOLDER / "demo.py", "--help"], capture_output=True, text=True, check=True)
    assert "--port" in done.stdout
