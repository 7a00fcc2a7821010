"""The `TaskQueue` port on the table `queue`."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg

from genpulse.adapters.database.queue.notifications import NotificationListener
from genpulse.adapters.database.queue.polled_notifications import PolledNotifications
from genpulse.adapters.database.statements import waiting
from genpulse.adapters.postgresql.connections import outages
from genpulse.background.loops import Loops
from genpulse.domain.attempt import Worker
from genpulse.domain.search.backlog import Backlog
from genpulse.domain.search.queue_load import COUNTED_AT_MOST, QueueLoad
from genpulse.domain.task import Priority
from genpulse.ports import QueueMark, TaskNotification

_SHORTEST_S = 0.02
_BUSY_S = 0.05
"""While work comes more often than that, looking at it finds what is due as well."""


class PostgresTaskQueue:
    """Implements `TaskQueue`.

    `limits` is how many tasks of a provider may run at once over all workers; one that is not in it has no limit.
    `url` is where somebody listens to the queue; with None, as behind a pooler that keeps no session, it is looked
    at again and again.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        url: str | None,
        *,
        limits: Mapping[str, int] | None = None,
        environment: str | None = None,
        loops: Loops | None = None,
    ) -> None:
        self._pool = pool
        self._limits = limits or {}
        self._notifications: NotificationListener | PolledNotifications = (
            PolledNotifications(pool) if url is None else NotificationListener(url, environment, loops or Loops())
        )

    def limited(self, provider: str) -> bool:
        """Whether only so many tasks of this provider may run at once."""
        return provider in self._limits

    async def due(self, providers: Sequence[str]) -> tuple[str, ...]:
        """Which of these providers have a new task that is due and has a free seat."""
        seats = [self._limits.get(provider) for provider in providers]
        with outages():
            rows = await self._pool.fetch(waiting.LIMITED_DUE, list(providers), seats)
        return tuple(row["provider"] for row in rows)

    async def running(self, provider: str) -> int:
        """How many tasks of this provider have seats."""
        with outages():
            return int(await self._pool.fetchval(waiting.RUNNING, provider))

    async def promote(self, older_than_s: float) -> int:
        """Give tasks that wait for so many seconds the next higher priority."""
        with outages():
            answer = await self._pool.execute(waiting.PROMOTE, timedelta(seconds=older_than_s))
        return int(answer.rpartition(" ")[2])

    async def workers(self) -> int:
        """How many workers are there."""
        with outages():
            return int(await self._pool.fetchval(waiting.WORKERS))

    def mark(self) -> QueueMark:
        """What `wait` is told."""
        return QueueMark(self._notifications.mark, time.monotonic())

    async def wait(self, mark: QueueMark, providers: Sequence[str], timeout_s: float) -> None:
        """Return when there may be something to claim that was not there at `mark`."""
        self._notifications.listen()
        busy_s = min(_BUSY_S, timeout_s)
        if await self._notifications.news(mark.number, providers, busy_s) or busy_s == timeout_s:
            return
        left_s = timeout_s - busy_s
        asked_at = time.monotonic()
        with outages():
            due_s = await self._pool.fetchval(waiting.NEXT_DUE, list(providers), left_s, asked_at - mark.at)
            took_s = time.monotonic() - asked_at
        wait_s = left_s if due_s is None else max(due_s, _SHORTEST_S)
        if took_s > waiting.NEXT_DUE_MARGIN_S:  # what became due while it was asked is not in the answer
            wait_s = min(wait_s, took_s)
        await self._notifications.news(mark.number, providers, wait_s)

    def notifications(self, worker: Worker) -> AsyncIterator[TaskNotification]:
        """What others tell this worker about tasks that it holds."""
        return self._notifications.of(worker)

    async def announce_change(self, task_id: UUID) -> None:
        """Tell the worker that holds this task that something has happened to it at its provider."""
        with outages():
            await self._pool.execute(waiting.ANNOUNCE, task_id)

    async def backlogs(self) -> Mapping[str, Backlog]:
        """What waits of each provider of which something does."""
        with outages():
            rows = await self._pool.fetch(waiting.BACKLOGS)
        return {row["provider"]: Backlog(row["count"], row["overdue_s"]) for row in rows}

    async def loads(self) -> tuple[QueueLoad, ...]:
        """What waits and runs, by provider and priority."""
        with outages():
            rows = await self._pool.fetch(waiting.LOADS, list(Priority), COUNTED_AT_MOST)
        return tuple(
            QueueLoad(
                row["provider"],
                Priority(row["priority"]),
                row["waiting"],
                row["later"],
                row["running"],
                row["overdue_s"],
            )
            for row in rows
        )

    async def tidy(self) -> None:
        """Forget workers that are gone for long."""
        with outages():
            await self._pool.execute(waiting.TIDY)

    async def close(self) -> None:
        """Stop listening. The pool stays open; it belongs to whoever opened it."""
        await self._notifications.close()
