"""Keeping what is ordered at vendors: orders that are made together are kept in one commit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from genpulse.adapters.database.coalescer import Coalescer
from genpulse.adapters.database.statements import tasks
from genpulse.adapters.database.tasks.rows import order_of
from genpulse.adapters.postgresql.connections import outages
from genpulse.domain.attempt import Lease, reference_of
from genpulse.domain.errors import LeaseLost
from genpulse.domain.task import OpenOrder


@dataclass(frozen=True, slots=True)
class _Job:
    """What a vendor calls what was ordered under a lease."""

    lease: Lease
    id: str


class OrderJournal:
    """Notes in the rows of tasks what is ordered, and what vendors call it. Both raise `DatabaseUnavailable`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._orders: Coalescer[Lease, OpenOrder] = Coalescer(self._write_orders, flights=2)
        self._jobs: Coalescer[_Job, None] = Coalescer(self._write_jobs, flights=2)

    async def order(self, lease: Lease) -> OpenOrder:
        """Commit that the provider is about to be asked. Raises `LeaseLost`."""
        return await self._orders(lease)

    async def job(self, lease: Lease, job_id: str) -> None:
        """Commit the provider's job id, also of an order that was left behind. Raises `LeaseLost`."""
        await self._jobs(_Job(lease, job_id))

    async def _write_orders(self, leases: Sequence[Lease]) -> Sequence[OpenOrder | Exception]:
        with outages():
            in_order = sorted(leases, key=lambda lease: lease.task_id)
            rows = await self._pool.fetch(tasks.JOURNAL_ORDER, *_columns(in_order))
        orders = {row["lease"]: order_of(row) for row in rows}
        return [orders.get(lease.attempt_id) or _lost() for lease in leases]

    async def _write_jobs(self, jobs: Sequence[_Job]) -> Sequence[Exception | None]:
        held_leases: set[UUID] = set()
        for part in _of_different_tasks(jobs):
            columns = _columns([job.lease for job in part])
            with outages():
                rows = await self._pool.fetch(tasks.JOURNAL_JOB, *columns, [job.id for job in part])
            held_leases.update(row["lease"] for row in rows if row["is_held"])
        return [None if job.lease.attempt_id in held_leases else _lost() for job in jobs]

    async def close(self) -> None:
        """Wait for what is being written."""
        await self._orders.close()
        await self._jobs.close()


def _columns(leases: Sequence[Lease]) -> tuple[Sequence[object], ...]:
    return (
        [lease.task_id for lease in leases],
        [lease.attempt_id for lease in leases],
        [reference_of(lease.attempt_id) for lease in leases],
    )


def _of_different_tasks(jobs: Sequence[_Job]) -> Iterator[Sequence[_Job]]:
    """In parts, as a statement changes a row once: an attempt that is over may tell the name of its order as late
    as the next one tells that of its own.
    """
    remaining = sorted(jobs, key=lambda job: job.lease.task_id)
    while remaining:
        part = {job.lease.task_id: job for job in reversed(remaining)}
        yield list(part.values())[::-1]
        remaining = [job for job in remaining if part[job.lease.task_id] is not job]


def _lost() -> LeaseLost:
    return LeaseLost("the task has another lease")
