"""`FormData`, and bodies that are read and written as forms."""

from __future__ import annotations

import gc
from io import BytesIO
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import FileStorage, Headers

from nextapi.errors import BodyError, HeaderError, HTTPError
from nextapi.http.message import Body
from nextapi.http.sizes import Limit
from nextapi.web.form_data import FormData, encode_form, parse_form

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=XX"
RECORDED = (
    b'--XX\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    b'--XX\r\nContent-Disposition: form-data; name="f"; filename="t.txt"\r\n'
    b"Content-Type: text/plain\r\n\r\nfile body\r\n"
    b'--XX\r\nContent-Disposition: form-data; name="a"\r\n\r\n2\r\n--XX--'
)
FAILED = "Failed to parse body as FormData."

# Backslashes are escapes to werkzeug's decoder, as older clients write them; a percent sign could be one of HTML's.
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\\%\x00\r\n"), max_size=8)
FIELDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"))


def _upload(content: bytes, filename: str | None = "f.bin", content_type: str | None = None) -> FileStorage:
    return FileStorage(BytesIO(content), filename, content_type=content_type)


def _plain(form: FormData) -> list[tuple[str, Any]]:
    """A form with what its uploads are in their place."""
    return [
        (name, value if isinstance(value, str) else (value.filename, value.content_type, value.read()))
        for name, value in form.multi_items()
    ]


def test_is_made_from_pairs_or_a_mapping() -> None:
    """Pairs may repeat a name; numbers become text."""
    assert FormData([("a", "1"), ("b", 2), ("a", 1.5)]).multi_items() == [("a", "1"), ("b", "2"), ("a", "1.5")]
    assert FormData({"a": "1"}).multi_items() == [("a", "1")]
    assert FormData().multi_items() == []


@pytest.mark.parametrize("value", [None, b"a", True, ["a"], object()], ids=ascii)
def test_other_values_are_refused(value: Any) -> None:
    """What is no text, number or upload is a TypeError that names the field."""
    form = FormData()
    for change in (form.append, form.set, lambda name, value: FormData({name: value})):
        with pytest.raises(TypeError, match="'field'"):
            change("field", value)
    assert not form


def test_is_a_mapping_of_each_name_once() -> None:
    """As a mapping a form has each name once, with its first value; names have case."""
    form = FormData([("a", "1"), ("b", "2"), ("a", "3")])
    assert dict(form) == {"a": "1", "b": "2"}
    assert (len(form), list(form), form["a"]) == (2, ["a", "b"], "1")
    assert (form.get("a"), form.get("A"), form.get("c", 0)) == ("1", None, 0)
    assert (form.get_all("a"), form.get_all("c")) == (["1", "3"], [])
    assert (form.has("a"), "a" in form, form.has("A")) == (True, True, False)
    with pytest.raises(KeyError):
        form["c"]


def test_changes() -> None:
    """`set` keeps the first place and drops the rest, `delete` drops all, `append` adds."""
    form = FormData([("a", "1"), ("b", "2"), ("a", "3"), ("c", "4")])
    form.set("a", 5)
    form.set("d", "6")
    form.delete("c")
    form.delete("none")
    form.append("b", "7")
    assert form.multi_items() == [("a", "5"), ("b", "2"), ("d", "6"), ("b", "7")]


@pytest.mark.parametrize("content_type", [URLENCODED, f"{URLENCODED.upper()}; charset=latin-1", f" {URLENCODED} ;"])
def test_reads_an_urlencoded_body(content_type: str) -> None:
    """Pairs come in order, in UTF-8 whatever the charset says, and none from an empty body."""
    body = "a=1&b=%C3%A9+x&a=2&c&d=\xe9".encode()
    assert parse_form(body, content_type).multi_items() == [
        ("a", "1"),
        ("b", "\xe9 x"),
        ("a", "2"),
        ("c", ""),
        ("d", "\xe9"),
    ]
    assert parse_form(b"", content_type).multi_items() == parse_form(None, content_type).multi_items() == []


@pytest.mark.parametrize("content_type", [MULTIPART, 'Multipart/Form-Data; charset=utf-8; boundary="XX"'])
def test_reads_a_multipart_body(content_type: str) -> None:
    """Fields and uploads come in the order in which they were sent."""
    expected = [("a", "1"), ("f", ("t.txt", "text/plain", b"file body")), ("a", "2")]
    assert _plain(parse_form(RECORDED, content_type)) == expected


@pytest.mark.parametrize(
    "content_type", [None, "", "text/plain", "application/json", "multipart/mixed; boundary=XX", ";"]
)
def test_other_types_are_no_form(content_type: str | None) -> None:
    """A body of another type is refused in Next's words."""
    with pytest.raises(BodyError) as raised:
        parse_form(b"a=1", content_type)
    assert str(raised.value) == (
        'Content-Type was not one of "multipart/form-data" or "application/x-www-form-urlencoded".'
    )
    assert raised.value.status == 400
    assert isinstance(raised.value, ValueError)
    assert isinstance(raised.value, HTTPError)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", MULTIPART),
        (None, MULTIPART),
        (RECORDED, "multipart/form-data"),
        (RECORDED, "multipart/form-data; boundary="),
        (RECORDED, "multipart/form-data; boundary=YY"),
        (RECORDED, "multipart/form-data; boundary*=utf-8''%E2%82%AC"),
        (RECORDED[:-20], MULTIPART),
        (RECORDED.replace(b' name="f";', b""), MULTIPART),
    ],
    ids=["empty", "none", "no boundary", "empty boundary", "other boundary", "odd boundary", "truncated", "no name"],
)
def test_unreadable_multipart_is_refused(body: bytes | None, content_type: str) -> None:
    """A body that is no multipart form is a 400 in Next's words."""
    with pytest.raises(BodyError) as raised:
        parse_form(body, content_type)
    assert (raised.value.status, str(raised.value)) == (400, FAILED)


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        (b"a=" + b"x" * 999, URLENCODED, "Body exceeded 1kb limit"),
        (RECORDED + b"x" * 1000, MULTIPART, "Body exceeded 1kb limit"),
    ],
    ids=["urlencoded", "multipart"],
)
@pytest.mark.parametrize("has_length", [True, False])
def test_body_over_the_limit_is_refused(body: bytes, content_type: str, message: str, has_length: bool) -> None:
    """A body over the limit is a 413, whether its length was said or not."""
    stream = BytesIO(body + b" " * 100)
    whole = Body(len(body) + 100 if has_length else None, stream.read, lambda: stream)
    with pytest.raises(BodyError, match=message) as raised:
        parse_form(whole, content_type, Limit(1024 if content_type == MULTIPART else 1000, "1kb"))
    assert raised.value.status == 413


