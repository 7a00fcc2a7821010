"""Letting the price of a task that runs count today: calls that come together are looked up together."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import asyncpg

from genpulse.adapters.database.coalescer import Coalescer
from genpulse.adapters.database.money.spending_counters import (
    DAY,
    TODAY,
    check_counted,
    check_now,
    counted,
    lock_months,
    today,
)
from genpulse.adapters.database.statements.ledger import entered, priced
from genpulse.adapters.database.tasks.rows import uuid_of
from genpulse.adapters.postgresql.connections import in_transaction, outages
from genpulse.domain.money.allowance import BudgetScope, ScopeKind
from genpulse.domain.money.spending import SpendingLimits
from genpulse.domain.money.wish import Today, Wish
from genpulse.domain.task import Task


def _is_elsewhere(scope: str) -> str:
    """Not where the provider of a task counts.

    What an open order has settled may be refunded, and has to be there.
    """
    is_missing = f"{scope} <> ALL(coalesce(budget_scopes, '{{}}'))"
    return f"({scope} IS NOT NULL AND {is_missing} AND order_settled_usd IS NULL)"


_STANDINGS = f"""
SELECT asked.task_id, asked.scope, price_usd, {DAY} < {TODAY} OR {_is_elsewhere("asked.scope")} AS moves
FROM unnest($1::uuid[], $2::text[]) AS asked(task_id, scope) JOIN tasks ON tasks.id = asked.task_id
"""  # noqa: S608 - our own names

_WITHOUT_PROVIDER = (
    "ARRAY(SELECT scope FROM unnest(budget_scopes) AS scope WHERE NOT starts_with(scope, 'provider:'))"
)
"""A task that has gone on at another provider of its route counts there, once that is to be paid."""

_OF_EARLIER_DAY = f"(SELECT * FROM late WHERE day < {TODAY}) AS earlier"  # noqa: S608 - our own names

_CARRIED = f"""
({priced(_OF_EARLIER_DAY, usd="-price_usd")}
 UNION ALL {priced(_OF_EARLIER_DAY, usd="price_usd", held_usd="NULL::numeric", day=TODAY)})
"""

_CARRY = f"""
WITH late AS (
SELECT id, attempt, provider, model, environment, {DAY} AS day, owner, price_usd, budget_scopes AS scopes,
       CASE WHEN {_is_elsewhere("$2::text")} THEN array_append({_WITHOUT_PROVIDER}, $2) ELSE budget_scopes END
       AS new_scopes
FROM tasks
WHERE id = $1 AND status = 'running'
  AND ({DAY} < {TODAY} OR {_is_elsewhere("$2::text")})
FOR UPDATE),
moved AS (
UPDATE tasks SET spent_day = {TODAY}, budget_scopes = late.new_scopes FROM late WHERE tasks.id = late.id),
changes AS (
SELECT day, owner, scopes, -price_usd AS usd, 0 AS tasks, 0 AS active FROM late WHERE price_usd IS NOT NULL
UNION ALL
SELECT {TODAY}, owner, new_scopes, price_usd, 0, 0 FROM late WHERE price_usd IS NOT NULL),
{entered(_CARRIED)},
{counted("changes")}
SELECT count(*) FROM late
"""  # noqa: S608 - our own names
"""A task of an earlier day, or of a provider that had no budget, counts today from now on, as it is to cost."""


@dataclass(frozen=True, slots=True)
class _Question:
    """A task, and the counter of its provider where providers are counted."""

    task_id: UUID
    scope: str | None


@dataclass(frozen=True, slots=True)
class _Standing:
    """The price of a task, and whether it counts on another day, or elsewhere, than it is to."""

    price_usd: Decimal | None
    moves: bool


@dataclass(frozen=True, slots=True)
class _Counters:
    """What a wish is held to; of the month only where `months` is set."""

    names: frozenset[str]
    months: bool


class HeldPrices:
    """Prices of tasks that are about to be paid for."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._standing: Coalescer[_Question, _Standing | None] = Coalescer(self._standings, flights=2)
        self._today: Coalescer[_Counters, Today] = Coalescer(self._figures, flights=2)

    async def hold(self, task: Task, limits: SpendingLimits) -> None:
        """Let the price of a task that runs stand among what today costs.

        Raises `BudgetExceeded`, `KeyLimitExceeded`, with what the others cost; one of an earlier day counts then
        where it did. Raises `DatabaseUnavailable`.
        """
        scope = BudgetScope(ScopeKind.PROVIDER, task.provider).counter if limits.has_budgets else None
        standing = await self._standing(_Question(task.id, scope))
        if standing is None or not (standing.price_usd or task.route):
            return
        wish = Wish.of([task], limits, again=True, queued=False)
        if standing.moves:
            await self._carry(task, scope, wish, limits)
        else:
            check_counted(wish, await self._today(_Counters(wish.counters, limits.looks_at_months)))

    async def _carry(self, task: Task, scope: str | None, wish: Wish, limits: SpendingLimits) -> None:
        async def carry(connection: asyncpg.Connection) -> None:
            await lock_months(connection, [limits])
            await connection.execute(_CARRY, task.id, scope)
            await check_now(connection, wish, limits)

        await in_transaction(self._pool, carry)

    async def _standings(self, questions: Sequence[_Question]) -> Sequence[_Standing | None]:
        columns = [one.task_id for one in questions], [one.scope for one in questions]
        with outages():
            rows = await self._pool.fetch(_STANDINGS, *columns)
        by_question = {
            _Question(uuid_of(row["task_id"]), row["scope"]): _Standing(row["price_usd"], row["moves"])
            for row in rows
        }
        return [by_question.get(one) for one in questions]

    async def _figures(self, counters: Sequence[_Counters]) -> Sequence[Today]:
        names = frozenset[str]().union(*(one.names for one in counters))
        with outages():
            figures = await today(self._pool, names, months=any(one.months for one in counters))
        return [figures] * len(counters)

    async def close(self) -> None:
        """Wait for what is being read."""
        await self._standing.close()
        await self._today.close()
