"""The body parser, as that of Next.js 16: how much is read, how it is decoded, what it becomes."""

from __future__ import annotations

import gzip
import json
from io import BytesIO
from typing import IO, Any

import pytest

from nextapi.errors import BodyError
from nextapi.http.body import MAX_FORM_FIELDS, keep_body, parse_body, read_body
from nextapi.http.message import Body, Request, read_fully
from nextapi.http.sizes import Limit, read_limit

FORM = "application/x-www-form-urlencoded"


def decode_text(data: bytes, charset: str) -> str:
    text: str = parse_body(data, f'text/plain; charset="{charset}"')
    return text


class Source:
    """A body that counts what was asked for."""

    def __init__(self, data: bytes) -> None:
        self.stream = BytesIO(data)
        self.asked = 0

    def read(self, size: int) -> bytes:
        self.asked += size
        return self.stream.read(size)

    def open(self) -> IO[bytes]:
        raise AssertionError("a body that is read is not opened")

    def body(self, length: int | None) -> Body:
        return Body(length, self.read, self.open)


class Trickle(BytesIO):
    """A stream that gives at most three bytes a time, as a socket may."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(3 if size is None or size < 0 else min(size, 3))


@pytest.mark.parametrize("stream", [BytesIO, Trickle])
@pytest.mark.parametrize(("size", "data"), [(0, b""), (2, b"01"), (7, b"0123456"), (11, b"0123456789")])
def test_stream_is_read_on_until_there_is_enough(stream: type[BytesIO], size: int, data: bytes) -> None:
    """The bytes of a body are read in however many pieces they come, and no further than asked."""
    source = stream(b"0123456789")
    assert read_fully(source, size) == data
    assert source.tell() == len(data)


@pytest.mark.parametrize("length", [10, None], ids=["content-length", "chunked"])
def test_reads_exactly_the_limit(length: int | None) -> None:
    """A body as long as the limit passes."""
    assert read_body(Source(b"0123456789").body(length), Limit(10, "10b")) == b"0123456789"


def test_refuses_a_declared_length_unread() -> None:
    """A Content-Length over the limit is refused before a byte is read."""
    source = Source(b"x" * 11)
    with pytest.raises(BodyError, match=r"^Body exceeded 10b limit$") as raised:
        read_body(source.body(11), Limit(10, "10b"))
    assert (raised.value.status, source.asked) == (413, 0)


@pytest.mark.parametrize(("size", "text"), [(10, "10"), (10.7, "10.7"), (0, "0")])
def test_reads_no_more_of_chunks_than_shows_that_they_are_too_many(size: float, text: str) -> None:
    """Of a body without a length no more than the limit and one byte is read."""
    source = Source(b"x" * 1000)
    with pytest.raises(BodyError, match=rf"^Body exceeded {text} limit$") as raised:
        read_body(source.body(None), Limit(size, text))
    assert (raised.value.status, source.asked) == (413, int(size) + 1)


@pytest.mark.parametrize("length", [1, None])
def test_negative_limit_refuses_all_that_is_there(length: int | None) -> None:
    """With a limit of -1 no body passes, and the message says -1."""
    with pytest.raises(BodyError, match=r"^Body exceeded -1 limit$"):
        read_body(Source(b"x").body(length), Limit(-1, "-1"))


def test_body_that_ends_early_is_no_body() -> None:
    """A body shorter than its Content-Length is a 400: the client went away."""
    with pytest.raises(BodyError, match=r"^Invalid body$") as raised:
        read_body(Source(b"012").body(10), Limit(100, "100b"))
    assert raised.value.status == 400


def test_empty_chunks_are_an_empty_body() -> None:
    """A body in chunks may have none."""
    assert read_body(Source(b"").body(None), Limit(10, "10b")) == b""


@pytest.mark.parametrize(
    ("charset", "data", "text"),
    [
        *((name, b"\xc3\xa9\xff", "\xe9\ufffd") for name in ("", "utf-8", "UTF-8", "utf8", "UTF_8", "'utf-8'")),
        *((name, b"\xe9\x80", "\xe9\x80") for name in ("latin1", "latin-1", "iso-8859-1", "ISO_8859-1", "binary")),
        *((name, b"a\xe9", "a\ufffd") for name in ("ascii", "us-ascii", "US-ASCII")),
        *((name, b"\x80", "\u20ac") for name in ("windows-1252", "cp1252", "win1252")),
        ("iso8859-1", b"\xe9", "\xe9"),
        ("iso-8859-15", b"\xa4", "\u20ac"),
        ("windows-1251", b"\xcf", "\u041f"),
        ("koi8-r", b"\xf0", "\u041f"),
        ("gbk", "\u6f22".encode("gbk"), "\u6f22"),
        ("gb2312", "\u6c49".encode("gb2312"), "\u6c49"),
        ("shift_jis", "\u6f22".encode("shift_jis"), "\u6f22"),
        ("euc-jp", "\u6f22".encode("euc_jp"), "\u6f22"),
        ("big5", "\u6f22".encode("big5"), "\u6f22"),
        ("utf-7", b"+AOk-", "\xe9"),
        ("utf-16", "\xe9".encode("utf-16"), "\xe9"),
        ("utf-16", b"\xfe\xff\x00\xe9", "\xe9"),
        *((name, b"\xe9\x00", "\xe9") for name in ("utf-16le", "ucs2", "ucs-2")),
        ("utf-16be", b"\x00\xe9", "\xe9"),
    ],
    ids=ascii,
)
def test_decodes_by_charset(charset: str, data: bytes, text: str) -> None:
    """Text is decoded by its charset under iconv-lite's names; what is no text becomes U+FFFD."""
    assert decode_text(data, charset) == text


