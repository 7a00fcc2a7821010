"""The `BatchStore` port on PostgreSQL."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from genpulse.adapters.database.statements import batches
from genpulse.adapters.database.tasks.rows import Row, uuid_of
from genpulse.adapters.postgresql.connections import outages
from genpulse.domain.errors import UnknownBatch
from genpulse.domain.money.cost import Cost
from genpulse.domain.task import TaskStatus
from genpulse.domain.task_batch import BatchQuery, TaskBatch, TaskEnd


class PostgresBatches:
    """Implements `BatchStore`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def get(self, batch_id: UUID) -> TaskBatch:
        """A batch as it stands. Raises `UnknownBatch`."""
        for row in await self._fetch(batches.GET, batch_id):
            return _batch_of(row)
        raise UnknownBatch(batch_id)

    async def find(self, query: BatchQuery) -> tuple[TaskBatch, ...]:
        """A page of batches, newest first."""
        values = [query.before, query.limit]
        if query.owner is None:
            rows = await self._fetch(batches.PAGE, *values)
        else:
            rows = await self._fetch(batches.PAGE_OF_OWNER, *values, query.owner)
        return tuple(_batch_of(row) for row in rows)

    async def ends(self, batch_id: UUID) -> tuple[TaskEnd, ...]:
        """Which of its tasks have ended, in the order of their ends."""
        rows = await self._fetch(batches.ENDS, batch_id)
        return tuple(TaskEnd(row["finished_at"], uuid_of(row["id"])) for row in rows)

    async def _fetch(self, statement: str, *arguments: object) -> Sequence[Row]:
        with outages():
            rows: Sequence[Row] = await self._pool.fetch(statement, *arguments)
            return rows


def _batch_of(row: Row) -> TaskBatch:
    amount = row["amount_usd"]
    return TaskBatch(
        id=uuid_of(row["id"]),
        environment=row["environment"],
        owner=row["owner"],
        created_at=row["created_at"],
        size=row["size"],
        statuses={status: row[status.value] for status in TaskStatus if row[status.value]},
        retryable=row["retryable"],
        cost=None if amount is None else Cost(amount, row["estimated"]),
        last_end_at=row["last_end_at"],
    )
