"""Progress reports: to watchers at once, to the row now and then."""

import asyncio
import logging
import time

from genpulse.domain.attempt import Lease
from genpulse.domain.errors import TaskCanceled, Unavailable
from genpulse.domain.event import TaskEvent
from genpulse.domain.failure import Failure
from genpulse.domain.task import WaitsFor
from genpulse.lifecycle.attempt.interruption import Signal
from genpulse.ports import Services

PUBLISHED_EVERY_S = 0.05
SAVED_EVERY_S = 1.0

_log = logging.getLogger(__name__)


class ProgressReport:
    """The `Report` that an engine gets, and what the task shows of the attempt meanwhile.

    Callable from any thread. What comes faster than it can be published is dropped, but for the newest. Raises
    `TaskCanceled` in the engine once the run is to stop, or is over. `seq` is the number of the task's newest
    event.
    """

    def __init__(self, services: Services, lease: Lease, seq: int, signal: Signal) -> None:
        self._services = services
        self._lease = lease
        self._signal = signal
        self._loop = asyncio.get_running_loop()
        self._seq = seq
        self._newest: tuple[float, str | None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._published_at = 0.0
        self._saver = _ProgressSaver(services, lease)
        self._is_over = False
        self._waits_for: WaitsFor | None = None
        self._last_error: str | None = None

    def __call__(self, fraction: float, message: str | None = None) -> None:
        """Report that `fraction` (0.0 to 1.0) of the work is done."""
        if self._is_over or self._signal.why is not None:
            raise TaskCanceled
        self._loop.call_soon_threadsafe(self.tell, fraction, message)

    def tell(self, fraction: float, message: str | None = None) -> None:
        """Report progress from the event loop itself; never raises."""
        self._note(min(max(fraction, 0.0), 1.0) if fraction == fraction else 0.0, message)  # NaN

    def _note(self, fraction: float, message: str | None) -> None:
        if self._is_over:
            return
        self._newest = (fraction, message)
        if self._timer is None:
            due_s = self._published_at + PUBLISHED_EVERY_S - time.monotonic()
            self._timer = self._loop.call_later(max(due_s, 0.0), self._publish)

    def _publish(self) -> None:
        self._timer = None
        if self._newest is None:
            return
        fraction, message = self._newest
        self._newest = None
        self._seq += 1
        self._published_at = time.monotonic()
        self._services.events.publish(TaskEvent(self._lease.task_id, self._seq, fraction, message))
        self._saver.keep(fraction, self._seq)

    async def wait_for(self, what: WaitsFor, error: Failure | None = None) -> None:
        """Show that the task does not go on until `what` is there; `error` is what the last try said."""
        message = error.message if error else self._last_error
        if (what, message) != (self._waits_for, self._last_error):
            self._waits_for, self._last_error = what, message
            await self._save_waiting(what, error)

    async def go_on(self) -> None:
        """Show that the task waits no more."""
        if self._waits_for is not None:
            self._waits_for = None
            await self._save_waiting(None, None)

    async def _save_waiting(self, what: WaitsFor | None, error: Failure | None) -> None:
        self._seq += 1
        seq, lease = self._seq, self._lease
        try:
            await self._services.store.save_waiting(lease, what, error, seq)
        except Unavailable as unavailable:
            _log.debug("what %s waits for was not kept: %s", lease.task_id, unavailable)
            return
        except Exception:  # noqa: BLE001 - as above
            self._services.loops.failed("keeping what a task waits for")
            return
        self._services.events.publish(TaskEvent(lease.task_id, seq))

    def end(self) -> None:
        """Publish nothing more, and begin to save nothing more."""
        self._is_over = True
        if self._timer is not None:
            self._timer.cancel()
        self._saver.end()

    async def close(self) -> None:
        """As `end`. What is being saved is saved first, so that it cannot follow the end."""
        self.end()
        await self._saver.saved()


class _ProgressSaver:
    """Keeps the newest progress in the row, once a second at most, and the last one before a silence."""

    def __init__(self, services: Services, lease: Lease) -> None:
        self._services = services
        self._lease = lease
        self._loop = asyncio.get_running_loop()
        self._newest: tuple[float, int] | None = None
        self._saved_at = time.monotonic()
        self._timer: asyncio.TimerHandle | None = None
        self._saving: asyncio.Task[None] | None = None
        self._is_over = False

    def keep(self, fraction: float, seq: int) -> None:
        self._newest = (fraction, seq)
        self._save_when_due()

    def end(self) -> None:
        self._is_over = True
        if self._timer is not None:
            self._timer.cancel()

    async def saved(self) -> None:
        """Wait for what is being saved."""
        if self._saving is not None:
            await asyncio.wait({self._saving})

    def _save_when_due(self) -> None:
        if self._timer is None and self._saving is None and not self._is_over:
            due_s = self._saved_at + SAVED_EVERY_S - time.monotonic()
            self._timer = self._loop.call_later(max(due_s, 0.0), self._begin)

    def _begin(self) -> None:
        self._timer = None
        self._saving = self._loop.create_task(self._save())

    async def _save(self) -> None:
        self._saved_at = time.monotonic()
        if (newest := self._take()) is not None:
            await self._save_newest(*newest)
        self._saving = None
        if self._newest is not None:
            self._save_when_due()

    def _take(self) -> tuple[float, int] | None:
        newest, self._newest = self._newest, None
        return newest

    async def _save_newest(self, fraction: float, seq: int) -> None:
        try:
            await self._services.store.save_progress(self._lease, fraction, seq)
        except Unavailable as error:
            _log.debug("progress of %s was not kept: %s", self._lease.task_id, error)
            self._newest = self._newest or (fraction, seq)
        except Exception:  # noqa: BLE001 - what is told on the way ends no work
            self._services.loops.failed("keeping progress")
