"""Reasons to interrupt a running task, and the signal that carries them.

A run is a loop over steps. Between steps, and while it sleeps or asks, it looks at the signal; a step that holds
money does not, and is never cut off.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import TypeVar

from genpulse.background.alarms import Alarm, Alarms
from genpulse.background.cancel_handles import CancelHandle

CUT_OFF_AGAIN_S = 15.0
"""So long has a request for what it cleans up when it is cut off; one that goes on then is cut off again.

The storage has 10 s for what it takes back of an upload.
"""
GIVEN_UP_WITHIN_S = 0.01
NOBODY = "it ended as cancelled, and nobody had cancelled it"

T = TypeVar("T")

_log = logging.getLogger(__name__)


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

    __slots__ = ("_again", "_again_s", "_alarms", "_pauses", "_request", "changed", "is_abandoned", "why")

    def __init__(self, alarms: Alarms | None = None, *, again_s: float = CUT_OFF_AGAIN_S) -> None:
        self.why: Interruption | None = None
        self.changed = False
        self.is_abandoned = False
        self._alarms = alarms or Alarms()
        self._again_s = again_s
        self._pauses: list[asyncio.Future[None]] = []
        self._request: CancelHandle | None = None
        self._again: Alarm[CancelHandle] | None = None

    def interrupt(self, why: Interruption) -> None:
        """Tell the run to stop. Only the first reason counts."""
        if self.why is not None:
            return
        self.why = why
        self.wake()
        if self._request is not None and not self._request.has_cut_off:
            self._expire(self._request)

    def abandon(self) -> None:
        """Tell the run that it ends now, whatever it is about."""
        self.is_abandoned = True
        self.interrupt(Interruption.RELEASED)

    @property
    def is_cut_off(self) -> bool:
        """Whether the request that goes on was cut off: then it is to end, and to begin nothing more."""
        return self._request is not None and self._request.has_cut_off

    async def is_given_up(self) -> bool:
        """Whether the task of the run is cancelled to end it, which only those do who abandon the run.

        Counts of cancellations do not tell: `TaskGroup` of Python 3.11 and 3.12 leaves one where a child fails, in
        whatever a plug-in does. Whoever ends a whole process cancels all tasks and says so in the same moment.
        """
        if not self.is_abandoned:
            await asyncio.sleep(GIVEN_UP_WITHIN_S)
        return self.is_abandoned

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

        Raises `Stopped` when the work is to stop before it comes, whatever the request raises on its way out,
        `TimeoutError` after `seconds` (None: never), and `RuntimeError` where it ends as cancelled by itself.
        """
        self.check()
        self._request = handle = CancelHandle()
        alarm = None if seconds is None else self._alarms.set(seconds, self._expire, handle)
        try:
            with handle:
                return await request()
        except TimeoutError:
            self.check()
            raise
        except asyncio.CancelledError:
            if await self.is_given_up():
                raise
            if not handle.has_cut_off:
                self.check()
                raise RuntimeError(NOBODY) from None
        except Exception as error:
            if handle.has_cut_off:
                _log.debug("what was cut off raised %r", error)
                self.check()
            raise
        finally:
            self._request = None
            for one in (alarm, self._again):
                if one is not None:
                    one.cancel()
            self._again = None
        self.check()
        raise TimeoutError

    def _expire(self, request: CancelHandle) -> None:
        """Not at once: an answer that is there by now is taken, and nobody cancels the task that he is."""
        asyncio.get_running_loop().call_soon(self._cut_off, request)

    def _cut_off(self, request: CancelHandle) -> None:
        if request is not self._request:
            return
        request.cut_off()
        if self._again is not None:
            self._again.cancel()
        self._again = self._alarms.set(self._again_s, self._expire, request)

    async def pause(self, seconds: float) -> None:
        """Wait so many seconds, or until the provider has sent a callback. Raises `Stopped`."""
        self.check()
        if not self.changed:
            await self._sleep(seconds)
        self.changed = False
        self.check()

    async def _sleep(self, seconds: float) -> None:
        pause = asyncio.get_running_loop().create_future()
        alarm = self._alarms.set(seconds, _end, pause)
        self._pauses.append(pause)
        try:
            await pause
        finally:
            self._pauses.remove(pause)
            alarm.cancel()


def _end(pause: asyncio.Future[None]) -> None:
    if not pause.done():
        pause.set_result(None)
