"""What a handler can answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import Client

from tests.support.trees import route

Serve = Callable[..., Client]


def test_json(serve: Serve) -> None:
    """`json` sends compact JavaScript text with its type, length and a strong tag."""
    client = serve({"a": "res.status(201).json({'a': 1.0, 'b': [1e21, None], 'c': 'é'})"})
    answer = client.get("/api/a")
    assert answer.status == "201 CREATED" or answer.status == "201 Created"
    assert answer.data == '{"a":1,"b":[1e+21,null],"c":"é"}'.encode()
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["Content-Length"] == str(len(answer.data))
    assert answer.headers["ETag"].startswith('"')


@pytest.mark.parametrize(
    ("value", "content_type", "body"),
    [
        ("'text'", None, b"text"),
        ("b'bytes'", "application/octet-stream", b"bytes"),
        ("{'a': 1}", "application/json; charset=utf-8", b'{"a":1}'),
        ("None", None, b""),
        ("''", None, b""),
        ("42", "application/json; charset=utf-8", b"42"),
    ],
)
def test_send(serve: Serve, value: str, content_type: str | None, body: bytes) -> None:
    """`send` sends text without a type, bytes as such, and everything else as JSON; no host adds a type."""
    answer = serve({"a": f"res.send({value})"}).get("/api/a")
    assert (answer.data, answer.headers.get("Content-Type")) == (body, content_type)


def test_redirect(serve: Serve) -> None:
    """`redirect` is a 307 unless it is told otherwise, with the location as it is."""
    client = serve({"a": "res.redirect('/t?x=1')", "b": "res.redirect(303, 'https://example.com/a b')"})
    for path, status, location in (("/api/a", 307, "/t?x=1"), ("/api/b", 303, "https://example.com/a b")):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["Location"], answer.data) == (status, location, location.encode())


def test_repeated_headers_stay_apart(serve: Serve) -> None:
    """Several cookies and other repeated headers reach the client as several lines."""
    client = serve(
        {
            "a": "res.set_header('Set-Cookie', ['a=1; Path=/', 'b=2', 'a=3; Path=/x'])\n"
            "res.set_header('X-A', ['1', '2']).end('ok')"
        }
    )
    answer = client.get("/api/a")
    assert answer.headers.getlist("Set-Cookie") == ["a=1; Path=/", "b=2", "a=3; Path=/x"]
    assert answer.headers.getlist("X-A") == ["1", "2"]
    assert "Content-Type" not in answer.headers


def test_written_pieces_are_one_body(serve: Serve, host: str) -> None:
    """What is written is collected until the end, and sent with its length, but on bare WSGI sent as it is written."""
    answer = serve({"a": "res.write('one')\nres.write(b'two')\nres.end('three')"}).get("/api/a")
    assert answer.data == b"onetwothree"
    assert answer.headers.get("Content-Length") == (None if host == "wsgi" else "11")


def test_flushing_a_complete_answer_changes_nothing(serve: Serve) -> None:
    """`flush_headers` after the end is no mistake, as in Node."""
    assert serve({"a": "res.end('x')\nres.flush_headers()"}).get("/api/a").data == b"x"


def test_headers_keep_their_kind(serve: Serve) -> None:
    """`get_header` returns numbers and lists as they were set; both go out as text, and can be written."""
    body = (
        "res.set_header('X-N', 3).set_header('X-L', ['a', 'b'])\nres.json([res.get_header(n) for n in ('x-n', 'X-l')])"
    )
    answer = serve({"a": body}).get("/api/a")
    assert answer.json == [3, ["a", "b"]]
    assert (answer.headers["X-N"], answer.headers.getlist("X-L")) == ("3", ["a", "b"])


def test_hop_by_hop_headers_are_the_server_s(serve: Serve) -> None:
    """What a WSGI application must not send (PEP 3333) is taken, and not sent."""
    answer = serve({"a": "res.set_header('Connection', 'keep-alive').set_header('X-A', '1').end('x')"}).get("/api/a")
    assert "Connection" not in answer.headers
    assert answer.headers["X-A"] == "1"


def test_a_304_of_send_has_no_type(serve: Serve) -> None:
    """`send` finds the tag before it sets a type, `json` after it, as in Next."""
    client = serve({"a": "res.send({'a': 1})"})
    answer = client.get("/api/a", headers={"If-None-Match": "*"})
    assert (answer.status_code, answer.headers.get("Content-Type")) == (304, None)


def test_end_takes_what_get_header_returns(serve: Serve) -> None:
    """The setCookie example of Next's documentation ends with the header that it has set."""
    client = serve({"a": "res.set_header('Set-Cookie', ['a=1', 'b=2']).end(res.get_header('Set-Cookie'))"})
    assert client.get("/api/a").data == b"a=1, b=2"


