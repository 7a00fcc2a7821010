"""The `TaskQueue` port on PgQueuer's tables."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg
from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.domain.types import JobId, QueueEntrypoint, QueueManagerId
from pgqueuer.ports.repository import EntrypointExecutionParameter

from genpulse.adapters.postgresql import outages
from genpulse.adapters.queue import statements
from genpulse.adapters.queue.notices import CANCELED, CHANGED, LISTENER, Notices
from genpulse.adapters.queue.outage import Outage
from genpulse.adapters.queue.schema import queries
from genpulse.domain.attempt import Claim

_SHORTEST_S = 0.02


class PgTaskQueue:
    """Implements `TaskQueue`.

    `lease_s` is how long a claim lasts without renewal, in seconds. `limits` is how many entries of a
    provider may be held at once over all workers; a provider that is not in it has no limit.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        url: str,
        *,
        lease_s: float = 15.0,
        limits: Mapping[str, int] | None = None,
        environment: str | None = None,
    ) -> None:
        self._pool = pool
        self._queries = queries(AsyncpgPoolDriver(pool))
        self._notices = Notices(url, environment)
        self._lease = timedelta(seconds=lease_s)
        self._limits = limits or {}
        self._worker = QueueManagerId(uuid.uuid4())
        self._providers: set[QueueEntrypoint] = set()
        self._outage = Outage()

    async def claim(self, providers: Sequence[str], limit: int) -> tuple[Claim, ...]:
        """At most `limit` entries of these providers that are due, higher priority first."""
        entrypoints = [QueueEntrypoint(provider) for provider in providers]
        self._providers.update(entrypoints)
        limits = {name: EntrypointExecutionParameter(self._limits.get(name, 0)) for name in entrypoints}
        with self._outage.watched(), outages():
            jobs = await self._queries.dequeue(
                batch_size=limit,
                entrypoints=limits,
                queue_manager_id=self._worker,
                global_concurrency_limit=None,
                heartbeat_timeout=self._lost_after,
            )
        return tuple(Claim(int(job.id), UUID(bytes=job.payload)) for job in jobs if job.payload)

    async def claim_resumed(self, providers: Sequence[str], limit: int) -> tuple[Claim, ...]:
        """At most `limit` entries of these providers whose work has begun."""
        with self._outage.watched(), outages():
            rows = await self._pool.fetch(
                statements.CLAIM_RESUMED, list(providers), limit, self._lost_after, self._worker
            )
        return tuple(Claim(row["id"], UUID(bytes=row["payload"])) for row in rows)

    @property
    def _lost_after(self) -> timedelta:
        return self._lease + timedelta(seconds=self._outage.forgiven_s(self._lease.total_seconds()))

    async def due(self, providers: Sequence[str]) -> tuple[str, ...]:
        """Which of these providers have an entry that could be claimed now, but for limits."""
        self._providers.update(QueueEntrypoint(provider) for provider in providers)
        with self._outage.watched(), outages():
            return tuple(row["entrypoint"] for row in await self._pool.fetch(statements.DUE, list(providers)))

    async def promote(self, older_than_s: float) -> int:
        """Give entries that wait for so many seconds the next higher priority."""
        with outages():
            answer = await self._pool.execute(statements.PROMOTE, timedelta(seconds=older_than_s))
        return int(answer.rpartition(" ")[2])

    async def workers(self) -> int:
        """How many processes wait for work, as PostgreSQL sees them."""
        with outages():
            return int(await self._pool.fetchval(statements.LISTENING, LISTENER))

    async def renew(self, tickets: Sequence[int]) -> None:
        """Hold these for another lease."""
        with outages():
            await self._queries.update_heartbeat([JobId(ticket) for ticket in tickets])

    async def wait(self, timeout_s: float) -> None:
        """Return when there may be something to claim, at the latest after `timeout_s` seconds."""
        self._notices.listen()
        with outages():
            eta = await self._queries.next_deferred_eta(sorted(self._providers)) if self._providers else None
        if eta is not None:
            timeout_s = min(timeout_s, max(eta.total_seconds(), _SHORTEST_S))
        try:
            async with asyncio.timeout(timeout_s):
                await self._notices.work.wait()
                self._notices.work.clear()
        except TimeoutError:
            return

    def cancellations(self) -> AsyncIterator[UUID]:
        """Tasks that somebody wants to stop, as they come."""
        return self._notices.tasks(CANCELED)

    async def announce_change(self, task_id: UUID) -> None:
        """Tell the workers that something has happened to this task at its provider."""
        with outages():
            await self._pool.execute("SELECT pg_notify($1, $2)", CHANGED, str(task_id))

    def changes(self) -> AsyncIterator[UUID]:
        """Tasks about which a provider has told something, as it comes."""
        return self._notices.tasks(CHANGED)

    async def depth(self) -> int:
        """How many entries wait."""
        with outages():
            return int(await self._pool.fetchval(statements.DEPTH))

    async def prune(self, older_than_s: float) -> None:
        """Forget what the queue keeps about entries that were settled longer ago."""
        with outages():
            await self._pool.execute(statements.PRUNE, timedelta(seconds=older_than_s))

    async def close(self) -> None:
        """Stop listening. The pool stays open; it belongs to whoever opened it."""
        await self._notices.close()
