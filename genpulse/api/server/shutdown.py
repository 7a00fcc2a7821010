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
    """A context around waiting that a call of it leaves early, without an error."""

    __slots__ = ("_ended", "_task")

    def __init__(self) -> None:
        self._task: asyncio.Task[Any] | None = None
        self._ended = False

    def __call__(self, _done: object = None) -> None:
        """Leave the context, or do not enter it at all."""
        if not self._ended:
            self._ended = True
            if self._task is not None:
                self._task.cancel()

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        if self._ended and self._task is not None:
            self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        task, self._task = self._task, None
        if not self._ended or task is None:
            self._ended = True
            return False
        return task.uncancel() == 0 and kind is asyncio.CancelledError


class CancelHandles:
    """Everything that has to end when the server stops, at the cost of one object each and not of a task."""

    def __init__(self) -> None:
        self._open: set[CancelHandle] = set()
        self._stopped = False

    def begin(self) -> CancelHandle:
        """One that is called when the server stops, or by whoever holds it. To be given to `end` at its end."""
        ending = CancelHandle()
        self._open.add(ending)
        if self._stopped:
            ending()
        return ending

    def end(self, ending: CancelHandle) -> None:
        """Call it no more."""
        self._open.discard(ending)

    async def stop_with(self, stopping: asyncio.Event) -> None:
        """Call them all once `stopping` is set, and those that come later at once."""
        await stopping.wait()
        self._stopped = True
        for ending in tuple(self._open):
            ending()


async def unless_stopping(stopping: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """The result of `work`, or None when the server was told to stop first. Raises what `work` raises."""
    results: list[T] = []

    async def keep() -> None:
        results.append(await work)

    await first_of(keep(), stopping.wait())
    return results[0] if results else None