@pytest.mark.parametrize(
    ("charset", "mark"),
    [("", b"\xef\xbb\xbf"), ("utf-16le", b"\xff\xfe"), ("utf-16be", b"\xfe\xff"), ("utf-16", b"\xff\xfe")],
)
def test_drops_a_byte_order_mark(charset: str, mark: bytes) -> None:
    """A byte order mark in front is no part of the text."""
    encoding = "utf-16-be" if charset == "utf-16be" else "utf-16-le" if charset else "utf-8"
    assert decode_text(mark + "a\ufeff".encode(encoding), charset) == "a\ufeff"


@pytest.mark.parametrize(
    "charset",
    [
        *("utf-32", "utf-8-sig", "bogus", "utf-9", "-", "windows-1259", "iso-8859-12", "iso-8859-17", "iso-8859-0"),
        *("hex", "base64"),  # iconv-lite's "decode" to an encoded text: a body as nobody sent it
        *("zlib", "bz2", "rot13", "quopri", "uu", "idna", "punycode", "unicode_escape", "undefined"),  # Python's own
    ],
)
def test_unknown_charset_is_refused(charset: str) -> None:
    """A charset that is none is a 400, and so are those of Python alone, which turn bytes into other things."""
    with pytest.raises(BodyError, match=r"^Invalid body$") as raised:
        decode_text(b"abc", charset)
    assert raised.value.status == 400


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON; Charset=UTF-8", 'application/ld+json; a="b"']
)
@pytest.mark.parametrize("value", [{"a": [1]}, [], None, 1.5, False, "x", ""], ids=repr)
def test_json_is_parsed(content_type: str, value: Any) -> None:
    """A body of a JSON type becomes its value, of whatever kind."""
    assert parse_body(json.dumps(value).encode(), content_type) == value


@pytest.mark.parametrize(
    "data",
    [b" ", b"{", b"NaN", b'{"a":1}x', gzip.compress(b"{}", mtime=0), b"[" * 100_000, b"1" * 5000],
    ids=["blank", "open", "NaN", "text after it", "compressed", "too deep", "too long"],
)
def test_invalid_json_is_refused(data: bytes) -> None:
    """A body that is no JSON is a 400 with Next's text, be it only blank, compressed or without end."""
    with pytest.raises(BodyError, match=r"^Invalid JSON$") as raised:
        parse_body(data, "application/json")
    assert raised.value.status == 400


@pytest.mark.parametrize(
    ("content_type", "data"),
    [
        ("application/json", b'\xef\xbb\xbf{"a":"\xc3\xa9"}'),
        ("application/json; charset=latin1", b'{"a":"\xe9"}'),
        ("application/json; charset=utf-16", '{"a":"\xe9"}'.encode("utf-16")),
    ],
)
def test_json_is_decoded_by_its_charset(content_type: str, data: bytes) -> None:
    """The charset holds for JSON, too, and a byte order mark is no part of it."""
    assert parse_body(data, content_type) == {"a": "\xe9"}


@pytest.mark.parametrize("content_type", ["application/json", "application/ld+json", FORM])
def test_empty_json_or_form_is_an_empty_object(content_type: str) -> None:
    """No body of a JSON or form type is `{}`, as in Next."""
    assert parse_body(b"", content_type) == {}


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/json;", "garbage", "multipart/form-data"])
def test_no_body_of_another_type_is_none(content_type: str) -> None:
    """No body of any other type is None, as Next's documentation has it (its server gives "")."""
    assert parse_body(b"", content_type) is None


