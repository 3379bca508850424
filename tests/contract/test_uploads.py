"""Multipart bodies: fields in `req.body`, uploads in `req.files`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pytest
from werkzeug.test import Client

from tests.support.trees import async_route, route

Serve = Callable[..., Client]

TELL = (
    "def tell(file): return [file.filename, file.content_type, file.read().decode()]\n"
    "res.json([req.body, {name: [tell(f) for f in file] if isinstance(file, list) else tell(file) "
    "for name, file in req.files.items()}])"
)
KIND = {"content_type": "multipart/form-data; boundary=x"}
CHUNKED = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
LARGE = {"api": {"bodyParser": {"sizeLimit": "20mb"}}}


def test_a_form_with_files(serve: Serve) -> None:
    """Fields and files are there by name, in a list where a name is repeated."""
    form = {
        "name": "Ada",
        "tag": ["a", "é"],
        "picture": (BytesIO(b"<png>"), "a.png", "image/png"),
        "page": [(BytesIO(b"1"), "1.txt"), (BytesIO(b"2"), "2.txt")],
    }
    assert serve({"a": TELL}).post("/api/a", data=form).json == [
        {"name": "Ada", "tag": ["a", "é"]},
        {
            "picture": ["a.png", "image/png", "<png>"],
            "page": [["1.txt", "text/plain", "1"], ["2.txt", "text/plain", "2"]],
        },
    ]


def test_a_form_without_files(serve: Serve) -> None:
    """Fields alone leave `req.files` empty; so does any other body, and none."""
    client = serve({"a": "res.json([req.body, req.files])"})
    multipart = {"content_type": "multipart/form-data"}
    assert client.post("/api/a", data={"a": "1"}, **multipart).json == [{"a": "1"}, {}]
    assert client.put("/api/a", json=1).json == [1, {}]
    assert client.get("/api/a").json == [None, {}]


def test_a_form_in_chunks(serve: Serve) -> None:
    """A form without Content-Length is read to its end."""
    body = b'--x\r\nContent-Disposition: form-data; name="a"; filename="a.txt"\r\n\r\ntext\r\n--x--\r\n'
    answer = serve({"a": TELL}).post("/api/a", input_stream=BytesIO(body), environ_overrides=CHUNKED, **KIND)
    assert answer.json == [{}, {"a": ["a.txt", None, "text"]}]


def test_the_bytes_of_a_form(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """They are not kept beside the files: the error says how to have them, and the stream is empty."""
    client = serve({"a": "res.send(req.raw_body)", "b": "res.json(len(req.stream.read()))"})
    form = {"a": (BytesIO(b"text"), "a.txt")}
    assert client.post("/api/a", data=form).status_code == 500
    assert "a multipart body is parsed as it comes, and not kept" in caplog.text
    assert client.post("/api/b", data={"a": (BytesIO(b"text"), "a.txt")}).json == 0


def test_without_the_parser(serve: Serve) -> None:
    """With `bodyParser: False` the bytes are the handler's, and nothing is parsed."""
    files = {"a": route("res.json([req.body, req.files, b'text' in req.raw_body])", {"api": {"bodyParser": False}})}
    assert serve(files).post("/api/a", data={"a": (BytesIO(b"text"), "a.txt")}).json == [None, {}, True]


def test_the_limit_of_a_route(serve: Serve) -> None:
    """A form is limited as a whole, like any body; the limit itself passes."""
    files = {"a": route("res.json(len(req.files['a'].read()))", {"api": {"bodyParser": {"sizeLimit": "1kb"}}})}
    client = serve(files)
    overhead = len(_form(b""))
    assert client.post("/api/a", data=_form(b"a" * (1024 - overhead)), **KIND).json == 1024 - overhead
    answer = client.post("/api/a", data=_form(b"a" * (1025 - overhead)), **KIND)
    assert (answer.status_code, answer.text) == (413, "Body exceeded 1kb limit")
    for size, status in ((1024 - overhead, 200), (1025 - overhead, 413), (5000, 413)):
        stream = BytesIO(_form(b"a" * size))
        assert client.post("/api/a", input_stream=stream, environ_overrides=CHUNKED, **KIND).status_code == status


