"""What `req` tells a handler."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from werkzeug.test import Client

from tests.support.trees import route

Serve = Callable[..., Client]

TELL_BODY = "res.json({'body': req.body, 'raw': req.raw_body.decode('latin-1')})"


def test_method_url_and_headers(serve: Serve) -> None:
    """A handler sees method, path and query as sent, and headers by lower-case name in any case."""
    client = serve(
        {"a": "res.json([req.method, req.url, req.headers['x-one'], req.headers.get('X-ONE'), 'x-two' in req.headers])"}
    )
    answer = client.patch("/api/a?b=1&c=x%20y", headers={"X-One": "1"})
    assert answer.json == ["PATCH", "/api/a?b=1&c=x+y", "1", "1", False]


def test_any_method_reaches_the_handler(serve: Serve) -> None:
    """No method is refused or answered by anyone but the handler, listed or not."""
    client = serve({"a": "res.json(req.method)"})
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE", "PROPFIND", "QUERY"):
        assert client.open("/api/a", method=method).json == method


def test_query_and_its_halves(serve: Serve) -> None:
    """`query` has path parameters over the query's; `params` and `search_params` have each alone."""
    client = serve({"post/[pid]": "res.json([req.query, req.params, req.search_params.multi_items(), req.url])"})
    answer = client.get("/api/post/abc?x=1&pid=2&x=3")
    assert answer.json == [
        {"x": ["1", "3"], "pid": "abc"},
        {"pid": "abc"},
        [["x", "1"], ["pid", "2"], ["x", "3"]],
        "/api/post/abc?x=1&x=3",
    ]


def test_segments_are_decoded_once(serve: Serve) -> None:
    """An escaped slash stays inside its segment, and what decodes to an escape is not decoded again."""
    client = serve({"[id]": "res.json(req.params)", "docs/[...slug]": "res.json(req.params)"})
    assert _get_raw(client, "/api/a%2Fb").json == {"id": "a/b"}
    assert _get_raw(client, "/api/%2525").json == {"id": "%25"}
    assert _get_raw(client, "/api/docs/x%2Fy/z").json == {"slug": ["x/y", "z"]}


@pytest.mark.parametrize("segment", ["%zz", "%", "%E9", "%ED%A0%80"])
def test_undecodable_segments_are_refused(serve: Serve, segment: str) -> None:
    """A segment that is no UTF-8 is a 400, and the handler is not called."""
    client = serve({"[id]": "raise AssertionError('called')"})
    assert _get_raw(client, f"/api/{segment}").status_code == 400


def _get_raw(client: Client, target: str) -> Any:
    """Request a target as it is, as servers hand it over: RAW_URI beside the decoded path."""
    decoded = unquote_to_bytes(target).decode("latin-1")
    return client.get("/", environ_overrides={"RAW_URI": target, "PATH_INFO": decoded})


def test_search_params_stick(serve: Serve) -> None:
    """What is changed in `search_params` stays changed, as in `query`."""
    client = serve({"a": "req.search_params.set('x', '1')\nres.json(req.search_params.get_all('x'))"})
    assert client.get("/api/a?x=2&x=3").json == ["1"]


def test_cookies(serve: Serve) -> None:
    """Cookies are a dict, the first of two wins, and none at all is an empty one."""
    client = serve({"a": "res.json(req.cookies)"})
    header = {"HTTP_COOKIE": 'a=1; b="x y"; a=2; c=%C3%A9'}
    assert client.get("/api/a", environ_overrides=header).json == {
        "a": "1",
        "b": "x y",
        "c": "é",
    }
    assert client.get("/api/a").json == {}


@pytest.mark.parametrize(
    ("content_type", "sent", "body"),
    [
        ("application/json", b'{"a":[1,2.5,null]}', {"a": [1, 2.5, None]}),
        ("application/ld+json; charset=utf-8", b"[1]", [1]),
        ("application/json; charset=latin1", b'"\xe9"', "é"),
        ("application/x-www-form-urlencoded", b"a=1&b=x+y&a=2", {"a": ["1", "2"], "b": "x y"}),
        ("text/plain", "é".encode(), "é"),
        ("text/plain; charset=utf-16le", "hi".encode("utf-16-le"), "hi"),
        ("application/vnd.api+json", b"{}", "{}"),
        ("application/json", b"", {}),
        ("text/plain", b"", None),
    ],
)
def test_body_is_parsed_by_its_type(serve: Serve, content_type: str, sent: bytes, body: Any) -> None:
    """JSON and forms are values, everything else is text, nothing is None; the bytes stay at hand."""
    client = serve({"a": TELL_BODY})
    answer = client.put("/api/a", data=sent, content_type=content_type)
    assert answer.json == {"body": body, "raw": sent.decode("latin-1")}


def test_body_is_assignable_and_attributes_can_be_added(serve: Serve) -> None:
    """Wrappers may replace the body and hang their own attributes on the request."""
    client = serve({"a": "req.body = 'mine'\nreq.user = 'me'\nres.json([req.body, req.user])"})
    assert client.get("/api/a").json == ["mine", "me"]


@pytest.mark.parametrize(
    "sent",
    [b"{", b"", b" ", b"NaN", b"[" * 100_000, b"1" * 5000, b'"\n"'],
    ids=["cut", "empty", "space", "NaN", "deep", "huge", "control"],
)
def test_unreadable_json_is_refused(serve: Serve, sent: bytes) -> None:
    """Bad JSON is a 400 with Next's text and reason, however bad it is; an empty body is an empty object."""
    client = serve({"a": TELL_BODY})
    answer = client.put("/api/a", data=sent, content_type="application/json")
    if not sent:
        assert answer.json == {"body": {}, "raw": ""}
    else:
        assert (answer.status, answer.data) == ("400 Invalid JSON", b"Invalid JSON")
        assert "Content-Type" not in answer.headers


