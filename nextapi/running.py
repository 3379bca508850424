"""Coroutines, run by threads that wait for them: how `async def` handlers answer under WSGI.

A `Run` has the coroutines of one request. They go on while the thread waits for them, on an event loop that it keeps,
and stand still in between; under gevent, whose greenlets share a thread, they go on in a thread of their own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Executor
from contextvars import Context, copy_context
from functools import partial
from typing import Any, TypeVar, cast

from nextapi.loops import GeventDriver, Here, NativeLoop, current_owner, new_driver

__all__ = ["Run", "call_masked", "call_waiting", "current_run"]

T = TypeVar("T")

_CANCEL_SECONDS = 5.0
"""How long a cancelled task may take to end."""

_logger = logging.getLogger("nextapi")


def current_run() -> Run | None:
    """Return the run whose coroutine calls this, or whose coroutines called what does; None elsewhere."""
    return cast("Run | None", current_owner.get(None))


def call_waiting(function: Callable[[], T]) -> T:
    """Return what a function returns that waits for the client, also where a coroutine calls it under gevent.

    A greenlet's sockets are read in its own thread: there that of the request does it, and meanwhile no coroutine goes
    on in the process.
    """
    if not isinstance(asyncio._get_running_loop(), NativeLoop):
        return function()
    driver = current_owner.get().driver
    assert isinstance(driver, GeventDriver), "a native loop is gevent's"
    return driver.call_there(function)


def call_masked(function: Callable[[], T]) -> T:
    """Return what a function returns that may itself wait for coroutines, also where a coroutine calls it.

    Raises `RuntimeError` there under gevent, where the thread of the coroutines is that of all requests.
    """
    loop = asyncio._get_running_loop()
    if loop is None:
        return function()
    if isinstance(loop, NativeLoop):
        raise RuntimeError("under gevent `async def` middleware cannot read a stream: let it be `def`")
    return Here().submit(function).result()


class Run:
    """The coroutines of one request, in one context: a copy of that in which the run was made.

    `name` is what the log says of it; `executor` runs functions on the thread that waits, outside of the loop.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.driver = new_driver()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._main: asyncio.Task[Any] | None = None
        self.executor: Executor = self.driver.executor
        self.context: Context = copy_context()
        self.context.run(current_owner.set, self)

    def call(self, function: Callable[[], object]) -> None:
        """Have a function called in the thread and the context of the coroutines, before what is started next."""
        self.driver.call(partial(self.context.run, function))

    def is_in_loop(self) -> bool:
        """Say whether its event loop runs in this thread, and would wait for whatever is called now."""
        return self.driver.is_in_loop()

    def call_outside(self, function: Callable[[], T]) -> Awaitable[T]:
        """Have a function called from a coroutine, in the same context and thread, as if no event loop ran there."""
        return asyncio.get_running_loop().run_in_executor(self.executor, copy_context().run, function)

    def finish(self, awaitable: Awaitable[T]) -> T:
        """Run an awaitable to its end, and return its result or raise what it raised."""
        self.start(awaitable)
        while not self.advance():
            pass
        return self.result()  # type: ignore[no-any-return]  # it is the awaitable's

    def start(self, awaitable: Awaitable[Any]) -> None:
        """Begin with an awaitable; it goes on with `advance`. Raises `RuntimeError` where a loop runs already."""
        if self.driver.is_in_loop():
            if isinstance(awaitable, Coroutine):
                awaitable.close()
            raise RuntimeError(
                f"{self._name}: an event loop runs in this thread already, and waits for this answer: make the request "
                "from another thread, as by asyncio.to_thread()"
            )
        self._main = None
        self.driver.call(partial(self._start, awaitable))

    def _start(self, awaitable: Awaitable[Any]) -> None:
        self._main = self.driver.loop.create_task(_coroutine(awaitable), context=self.context)
        self._main.add_done_callback(lambda _: self.pause())

    def advance(self) -> bool:
        """Let it go on until it ends or calls `pause`; return whether it has ended."""
        if self._main is None or not self._main.done():
            self.driver.wait()
        return self._main is not None and self._main.done()

    def pause(self) -> None:
        """Have the thread that waits in `advance` go on with its own work."""
        self.driver.wake()

    def result(self) -> Any:
        """Return what the awaitable returned, which has ended, or raise what it raised."""
        assert self._main is not None, "it was started"
        try:
            return self._main.result()
        except asyncio.CancelledError:
            # Not an Exception: it would pass through everything that stands between a handler and the server.
            raise RuntimeError(f"{self._name}: the coroutine was cancelled") from None

    def close(self) -> None:
        """Cancel what is left over, with a line in the log, and let it end."""
        main = self._main
        if main is not None and main.done() and not main.cancelled():
            main.exception()  # a SystemExit has left by the loop: asyncio is not to miss that somebody asked for it
        while left := {task for task in self._tasks.copy() if not task.done()}:
            for task in left - {main}:
                if not _closes_generator(task):
                    _logger.warning("%s: the task %s was left over, and is cancelled", self._name, task.get_name())
            self._tasks -= self.finish(_cancel(left))
        self.driver.close()

    def own(self, task: asyncio.Task[Any]) -> None:
        """Count a task as this run's until it has ended."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _coroutine(awaitable: Awaitable[T]) -> T:
    return await awaitable


async def _cancel(tasks: set[asyncio.Task[Any]]) -> set[asyncio.Task[Any]]:
    """Cancel tasks, and return those that do not end."""
    for task in tasks:
        if not _closes_generator(task):
            task.cancel()
    _, stubborn = await asyncio.wait(tasks, timeout=_CANCEL_SECONDS)
    for task in stubborn:
        _logger.error("the task %s does not end although it was cancelled", task.get_name())
    return stubborn


def _closes_generator(task: asyncio.Task[Any]) -> bool:
    """Say whether a task is one of asyncio's own, by which an async generator that nobody reads any more cleans up."""
    return type(task.get_coro()).__name__ == "async_generator_athrow"