def test_head_has_the_headers_of_get(serve: Serve) -> None:
    """HEAD runs the handler and drops its body, but not the body's length."""
    client = serve({"a": "res.json({'method': req.method})"})
    answer = client.head("/api/a")
    assert answer.data == b""
    assert answer.headers["Content-Length"] == str(len('{"method":"HEAD"}'))


def test_not_modified(serve: Serve) -> None:
    """A matching If-None-Match is a 304 that keeps tag and type and has no body."""
    client = serve({"a": "res.json({'a': 1})"})
    tag = client.get("/api/a").headers["ETag"]
    for condition in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = client.get("/api/a", headers={"If-None-Match": condition})
        assert (answer.status_code, answer.data) == (304, b"")
        assert answer.headers["ETag"] == tag
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert client.get("/api/a", headers={"If-None-Match": '"other"'}).status_code == 200
    again = {"If-None-Match": tag, "Cache-Control": "no-cache"}
    assert client.get("/api/a", headers=again).status_code == 200


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_without_a_body(serve: Serve, status: int) -> None:
    """204 and 304 have no body, whatever the handler gave them, and no headers of one."""
    answer = serve({"a": f"res.status({status}).json({{'a': 1}})"}).get("/api/a")
    assert (answer.status_code, answer.data) == (status, b"")
    assert not {"Content-Type", "ETag"} & set(answer.headers.keys())
    assert answer.headers.get("Content-Length") in (None, "0")  # Django's CommonMiddleware writes it


def test_unusual_statuses_and_reasons(serve: Serve) -> None:
    """Any status from 200 to 999 goes out, with the reason that the handler gave."""
    client = serve({"a": "res.status(799).end()", "b": "res.status_message = 'Fine'\nres.end()"})
    assert client.get("/api/a").status_code == 799
    assert client.get("/api/b").status == "200 Fine"


@pytest.mark.parametrize(
    "call",
    [
        "res.set_header('X-A', 'a\\r\\nX-Evil: 1')",
        "res.set_header('X-A', 'a\\x00')",
        "res.set_header('X-A', '漢')",
        "res.set_header('X-A', ['ok', 'a\\nb'])",
        "res.append_header('X-A', 'a\\rb')",
        "res.set_header('X A', '1')",
        "res.redirect('/a\\r\\nX-Evil: 1')",
        "setattr(res, 'status_message', 'a\\r\\nX-Evil: 1')",
        "serialize_cookie('a\\r\\nb', '1')",
        "serialize_cookie('a', '1', path='/\\r\\nX-Evil: 1')",
    ],
)
def test_nothing_breaks_out_of_a_header(serve: Serve, call: str) -> None:
    """Line ends, NUL and what is not latin-1 raise an error that names the value, and nothing of it is sent."""
    before = "from nextapi import serialize_cookie"
    client = serve(
        {
            "a": route(
                f"try:\n    {call}\nexcept TypeError as error:\n    res.json([str(error), repr(error.value)])",
                before=before,
            )
        }
    )
    answer = client.get("/api/a")
    message, value = answer.json
    assert value in message
    assert "X-Evil" not in answer.headers


