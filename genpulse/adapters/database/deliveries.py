"""Messages about ended tasks, kept in PostgreSQL.

A trigger writes each in the very statement that ends its task, whichever statement that is.
"""

from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from genpulse.adapters.database.rows import Row, task_of, uuid_of
from genpulse.adapters.postgresql import outages
from genpulse.domain.delivery import Answer, Delivery
from genpulse.domain.errors import UnknownDelivery
from genpulse.domain.task import Task

_DUE = """
WITH due AS (
    UPDATE deliveries SET next_try_at = $2
    WHERE id IN (SELECT id FROM deliveries WHERE next_try_at <= $1 ORDER BY next_try_at LIMIT $3
                 FOR UPDATE SKIP LOCKED)
    RETURNING *
)
SELECT due.id AS delivery_id, due.type, due.url, due.created_at AS noted_at, due.tries, due.status_code,
       due.last_error, due.next_try_at, due.delivered_at, told.*
FROM due, LATERAL jsonb_populate_record(NULL::tasks, due.task) AS told
"""
_TAKEN = """
UPDATE deliveries SET tries = tries + 1, status_code = $2, last_error = '', next_try_at = NULL, delivered_at = $3
WHERE id = $1
"""
_NOT_TAKEN = """
UPDATE deliveries SET tries = tries + 1, status_code = $2, last_error = $3, next_try_at = $4
WHERE id = $1 AND delivered_at IS NULL
"""
_COLUMNS = """
SELECT id AS delivery_id, task_id, type, url, created_at AS noted_at, tries, status_code, last_error, next_try_at,
       delivered_at FROM deliveries
"""
_OF_TASK = f"{_COLUMNS} WHERE task_id = $1 ORDER BY created_at, id"
_AGAIN = """
UPDATE deliveries SET next_try_at = $3, delivered_at = NULL WHERE id = $1 AND task_id = $2
RETURNING id AS delivery_id, task_id, type, url, created_at AS noted_at, tries, status_code, last_error,
          next_try_at, delivered_at
"""


class PostgresDeliveries:
    """Implements `DeliveryStore`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def due(self, now: datetime, limit: int, held_s: float) -> tuple[tuple[Delivery, Task], ...]:
        """Take what is due, so that nobody else sends it for `held_s` seconds."""
        with outages():
            rows = await self._pool.fetch(_DUE, now, now + timedelta(seconds=held_s), limit)
        return tuple((_delivery_of(row, row["id"]), task_of(row)) for row in rows)

    async def taken(self, delivery_id: UUID, answer: Answer, now: datetime) -> None:
        """It was received."""
        with outages():
            await self._pool.execute(_TAKEN, delivery_id, answer.status_code, now)

    async def not_taken(self, delivery_id: UUID, answer: Answer, next_try_at: datetime | None) -> None:
        """It was not received; without another try it is given up."""
        with outages():
            await self._pool.execute(_NOT_TAKEN, delivery_id, answer.status_code, answer.error, next_try_at)

    async def of_task(self, task_id: UUID) -> tuple[Delivery, ...]:
        """All about one task, oldest first."""
        with outages():
            rows = await self._pool.fetch(_OF_TASK, task_id)
        return tuple(_delivery_of(row, row["task_id"]) for row in rows)

    async def again(self, task_id: UUID, delivery_id: UUID, now: datetime) -> Delivery:
        """Send it again as soon as possible. Raises `UnknownDelivery`."""
        with outages():
            row = await self._pool.fetchrow(_AGAIN, delivery_id, task_id, now)
        if row is None:
            raise UnknownDelivery(delivery_id)
        return _delivery_of(row, row["task_id"])


def _delivery_of(row: Row, task_id: UUID) -> Delivery:
    return Delivery(
        id=uuid_of(row["delivery_id"]),
        task_id=uuid_of(task_id),
        type=row["type"],
        url=row["url"],
        created_at=row["noted_at"],
        tries=row["tries"],
        status_code=row["status_code"],
        error=row["last_error"],
        next_try_at=row["next_try_at"],
        delivered_at=row["delivered_at"],
    )
