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

from genpulse.adapters.database.tasks.rows import Row
from genpulse.domain.money.allowance import ScopeUsage
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
        await check_now(connection, wish, limits)


async def check_now(connection: asyncpg.Connection, wish: Wish, limits: SpendingLimits) -> None:
    """The same as `check_counted` by what this transaction sees."""
    check_counted(wish, await today(connection, wish.counters, months=limits.looks_at_months))


def check_counted(wish: Wish, now: Today) -> None:
    """What is wished for is among what is counted now. Raises `BudgetExceeded`, `KeyLimitExceeded`."""
    if refusal := wish.refusal(wish.added(now, -1)):
        raise refusal
