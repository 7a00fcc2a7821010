"""The `EndedWork` port on PostgreSQL."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import asyncpg

from genpulse.adapters.database.statements import ended_work
from genpulse.adapters.database.tasks.rows import Row
from genpulse.adapters.postgresql.connections import outages
from genpulse.domain.attempt import AttemptStatus
from genpulse.domain.search.ended_work import (
    BOUNDS_S,
    DeliveryOutcome,
    Durations,
    EndedAttempts,
    EndedTasks,
    EndedWithin,
    TriedDeliveries,
    answer_class,
)
from genpulse.domain.task import TaskStatus

_JUST_LONGER = [timedelta(seconds=bound, microseconds=1) for bound in BOUNDS_S]
"""`width_bucket` counts a bound to the next bucket, Prometheus to the one before it."""

T = TypeVar("T")


class PostgresEndedWork:
    """Implements `EndedWork`. Messages are those of `environment` alone; None: of all.

    Nothing younger than `lag_s` seconds is settled: by then a transaction that began is among the open ones.
    """

    def __init__(self, pool: asyncpg.Pool, environment: str | None = None, *, lag_s: float = 2.0) -> None:
        self._pool = pool
        self._environment = environment
        self._lag = timedelta(seconds=lag_s)

    async def settled_until(self) -> datetime:
        """Up to which moment nothing can end any more."""
        with outages():
            moment: datetime = await self._pool.fetchval(ended_work.SETTLED_UNTIL, self._lag)
        return moment

    async def tasks(self, since: datetime, until: datetime, limit: int) -> EndedWithin[EndedTasks]:
        """Tasks that are in an end state."""
        rows = await self._fetch(ended_work.TASKS, since, until, limit, _JUST_LONGER)
        return _within(rows, _tasks_of, until, limit)

    async def attempts(self, since: datetime, until: datetime, limit: int) -> EndedWithin[EndedAttempts]:
        """Attempts, also those of tasks that go on."""
        rows = await self._fetch(ended_work.ATTEMPTS, since, until, limit, _JUST_LONGER)
        return _within(rows, _attempts_of, until, limit)

    async def deliveries(self, since: datetime, until: datetime, limit: int) -> EndedWithin[TriedDeliveries]:
        """Messages whose last try was then."""
        rows = await self._fetch(ended_work.DELIVERIES, since, until, limit, self._environment)
        return _within(rows, _deliveries_of, until, limit)

    async def _fetch(self, statement: str, *arguments: object) -> Sequence[Row]:
        with outages():
            rows: Sequence[Row] = await self._pool.fetch(statement, *arguments)
        return rows


def _within(rows: Sequence[Row], read_row: Callable[[Row], T], until: datetime, limit: int) -> EndedWithin[T]:
    is_whole = sum(row["count"] for row in rows) < limit
    return EndedWithin(tuple(map(read_row, rows)), until if is_whole else max(row["last_at"] for row in rows))


def _durations(row: Row, name: str) -> Durations | None:
    return None if row[name] is None else Durations(row[name], row[f"{name}_s"])


def _tasks_of(row: Row) -> EndedTasks:
    return EndedTasks(
        provider=row["provider"],
        model=row["model"],
        status=TaskStatus(row["status"]),
        code=row["code"],
        count=row["count"],
        cost_usd=row["cost_usd"],
        waiting=_durations(row, "waiting"),
        running=_durations(row, "running"),
    )


def _attempts_of(row: Row) -> EndedAttempts:
    return EndedAttempts(
        provider=row["provider"],
        model=row["model"],
        status=AttemptStatus(row["status"]),
        code=row["code"],
        count=row["count"],
        vendor=_durations(row, "vendor"),
    )


def _deliveries_of(row: Row) -> TriedDeliveries:
    return TriedDeliveries(DeliveryOutcome(row["outcome"]), answer_class(row["hundred"]), row["count"])
