"""Coroutines, run by threads that wait for them: how `async def` handlers answer under WSGI.

A `Run` has the coroutines of one request. They go on while the thread waits for them, on an event loop that it keeps,
and stand still in between; under gevent, whose greenlets share a thread, they go on in a thread of their own.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import sys
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Executor, Future
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from functools import partial
from typing import Any, ParamSpec, TypeVar, TypeVarTuple

__all__ = ["Run", "call_masked", "call_waiting", "current_run", "is_under_gevent"]

T = TypeVar("T")
P = ParamSpec("P")
Ts = TypeVarTuple("Ts")

_CANCEL_SECONDS = 5.0
"""How long a cancelled task may take to end."""

_logger = logging.getLogger("nextapi")

_current: ContextVar[Run] = ContextVar("nextapi_run")
"""The run that a task belongs to."""


def current_run() -> Run | None:
    """Return the run whose coroutine calls this, or whose coroutines called what does; None elsewhere."""
    return _current.get(None)


def call_waiting(function: Callable[[], T]) -> T:
    """Return what a function returns that waits for the client, also where a coroutine calls it under gevent.

    A greenlet's sockets are read in its own thread: there that of the request does it, and meanwhile no coroutine goes
    on in the process.
    """
    if not isinstance(asyncio._get_running_loop(), _NativeLoop):
        return function()
    driver = _current.get()._driver
    assert isinstance(driver, _GeventDriver), "a native loop is gevent's"
    return driver.call_there(function)


def call_masked(function: Callable[[], T]) -> T:
    """Return what a function returns that may itself wait for coroutines, also where a coroutine calls it.

    Raises `RuntimeError` there under gevent, where the thread of the coroutines is that of all requests.
    """
    loop = asyncio._get_running_loop()
    if loop is None:
        return function()
    if isinstance(loop, _NativeLoop):
        raise RuntimeError("under gevent `async def` middleware cannot read a stream: let it be `def`")
    return _Here().submit(function).result()


class Run:
    """The coroutines of one request, in one context: a copy of that in which the run was made.

    `name` is what the log says of it; `executor` runs functions on the thread that waits, outside of the loop.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._driver = _driver()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._main: asyncio.Task[Any] | None = None
        self.executor: Executor = self._driver.executor
        self.context: Context = copy_context()
        self.context.run(_current.set, self)

    def call(self, function: Callable[[], object]) -> None:
        """Have a function called in the thread and the context of the coroutines, before what is started next."""
        self._driver.call(partial(self.context.run, function))

    def is_in_loop(self) -> bool:
        """Say whether its event loop runs in this thread, and would wait for whatever is called now."""
        return self._driver.is_in_loop()

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
        if self._driver.is_in_loop():
            if isinstance(awaitable, Coroutine):
                awaitable.close()
            raise RuntimeError(
                f"{self._name}: an event loop runs in this thread already, and waits for this answer: make the request "
                "from another thread, as by asyncio.to_thread()"
            )
        self._main = None
        self._driver.call(partial(self._start, awaitable))

    def _start(self, awaitable: Awaitable[Any]) -> None:
        self._main = self._driver.loop.create_task(_coroutine(awaitable), context=self.context)
        self._main.add_done_callback(lambda _: self.pause())

    def advance(self) -> bool:
        """Let it go on until it ends or calls `pause`; return whether it has ended."""
        if self._main is None or not self._main.done():
            self._driver.wait()
        return self._main is not None and self._main.done()

    def pause(self) -> None:
        """Have the thread that waits in `advance` go on with its own work."""
        self._driver.wake()

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
        self._driver.close()

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


def _new_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    loop.set_task_factory(_task_factory)
    # Not by a class of its own: the policy says of which class a loop is.
    call: Any = partial(_call_unless_still, loop.call_soon_threadsafe, threading.get_ident())
    loop.call_soon_threadsafe = call  # type: ignore[method-assign]
    return loop


def _call_unless_still(call: Callable[..., T], thread: int, /, *args: Any, **options: Any) -> T:
    """Refuse a coroutine from a loop's own thread while the loop stands still: it would be waited for in vain.

    asgiref's `async_to_sync` takes the loop that last called a function in its thread, and one of its own if refused.
    """
    is_still = threading.get_ident() == thread and asyncio._get_running_loop() is None
    if is_still and any(inspect.iscoroutine(arg) for arg in args):
        raise RuntimeError("the event loop of this thread stands still, and runs no coroutine until it is waited for")
    return call(*args, **options)


def _task_factory(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
    task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **options)
    context: Context | None = options.get("context")
    run = context.get(_current) if context is not None else _current.get(None)
    if run is not None:
        run.own(task)
    return task


def is_under_gevent() -> bool:
    """Say whether requests are greenlets, whose coroutines run in another thread than they do."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))


def _driver() -> _ThreadDriver | _GeventDriver:
    return _GeventDriver() if is_under_gevent() else _ThreadDriver()


# A loop for each thread


class _KeptLoops(threading.local):
    """The event loops of this thread, made when they are asked for, and anew after a fork.

    Most often there is one. While a coroutine has called what runs coroutines itself, as middleware calls a handler,
    that has the next one.
    """

    def __init__(self) -> None:
        self.ends: list[_End] = []
        self.process = 0

    def get(self) -> asyncio.AbstractEventLoop:
        if self.process != os.getpid():
            self.ends, self.process = [], os.getpid()
        for end in self.ends:
            if not end.loop.is_running():
                return end.loop
        self.ends.append(_End(_new_loop(), self.process))
        return self.ends[-1].loop


class _End:
    """Closes a loop with the thread that it belongs to.

    In a fork the loops of all threads are kept: to close one would take away what the parent's, still in use, waits
    for, as the kernel has one epoll set for both.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, process: int) -> None:
        self.loop = loop
        self._process = process

    def __del__(self) -> None:
        if self._process == os.getpid():
            self.loop.close()
        else:
            _inherited.append(self.loop)