def test_too_many_fields_are_refused() -> None:
    """More than 1000 fields are a 413."""
    assert len(parse_form(b"&".join([b"a=1"] * 1000), URLENCODED).get_all("a")) == 1000
    with pytest.raises(BodyError, match="1000 fields") as raised:
        parse_form(b"&".join([b"a=1"] * 1001), URLENCODED)
    assert raised.value.status == 413


def test_uploads_are_on_disk_and_closed_by_the_caller() -> None:
    """A large upload is in a file, and what closes it is handed over."""
    closers: list[Any] = []
    body = encode_form(FormData([("f", _upload(b"x" * (1 << 20)))]), "XX")
    file = parse_form(body, MULTIPART, call_on_close=closers.append)["f"]
    assert isinstance(file, FileStorage)
    assert cast("Any", file.stream)._rolled
    (close,) = closers
    close()
    assert file.stream.closed


def test_uploads_without_a_caller_are_closed_with_the_last_reference() -> None:
    """Where nobody is told how to close an upload, it lives as long as it is referred to."""
    file = parse_form(RECORDED, MULTIPART)["f"]
    assert isinstance(file, FileStorage)
    gc.collect()
    assert file.read() == b"file body"
    stream = file.stream
    del file
    gc.collect()
    assert stream.closed


def test_a_form_that_the_host_has_read_is_taken() -> None:
    """Where the host has read the body as a form, that is the form, files behind fields."""

    def gone(*_: object) -> Any:
        raise AssertionError("the body is read again")

    file = _upload(b"1")
    body = Body(10, gone, cast("Any", gone), ([("a", "1"), ("b", "2")], [("f", file)]))
    assert parse_form(body, MULTIPART).multi_items() == [("a", "1"), ("b", "2"), ("f", file)]


def test_writes_a_form() -> None:
    """A form is written as browsers write it, an upload with its name and type, from its start."""
    upload = _upload(b"file body", "t.txt", "text/plain")
    upload.read(3)
    assert encode_form(FormData([("a", "1"), ("f", upload), ("a", "2")]), "XX") == RECORDED
    assert encode_form(FormData(), "XX") == b"--XX--"


def test_writes_names_that_need_escapes() -> None:
    """Quotes and line ends of names are escaped; line ends of fields become CR LF, those of a file's name do not."""
    form = FormData([('a"\n\r', "x\ny\r\nz\r"), ("\xe9", _upload(b"\n", 'q"\n.txt')), ("n", _upload(b"", None))])
    assert encode_form(form, "XX") == (
        b'--XX\r\nContent-Disposition: form-data; name="a%22%0D%0A%0D%0A"\r\n\r\nx\r\ny\r\nz\r\n\r\n'
        b'--XX\r\nContent-Disposition: form-data; name="\xc3\xa9"; filename="q%22%0A.txt"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n\n\r\n"
        b'--XX\r\nContent-Disposition: form-data; name="n"; filename="blob"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n\r\n--XX--"
    )


def test_type_of_an_upload_is_checked() -> None:
    """A Content-Type that would end its line is refused."""
    upload = FileStorage(BytesIO(b""), "f", headers=cast("Any", {"content-type": "a/b\r\nX: y"}))
    with pytest.raises(HeaderError):
        encode_form(FormData({"f": upload}), "XX")


def test_a_stream_that_cannot_be_wound_back_is_written() -> None:
    """An upload whose stream cannot seek is written from where it is."""

    class Pipe(BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: object) -> int:
            raise OSError("no seeking")

    body = encode_form(FormData({"f": FileStorage(Pipe(b"abc"), "f", headers=Headers())}), "XX")
    assert b"\r\n\r\nabc\r\n--XX--" in body


@given(
    st.lists(
        st.tuples(NAMES, FIELDS)
        | st.tuples(NAMES, st.builds(_upload, st.binary(), NAMES, st.sampled_from(["text/plain", "image/png"])))
    )
)
def test_written_form_is_read_back(pairs: list[tuple[str, str | FileStorage]]) -> None:
    """A form that is written is read back with its names, values and uploads, in order."""
    form = FormData(pairs)
    body = encode_form(form, "XX-boundary-XX")
    for value in form.multi_items():
        if isinstance(value[1], FileStorage):
            value[1].seek(0)
    again = parse_form(body, "multipart/form-data; boundary=XX-boundary-XX")
    assert _plain(again) == _plain(form)


def test_line_ends_of_names_are_read_back() -> None:
    """A line end in a name of a field or a file, which is escaped, is read back."""
    body = encode_form(FormData([("a\r\n", "1"), ("f", _upload(b"", "a\nb"))]), "XX")
    assert _plain(parse_form(body, MULTIPART)) == [("a\r\n", "1"), ("f", ("a\nb", "application/octet-stream", b""))]
