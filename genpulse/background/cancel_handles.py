"""Work that ends early, without an error, once something else happens, such as a stop of the server."""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, TypeVar

from genpulse.background.first import first_of

T = TypeVar("T")


class CancelHandle:
    """A context manager whose body is cancelled, without an error outside, when the handle is called."""

    __slots__ = ("_before", "_is_over", "_task")

    def __init__(self) -> None:
        self._task: asyncio.Task[Any] | None = None
        self._is_over = False
        self._before = 0

    def __call__(self, _finished_task: object = None) -> None:
        """Cancel the body, or do not let it begin."""
        if not self._is_over:
            self._is_over = True
            if self._task is not None:
                self._task.cancel()

    def __enter__(self) -> None:
        self._task = task = asyncio.current_task()
        if task is not None:
            self._before = task.cancelling()
            if self._is_over:
                task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        task, self._task = self._task, None
        if not self._is_over or task is None:
            self._is_over = True
            return False
        return task.uncancel() <= self._before and kind is asyncio.CancelledError


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
