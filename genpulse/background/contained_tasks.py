"""Code that may do anything, such as a plug-in's, each piece in an asyncio task of its own."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from genpulse.background.alarms import Alarm, Alarms

NOBODY = "it ended as cancelled, and nobody had cancelled it"
CUTS = 3
"""So often is work cut off before it is left behind."""
CANCELS = 10
"""So often is whoever waits for it cancelled before that."""

T = TypeVar("T")

_log = logging.getLogger(__name__)


class ContainedTasks:
    """The contained tasks of a process. `left` are those that could not be ended, and go on.

    `again_s`: so many seconds work has for what it cleans up when it is cut off; when it goes on then it is cut
    off again, and at last left behind. The storage has 10 s for what it takes back of an upload.
    """

    def __init__(self, alarms: Alarms | None = None, *, again_s: float = 15.0) -> None:
        self.alarms = alarms or Alarms()
        self.again_s = again_s
        self.left: set[asyncio.Task[Any]] = set()

    def begin(self, work: Callable[[], Awaitable[T]]) -> "ContainedTask[T]":
        """Begin it in a task of its own."""
        return ContainedTask(work, self)


class ContainedTask(Generic[T]):
    """Work of which nothing but its answer or its error reaches whoever waits for it.

    Cancellations that it loses, makes up, counts, or aims at its own task stay in that task.
    """

    __slots__ = ("_again", "_cuts", "_is_left", "_task", "_tasks", "_waiter")

    def __init__(self, work: Callable[[], Awaitable[T]], tasks: ContainedTasks) -> None:
        self._tasks = tasks
        self._cuts = 0
        self._is_left = False
        self._again: Alarm[None] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._task = asyncio.get_running_loop().create_task(_done(work))
        self._task.add_done_callback(self._wake)

    @property
    def is_cut_off(self) -> bool:
        """Whether it was told to end: then it is to begin nothing more, and may raise whatever it meets."""
        return self._cuts > 0

    def expire(self, _: object = None) -> None:
        """Cut it off, but not at once: an answer that is there by now is taken."""
        asyncio.get_running_loop().call_soon(self.cut_off)

    def cut_off(self) -> None:
        """Tell it to end, and again after a while, until it has ended or is left behind."""
        if not self._cuts and not self._task.done():
            self._cut(None)

    def _cut(self, _: None) -> None:
        if self._cuts == CUTS:
            self._leave()
            return
        self._cuts += 1
        self._task.cancel()
        self._again = self._tasks.alarms.set(self._tasks.again_s, self._cut, None)

    def _leave(self) -> None:
        self._is_left = True
        self._tasks.left.add(self._task)
        self._task.add_done_callback(self._tasks.left.discard)
        self._task.add_done_callback(_told_at_last)
        self._wake(self._task)

    def _wake(self, _: object) -> None:
        if self._again is not None:
            self._again.cancel()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def answer(self) -> T:
        """What the work returns.

        Raises what it raises, `TimeoutError` where it was cut off before, from whatever it raises then, and
        `RuntimeError` for a cancellation of its own making and for what is no `Exception`. Where whoever waits is
        cancelled, the work is cut off first.
        """
        await self._until_over()
        if self._is_left:
            raise TimeoutError("it did not end in time, nor when it was cut off, and is left behind")
        error = self._error()
        if error is None:
            return self._task.result()
        if self._cuts:
            raise TimeoutError("it did not end in time") from error
        raise error

    async def _until_over(self) -> None:
        cancels = 0
        while not (self._task.done() or self._is_left):
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            except asyncio.CancelledError:
                cancels += 1
                self._heed(cancels)
        if cancels:
            if self._task.done():
                self._error()
            raise asyncio.CancelledError

    def _heed(self, cancels: int) -> None:
        if not self.is_cut_off:
            self.cut_off()
        elif cancels <= CANCELS:
            self._task.cancel()
        else:
            self._leave()

    def _error(self) -> Exception | None:
        if self._task.cancelled():
            return RuntimeError(NOBODY)
        error = self._task.exception()
        if isinstance(error, GeneratorExit):
            return _said(error)
        return None if error is None else as_exception(error)


async def _done(work: Callable[[], Awaitable[T]]) -> T:
    try:
        return await work()
    except SystemExit as error:  # asyncio would end the event loop by it
        raise _said(error) from error


def _told_at_last(task: "asyncio.Task[Any]") -> None:
    """What was left behind may still have been paid for."""
    if task.cancelled() or task.exception() is not None:
        _log.info("a request that was left behind has ended without an answer")
    else:
        _log.warning("a request that was left behind has been answered, too late for its attempt")


def as_exception(error: BaseException) -> Exception:
    """The error as an `Exception`, which a panic of a binding to Rust is not, nor what `sys.exit` raises.

    Raises what ends the process from outside: an interrupt of the keyboard, and the close of a coroutine.
    """
    if isinstance(error, Exception):
        return error
    if isinstance(error, KeyboardInterrupt | GeneratorExit):
        raise error
    return _said(error)


def _said(error: BaseException) -> Exception:
    return RuntimeError(f"{type(error).__name__}: {error}").with_traceback(error.__traceback__)