_inherited: list[asyncio.AbstractEventLoop] = []


_kept = _KeptLoops()


class _ThreadDriver:
    """Runs a loop in the thread that waits."""

    threads = None  # the loop starts its own

    def __init__(self) -> None:
        self.loop = _kept.get()
        self.executor: Executor = _Here()
        self._waiter: asyncio.Future[None] | None = None

    def is_in_loop(self) -> bool:
        return asyncio._get_running_loop() is not None

    def call(self, function: Callable[[], object]) -> None:
        function()

    def wait(self) -> None:
        self._waiter = self.loop.create_future()
        self.loop.run_until_complete(self._waiter)

    def wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def close(self) -> None:
        pass


class _Here(Executor):
    """Runs a function at once, in the thread of the loop, as if the loop did not run: to Django, a thread with a loop
    must not touch the database.
    """

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        loop = asyncio._get_running_loop()
        task = asyncio.current_task(loop) if loop is not None else None
        if loop is not None and task is not None:  # one loop's at a time is known to a thread from Python 3.14 on
            asyncio.tasks._leave_task(loop, task)
        asyncio._set_running_loop(None)
        try:
            return _done(function, *args, **kwargs)
        finally:
            asyncio._set_running_loop(loop)
            if loop is not None and task is not None:
                asyncio.tasks._enter_task(loop, task)


def _done(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
    future: Future[T] = Future()
    try:
        future.set_result(function(*args, **kwargs))
    except BaseException as error:
        future.set_exception(error)
    return future


# gevent: one loop in a thread of the system's


class _GeventDriver:
    """Waits in a greenlet for a loop in another thread; a run has one."""

    def __init__(self) -> None:
        import gevent
        from gevent.event import Event

        self.loop = _native_loop()
        self.executor: Executor = _There(self)
        self.threads: Executor = _There(self, gevent.get_hub().threadpool.spawn)
        self._jobs: deque[Callable[[], object]] = deque()
        self._is_awake = False
        self._event = Event()
        # What another thread may touch is only this watcher, which sets the event in the greenlet's own thread.
        self._watcher = gevent.get_hub().loop.async_()
        self._watcher.start(self._event.set)

    def is_in_loop(self) -> bool:
        return asyncio._get_running_loop() is self.loop

    def call(self, function: Callable[[], object]) -> None:
        self.loop.call_soon_threadsafe(function)

    def wait(self) -> None:
        while not self._is_awake:
            self._event.wait()
            self._event.clear()
            while self._jobs:
                self._jobs.popleft()()
        self._is_awake = False

    def wake(self) -> None:
        self._is_awake = True
        self._watcher.send()

    def call_there(self, function: Callable[[], T]) -> T:
        """Return what a function returns in the greenlet, for which the thread of the loop waits."""
        from gevent.monkey import get_original

        is_over = get_original("_thread", "allocate_lock")()
        is_over.acquire()
        done: list[Future[T]] = []

        def job() -> None:
            done.append(_done(function))
            is_over.release()

        self.do(job)
        is_over.acquire()
        return done[0].result()

    def do(self, job: Callable[[], object]) -> None:
        self._jobs.append(job)
        self._watcher.send()

    def close(self) -> None:
        self._watcher.close()


class _There(Executor):
    """Runs a function in the greenlet that waits, or as `spawn` has it run, which is called there."""

    def __init__(self, driver: _GeventDriver, spawn: Callable[[Callable[[], None]], object] | None = None) -> None:
        self._driver = driver
        self._spawn = spawn

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()  # nobody can call it off any more

        def job() -> None:
            self._driver.loop.call_soon_threadsafe(_pass_on, _done(function, *args, **kwargs), future)

        self._driver.do(partial(self._spawn, job) if self._spawn else job)
        return future


def _pass_on(done: Future[T], future: Future[T]) -> None:
    error = done.exception()
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(done.result())


class _NativeLoop(asyncio.SelectorEventLoop):
    """A loop in a thread where none else can be started: what `threading` calls one is a greenlet there."""

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        return super().run_in_executor(executor or _current.get()._driver.threads, func, *args)

    def run_forever(self) -> None:
        while not self.is_closed():
            # A SystemExit is that of the request whose coroutine raised it.
            with suppress(SystemExit, KeyboardInterrupt):
                super().run_forever()


_native: tuple[int, asyncio.AbstractEventLoop] | None = None


def _native_loop() -> asyncio.AbstractEventLoop:
    global _native
    if _native is None or _native[0] != os.getpid():
        from gevent.monkey import get_original
        from gevent.threadpool import ThreadPool

        loop = _NativeLoop(get_original("selectors", "DefaultSelector")())
        loop.set_task_factory(_task_factory)
        _native = os.getpid(), loop
        ThreadPool(1).spawn(loop.run_forever)
    return _native[1]
