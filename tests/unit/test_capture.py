"""A WSGI application's answer, held back or passed on, whatever PEP 3333 lets the application do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest

from nextapi.cache.capture import Answer, Headers, call

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PLAIN = [("Content-Type", "text/plain")]
LIMIT = 10


class Server:
    """What a server does with an application: `status`, `headers` and `sent` are what a client has got."""

    def __init__(self) -> None:
        self.status = ""
        self.headers: Headers = []
        self.sent: list[bytes] = []
        self.starts = 0
        self.is_sent = False

    def start(self, status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], object]:
        """Begin an answer, as PEP 3333 has a server do it."""
        if exc_info is not None and self.is_sent:
            raise exc_info[1].with_traceback(exc_info[2])
        assert exc_info is not None or not self.starts, "an answer is begun twice"
        self.starts += 1
        self.status, self.headers = status, headers
        return self.write

    def write(self, data: bytes) -> None:
        """Send what is not empty."""
        assert self.starts, "a body before its head"
        if data:
            self.is_sent = True
            self.sent.append(data)

    @property
    def body(self) -> bytes:
        return b"".join(self.sent)


def hold(_: str, __: Headers) -> Headers | None:
    return None


def hold_ok(status: str, headers: Headers) -> Headers | None:
    """Hold back what is no failure, pass on the rest with one header more."""
    return None if status.startswith("200") else [*headers, ("X-Passed", "1")]


def ask(
    app: WSGIApplication, decide: Callable[[str, Headers], Headers | None] = hold, server: Server | None = None
) -> Answer | Server:
    """Return the answer where it is held back, else what the server has got of it, all of it."""
    server = server or Server()
    answer = call(app, environ_of(), server.start, decide, LIMIT)
    if isinstance(answer, Answer):
        assert not server.starts, "what is held back is not begun"
        return answer
    try:
        for chunk in answer:
            server.write(chunk)
    finally:
        if close := getattr(answer, "close", None):
            close()
    return server


def environ_of() -> WSGIEnvironment:
    environ: dict[str, Any] = {"QUERY_STRING": ""}
    setup_testing_defaults(environ)
    return environ


def held(app: WSGIApplication, decide: Callable[[str, Headers], Headers | None] = hold) -> Answer:
    answer = ask(app, decide)
    assert isinstance(answer, Answer)
    return answer


def passed(app: WSGIApplication, decide: Callable[[str, Headers], Headers | None] = hold_ok) -> Server:
    server = ask(app, decide)
    assert isinstance(server, Server)
    return server


class Body:
    """A body that counts how often it is closed, and fails at its end if `error` says so."""

    def __init__(self, *chunks: bytes, error: BaseException | None = None) -> None:
        self.chunks = chunks
        self.error = error
        self.closed = 0
        self.given = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.chunks:
            assert not self.closed
            self.given += 1
            yield chunk
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        self.closed += 1


def answering(body: Iterable[bytes], status: str = "200 OK") -> WSGIApplication:
    """Return an application that begins at once."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response(status, list(PLAIN))
        return body

    return app


# Held back


@pytest.mark.parametrize("chunks", [(), (b"",), (b"a",), (b"", b"a", b"", b"b", b""), (b"x" * LIMIT,)])
def test_an_answer_is_held_back_whole(chunks: tuple[bytes, ...]) -> None:
    """Status, headers and body come back, nothing was sent, and the body is closed once."""
    body = Body(*chunks)
    answer = held(answering(body))
    assert answer == Answer("200 OK", PLAIN, b"".join(chunks))
    assert answer.status == 200
    assert body.closed == 1


