"""`FormData` of the WHATWG XHR standard: fields and uploads in order; how a body is read as one, and written.

A form is urlencoded or multipart; an upload is werkzeug's `FileStorage`, which is on disk once it is large.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from typing import TypeAlias, cast
from weakref import finalize

from werkzeug.datastructures import FileStorage
from werkzeug.http import parse_options_header

from nextapi.errors import BodyError
from nextapi.http.body import form_pairs, read_body
from nextapi.http.headers import check_header_value
from nextapi.http.json import number_text
from nextapi.http.message import Body
from nextapi.http.multipart import read_entries
from nextapi.http.sizes import Limit
from nextapi.text import utf8
from nextapi.web.pairs import Pairs, set_pair

__all__ = ["FormData", "FormValue", "GivenFormValue", "encode_form", "parse_form"]

FormValue: TypeAlias = str | FileStorage
GivenFormValue: TypeAlias = str | int | float | FileStorage
"""A form's value as it is set: a number is written as JavaScript writes it."""

_UNBOUNDED = Limit(1 << 62, "4eb")
_NOT_A_FORM = 'Content-Type was not one of "multipart/form-data" or "application/x-www-form-urlencoded".'
_LINE_END = re.compile(r"\r\n|\r|\n")
_ESCAPES = {'"': "%22", "\r": "%0D", "\n": "%0A"}


class FormData(Pairs[FormValue]):
    """The fields and uploads of a form: pairs in order, looked up by name.

    Made from pairs or a mapping. As a mapping it has each name once, with its first value; `multi_items()` has all
    pairs.
    """

    __slots__ = ()

    def __init__(
        self, init: Mapping[str, GivenFormValue] | Mapping[str, str] | Iterable[tuple[str, GivenFormValue]] = ()
    ) -> None:
        pairs = cast("Mapping[str, GivenFormValue]", init).items() if isinstance(init, Mapping) else init
        self._pairs = [(name, _value(name, value)) for name, value in pairs]

    def has(self, name: str) -> bool:
        """Say whether `name` is there."""
        return name in self

    def append(self, name: str, value: GivenFormValue) -> None:
        """Add a pair at the end."""
        self._pairs.append((name, _value(name, value)))

    def set(self, name: str, value: GivenFormValue) -> None:
        """Give the first pair of `name` this value and drop its others; add one at the end where there is none."""
        set_pair(self._pairs, name, _value(name, value))

    def delete(self, name: str) -> None:
        """Drop all pairs of `name`."""
        self._pairs = [pair for pair in self._pairs if pair[0] != name]

    def __repr__(self) -> str:
        return f"FormData({self._pairs!r})"


def _value(name: str, value: object) -> FormValue:
    if isinstance(value, str | FileStorage):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number_text(value)
    raise TypeError(f"the value of form field {name!r} is text, a number or a FileStorage, not {value!r}")


def parse_form(
    body: Body | bytes | None,
    content_type: str | None,
    limit: Limit = _UNBOUNDED,
    call_on_close: Callable[[Callable[[], object]], None] | None = None,
) -> FormData:
    """Return the form that a body is by its Content-Type (Fetch's `formData()`); None is an empty body.

    What closes each upload goes to `call_on_close`; without it an upload is closed when nothing refers to it. Raises
    `BodyError`: 400 where the body is no form, 413 where it is over `limit`, or has more than 1000 fields or, as
    multipart, 1 MB of them.
    """
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if not isinstance(body, Body):
        data = body or b""
        body = Body(len(data), BytesIO(data).read, lambda: BytesIO(data))
    if media_type == "application/x-www-form-urlencoded":
        return FormData(form_pairs(read_body(body, limit).decode("utf-8", "replace")))
    if media_type != "multipart/form-data":
        raise BodyError(400, _NOT_A_FORM)
    boundary = parse_options_header(content_type)[1].get("boundary")
    if not boundary:
        raise BodyError(400, "Failed to parse body as FormData.")
    closers: list[Callable[[], object]] = []
    try:
        entries = read_entries(body, boundary, limit, call_on_close or closers.append)
    except BodyError as error:
        for closer in closers:
            closer()
        if error.status == 400:
            raise BodyError(400, "Failed to parse body as FormData.") from None
        raise
    for _, value in entries:
        if isinstance(value, FileStorage):
            value.filename = value.filename and _unescape(value.filename)
            if closers:
                finalize(value, value.stream.close)
    return FormData((_unescape(name), value) for name, value in entries)


def _unescape(text: str) -> str:
    # The decoder has undone %22.
    return text.replace("%0D", "\r").replace("%0A", "\n") if "%0" in text else text


def encode_form(form: FormData, boundary: str) -> bytes:
    """Return `form` as multipart/form-data with this boundary (WHATWG HTML, 4.10.21.8), the uploads from their start.

    Line ends in names and fields become CR LF; an upload without a name is "blob". Raises `HeaderError` for the
    Content-Type of an upload that cannot be written.
    """
    chunks = []
    for name, value in form.multi_items():
        chunks.append(utf8(f'--{boundary}\r\nContent-Disposition: form-data; name="{_escape(_lines(name))}"'))
        if isinstance(value, str):
            chunks += (b"\r\n\r\n", utf8(_lines(value)), b"\r\n")
            continue
        content_type = value.content_type or "application/octet-stream"
        check_header_value("Content-Type", content_type)
        filename = _escape("blob" if value.filename is None else value.filename)
        chunks.append(utf8(f'; filename="{filename}"\r\nContent-Type: {content_type}\r\n\r\n'))
        if value.seekable():
            value.seek(0)
        chunks += (value.read(), b"\r\n")
    chunks.append(f"--{boundary}--".encode("ascii"))
    return b"".join(chunks)


def _lines(text: str) -> str:
    return _LINE_END.sub("\r\n", text)


def _escape(text: str) -> str:
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    return text
