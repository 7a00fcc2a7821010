"""Reasons to interrupt a running task, and the signal that carries them.

A run is a loop over steps. Between steps, and while it sleeps or asks, it looks at the signal; a step that holds
money does not, and ends by its time alone. All that a plug-in does is waited for here, since it may do anything.
"""

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import Any, TypeVar

from genpulse.background.contained_tasks import ContainedTask, ContainedTasks

T = TypeVar("T")


class Interruption(Enum):
    """Why a run is to stop.

    CANCELED: somebody does not want the task any more. DEADLINE: it took too long. RELEASED: this worker stops.
    LEASE_LOST: another worker has the task.
    """

    CANCELED = auto()
    DEADLINE = auto()
    RELEASED = auto()
    LEASE_LOST = auto()

    @property
    def for_good(self) -> bool:
        """Whether nobody will want the result, so that a job at a vendor may be stopped too."""
        return self in {Interruption.CANCELED, Interruption.DEADLINE}


ANY_INTERRUPTION = frozenset(Interruption)
WORKER_LEAVES = frozenset({Interruption.RELEASED, Interruption.LEASE_LOST})
"""The interruptions after which another worker goes on with the task."""


class Stopped(Exception):
    """A step ended early, or was not begun, since the run is to stop."""

    def __init__(self, why: Interruption) -> None:
        super().__init__(why.name)
        self.why = why


class Signal:
    """The first interruption of a run, None before there is one; `why` may be read from any thread.

    `changed` tells whether there is something to look at: an interruption, or a callback of the provider.
    `is_abandoned`: the run is to end at once, and its task is cancelled until it has.
    """

    __slots__ = ("_holds", "_pauses", "_request", "_tasks", "changed", "is_abandoned", "why")

    def __init__(self, tasks: ContainedTasks | None = None) -> None:
        self.why: Interruption | None = None
        self.changed = False
        self.is_abandoned = False
        self._tasks = tasks or ContainedTasks()
        self._pauses: list[asyncio.Future[None]] = []
        self._request: ContainedTask[Any] | None = None
        self._holds = False

    def interrupt(self, why: Interruption) -> None:
        """Tell the run to stop. Only the first reason counts."""
        if self.why is not None:
            return
        self.why = why
        self.wake()
        if self._request is not None and not self._holds:
            self._request.expire()

    def abandon(self) -> None:
        """Tell the run that it ends now, whatever it is about."""
        self.is_abandoned = True
        self.interrupt(Interruption.RELEASED)

    @property
    def is_cut_off(self) -> bool:
        """Whether the request that goes on was cut off: then it is to end, and to begin nothing more."""
        return self._request is not None and self._request.is_cut_off

    def wake(self) -> None:
        """End the pause that goes on, or the next one."""
        self.changed = True
        for pause in self._pauses:
            _end(pause)

    def check(self) -> None:
        """Raises `Stopped` when the work is to stop."""
        if self.why is not None:
            raise Stopped(self.why)

    async def ask(self, request: Callable[[], Awaitable[T]], seconds: float | None) -> T:
        """The answer to a request that may be given up at any moment.

        Raises `Stopped` when the work is to stop before it comes, whatever the request raises on its way out, and
        else as `wait_for`.
        """
        self.check()
        try:
            return await self._answer(request, seconds)
        except (TimeoutError, RuntimeError):
            self.check()
            raise

    async def wait_for(self, request: Callable[[], Awaitable[T]], seconds: float) -> T:
        """The answer to a request that nothing but time gives up: one that goes on after `seconds` is cut off.

        Raises as `ContainedTask.answer`. One request at a time.
        """
        self._holds = True
        try:
            return await self._answer(request, seconds)
        finally:
            self._holds = False

    async def _answer(self, request: Callable[[], Awaitable[T]], seconds: float | None) -> T:
        self._request = task = self._tasks.begin(request)
        alarm = None if seconds is None else self._tasks.alarms.set(seconds, task.expire, None)
        try:
            return await task.answer()
        finally:
            self._request = None
            if alarm is not None:
                alarm.cancel()

    async def pause(self, seconds: float) -> None:
        """Wait so many seconds, or until the provider has sent a callback. Raises `Stopped`."""
        self.check()
        if not self.changed:
            await self._sleep(seconds)
        self.changed = False
        self.check()

    async def _sleep(self, seconds: float) -> None:
        pause = asyncio.get_running_loop().create_future()
        alarm = self._tasks.alarms.set(seconds, _end, pause)
        self._pauses.append(pause)
        try:
            await pause
        finally:
            self._pauses.remove(pause)
            alarm.cancel()


def _end(pause: asyncio.Future[None]) -> None:
    if not pause.done():
        pause.set_result(None)
