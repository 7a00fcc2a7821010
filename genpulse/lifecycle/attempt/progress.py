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
    `TaskCanceled` in the engine once the run is to stop. `seq` is the number of the task's newest event.
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
        self._saved_at = time.monotonic()
        self._saving: asyncio.Task[None] | None = None
        self._waits_for: WaitsFor | None = None
        self._last_error: str | None = None

    def __call__(self, fraction: float, message: str | None = None) -> None:
        """Report that `fraction` (0.0 to 1.0) of the work is done."""
        if self._signal.why is not None:
            raise TaskCanceled
        self._loop.call_soon_threadsafe(self.tell, fraction, message)

    def tell(self, fraction: float, message: str | None = None) -> None:
        """Report progress from the event loop itself; never raises."""
        self._note(min(max(fraction, 0.0), 1.0) if fraction == fraction else 0.0, message)  # NaN

    def _note(self, fraction: float, message: str | None) -> None:
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
        if self._published_at - self._saved_at >= SAVED_EVERY_S and (self._saving is None or self._saving.done()):
            self._saved_at = self._published_at
            self._saving = self._loop.create_task(self._save(fraction, self._seq))

    async def _save(self, fraction: float, seq: int) -> None:
        try:
            await self._services.store.save_progress(self._lease, fraction, seq)
        except Unavailable as error:
            _log.debug("progress of %s was not kept: %s", self._lease.task_id, error)
        except Exception:  # noqa: BLE001 - what is told on the way ends no work
            self._services.loops.failed("keeping progress")

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

    async def close(self) -> None:
        """Publish nothing more. What is being saved is saved first, so that it cannot follow the end."""
        if self._timer is not None:
            self._timer.cancel()
        self._newest = None
        if self._saving is not None:
            await asyncio.wait({self._saving})
