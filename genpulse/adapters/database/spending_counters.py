"""Daily spending counters, changed by the statement that changes the tasks.

A row of `spending` is what one owner's tasks have come to on a day (UTC) of the database; the owner '' is all of
them together. How many of an owner's tasks live is on its row of no day. Counters are locked after the tasks that
a statement changes and in the order of their key, so that no two statements wait for each other.
"""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

import asyncpg

from genpulse.adapters.database.statements.ledger import entered, priced
from genpulse.adapters.postgresql.connections import in_transaction
from genpulse.domain.keys.api_key import KeyUsage
from genpulse.domain.money.spending import SpendingLimits, Today, Wish
from genpulse.domain.task import Task

TODAY = "(now() AT TIME ZONE 'utc')::date"

DAY = "coalesce(tasks.spent_day, (tasks.created_at AT TIME ZONE 'utc')::date)"
"""On which day a task counts: the one on which it was written, until it is paid for on a later one."""

NO_DAY = "'-infinity'::date"


def counted(changes: str) -> str:
    """A CTE that adds up the rows of another one: `day`, `owner`, `usd`, `tasks` and `active`, all but null.

    Where nothing changes no row is written, and none is locked.
    """
    return f"""
counted AS (
INSERT INTO spending AS stands (day, owner, usd, tasks, active)
SELECT place.day, place.owner, sum(place.usd), sum(place.tasks), sum(place.active)
FROM {changes} AS change CROSS JOIN LATERAL (VALUES
     (change.day, '', change.usd, 0, 0),
     (change.day, nullif(change.owner, ''), change.usd, change.tasks, 0),
     ({NO_DAY}, nullif(change.owner, ''), 0, 0, change.active)) AS place(day, owner, usd, tasks, active)
WHERE place.owner IS NOT NULL AND (place.usd <> 0 OR place.tasks <> 0 OR place.active <> 0)
GROUP BY place.day, place.owner ORDER BY place.day, place.owner
ON CONFLICT (day, owner) DO UPDATE
SET usd = stands.usd + excluded.usd, tasks = stands.tasks + excluded.tasks,
    active = stands.active + excluded.active)
"""  # noqa: S608 - our own names


_FIGURES = f"""
SELECT wanted.owner, coalesce(today.usd, 0) AS usd, coalesce(today.tasks, 0) AS tasks,
       coalesce(always.active, 0) AS active,
       ceil(extract(epoch FROM ({TODAY} + 1)::timestamp - (now() AT TIME ZONE 'utc')))::int AS left_s
FROM unnest($1::text[]) AS wanted(owner)
LEFT JOIN spending AS today ON today.day = {TODAY} AND today.owner = wanted.owner
LEFT JOIN spending AS always ON always.day = {NO_DAY} AND always.owner = wanted.owner
"""  # noqa: S608 - our own names

_PRICE = f"SELECT price_usd, {DAY} < {TODAY} AS late FROM tasks WHERE id = $1"  # noqa: S608 - our own names

_CARRIED = f"""
({priced("late", usd="-price_usd")}
 UNION ALL {priced("late", usd="price_usd", held_usd="NULL::numeric", day=TODAY)})
"""
_CARRY = f"""
WITH late AS (
SELECT id, attempt, provider, model, environment, {DAY} AS day, owner, price_usd
FROM tasks WHERE id = $1 AND status = 'running' AND {DAY} < {TODAY}
FOR UPDATE),
moved AS (
UPDATE tasks SET spent_day = {TODAY} FROM late WHERE tasks.id = late.id),
changes AS (
SELECT day, owner, -price_usd AS usd, 0 AS tasks, 0 AS active FROM late WHERE price_usd IS NOT NULL
UNION ALL
SELECT {TODAY}, owner, price_usd, 0, 0 FROM late WHERE price_usd IS NOT NULL),
{entered(_CARRIED)},
{counted("changes")}
SELECT count(*) FROM late
"""  # noqa: S608 - our own names
"""A task of an earlier day counts today from now on, with what it is about to cost."""


async def today(connection: asyncpg.Connection | asyncpg.Pool, owners: Sequence[str] = ()) -> Today:
    """What is counted by now, of all and of these owners."""
    rows = await connection.fetch(_FIGURES, list({"", *owners}))
    usage = {row["owner"]: KeyUsage(row["active"], row["tasks"], row["usd"]) for row in rows}
    return Today(rows[0]["left_s"], usage.pop("").today_usd, usage)


async def check_again(connection: asyncpg.Connection, task: Task, limits: SpendingLimits) -> None:
    """A task that was just queued again has to fit, else the transaction must not be committed.

    Raises `BudgetExceeded`, `KeyLimitExceeded`.
    """
    wish = Wish.of_retry(task, limits)
    if wish.is_bound:
        _check(wish, await today(connection, [task.owner]))


async def hold_price(pool: asyncpg.Pool, task_id: UUID, daily_usd: Decimal) -> None:
    """Let the price of a task that runs stand among what today costs.

    Raises `BudgetExceeded`, with what the others cost; one of an earlier day counts then where it did.
    """
    row = await pool.fetchrow(_PRICE, task_id)
    if row is None or not row["price_usd"]:
        return
    wish = Wish("", SpendingLimits(daily_usd), row["price_usd"])
    if not row["late"]:
        _check(wish, await today(pool))
        return

    async def carry(connection: asyncpg.Connection) -> None:
        await connection.execute(_CARRY, task_id)
        _check(wish, await today(connection))

    await in_transaction(pool, carry)


def _check(wish: Wish, now: Today) -> None:
    """What is wished for is among what is counted now."""
    if refusal := wish.refusal(wish.added(now, -1)):
        raise refusal
