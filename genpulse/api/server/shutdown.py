"""Ending long responses when the server stops.

The server waits for open connections before it ends the lifespan, so the signal itself has to be heard.
"""

import asyncio
import signal
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, TypeVar

from genpulse.background.first import first_of

T = TypeVar("T")

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def on_signal(stopping: asyncio.Event) -> Iterator[None]:
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


class CancelHandle:
    """A context manager whose body is cancelled, without an error outside, when the handle is called."""

    __slots__ = ("_is_over", "_task")

    def __init__(self) -> None:
        self._task: asyncio.Task[Any] | None = None
        self._is_over = False

    def __call__(self, _finished_task: object = None) -> None:
        """Cancel the body, or do not let it begin."""
        if not self._is_over:
            self._is_over = True
            if self._task is not None:
                self._task.cancel()

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        if self._is_over and self._task is not None:
            self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        task, self._task = self._task, None
        if not self._is_over or task is None:
            self._is_over = True
            return False
        return task.uncancel() == 0 and kind is asyncio.CancelledError


class CancelHandles:
    """The handles of all that has to end when the server stops: one object each, and no asyncio task."""

    def __init__(self) -> None:
        self._handles: set[CancelHandle] = set()
        self._is_stopped = False

    def new(self) -> CancelHandle:
        """A handle that is called when the server stops, until it is given to `discard`."""
        handle = CancelHandle()
        self._handles.add(handle)
        if self._is_stopped:
            handle()
        return handle

    def discard(self, handle: CancelHandle) -> None:
        """Call this handle no more."""
        self._handles.discard(handle)

    async def cancel_after(self, stopping: asyncio.Event) -> None:
        """Call all handles once `stopping` is set, and later ones at once."""
        await stopping.wait()
        self._is_stopped = True
        for handle in tuple(self._handles):
            handle()


async def unless_stopping(stopping: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """The result of `work`, or None when the server was told to stop first. Raises what `work` raises."""
    results: list[T] = []

    async def keep() -> None:
        results.append(await work)

    await first_of(keep(), stopping.wait())
    return results[0] if results else None
