"""The `BudgetStore` port on PostgreSQL."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from genpulse.adapters.database.money.spending_counters import MONTH, NO_DAY
from genpulse.adapters.database.tasks.rows import Row, uuid_of
from genpulse.adapters.postgresql.connections import outages
from genpulse.domain.money.allowance import Period
from genpulse.domain.money.budget_warning import BudgetWarning
from genpulse.domain.retention import Batch, Pruned

_NOTE = """
INSERT INTO budget_warnings (id, counter, period, begins, body, next_try_at)
SELECT *, CASE WHEN $6::bool THEN now() END
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::date[], $5::text[])
ORDER BY 2, 3, 4
ON CONFLICT (counter, period, begins) DO NOTHING RETURNING id
"""
_DUE = """
UPDATE budget_warnings SET next_try_at = now() + greatest($2 * interval '1 s', (now() - noted_at) / 4)
WHERE id IN (SELECT id FROM budget_warnings WHERE next_try_at <= now()
             ORDER BY next_try_at LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING id, counter, period, begins, body
"""
_TOLD = "UPDATE budget_warnings SET next_try_at = NULL WHERE id = $1"
# Rows that somebody else holds are left out: whoever waits for one of many would have to take them in order.
_PRUNE = f"""
WITH old AS MATERIALIZED (
SELECT day, owner FROM spending
WHERE CASE WHEN starts_with(owner, 'client_token:') THEN active = 0 AND NOT EXISTS (
                SELECT FROM client_tokens WHERE 'client_token:' || client_tokens.id::text = spending.owner)
           WHEN day = {NO_DAY} THEN active = 0 AND starts_with(owner, 'customer:')
           WHEN starts_with(owner, 'customer:') THEN day < {MONTH}
           ELSE day < {MONTH} - interval '1 month' END
LIMIT $1 FOR UPDATE SKIP LOCKED),
forgotten AS (
DELETE FROM budget_warnings WHERE begins < {MONTH} - interval '1 month')
DELETE FROM spending USING old WHERE spending.day = old.day AND spending.owner = old.owner
"""  # noqa: S608 - our own names


class PostgresBudgets:
    """Implements `BudgetStore`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def note(self, warnings: Sequence[BudgetWarning], *, tell: bool) -> tuple[BudgetWarning, ...]:
        """Keep those of which there was none in their period, and return them."""
        if not warnings:
            return ()
        columns = (
            [warning.id for warning in warnings],
            [warning.counter for warning in warnings],
            [warning.period.value for warning in warnings],
            [warning.begins for warning in warnings],
            [warning.body for warning in warnings],
        )
        with outages():
            new = {row["id"] for row in await self._pool.fetch(_NOTE, *columns, tell)}
        return tuple(warning for warning in warnings if warning.id in new)

    async def due(self, limit: int, held_s: float) -> tuple[BudgetWarning, ...]:
        """Take some of which somebody is to be told."""
        with outages():
            return tuple(_warning_of(row) for row in await self._pool.fetch(_DUE, limit, held_s))

    async def told(self, warning_id: UUID) -> None:
        """Somebody was told."""
        with outages():
            await self._pool.execute(_TOLD, warning_id)

    async def prune(self, limit: int) -> Batch:
        """Remove counters and warnings of periods that are over."""
        with outages():
            done: str = await self._pool.execute(_PRUNE, limit)
        return Batch(Pruned(), more=int(done.rpartition(" ")[2]) == limit)


def _warning_of(row: Row) -> BudgetWarning:
    return BudgetWarning(uuid_of(row["id"]), row["counter"], Period(row["period"]), row["begins"], row["body"])
