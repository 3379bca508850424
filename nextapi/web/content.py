"""What the body of a request or a response is made of: its bytes or its stream, and the Content-Type that it brings."""

from __future__ import annotations

from collections.abc import AsyncIterable
from secrets import randbelow
from typing import TypeAlias

from nextapi.http.json import number_text
from nextapi.http.streaming import Source, chunks, is_source
from nextapi.running import Run
from nextapi.text import utf8
from nextapi.web.form_data import FormData, encode_form
from nextapi.web.search_params import URLSearchParams

__all__ = ["TEXT", "BodyInit", "content_of", "read_content"]

BodyInit: TypeAlias = str | bytes | bytearray | memoryview | int | float | URLSearchParams | FormData | Source
"""What a body is made of: text, bytes, a number, a form, or a stream, which is an iterator or async iterator of text
or bytes, or a readable file.
"""

TEXT = "text/plain;charset=UTF-8"
"""The Content-Type of text."""


def content_of(body: BodyInit) -> tuple[bytes | Source, str | None]:
    """Return the bytes or the stream of a body, and the Content-Type that it brings; a `TypeError` for what is none."""
    if isinstance(body, str):
        return utf8(body), TEXT
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body), None
    if isinstance(body, URLSearchParams):
        return str(body).encode(), "application/x-www-form-urlencoded;charset=UTF-8"
    if isinstance(body, FormData):
        boundary = f"----formdata-undici-0{randbelow(10**11):011}"  # as Node's has it
        return encode_form(body, boundary), f"multipart/form-data; boundary={boundary}"
    if isinstance(body, int | float) and not isinstance(body, bool):
        return number_text(body).encode(), TEXT
    if is_source(body):
        return body, None
    raise TypeError(
        f"a body is text, bytes, a form or a stream, not {type(body).__name__}: Response.json() sends other values"
    )


def read_content(content: bytes | Source) -> bytes:
    """Return all bytes of a body, a stream's to its end."""
    if isinstance(content, bytes):
        return content
    if isinstance(content, AsyncIterable):
        return Run("a body").finish(_join(content))
    return b"".join(chunks(content))


async def _join(content: AsyncIterable[str | bytes]) -> bytes:
    return b"".join([utf8(chunk) if isinstance(chunk, str) else chunk async for chunk in content])
