"""In-memory implementation of `Presence`."""

import time
from collections.abc import Callable

from genpulse.ports import WorkerPresence


class MemoryPresence:
    """Implements `Presence`. `clock` counts seconds and never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._workers: dict[str, tuple[float, WorkerPresence]] = {}

    async def beat(self, worker: WorkerPresence, ttl_s: float) -> None:
        """Be seen for `ttl_s` seconds, which is more than 0."""
        now = self._clock()
        self._workers = {name: entry for name, entry in self._workers.items() if entry[0] > now}
        self._workers[worker.name] = (now + ttl_s, worker)

    async def workers(self) -> tuple[WorkerPresence, ...]:
        """Those that were seen, sorted by name."""
        now = self._clock()
        return tuple(worker for _, (until, worker) in sorted(self._workers.items()) if until > now)
