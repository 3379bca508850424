"""Coroutines, run by threads that wait for them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from nextapi.running import Run


def finish(awaitable: Awaitable[Any]) -> Any:
    """Return what an awaitable returns that is a run of its own."""
    run = Run("test")
    try:
        return run.finish(awaitable)
    finally:
        run.close()


async def ask_thread() -> int:
    """Return the id of this process, for which a thread has to wake the loop up."""
    return await asyncio.to_thread(os.getpid)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_leaves_the_loops_of_its_parent_alone() -> None:
    """All threads of a process that forks go on, and so does the fork, with loops of its own."""
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(finish, ask_thread()).result() == finish(ask_thread()) == os.getpid()
        child = os.fork()
        if not child:
            try:
                os._exit(int(finish(ask_thread()) != os.getpid()))
            finally:
                os._exit(2)
        assert os.waitpid(child, 0) == (child, 0)
        assert thread.submit(finish, ask_thread()).result() == finish(ask_thread()) == os.getpid()
