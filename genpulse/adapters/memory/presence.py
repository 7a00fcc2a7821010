"""Which workers are in this process."""

import time
from collections.abc import Callable

from genpulse.ports import WorkerPresence


class MemoryPresence:
    """Implements `Presence`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._workers: dict[str, tuple[float, WorkerPresence]] = {}

    async def beat(self, worker: WorkerPresence, ttl_s: float) -> None:
        """Be seen for `ttl_s` seconds."""
        self._workers[worker.name] = (self._clock() + ttl_s, worker)

    async def workers(self) -> tuple[WorkerPresence, ...]:
        """Those that were seen."""
        now = self._clock()
        return tuple(worker for until, worker in self._workers.values() if until > now)