def test_the_limits_of_fields(serve: Serve) -> None:
    """No more than 1000 parts, and 1 MB of fields: these are in memory."""
    client = serve({"a": route("res.json(len(req.body))", LARGE)})
    assert client.post("/api/a", data=_fields(1000, b"1"), **KIND).json == 1000
    answer = client.post("/api/a", data=_fields(1001, b"1"), **KIND)
    assert (answer.status_code, answer.text) == (413, "Body exceeded 1000 fields or 1mb of fields limit")
    assert client.post("/api/a", data=_fields(4, b"1" * (1 << 18)), **KIND).json == 4
    answer = client.post("/api/a", data=_fields(5, b"1" * (1 << 18)), **KIND)
    assert (answer.status_code, answer.text) == (413, "Body exceeded 1000 fields or 1mb of fields limit")


@pytest.mark.parametrize("place", ["before", "head", "after"])
def test_the_limit_of_what_is_no_content(serve: Serve, place: str) -> None:
    """What stands before, between and behind the parts is in memory, too: 1 MB of it is refused by a 413."""
    client = serve({"a": route("res.json(req.body)", LARGE)})
    lots = b"x" * (2 << 20)
    head = b"X-More: " + lots + b"\r\n" if place == "head" else b""
    data = b'--x\r\nContent-Disposition: form-data; name="a"\r\n' + head + b"\r\n1\r\n--x--\r\n"
    data = {"before": lots + b"\r\n" + data, "head": data, "after": data + lots}[place]
    answer = client.post("/api/a", data=data, **KIND)
    assert (answer.status_code, answer.text) == (413, "Body exceeded 1000 fields or 1mb of fields limit")


@pytest.mark.parametrize("disposition", [b"form-data", b"form-data; filename=a", b""])
def test_a_part_without_a_name(serve: Serve, disposition: bytes) -> None:
    """Every part has a name (RFC 7578, 4.2): the keys of `req.body` and `req.files` are text."""
    data = b"--x\r\nContent-Disposition: " + disposition + b"\r\n\r\n1\r\n--x--\r\n"
    answer = serve({"a": TELL}).post("/api/a", data=data, **KIND)
    assert (answer.status_code, answer.text) == (400, "Invalid body")


@pytest.mark.parametrize(
    "data",
    [b"", b"no form", b"--x", b"--x\r\n\r\n\r\n--x--", b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--"],
)
def test_what_is_no_form(serve: Serve, data: bytes) -> None:
    """A body that is not what it says is a 400 or has nothing in it, and is never a 500."""
    answer = serve({"a": TELL}).post("/api/a", data=data, content_type="multipart/form-data; boundary=x")
    assert answer.status_code in (200, 400)
    if answer.status_code == 400:
        assert answer.text == "Invalid body"


def test_without_a_boundary(serve: Serve) -> None:
    """A multipart body of another kind, or without a boundary, is text, as in Next."""
    client = serve({"a": "res.json(req.body)"})
    assert client.put("/api/a", data=b"x", content_type="multipart/form-data").json == "x"
    assert client.put("/api/a", data=b"x", content_type="multipart/mixed; boundary=x").json == "x"


@pytest.mark.parametrize("kind", [route, async_route])
def test_files_are_closed_after_the_request(serve: Serve, kind: Callable[..., str]) -> None:
    """A large upload is on disk, in a file without a name, which is gone when the answer has been sent."""
    before = "seen = []\n"
    body = (
        "for file in req.files.values(): seen.append(file.stream)\n"
        "res.json([[file.closed for file in seen], [file.read(1) != b'' for file in seen if not file.closed]])"
    )
    client = serve({"a": kind(body, config=LARGE, before=before)})
    client.get("/api/a")
    open_files = _open_files()
    with client.post("/api/a", data=_form(b"a" * (2 << 20)), **KIND) as answer:
        assert answer.json == [[False], [True]]
    assert client.get("/api/a").json == [[True], []]
    assert _open_files() == open_files


def test_a_file_that_is_streamed_back(serve: Serve) -> None:
    """An upload can be the answer: it is closed after that."""
    form = {"a": (BytesIO(b"text"), "a.txt")}
    with serve({"a": "res.send(req.files['a'].stream)"}).post("/api/a", data=form) as answer:
        assert answer.data == b"text"


def _open_files() -> set[str]:
    """Return the files that are open in this process and have no name, less those that close meanwhile."""
    names = set()
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            names.add(str(link.readlink()))
    return {name for name in names if name.endswith("(deleted)")}


def _fields(count: int, value: bytes) -> bytes:
    part = b'--x\r\nContent-Disposition: form-data; name="f%d"\r\n\r\n%b\r\n'
    return b"".join(part % (number, value) for number in range(count)) + b"--x--\r\n"


def _form(content: bytes) -> bytes:
    head = b'--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n'
    return head + content + b"\r\n--x--\r\n"
