"""A request's body: read up to a limit, decoded by its charset and parsed by its media type, as Next's body parser
does.

What is too large, or cannot be read as what it says it is, is a `BodyError` with Next's status and text.
"""

from __future__ import annotations

import codecs
import re
from functools import partial
from io import BufferedReader, BytesIO, RawIOBase
from tempfile import SpooledTemporaryFile
from typing import IO, Any, NoReturn, cast

from nextapi.errors import BodyError
from nextapi.http.content_type import parse_content_type
from nextapi.http.json import loads
from nextapi.http.message import Body, Request
from nextapi.http.query import decode_pairs, fold_pairs
from nextapi.http.sizes import Limit
from nextapi.loops import is_under_gevent
from nextapi.running import call_waiting

__all__ = [
    "MAX_FORM_FIELDS",
    "form_pairs",
    "keep_body",
    "parse_body",
    "read_ahead",
    "read_body",
    "refused",
    "too_large",
    "waiting_file",
]

MAX_FORM_FIELDS = 1000  # Node's querystring stops there without a word; here it is a 413

_JSON_TYPES = frozenset({"application/json", "application/ld+json"})
_MAX_IN_MEMORY = 1 << 19
_BLOCK = 1 << 16
_FORM_TYPE = "application/x-www-form-urlencoded"

# Names of charsets as npm's iconv-lite takes them, without case and punctuation, to Python's codecs. Not there: its
# "hex" and "base64", which turn a body into something else, and Python's own, such as "zlib" or "unicode_escape".
_CODECS = {
    "ascii": "ascii",
    "usascii": "ascii",
    "binary": "latin-1",
    "latin1": "latin-1",
    "utf8": "utf-8",
    "unicode11utf8": "utf-8",
    "utf7": "utf-7",
    "utf16": "utf-16",
    "utf16le": "utf-16-le",
    "utf16be": "utf-16-be",
    "ucs2": "utf-16-le",
    "koi8r": "koi8-r",
    "koi8u": "koi8-u",
    "gb2312": "gbk",
    "gbk": "gbk",
    "gb18030": "gb18030",
    "big5": "big5",
    "big5hkscs": "big5hkscs",
    "shiftjis": "shift_jis",
    "sjis": "shift_jis",
    "xsjis": "shift_jis",
    "tis620": "tis_620",
    "eucjp": "euc_jp",
    "euckr": "euc_kr",
    "macintosh": "mac-roman",
}
_NUMBERED = re.compile(r"(iso8859|latin|windows|win|cp)(\d{1,4})")
_NUMBERED_CODECS = {"iso8859": "iso8859-", "latin": "latin", "windows": "cp", "win": "cp", "cp": "cp"}


def read_body(body: Body, limit: Limit) -> bytes:
    """Return all of `body`, or raise `BodyError` (413) as soon as it is known to be over `limit`.

    Never more than the limit and one byte is read.
    """
    if body.length is not None and body.length > limit.size:
        raise too_large(limit)
    size = body.length if body.length is not None else max(int(limit.size), 0) + 1
    data = call_waiting(partial(body.read, size))
    if data and len(data) > limit.size:
        raise too_large(limit)
    if body.length is not None and len(data) < body.length:
        raise refused(400, "Invalid body")  # the client went away
    return data


def keep_body(request: Request, limit: Limit) -> None:
    """Have the body of a request readable more than once: it is read now, to disk where it is large.

    Whoever opens it has a file of their own. Raises `BodyError` as `read_body` does.
    """
    body = request.body
    if body is None or body.is_kept or body.form is not None:
        return
    if body.length is not None and body.length <= _MAX_IN_MEMORY:
        data = read_body(body, limit)  # hosts keep what is read so, too
        request.body = Body(len(data), lambda size: data[:size], lambda: BytesIO(data), is_kept=True)
        return
    if body.length is not None and body.length > limit.size:
        raise too_large(limit)
    file = cast("IO[bytes]", SpooledTemporaryFile(_MAX_IN_MEMORY))  # noqa: SIM115  # the request closes it
    request.call_on_close(file.close)
    # Whoever comes after a failure does not take what is left for the body.
    request.body = Body(body.length, _fail, _fail)
    source, size = body.open(), 0
    while block := call_waiting(partial(source.read, _BLOCK)):
        size += len(block)
        if size > limit.size:
            raise too_large(limit)
        file.write(block)
    if body.length is not None and size < body.length:
        raise refused(400, "Invalid body")  # the client went away
    request.body = Body(
        size, lambda size: _Reader(file).read(size), lambda: BufferedReader(_Reader(file)), is_kept=True
    )


def _fail(_: int = 0) -> NoReturn:
    raise refused(400, "Invalid body")


class _Reader(RawIOBase):
    """A file of a kept body that has a place of its own, and leaves the body open when it is closed."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._file.seek(self._at)
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def read_ahead(request: Request, limit: Limit) -> None:
    """Have a body that is known to be within `limit` read before coroutines ask for it, under gevent.

    They would keep those of all other requests waiting while it comes.
    """
    body = request.body
    if is_under_gevent() and body is not None and body.length is not None and body.length <= limit.size:
        keep_body(request, limit)


def waiting_file(stream: IO[bytes]) -> IO[bytes]:
    """Return the stream of a body as one that coroutines can read, too."""
    return cast("IO[bytes]", BufferedReader(_WaitingFile(stream), _BLOCK)) if is_under_gevent() else stream


class _WaitingFile(RawIOBase):
    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        block = call_waiting(partial(self._stream.read, len(buffer)))
        buffer[: len(block)] = block
        return len(block)


def too_large(limit: Limit) -> BodyError:
    """Return what a body over `limit` is refused by."""
    return refused(413, f"Body exceeded {limit.text} limit")


def refused(status: int, text: str) -> BodyError:
    """Return what a body is refused by, as Next says it."""
    return BodyError(status, text, reason=text)  # Next's parser says it in both places


def parse_body(data: bytes, content_type: str | None) -> Any:
    """Return what `data` says by its Content-Type: a value for JSON, an object for forms, else text, None for none."""
    parsed = parse_content_type(content_type) if content_type else None
    media_type, parameters = parsed or ("text/plain", {})
    codec = _codec(parameters.get("charset", ""))
    if not data:
        return {} if media_type in _JSON_TYPES or media_type == _FORM_TYPE else None
    text = data.decode(codec, "replace").removeprefix("\ufeff")
    if media_type in _JSON_TYPES:
        try:
            return loads(text)
        except ValueError:
            raise refused(400, "Invalid JSON") from None
    if media_type == _FORM_TYPE:
        return fold_pairs(form_pairs(text))
    return text


def form_pairs(text: str) -> list[tuple[str, str]]:
    """Return the pairs of an urlencoded form; raise `BodyError` (413) where it has more than 1000."""
    if text.count("&") >= MAX_FORM_FIELDS and sum(map(bool, text.split("&"))) > MAX_FORM_FIELDS:
        raise refused(413, f"Body exceeded {MAX_FORM_FIELDS} fields limit")
    return decode_pairs(text)


def _codec(charset: str) -> str:
    """Return Python's codec for a charset, "" being UTF-8; raise `BodyError` (400) for one that there is none for."""
    if not charset:
        return "utf-8"
    name = re.sub(r"[^0-9a-z]", "", charset.lower())
    if name in _CODECS:
        return _CODECS[name]
    if match := _NUMBERED.fullmatch(name):
        codec = f"{_NUMBERED_CODECS[match[1]]}{match[2]}"
        try:
            return codecs.lookup(codec).name
        except LookupError:
            pass
    raise refused(400, "Invalid body")
