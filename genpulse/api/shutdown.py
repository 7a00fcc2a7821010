"""Long answers end as soon as the server is told to stop.

The server waits for open connections before it ends the lifespan, so the signal itself has to be heard.
"""

import asyncio
import signal
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def heard(stopping: asyncio.Event) -> Iterator[None]:
    """Set `stopping` when the process is told to end; whoever listened before still hears it.

    Outside of the main thread, where signals cannot be heard, nothing happens.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def tell(number: int, frame: FrameType | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(stopping.set)
        earlier = before[signal.Signals(number)]
        if callable(earlier):
            earlier(number, frame)

    for number, earlier in before.items():
        if callable(earlier):
            signal.signal(number, tell)
    try:
        yield
    finally:
        for number, earlier in before.items():
            if signal.getsignal(number) is tell:
                signal.signal(number, earlier)


async def unless(stopping: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """The result of `work`, or None when the server was told to stop first. Raises what `work` raises."""
    results: list[T] = []

    async def keep() -> None:
        results.append(await work)

    await first_of(keep(), stopping.wait())
    return results[0] if results else None


async def first_of(*works: Coroutine[Any, Any, object]) -> None:
    """Wait until the first of them is done and end the others. Raises what it raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