@pytest.mark.parametrize("arguments", ["", "None", "301", "301, None", "{}"])
def test_bad_redirects_say_what_to_write(serve: Serve, arguments: str) -> None:
    """A redirect to nowhere raises with Next's text, which shows both right forms."""
    client = serve({"a": f"try:\n    res.redirect({arguments})\nexcept ValueError as error:\n    res.json(str(error))"})
    assert client.get("/api/a").json.startswith("Invalid redirect arguments. Please use a single argument URL")


@pytest.mark.parametrize("status", ["99", "1000", "'abc'", "None", "100", "float('nan')", "True"])
def test_bad_statuses_raise(serve: Serve, status: str) -> None:
    """A status that cannot be sent raises at the call, with the value."""
    client = serve({"a": f"try:\n    res.status({status})\nexcept ValueError as error:\n    res.json(str(error))"})
    assert client.get("/api/a").json == f"Invalid status code: {eval(status)!r}"


LATE = [
    "res.json(1); res.json(2)",
    "res.send('a'); res.send('b')",
    "res.end('a'); res.write('b')",
    "res.end('a'); res.set_header('X-A', '1')",
    "res.redirect('/a'); res.redirect('/b')",
    "res.end('a'); res.status_message = 'Late'",
]


@pytest.mark.parametrize("calls", LATE)
def test_the_first_answer_stands(serve: Serve, calls: str, caplog: pytest.LogCaptureFixture) -> None:
    """What comes after a complete answer raises, is logged, and changes nothing of the answer."""
    alone = calls.split(";")[0]
    client = serve({"both": calls, "alone": alone})
    first, answer = client.get("/api/alone"), client.get("/api/both")
    assert (answer.status_code, answer.data) == (first.status_code, first.data)
    assert "after the answer was complete" in caplog.text


@pytest.mark.parametrize(
    "call", ["res.set_header('X-A', '1')", "res.remove_header('X-A')", "res.status(404)", "res.status_message = 'Late'"]
)
def test_a_head_after_the_body_raises(serve: Serve, call: str) -> None:
    """Once the body has begun, a header or a status raises an error that says where it belongs."""
    body = f"res.write('a')\ntry:\n    {call}\nexcept RuntimeError as error:\n    res.end(str(error))"
    answer = serve({"a": body}).get("/api/a")
    assert answer.status == "200 OK"
    assert b"before write()" in answer.data


def test_json_after_write_completes_the_body(serve: Serve) -> None:
    """As in Next, `json` after `write` ends the body, and comes too late for its headers."""
    answer = serve({"a": "res.write('a')\nres.json({'b': 1})"}).get("/api/a")
    assert (answer.data, answer.headers.get("Content-Type"), answer.headers.get("ETag")) == (b'a{"b":1}', None, None)


@pytest.mark.parametrize(("config", "warns"), [({}, True), ({"api": {"responseLimit": False}}, False)])
def test_large_answers_are_warned_of(serve: Serve, config: Any, warns: bool, caplog: pytest.LogCaptureFixture) -> None:
    """From 4 MB on an answer is sent all the same, with a warning that `responseLimit: False` silences."""
    client = serve({"a": route("res.send('x' * (4 << 20))", config)})
    with caplog.at_level(logging.WARNING, "nextapi"):
        assert len(client.get("/api/a").data) == 4 << 20
    assert ("API response for /api/a exceeds 4MB." in caplog.text) is warns


@pytest.mark.parametrize(
    ("path", "received"),
    [("None", "null"), ("1", "1"), ("'blog'", "blog"), ("''", ""), ("'https://a.test/'", "https://a.test/")],
)
def test_revalidate_takes_a_path(serve: Serve, path: str, received: str) -> None:
    """A path is taken, and nothing is to be done; anything else is Next's error."""
    files = {
        "a": f"try: res.revalidate({path})\nexcept ValueError as error: res.send(str(error))",
        "b": "res.json([res.revalidate('/blog/1'), res.revalidate('/blog/2', only_generated=True)])",
    }
    client = serve(files)
    message = "Invalid urlPath provided to revalidate(), must be a path e.g. /blog/post-1, received "
    assert client.get("/api/a").text == message + received
    assert client.get("/api/b").json == [None, None]
