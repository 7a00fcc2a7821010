"""Spending counters, changed by the statement that changes the tasks.

A row of `spending` is what the tasks of one scope have come to on a day (UTC) of the database. Its `owner` names
the scope: '' is all of them together, an id those of a key, `provider:…` those of a provider, and `customer:…`
those of an end customer of a key, `client_token:…` those of a client token; the last three are listed on the task
itself, so that whoever ends it takes away what was added. How many tasks of a key or a customer live is on its row
of no day, and of a client token everything is: it has no days. A month is the sum of its days.

Counters are locked after the tasks that a statement changes and in the order of their key, so that no two
statements wait for each other. The month of all, or of a provider, is looked at under a lock of its own, which is
taken before all others: two that are queued before and after midnight change different rows. Those of one key or
customer meet at its row of no day.
"""

from collections.abc import Collection, Iterable

import asyncpg

from genpulse.adapters.database.statements.ledger import entered, priced
from genpulse.adapters.database.tasks.rows import Row
from genpulse.adapters.postgresql.connections import in_transaction
from genpulse.domain.money.allowance import BudgetScope, ScopeKind, ScopeUsage
from genpulse.domain.money.spending import AnyTask, SpendingLimits
from genpulse.domain.money.wish import Today, Wish
from genpulse.domain.task import Task

TODAY = "(now() AT TIME ZONE 'utc')::date"

DAY = "coalesce(tasks.spent_day, (tasks.created_at AT TIME ZONE 'utc')::date)"
"""On which day a task counts: the one on which it was written, until it is paid for on a later one."""

NO_DAY = "'-infinity'::date"

MONTH = f"date_trunc('month', {TODAY}::timestamp)"

_DAYS_OF_MONTH = f"""
ARRAY(SELECT generate_series({MONTH}, {MONTH} + interval '1 month' - interval '1 day', interval '1 day')::date)
"""

_IS_CUSTOMER = "starts_with(scope, 'customer:')"

_IS_TOKEN = "starts_with(scope, 'client_token:')"  # noqa: S105 - a condition


def counted(changes: str) -> str:
    """A CTE that adds up the rows of another one: `day`, `owner`, `scopes`, `usd`, `tasks` and `active`.

    Only `owner` and `scopes`, which are the other counters of a task, may be null. Where nothing changes no row is
    written, and none is locked.
    """
    return f"""
counted AS (
INSERT INTO spending AS stands (day, owner, usd, tasks, active)
SELECT place.day, place.owner, sum(place.usd), sum(place.tasks), sum(place.active)
FROM {changes} AS change CROSS JOIN LATERAL (
     VALUES (change.day, '', change.usd, 0, 0),
            (change.day, nullif(change.owner, ''), change.usd, change.tasks, 0),
            ({NO_DAY}, nullif(change.owner, ''), 0, 0, change.active)
     UNION ALL
     SELECT {NO_DAY}, scope, change.usd, change.tasks, change.active
     FROM unnest(change.scopes) AS scope WHERE {_IS_TOKEN}
     UNION ALL
     SELECT CASE WHEN is_active THEN {NO_DAY} ELSE change.day END, scope,
            CASE WHEN is_active THEN 0 ELSE change.usd END,
            CASE WHEN is_active OR NOT {_IS_CUSTOMER} THEN 0 ELSE change.tasks END,
            CASE WHEN is_active AND {_IS_CUSTOMER} THEN change.active ELSE 0 END
     FROM unnest(change.scopes) AS scope CROSS JOIN (VALUES (true), (false)) AS which(is_active)
     WHERE NOT {_IS_TOKEN}
) AS place(day, owner, usd, tasks, active)
WHERE place.owner IS NOT NULL AND (place.usd <> 0 OR place.tasks <> 0 OR place.active <> 0)
GROUP BY place.day, place.owner ORDER BY place.day, place.owner
ON CONFLICT (day, owner) DO UPDATE
SET usd = stands.usd + excluded.usd, tasks = stands.tasks + excluded.tasks,
    active = stands.active + excluded.active)
"""  # noqa: S608 - our own names


