"""The `TaskStore` port on PostgreSQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import asyncpg

from genpulse.adapters.database import statements
from genpulse.adapters.database.beginning import Beginning, Start
from genpulse.adapters.database.coalescer import Coalescer
from genpulse.adapters.database.ending import End, Ending, add_assets
from genpulse.adapters.database.queue_entries import QueueEntries
from genpulse.adapters.database.rows import Row, asset_of, attempt_of, failure_document, task_of
from genpulse.adapters.database.submission import Submission
from genpulse.adapters.postgresql import outages
from genpulse.domain.asset import Asset
from genpulse.domain.attempt import Attempt, Begun, Claim, Lease, Outcome
from genpulse.domain.errors import BadInput, LeaseLost, NotRetryable, UnknownAsset, UnknownTask
from genpulse.domain.failure import Charged
from genpulse.domain.retry import deadline_exceeded
from genpulse.domain.task import NewTask, Submitted, Task, TaskQuery


@dataclass(frozen=True, slots=True)
class _Progress:
    lease: Lease
    progress: float
    seq: int


class PostgresTaskStore:
    """Implements `TaskStore`. Calls that come together are written, and read, together."""

    def __init__(self, pool: asyncpg.Pool, entries: QueueEntries) -> None:
        self._pool = pool
        self._entries = entries
        self._submission = Submission(pool, entries)
        self._submit: Coalescer[NewTask, Submitted] = Coalescer(
            self._submission.write, flights=2, alone=(BadInput,)
        )
        self._begin: Coalescer[Start, Begun | None] = Coalescer(Beginning(pool, entries).write)
        self._finish: Coalescer[End, int] = Coalescer(Ending(pool, entries).write)
        self._progress: Coalescer[_Progress, None] = Coalescer(self._write_progress)
        self._read: Coalescer[UUID, Task] = Coalescer(self._read_tasks, flights=2)

    async def submit(self, task: NewTask) -> Submitted:
        """Write the row and its queue entry in one commit; return after it."""
        return await self._submit(task)

    async def earlier(self, task: NewTask) -> Submitted | None:
        """The task that was submitted before under the same idempotency key, if any."""
        return await self._submission.earlier(task)

    async def submit_batch(self, tasks: Sequence[NewTask]) -> tuple[Submitted, ...]:
        """The same for several: all of them or none."""
        answers = await self._submission.write(tasks, all_or_none=True)
        return tuple(answer for answer in answers if isinstance(answer, Submitted))

    async def get(self, task_id: UUID) -> Task:
        """Raises `UnknownTask`."""
        return await self._read(task_id)

    async def _read_tasks(self, ids: Sequence[UUID]) -> Sequence[Task | Exception]:
        tasks = {row["id"]: task_of(row) for row in await self._fetch(statements.GET, list(set(ids)))}
        return [tasks.get(task_id) or UnknownTask(task_id) for task_id in ids]

    async def find(self, query: TaskQuery) -> tuple[Task, ...]:
        """A page of tasks, newest first."""
        statement, values = statements.find(query)
        rows = await self._fetch(statement, *values)
        return tuple(task_of(row) for row in rows)

    async def attempts(self, task_id: UUID) -> tuple[Attempt, ...]:
        """All attempts of a task, oldest first."""
        return tuple(attempt_of(row) for row in await self._fetch(statements.ATTEMPTS, task_id))

    async def begin(self, claim: Claim, *, attempt_id: UUID, worker: str, now: datetime) -> Begun | None:
        """Start an attempt on what was claimed, or drop the queue entry and return None."""
        return await self._begin(Start(claim, attempt_id, worker, now))

    async def journal_submitting(self, lease: Lease, now: datetime) -> None:
        """Commit that the provider is about to be asked. Raises `LeaseLost`."""
        await self._journal(lease, now, None)

    async def journal_job(self, lease: Lease, job_id: str) -> None:
        """Commit the provider's job id. Raises `LeaseLost`."""
        await self._journal(lease, None, job_id)

    async def _journal(self, lease: Lease, submitting_at: datetime | None, job_id: str | None) -> None:
        written = await self._fetch(statements.JOURNAL, lease.task_id, lease.attempt_id, submitting_at, job_id)
        if not written:
            raise LeaseLost("the task has another lease")

    async def save_progress(self, lease: Lease, progress: float, seq: int) -> None:
        """Keep how far the work has come."""
        await self._progress(_Progress(lease, progress, seq))

    async def _write_progress(self, saves: Sequence[_Progress]) -> Sequence[None]:
        newest = list({save.lease.attempt_id: save for save in saves}.values())
        await self._fetch(
            statements.SAVE_PROGRESS,
            [save.lease.task_id for save in newest],
            [save.lease.attempt_id for save in newest],
            [save.progress for save in newest],
            [save.seq for save in newest],
        )
        return [None] * len(saves)

    async def finish(self, lease: Lease, outcome: Outcome, now: datetime) -> int:
        """End the attempt, move the task, and settle its queue entry, in one commit. Raises `LeaseLost`.

        Returns the number of the event that tells it.
        """
        return await self._finish(End(lease, outcome, now))

    async def cancel(self, task_id: UUID, now: datetime) -> Task:
        """End a queued task, ask the worker of a running one to stop, leave an ended one as it is."""
        with outages():
            async with self._pool.acquire() as connection, connection.transaction():
                row = await connection.fetchrow(statements.CANCEL, task_id, now)
                if row is not None and row["status"] == "running":
                    await self._entries.announce_cancellation(connection, task_id)
        return task_of(row) if row is not None else await self.get(task_id)

    async def retry(self, task_id: UUID, now: datetime) -> Task:  # noqa: ARG002 - the port's signature
        """Queue a failed task again, in one commit. Raises `UnknownTask`, `NotRetryable`."""
        with outages():
            async with self._pool.acquire() as connection, connection.transaction():
                row = await connection.fetchrow(statements.RETRY, task_id)
                if row is not None:
                    await self._entries.add(connection, [(row["provider"], task_id, row["priority"])])
                    return task_of(row)
        raise NotRetryable(task_id, (await self.get(task_id)).status)

    async def cancel_requested(self, task_ids: Sequence[UUID]) -> frozenset[UUID]:
        """Which of these running tasks somebody wants to stop."""
        rows = await self._fetch(statements.CANCEL_REQUESTED, task_ids)
        return frozenset(row["id"] for row in rows)

    async def expire(self, now: datetime) -> tuple[Task, ...]:
        """End the queued tasks whose deadline has passed (at most 1,000 at a time) and return them."""
        error = failure_document(deadline_exceeded(Charged.NO))
        return tuple(task_of(row) for row in await self._fetch(statements.EXPIRE, now, error))

    async def spent_usd(self, since: datetime) -> Decimal:
        """What the tasks that were submitted since then cost, in US dollars."""
        with outages():
            return Decimal(await self._pool.fetchval(statements.SPENT, since))

    async def add_asset(self, asset: Asset) -> None:
        """Keep an asset's identity; its bytes are stored already."""
        with outages():
            async with self._pool.acquire() as connection:
                await add_assets(connection, [asset])

    async def asset(self, asset_id: UUID) -> Asset:
        """Raises `UnknownAsset`."""
        for row in await self._fetch(statements.ASSET, asset_id):
            return asset_of(row)
        raise UnknownAsset(asset_id)

    async def counts(self) -> dict[str, int]:
        """How many tasks there are in each state that has not ended."""
        rows = await self._fetch(statements.COUNTS)
        return {"queued": 0, "running": 0, **{row["status"]: row["count"] for row in rows}}

    async def _fetch(self, statement: str, *arguments: object) -> Sequence[Row]:
        with outages():
            rows: Sequence[Row] = await self._pool.fetch(statement, *arguments)
            return rows

    async def close(self) -> None:
        """Wait for what is being written. The pool stays open; it belongs to whoever opened it."""
        for coalescer in (self._submit, self._begin, self._finish, self._progress, self._read):
            await coalescer.close()
