"""Progress reports: to watchers at once, to the row now and then."""

import asyncio
import logging
import time
from collections.abc import Callable

from genpulse.domain.attempt import Begun
from genpulse.domain.errors import TaskCanceled, Unavailable
from genpulse.domain.event import TaskEvent
from genpulse.domain.failure import Failure
from genpulse.domain.task import WaitsFor
from genpulse.ports import Services

TOLD_EVERY_S = 0.05
SAVED_EVERY_S = 1.0

_log = logging.getLogger(__name__)


class ProgressReport:
    """The `Report` that an engine gets.

    Callable from any thread. What comes faster than it can be told is dropped, but for the newest. Raises
    `TaskCanceled` in the engine once `stopped()` is true.
    """

    def __init__(self, services: Services, begun: Begun, stopped: Callable[[], bool]) -> None:
        self._services = services
        self._begun = begun
        self._stopped = stopped
        self._loop = asyncio.get_running_loop()
        self._seq = begun.task.seq
        self._newest: tuple[float, str | None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._told_at = 0.0
        self._saved_at = time.monotonic()
        self._saving: asyncio.Task[None] | None = None
        self._waits_for: WaitsFor | None = None
        self._said: str | None = None

    def __call__(self, fraction: float, message: str | None = None) -> None:
        """Say that `fraction` (0.0 to 1.0) is done."""
        if self._stopped():
            raise TaskCanceled
        self._loop.call_soon_threadsafe(self.tell, fraction, message)

    def tell(self, fraction: float, message: str | None = None) -> None:
        """The same from the loop itself, and whether or not the work is to stop."""
        self._note(min(max(fraction, 0.0), 1.0) if fraction == fraction else 0.0, message)  # NaN

    def _note(self, fraction: float, message: str | None) -> None:
        self._newest = (fraction, message)
        if self._timer is None:
            due_s = self._told_at + TOLD_EVERY_S - time.monotonic()
            self._timer = self._loop.call_later(max(due_s, 0.0), self._tell)

    def _tell(self) -> None:
        self._timer = None
        if self._newest is None:
            return
        fraction, message = self._newest
        self._newest = None
        self._seq += 1
        self._told_at = time.monotonic()
        self._services.events.publish(TaskEvent(self._begun.task.id, self._seq, fraction, message))
        if self._told_at - self._saved_at >= SAVED_EVERY_S and (self._saving is None or self._saving.done()):
            self._saved_at = self._told_at
            self._saving = self._loop.create_task(self._save(fraction, self._seq))

    async def _save(self, fraction: float, seq: int) -> None:
        try:
            await self._services.store.save_progress(self._begun.lease, fraction, seq)
        except Unavailable as error:
            _log.debug("progress of %s was not kept: %s", self._begun.task.id, error)
        except Exception:  # noqa: BLE001 - what is told on the way ends no work
            self._services.loops.failed("keeping progress")

    async def wait_for(self, what: WaitsFor, error: Failure | None = None) -> None:
        """The task does not go on until `what` is there; `error` is what the last try said."""
        said = error.message if error else self._said
        if (what, said) != (self._waits_for, self._said):
            self._waits_for, self._said = what, said
            await self._save_waiting(what, error)

    async def go_on(self) -> None:
        """The task waits no more."""
        if self._waits_for is not None:
            self._waits_for = None
            await self._save_waiting(None, None)

    async def _save_waiting(self, what: WaitsFor | None, error: Failure | None) -> None:
        self._seq += 1
        seq, lease = self._seq, self._begun.lease
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
        """Tell nothing more. What is being saved is saved first, so that it cannot follow the end."""
        if self._timer is not None:
            self._timer.cancel()
        self._newest = None
        if self._saving is not None:
            await asyncio.wait({self._saving})
