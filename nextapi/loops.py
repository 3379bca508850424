"""Event loops under WSGI, and what runs them for a request: a loop that each thread keeps, or gevent's one for all.

It knows nothing of runs but what a loop asks of the one whose coroutine it runs, an `Owner`.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from contextvars import Context, ContextVar
from functools import partial
from typing import Any, ParamSpec, Protocol, TypeAlias, TypeVar, TypeVarTuple

__all__ = ["Driver", "GeventDriver", "Here", "NativeLoop", "current_owner", "is_under_gevent", "new_driver"]

T = TypeVar("T")
P = ParamSpec("P")
Ts = TypeVarTuple("Ts")


class Owner(Protocol):
    """What coroutines belong to."""

    @property
    def driver(self) -> Driver:
        """What runs them."""
        ...

    def own(self, task: asyncio.Task[Any]) -> None:
        """Count a task as one of them until it has ended."""


current_owner: ContextVar[Owner] = ContextVar("nextapi_run")
"""What a task belongs to."""


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
    owner = context.get(current_owner) if context is not None else current_owner.get(None)
    if owner is not None:
        owner.own(task)
    return task


def is_under_gevent() -> bool:
    """Say whether requests are greenlets, whose coroutines run in another thread than they do."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))


def new_driver() -> Driver:
    """Return what runs the coroutines of a request in the thread, or the greenlet, that calls this."""
    return GeventDriver() if is_under_gevent() else _ThreadDriver()


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
        self.executor: Executor = Here()
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


class Here(Executor):
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


class GeventDriver:
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

    def __init__(self, driver: GeventDriver, spawn: Callable[[Callable[[], None]], object] | None = None) -> None:
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


class NativeLoop(asyncio.SelectorEventLoop):
    """A loop in a thread where none else can be started: what `threading` calls one is a greenlet there."""

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        return super().run_in_executor(executor or current_owner.get().driver.threads, func, *args)

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

        loop = NativeLoop(get_original("selectors", "DefaultSelector")())
        loop.set_task_factory(_task_factory)
        _native = os.getpid(), loop
        ThreadPool(1).spawn(loop.run_forever)
    return _native[1]


Driver: TypeAlias = _ThreadDriver | GeventDriver
