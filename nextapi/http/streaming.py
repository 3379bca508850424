"""Bodies that are made while they are sent: what `res.send` takes for one, and the chunks that it is.

A chunk is text or bytes; on the wire it is bytes, text in UTF-8.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterator
from typing import Protocol, TypeAlias, TypeGuard, runtime_checkable

from nextapi.running import Run
from nextapi.text import utf8

__all__ = ["ReadableFile", "Source", "async_chunks", "chunks", "is_source"]

_BLOCK = 1 << 16


@runtime_checkable
class ReadableFile(Protocol):
    """What `res.send` takes for a file, binary or of text."""

    def read(self, size: int, /) -> str | bytes: ...


Source: TypeAlias = Iterator[str | bytes] | AsyncIterable[str | bytes] | ReadableFile


def is_source(data: object) -> TypeGuard[Source]:
    """Say whether `data` is to be sent in chunks: a list, a dict and text are not."""
    return isinstance(data, ReadableFile | Iterator | AsyncIterable)


def chunks(source: ReadableFile | Iterator[str | bytes]) -> Iterator[bytes]:
    """Yield the chunks of a file or an iterator that are not empty."""
    for chunk in _blocks(source) if isinstance(source, ReadableFile) else source:
        if chunk:
            yield _encode(chunk)


def _blocks(file: ReadableFile) -> Iterator[str | bytes]:
    # `read` of a buffered pipe waits for a whole block, `read1` has what is there.
    read = getattr(file, "read1", file.read)
    while block := read(_BLOCK):
        yield block


def async_chunks(iterator: AsyncIterator[str | bytes], run: Run) -> Iterator[bytes]:
    """Yield the chunks of an async iterator that are not empty; it goes on while one is waited for."""
    while True:
        try:
            chunk = run.finish(anext(iterator))
        except StopAsyncIteration:
            return
        if chunk:
            yield _encode(chunk)


def _encode(chunk: object) -> bytes:
    if isinstance(chunk, str):
        return utf8(chunk)
    if isinstance(chunk, bytes | bytearray | memoryview):
        return bytes(chunk)
    raise TypeError(f"a stream is made of text or bytes, not of {type(chunk).__name__}: dump it to JSON first")
