"""A multipart/form-data body (RFC 7578): its fields, and its files, which are on disk once they are large.

werkzeug's decoder takes it apart; what it may hold is limited here.
"""

from __future__ import annotations

from collections.abc import Callable
from sys import maxsize
from tempfile import SpooledTemporaryFile
from typing import IO, NoReturn, TypeAlias, cast

from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData
from werkzeug.wsgi import LimitedStream

from nextapi.errors import BodyError
from nextapi.http.body import MAX_FORM_FIELDS, refused, too_large
from nextapi.http.message import Body, FormEntries
from nextapi.http.sizes import Limit

__all__ = ["Entry", "read_entries", "read_form"]

Entry: TypeAlias = "tuple[str, str | FileStorage]"

_MAX_FIELDS_SIZE = 1 << 20
_MAX_IN_MEMORY = 1 << 19
_BLOCK = 1 << 16


def read_form(
    body: Body, boundary: str, limit: Limit, call_on_close: Callable[[Callable[[], object]], None]
) -> FormEntries:
    """Return the fields and the files of `body`, each in order; raise `BodyError` as `read_entries` does."""
    entries = read_entries(body, boundary, limit, call_on_close)
    fields = [(name, value) for name, value in entries if isinstance(value, str)]
    return fields, [(name, value) for name, value in entries if not isinstance(value, str)]


def read_entries(
    body: Body, boundary: str, limit: Limit, call_on_close: Callable[[Callable[[], object]], None]
) -> list[Entry]:
    """Return fields and files of `body` in order; raise `BodyError` where it is over a limit (413) or no form (400).

    `limit` is that of the body as a whole. Beside it there are at most 1000 parts and 1 MB of fields, which are kept in
    memory, as is what stands outside of the parts. What closes each file goes to `call_on_close`, also where the rest
    is refused. Where the host has read the form, its files stand behind its fields.
    """
    if body.length is not None and body.length > limit.size:
        raise too_large(limit)
    if body.form is not None:
        for _, file in body.form[1]:
            file.seek(0)  # middleware, or the host, may have read it
        return [*body.form[0], *body.form[1]]
    try:
        return _decode(_Bounded(body.open(), limit), boundary.encode("latin-1"), call_on_close)
    except BodyError:
        raise
    except (ValueError, ClientDisconnected):
        raise refused(400, "Invalid body") from None


def _decode(
    stream: LimitedStream, boundary: bytes, call_on_close: Callable[[Callable[[], object]], None]
) -> list[Entry]:
    entries: list[Entry] = []
    decoder = MultipartDecoder(boundary, _MAX_FIELDS_SIZE, max_parts=MAX_FORM_FIELDS)
    part: Field | File | None = None
    block: bytes | None = b""
    content: IO[bytes] | bytearray = bytearray()
    fields_size = 0
    while True:
        try:
            if block != b"":
                decoder.receive_data(block)
            event = decoder.next_event()
        except RequestEntityTooLarge:
            raise _too_many() from None
        # Not read above: where the host's limit is less, that is the host's 413.
        block = (stream.read(_BLOCK) or None) if isinstance(event, NeedData) else b""
        if isinstance(event, Epilogue):
            return entries
        if isinstance(event, Field | File) and event.name is None:
            raise ValueError("a part without a name")
        if isinstance(event, Field):
            part, content = event, bytearray()
        elif isinstance(event, File):
            part, content = event, cast("IO[bytes]", SpooledTemporaryFile(_MAX_IN_MEMORY))  # noqa: SIM115  # the request closes it
            call_on_close(content.close)
        elif isinstance(event, Data):
            if isinstance(content, bytearray):
                fields_size += len(event.data)
                if fields_size > _MAX_FIELDS_SIZE:
                    raise _too_many()
                content += event.data
            else:
                content.write(event.data)
            if event.more_data:
                continue
            if isinstance(part, File):
                entries.append((part.name, _file(part, cast("IO[bytes]", content))))
            elif isinstance(part, Field):
                entries.append((part.name, bytes(cast("bytearray", content)).decode("utf-8", "replace")))


def _too_many() -> BodyError:
    return refused(413, f"Body exceeded {MAX_FORM_FIELDS} fields or 1mb of fields limit")


def _file(part: File, content: IO[bytes]) -> FileStorage:
    content.seek(0)
    return FileStorage(content, part.filename, part.name, headers=part.headers)


class _Bounded(LimitedStream):
    """A stream that may have as many bytes as the limit, and not one more."""

    def __init__(self, stream: IO[bytes], limit: Limit) -> None:
        # A request made by hand has a limit that is infinite.
        super().__init__(stream, int(min(max(limit.size, 0), maxsize - 1)) + 1, is_max=True)
        self._over = too_large(limit)

    def on_exhausted(self) -> NoReturn:
        raise self._over