@pytest.mark.parametrize(
    "content_type",
    [
        *("", "text/plain", "text/html; charset=utf-8", "application/octet-stream", "multipart/form-data; boundary=x"),
        *("application/vnd.api+json", "application/problem+json", "text/json", "application/json-seq", "x/unknown"),
        # malformed: text/plain in UTF-8
        *("garbage", "/", "application/", "application/json;", "application/json;;;", "application/json; charset"),
        *("application/json; charset=utf-8;", "application/json; charset=", "application/json, text/plain"),
        *("text/plain; charset=latin1;",),
    ],
)
def test_other_types_are_text(content_type: str) -> None:
    """A body of any other type, or of a malformed one, is text."""
    assert parse_body(b'{"a":"\xc3\xa9"}', content_type) == '{"a":"\xe9"}'


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b"a=1&a=2&b=", {"a": ["1", "2"], "b": ""}),
        (b"a=x+y&b=%C3%A9&c=%zz&d=%E9", {"a": "x y", "b": "\xe9", "c": "%zz", "d": "\ufffd"}),
        (b"a[]=1;b=2", {"a[]": "1;b=2"}),
        (b"=1&&", {"": "1"}),
        (b"__proto__=1&constructor=2", {"__proto__": "1", "constructor": "2"}),
        (b"2=b&1=a", {"2": "b", "1": "a"}),
        (b"?a=1", {"?a": "1"}),
        (b"\xef\xbb\xbfa=1", {"a": "1"}),
    ],
)
def test_form_is_parsed(data: bytes, form: dict[str, Any]) -> None:
    """A form becomes the object that Node's `querystring` makes of it, in order of appearance."""
    parsed = parse_body(data, FORM)
    assert parsed == form
    assert list(parsed) == list(form)


def test_charset_of_a_form_is_that_of_its_bytes_only() -> None:
    """A form's charset decodes the bytes; its escapes are UTF-8 all the same."""
    assert parse_body(b"a=\xe9&b=%C3%A9", FORM + "; charset=latin1") == {"a": "\xe9", "b": "\xe9"}


def test_form_may_have_a_thousand_fields() -> None:
    """The fields are counted, not the separators."""
    text = "&".join(f"k{n}=" for n in range(MAX_FORM_FIELDS))
    assert len(parse_body(text.encode(), FORM)) == MAX_FORM_FIELDS == 1000
    assert parse_body(b"&" * 5000 + b"a=1", FORM) == {"a": "1"}


def test_form_of_more_fields_is_refused() -> None:
    """Node drops what comes after 1000 fields without a word; here it is a 413."""
    with pytest.raises(BodyError, match=r"^Body exceeded 1000 fields limit$") as raised:
        parse_body(b"a&" * 1001, FORM)
    assert raised.value.status == 413


def test_no_body_of_an_unknown_charset_is_refused() -> None:
    """The charset is looked up before anything is read, as in Next's raw-body."""
    with pytest.raises(BodyError, match=r"^Invalid body$"):
        parse_body(b"", FORM + "; charset=bogus")


# Bodies that are kept


def _kept(data: bytes, length: int | None, limit: str = "9mb") -> tuple[Request, list[str]]:
    """Return a request whose body was kept, and how it was read."""
    ways: list[str] = []

    def read(size: int) -> bytes:
        ways.append("read")
        return data[:size]

    def open_() -> IO[bytes]:
        ways.append("open")
        return BytesIO(data)

    request = Request("POST", "/", "", {}, Body(length, read, open_), None)
    found = read_limit(limit)
    assert found is not None
    try:
        keep_body(request, found)
        keep_body(request, found)
    except BodyError:
        request.close()
        raise
    return request, ways


@pytest.mark.parametrize("size", [0, 1, 1000, 600_000])
@pytest.mark.parametrize("is_known", [True, False])
def test_a_kept_body_has_a_file_for_each_reader(size: int, is_known: bool) -> None:
    """It is read once; who opens it reads from the beginning, whatever others read and close meanwhile."""
    data = bytes(index % 251 for index in range(size))
    request, ways = _kept(data, size if is_known else None)
    body = request.body
    assert body is not None
    assert (body.is_kept, body.length, len(ways)) == (True, size, 1)
    one, other = body.open(), body.open()
    assert one.read(3) == data[:3]
    assert other.read(5) == data[:5]
    other.close()
    assert body.read(size) == data
    assert body.read(2) == data[:2]
    assert one.read() == data[3:]
    assert body.open().readlines() == BytesIO(data).readlines()
    request.close()


def test_a_small_body_is_read_as_hosts_keep_it() -> None:
    """One of a known length that is held in memory is taken by `read`, of which a host keeps what it gave."""
    for data, length, way in ((b"abc", 3, "read"), (bytes(600_000), 600_000, "open"), (b"abc", None, "open")):
        request, ways = _kept(data, length)
        request.close()
        assert ways == [way]


@pytest.mark.parametrize("size", [11, 600_000])
@pytest.mark.parametrize("is_known", [True, False])
def test_a_body_over_the_limit_is_not_kept(size: int, is_known: bool) -> None:
    """Where it is too large, or ends before its length, it is refused."""
    with pytest.raises(BodyError) as raised:
        _kept(bytes(size), size if is_known else None, "10b")
    assert raised.value.status == 413
    with pytest.raises(BodyError) as raised:
        _kept(bytes(size), size + 1)
    assert raised.value.status == 400