_FIGURES = f"""
SELECT wanted.owner, coalesce(today.usd, 0) AS usd, coalesce(today.tasks, 0) AS tasks,
       coalesce(always.active, 0) AS active, now() AS now,
       coalesce(always.usd, 0) AS total_usd, coalesce(always.tasks, 0) AS total_tasks,
       coalesce((SELECT sum(days.usd) FROM spending AS days
                 WHERE $2::bool AND days.owner = wanted.owner AND days.day = ANY({_DAYS_OF_MONTH})),
                0) AS month_usd
FROM unnest($1::text[]) AS wanted(owner)
LEFT JOIN spending AS today ON today.day = {TODAY} AND today.owner = wanted.owner
LEFT JOIN spending AS always ON always.day = {NO_DAY} AND always.owner = wanted.owner
"""  # noqa: S608 - our own names

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('spending', 0))"
"""One for all providers: who is limited by such a month waits for others that are, and for nobody else."""

_IS_ELSEWHERE = """
($2::text IS NOT NULL AND $2 <> ALL(coalesce(budget_scopes, '{}')) AND order_settled_usd IS NULL)
"""
"""Not where the provider of a task counts. What an open order has settled may be refunded, and has to be there."""

_PRICE = f"""
SELECT price_usd, {DAY} < {TODAY} OR {_IS_ELSEWHERE} AS moves
FROM tasks WHERE id = $1
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
       CASE WHEN {_IS_ELSEWHERE} THEN array_append({_WITHOUT_PROVIDER}, $2) ELSE budget_scopes END AS new_scopes
FROM tasks
WHERE id = $1 AND status = 'running'
  AND ({DAY} < {TODAY} OR {_IS_ELSEWHERE})
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


async def today(
    connection: asyncpg.Connection | asyncpg.Pool, counters: Iterable[str] = (), *, months: bool = True
) -> Today:
    """What is counted by now, of all and of these counters; of the month only where `months` is set."""
    rows = await connection.fetch(_FIGURES, list({"", *counters}), months)
    return Today(rows[0]["now"], {row["owner"]: _usage_of(row) for row in rows})


def _usage_of(row: Row) -> ScopeUsage:
    totals = (row["total_tasks"], row["total_usd"])
    return ScopeUsage(row["active"], row["tasks"], row["usd"], row["month_usd"], *totals)


async def lock_months(connection: asyncpg.Connection, limits: Collection[SpendingLimits]) -> None:
    """Where one of these limits shares a month with others, wait until nobody else queues anything that does."""
    if any(one.shares_months for one in limits):
        await connection.execute(_LOCK)


def scopes_array(task: AnyTask, limits: SpendingLimits) -> str | None:
    """The further counters of a task, as a PostgreSQL array in text; None where there are none."""
    scopes = limits.extra_scopes(task)
    return f"{{{','.join(sorted(_quoted(scope.counter) for scope in scopes))}}}" if scopes else None


def _quoted(counter: str) -> str:
    escaped = counter.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


async def check_again(connection: asyncpg.Connection, task: Task, limits: SpendingLimits) -> None:
    """A task that was just queued again has to fit, else the transaction must not be committed.

    Raises `BudgetExceeded`, `KeyLimitExceeded`.
    """
    wish = Wish.of([task], limits, again=True)
    if wish.counters:
        _check(wish, await _now(connection, wish, limits))


async def hold_price(pool: asyncpg.Pool, task: Task, limits: SpendingLimits) -> None:
    """Let the price of a task that runs stand among what today costs.

    Raises `BudgetExceeded`, `KeyLimitExceeded`, with what the others cost; one of an earlier day counts then where
    it did.
    """
    provider = BudgetScope(ScopeKind.PROVIDER, task.provider).counter if limits.has_budgets else None
    row = await pool.fetchrow(_PRICE, task.id, provider)
    if row is None or not (row["price_usd"] or task.route):
        return
    wish = Wish.of([task], limits, again=True, queued=False)
    if not row["moves"]:
        _check(wish, await _now(pool, wish, limits))
        return

    async def carry(connection: asyncpg.Connection) -> None:
        await lock_months(connection, [limits])
        await connection.execute(_CARRY, task.id, provider)
        _check(wish, await _now(connection, wish, limits))

    await in_transaction(pool, carry)


async def _now(connection: asyncpg.Connection | asyncpg.Pool, wish: Wish, limits: SpendingLimits) -> Today:
    return await today(connection, wish.counters, months=limits.looks_at_months)


def _check(wish: Wish, now: Today) -> None:
    """What is wished for is among what is counted now."""
    if refusal := wish.refusal(wish.added(now, -1)):
        raise refusal