def late(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", list(PLAIN))
    yield b"a"
    yield b"b"


def too_late(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    yield b""  # which PEP 3333 forbids, and servers do not mind
    yield from late(environ, start_response)


def late_and_empty(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    start_response("204 No Content", [])
    yield from ()


def writing(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    write = start_response("200 OK", list(PLAIN))
    write(b"a")
    write(b"")
    write(b"b")
    return [b"c"]


def writing_late(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    write = start_response("200 OK", list(PLAIN))
    write(b"a")
    yield b"b"
    write(b"c")
    yield b"d"


@pytest.mark.parametrize(
    ("app", "expected"),
    [
        (late, Answer("200 OK", PLAIN, b"ab")),
        (too_late, Answer("200 OK", PLAIN, b"ab")),
        (late_and_empty, Answer("204 No Content", [], b"")),
        (writing, Answer("200 OK", PLAIN, b"abc")),
        (writing_late, Answer("200 OK", PLAIN, b"abcd")),
    ],
)
def test_what_pep_3333_allows_is_held_back(app: WSGIApplication, expected: Answer) -> None:
    """An application may begin in its iterable, and write as well as return: the order is that of a server."""
    assert held(app) == expected


@pytest.mark.parametrize(
    ("app", "expected"),
    [
        (late, ("200 OK", b"ab")),
        (too_late, ("200 OK", b"ab")),
        (late_and_empty, ("204 No Content", b"")),
        (writing, ("200 OK", b"abc")),
        (writing_late, ("200 OK", b"abcd")),
    ],
)
def test_what_pep_3333_allows_is_passed_on(app: WSGIApplication, expected: tuple[str, bytes]) -> None:
    """The same, of an answer that is not held back: with the headers that were decided."""
    server = passed(app, lambda _, headers: [*headers, ("X-Passed", "1")])
    assert (server.status, server.body) == expected
    assert server.headers[-1] == ("X-Passed", "1")
    assert server.starts == 1


def test_the_headers_are_those_of_the_start(capsys: pytest.CaptureFixture[str]) -> None:
    """What the application does to its list later is not seen."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        headers = list(PLAIN)
        start_response("200 OK", headers)
        headers.append(("X-Late", "1"))
        return [b""]

    assert held(app).headers == PLAIN


# Begun again


def again(status: str, before: bytes = b"", exc_info: bool = True, write: bool = False) -> WSGIApplication:
    """Return an application that fails after it has begun, and perhaps sent something, and begins again."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        send = start_response("200 OK", list(PLAIN))
        if write:
            send(before)
        elif before:
            yield before
        try:
            raise ValueError("fault")
        except ValueError:
            start_response(status, [("Content-Type", "text/html")], *([sys.exc_info()] if exc_info else []))
        yield b"after"

    return app


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize("before", [b"", b"before"])
def test_an_answer_that_is_held_back_can_be_begun_again(before: bytes, write: bool) -> None:
    """Nothing was sent yet, so what came before is dropped, and it is decided anew: for holding back, or against."""
    assert held(again("200 Again", before, write=write)) == Answer(
        "200 Again", [("Content-Type", "text/html")], b"after"
    )
    server = passed(again("500 Oh", before, write=write))
    assert (server.status, server.body) == ("500 Oh", b"after")
    assert server.headers == [("Content-Type", "text/html"), ("X-Passed", "1")]


def test_an_answer_that_is_sent_cannot_be_begun_again() -> None:
    """Once the server has sent something, it raises what the application has caught."""
    server = Server()
    with pytest.raises(ValueError, match="fault"):
        ask(again("500 Oh", b"x" * (LIMIT + 1)), server=server)
    assert (server.status, server.body) == ("200 OK", b"x" * (LIMIT + 1))


def test_an_answer_that_is_passed_on_can_be_begun_again_before_its_body() -> None:
    """Where the server has sent nothing, the second beginning is the one that counts."""
    server = passed(again("500 Oh"), lambda _, headers: headers)
    assert (server.status, server.body, server.starts) == ("500 Oh", b"after", 2)


def test_beginning_twice_is_refused() -> None:
    """Without exc_info it is an error of the application's."""
    with pytest.raises(RuntimeError, match="a second time"):
        ask(again("200 Again", exc_info=False))


def test_never_beginning_is_refused() -> None:
    """An application that returns a body and no head is at fault; its body is closed."""
    for chunks in ((), (b"a",), (b"x" * (LIMIT + 1),)):
        body = Body(*chunks)
        with pytest.raises(RuntimeError, match=r"did not call start_response\(\)"):
            ask(lambda environ, start_response, body=body: body)  # type: ignore[misc]
        assert body.closed == 1


# Passed on


@pytest.mark.parametrize(
    "make", [list, lambda chunks: FileWrapper(BytesIO(b"".join(chunks))), lambda chunks: Body(*chunks)]
)
def test_what_is_not_held_back_is_untouched(make: Callable[[list[bytes]], Any]) -> None:
    """The iterable is the application's own: a file that the server may send as such, a list with its length."""
    body = make([b"a", b"b"])
    server = Server()
    assert call(answering(body, "404 Not Found"), environ_of(), server.start, hold_ok, LIMIT) is body
    assert server.status == "404 Not Found"
    assert not getattr(body, "closed", False)


def test_a_file_that_is_held_back_is_read() -> None:
    """A file wrapper is an iterable as any other, and closed when it is read."""
    file = BytesIO(b"a" * LIMIT)
    assert held(answering(FileWrapper(file, 3))).body == b"a" * LIMIT
    assert file.closed


def test_a_stream_beyond_the_limit_is_passed_on_at_once() -> None:
    """As soon as it is too large, what there is goes out; no further chunk is waited for, and each comes alone."""
    body = Body(b"x" * LIMIT, b"", b"y", b"z1", b"z2")
    server = Server()
    answer = call(answering(body), environ_of(), server.start, hold, LIMIT)
    assert not isinstance(answer, Answer)
    assert body.given == 3
    assert (server.status, server.headers) == ("200 OK", PLAIN)
    chunks = iter(answer)
    assert [next(chunks), next(chunks), next(chunks)] == [b"x" * LIMIT, b"", b"y"]
    assert body.given == 3
    assert next(chunks) == b"z1"
    assert body.given == 4
    assert [*chunks] == [b"z2"]
    assert body.closed == 0
    answer.close()  # type: ignore[attr-defined]
    assert body.closed == 1


def test_writes_beyond_the_limit_are_passed_on_at_once() -> None:
    """`write()` sends what was held back with what is too much, and from then on writes through."""
    server = Server()
    seen: list[list[bytes]] = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        write = start_response("200 OK", list(PLAIN))
        for data in (b"x" * LIMIT, b"y", b"z"):
            write(data)
            seen.append([*server.sent])
        return body

    body = [b"end"]
    assert call(app, environ_of(), server.start, hold, LIMIT) is body
    assert seen == [[], [b"x" * LIMIT, b"y"], [b"x" * LIMIT, b"y", b"z"]]


def test_write_and_yield_keep_their_order_beyond_the_limit() -> None:
    """Whichever of the two is too much, the client gets all in the order in which it came."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        write = start_response("200 OK", list(PLAIN))
        yield b"1234"
        write(b"5678")
        yield b"9abcdef"
        write(b"ghi")
        yield b"j"

    def written(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        write = start_response("200 OK", list(PLAIN))
        yield b"1234"
        write(b"56789abcdef")
        yield b"ghi"
        write(b"j")

    assert passed(app).body == passed(written).body == b"123456789abcdefghij"


# Errors


@pytest.mark.parametrize("chunks", [(), (b"a",), (b"x" * (LIMIT + 1),)], ids=["at once", "later", "beyond the limit"])
@pytest.mark.parametrize("error", [ValueError("fault"), KeyboardInterrupt(), SystemExit(1)])
def test_a_body_that_fails_is_closed_once(chunks: tuple[bytes, ...], error: BaseException) -> None:
    """What the body raises passes through, and it is closed."""
    body = Body(*chunks, error=error)
    with pytest.raises(type(error)):
        ask(answering(body))
    assert body.closed == 1


def test_a_generator_is_closed_once() -> None:
    """A generator's own clean-up runs, once, whether it ended, failed, or is left by the client."""
    ends: list[str] = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", list(PLAIN))
        try:
            yield b"x" * (LIMIT + 1)
            yield b"y"
        finally:
            ends.append("end")

    server = Server()
    answer = call(app, environ_of(), server.start, hold, LIMIT)
    assert not isinstance(answer, Answer)
    assert next(iter(answer)) == b"x" * (LIMIT + 1)
    assert ends == []
    answer.close()  # type: ignore[attr-defined]
    assert ends == ["end"]


def test_a_body_that_begins_late_and_has_nothing_is_closed_once() -> None:
    """Also where its head was passed on."""

    class Late(Body):
        def __iter__(self) -> Iterator[bytes]:
            start("404 Not Found", PLAIN)
            yield from ()

    body = Late()
    start: Any = None

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        nonlocal start
        start = start_response
        return body

    assert (passed(app).status, body.closed) == ("404 Not Found", 1)


def test_an_application_that_raises() -> None:
    """What it raises before it returns passes through."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", list(PLAIN))
        raise ValueError("fault")

    with pytest.raises(ValueError, match="fault"):
        ask(app)


@pytest.mark.parametrize("app", [late, writing, answering([b"a"]), again("500 Oh"), answering([b"x" * 99])])
@pytest.mark.parametrize("decide", [hold, hold_ok, lambda _, headers: headers])
def test_it_is_wsgi_on_both_sides(app: WSGIApplication, decide: Callable[[str, Headers], Headers | None]) -> None:
    """The application is called as PEP 3333 says, and what comes out is an application's answer."""

    def capturing(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer = call(validator(app), environ, start_response, decide, LIMIT)
        if not isinstance(answer, Answer):
            return answer
        start_response(answer.status_line, answer.headers)
        return [answer.body]

    environ = environ_of()
    server = Server()
    body = validator(capturing)(environ, server.start)
    try:
        for chunk in body:
            server.write(chunk)
    finally:
        body.close()  # type: ignore[attr-defined]
    assert server.status
