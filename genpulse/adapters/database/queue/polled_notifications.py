"""What is told by LISTEN/NOTIFY elsewhere, found by looking: for poolers that keep no session to listen in."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import asyncpg

from genpulse.adapters.database.statements.waiting import UNWANTED
from genpulse.adapters.database.tasks.rows import uuid_of
from genpulse.adapters.postgresql.connections import outages
from genpulse.domain.attempt import Worker
from genpulse.ports import TaskNotification

LOOK_S = 0.5
"""Seconds after which the queue is looked at again while nothing was found in it."""

_log = logging.getLogger(__name__)


class PolledNotifications:
    """Stands in for `NotificationListener`. Of callbacks of vendors nothing is heard: their jobs are polled."""

    def __init__(self, pool: asyncpg.Pool, *, look_s: float = LOOK_S) -> None:
        self._pool = pool
        self._look_s = look_s
        self._is_told = False
        self.mark = 0

    def listen(self) -> None:
        """Say once that nobody listens."""
        if not self._is_told:
            self._is_told = True
            _log.warning(
                "The queue is looked at every %g s: database.pooler is transaction, and database.listen_url is"
                " empty, so nothing tells when there is work.",
                self._look_s,
            )

    async def news(self, _mark: int, _providers: Sequence[str], timeout_s: float) -> bool:
        """After `timeout_s` seconds, or when it is time to look, which may find something or not."""
        await asyncio.sleep(min(timeout_s, self._look_s))
        return timeout_s > self._look_s

    async def of(self, worker: Worker) -> AsyncIterator[TaskNotification]:
        """Tasks that this worker holds and nobody wants any more, each once."""
        self.listen()
        before: set[UUID] = set()
        while True:
            with outages():
                rows = await self._pool.fetch(UNWANTED, worker.id)
            unwanted = {uuid_of(row["task_id"]) for row in rows}
            for task_id in unwanted - before:
                yield TaskNotification(task_id, unwanted=True)
            before = unwanted
            await asyncio.sleep(self._look_s)

    async def close(self) -> None:
        """Nothing is open."""