def test_unknown_charset_is_refused(serve: Serve) -> None:
    """A charset that nobody knows is a 400 with Next's text, and none of Python's own codecs is tried."""
    client = serve({"a": TELL_BODY})
    for charset in ("bogus", "unicode_escape", "zlib", "utf-32"):
        answer = client.put("/api/a", data=b"x", content_type=f"text/plain; charset={charset}")
        assert (answer.status, answer.data) == ("400 Invalid body", b"Invalid body")


class CountingInput(io.RawIOBase):
    """A body without end that tells how much of it was read."""

    def __init__(self) -> None:
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        assert size >= 0, "a body without end is never read whole"
        self.count += size
        return b"x" * size

    def readinto(self, buffer: Any) -> int:
        self.count += len(buffer)
        return len(buffer)


LIMITED = {"api": {"bodyParser": {"sizeLimit": "1 KB"}}}


def test_body_over_the_limit_is_refused_unread(serve: Serve) -> None:
    """A Content-Length over the limit is a 413 with the limit as configured, and none of the body is read."""
    client = serve({"a": route("raise AssertionError", LIMITED)})
    stream = CountingInput()
    environ = {"wsgi.input": stream, "CONTENT_LENGTH": str(1 << 40), "REQUEST_METHOD": "PUT"}
    answer = client.open("/api/a", environ_overrides=environ)
    assert (answer.status, answer.data) == ("413 Body exceeded 1 KB limit", b"Body exceeded 1 KB limit")
    assert stream.count == 0


def test_chunked_body_over_the_limit_is_refused(serve: Serve) -> None:
    """Of a body without Content-Length no more than the limit and one byte is read."""
    client = serve({"a": route("raise AssertionError", LIMITED)})
    stream = CountingInput()
    answer = client.open("/api/a", environ_overrides=_chunked(stream))
    assert (answer.status_code, answer.data) == (413, b"Body exceeded 1 KB limit")
    assert stream.count <= 1025


def test_body_at_the_limit_passes(serve: Serve) -> None:
    """Exactly as many bytes as the limit are read, with Content-Length and in chunks."""
    client = serve({"a": route("res.json(len(req.body))", LIMITED)})
    assert client.put("/api/a", data=b"x" * 1024).json == 1024
    assert client.open("/api/a", environ_overrides=_chunked(io.BytesIO(b"x" * 1024))).json == 1024


def _chunked(stream: Any) -> dict[str, Any]:
    # A server that takes chunks apart tells that the input ends by itself.
    return {
        "wsgi.input": stream,
        "wsgi.input_terminated": True,
        "HTTP_TRANSFER_ENCODING": "chunked",
        "REQUEST_METHOD": "PUT",
    }


def test_too_many_form_fields_are_refused(serve: Serve) -> None:
    """A form of more than 1000 fields is a 413; a thousand pass."""
    client = serve({"a": "res.json(len(req.body))"})
    fields = "&".join(f"k{number}=1" for number in range(1000))
    form = "application/x-www-form-urlencoded"
    assert client.put("/api/a", data=fields, content_type=form).json == 1000
    assert client.put("/api/a", data=fields + "&more=1", content_type=form).status_code == 413


def test_stream_without_the_parser(serve: Serve) -> None:
    """With `bodyParser: False` the body is left to `stream`, and `body` is None."""
    client = serve(
        {"a": route("res.json([req.body, req.stream.read(3).decode(), req.stream.read().decode()])", PARSER_OFF)}
    )
    assert client.put("/api/a", data=b"abcdef", content_type="application/json").json == [None, "abc", "def"]
    assert client.get("/api/a").json == [None, "", ""]
    assert client.open("/api/a", environ_overrides=_chunked(io.BytesIO(b"abcdef"))).json == [None, "abc", "def"]


PARSER_OFF = {"api": {"bodyParser": False}}


def test_raw_body_without_the_parser(serve: Serve) -> None:
    """`raw_body` reads all bytes up to `max_body_size`, and is a 413 beyond it."""
    client = serve({"a": route("res.json(req.raw_body.decode())", PARSER_OFF)}, max_body_size="10b")
    assert client.put("/api/a", data=b"0123456789").json == "0123456789"
    answer = client.put("/api/a", data=b"0123456789a")
    assert (answer.status_code, answer.data) == (413, b"Body exceeded 10b limit")


def test_stream_after_the_parser_is_drained(serve: Serve) -> None:
    """Once the body was parsed, nothing is left in the stream, as in Next."""
    client = serve({"a": "res.json([req.body, req.stream.read().decode()])"})
    assert client.put("/api/a", data=b"abc").json == ["abc", ""]


def test_body_that_is_cut_short_is_refused(serve: Serve) -> None:
    """A client that sends less than it announced gets no handler to run on half of a body."""
    client = serve({"a": "raise AssertionError"})
    environ = {"wsgi.input": io.BytesIO(b"abc"), "CONTENT_LENGTH": "10", "REQUEST_METHOD": "PUT"}
    assert client.open("/api/a", environ_overrides=environ).status_code == 400


def test_raw_is_the_host_s_own_request(serve: Serve, host: str) -> None:
    """`req.raw` is WSGI's environ, Flask's Request or Django's HttpRequest."""
    client = serve({"a": "res.json([cls.__name__ for cls in type(req.raw).__mro__])"})
    assert {"wsgi": "dict", "flask": "Request", "django": "WSGIRequest"}[host] in client.get("/api/a").json
