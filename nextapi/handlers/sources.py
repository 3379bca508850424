"""Bodies that are made while they are sent, and what runs the coroutines of a request, whatever the dialect."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable
from functools import partial
from pathlib import Path

from nextapi.handlers.host import HandlerHost
from nextapi.http.message import Request, Stream
from nextapi.http.streaming import Source, async_chunks, chunks
from nextapi.running import Run

__all__ = ["new_run", "open_source"]


def new_run(request: Request, host: HandlerHost, file: Path) -> Run:
    """Return what runs the coroutines of a request, which is closed with the request."""
    run = host.new_run(str(file))
    request.call_on_close(run.close)
    return run


def open_source(source: Source, request: Request, host: HandlerHost, file: Path, run: Run | None) -> Stream:
    """Return the stream of a source, which is closed with the request; HEAD has nothing of it."""
    if isinstance(source, AsyncIterable):
        run = run or new_run(request, host, file)
        iterator = aiter(source)
        if close := getattr(iterator, "aclose", None):
            request.call_on_close(partial(_finish_call, run, close))
        pieces = async_chunks(iterator, run)
    else:
        if close := getattr(source, "close", None):
            request.call_on_close(close)
        pieces = chunks(source)
    return Stream(pieces if request.method != "HEAD" else iter(()), partial(host.report, request))


def _finish_call(run: Run, function: Callable[[], Awaitable[object]]) -> None:
    run.finish(function())
