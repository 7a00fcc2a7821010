"""Starting attempts, many in one commit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from genpulse.adapters.database import statements
from genpulse.adapters.database.queue_entries import QueueEntries
from genpulse.adapters.database.rows import attempt_of, task_of
from genpulse.adapters.postgresql import outages
from genpulse.domain.attempt import Attempt, AttemptStatus, Begun, Claim, Lease
from genpulse.domain.task import Task


@dataclass(frozen=True, slots=True)
class Start:
    """A claim, and the attempt that is to begin on it."""

    claim: Claim
    attempt_id: UUID
    worker: str
    now: datetime

    @property
    def client_reference(self) -> str:
        """By which a vendor can be asked about the job of this attempt."""
        return f"gp-{self.attempt_id.hex}"


class Beginning:
    """Begins batches of attempts."""

    def __init__(self, pool: asyncpg.Pool, entries: QueueEntries) -> None:
        self._pool = pool
        self._entries = entries

    async def write(self, starts: Sequence[Start]) -> Sequence[Begun | None]:
        """One commit; None where the queue entry was dropped. Raises `DatabaseUnavailable`."""
        with outages():
            async with self._pool.acquire() as connection:
                tasks = await self._move(connection, starts)
                previous = await self._previous(connection, tasks)
                begun = [_begun(start, tasks, previous) for start in starts]
                dropped = [start.claim for start, one in zip(starts, begun, strict=True) if one is None]
                if dropped:
                    await self._drop(connection, dropped, starts[0].now)
                return begun

    async def _move(self, connection: asyncpg.Connection, starts: Sequence[Start]) -> dict[UUID, Task]:
        """The tasks that are running now, by the id of their new attempt."""
        rows = await connection.fetch(
            statements.BEGIN,
            [start.claim.task_id for start in starts],
            [start.claim.ticket for start in starts],
            [start.attempt_id for start in starts],
            [start.now for start in starts],
            [start.worker for start in starts],
            [start.client_reference for start in starts],
        )
        return {row["lease"]: task_of(row) for row in rows}

    async def _previous(
        self, connection: asyncpg.Connection, tasks: Mapping[UUID, Task]
    ) -> Mapping[UUID, Attempt]:
        """By task, the attempt before this one where it did not come to an end."""
        ids = [task.id for task in tasks.values() if task.attempt > 1]
        if not ids:
            return {}
        rows = await connection.fetch(statements.PREVIOUS_ATTEMPTS, ids, list(tasks))
        attempts = [attempt_of(row) for row in rows]
        unfinished = {AttemptStatus.ABANDONED, AttemptStatus.RELEASED}
        return {attempt.task_id: attempt for attempt in attempts if attempt.status in unfinished}

    async def _drop(self, connection: asyncpg.Connection, claims: Sequence[Claim], now: datetime) -> None:
        ids, tickets = [claim.task_id for claim in claims], [claim.ticket for claim in claims]
        async with connection.transaction():
            canceled = await connection.fetch(statements.CANCEL_LOST, ids, tickets)
            await connection.execute(statements.ABANDON, [row["id"] for row in canceled], now)
            await self._entries.settle(connection, tickets)


def _begun(start: Start, tasks: Mapping[UUID, Task], previous: Mapping[UUID, Attempt]) -> Begun | None:
    task = tasks.get(start.attempt_id)
    if task is None:
        return None
    attempt = Attempt(
        id=start.attempt_id,
        task_id=task.id,
        number=task.attempt,
        provider=task.provider,
        model=task.model,
        worker=start.worker,
        client_reference=start.client_reference,
        started_at=start.now,
    )
    lease = Lease(task.id, start.attempt_id, start.claim.ticket)
    return Begun(lease, task, attempt, previous.get(task.id))
