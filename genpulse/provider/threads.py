"""Threads for the heavy work of engines that work here, and for nothing else."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class EngineThreads:
    """So many threads at most that all engines of a process share; they start when there is something to do.

    `size` is 1 or more; left out, it is the number of processors, and 2 at the least. Long work in them keeps
    other work of engines waiting, and nothing of GenPulse's own.
    """

    def __init__(self, size: int | None = None) -> None:
        self._threads = ThreadPoolExecutor(size or max(2, os.cpu_count() or 1), thread_name_prefix="engine")

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function in a thread. Cancelling stops the waiting, not a function that has begun."""
        context = copy_context()
        work = asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: context.run(function, *args, **kwargs)
        )
        return await work

    async def close(self) -> None:
        """Let what runs end by itself; what waits is dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)


@cache
def threads_of_this_process() -> EngineThreads:
    """The threads for calls that were given none, as in the tests of a plug-in."""
    return EngineThreads()
