"""Claiming work: a task and its attempt begin in the statement that takes them from the queue."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from genpulse.adapters.database.statements import claims
from genpulse.adapters.database.statements.claims import Claiming
from genpulse.adapters.database.tasks.rows import Row, task_of, uuid_of
from genpulse.adapters.postgresql.connections import outages
from genpulse.domain.attempt import Attempt, Claim, HeldLease, Lease, Worker


class ClaimWriter:
    """Leases of workers, and what they claim. `limits` is how many tasks of a provider may run at once.

    `seated` are the providers that have seats now: those in `limits`, and those that a claim has told of.
    """

    def __init__(self, pool: asyncpg.Pool, limits: Mapping[str, int]) -> None:
        self._pool = pool
        self._limits = limits
        self._shared: set[str | tuple[str, ...]] = set()
        self.seated = set(limits)

    async def renew(self, worker: Worker, clock: datetime) -> tuple[HeldLease, ...]:
        """Hold all that the worker has claimed for another lease, and say what that is."""
        lease = timedelta(seconds=worker.lease_s)
        with outages():
            rows = await self._pool.fetch(claims.RENEW, worker.id, worker.name, lease, clock)
        # Thousands of ids, several times a minute: asyncpg's own kind does for what is never pickled.
        return tuple(HeldLease(Lease(task_id, lease_id), unwanted) for task_id, lease_id, unwanted in rows)

    async def leave(self, worker: Worker) -> None:
        """What the worker still holds goes to others at once."""
        with outages():
            await self._pool.execute(claims.LEAVE, worker.id)

    async def claim(
        self, worker: Worker, provider: str, attempt_ids: Sequence[UUID], *, resumed: bool, seats: int | None
    ) -> tuple[Claim, ...]:
        """Begin attempts on tasks of a provider that are due."""
        seat_counts = [count for count in (self._limits.get(provider), seats) if count is not None]
        if seat_counts:
            self.seated.add(provider)
            return await self._claim_seats(worker, provider, attempt_ids, min(seat_counts))
        self.seated.discard(provider)
        claiming = claims.CLAIM if resumed else claims.CLAIM_NEW
        return await self._take(claiming, worker, attempt_ids, provider)

    async def claim_any(
        self, worker: Worker, providers: Sequence[str], attempt_ids: Sequence[UUID]
    ) -> tuple[Claim, ...]:
        """The same for several providers without seats."""
        return await self._take(claims.CLAIM_ANY, worker, attempt_ids, providers)

    async def _claim_seats(
        self, worker: Worker, provider: str, attempt_ids: Sequence[UUID], seats: int
    ) -> tuple[Claim, ...]:
        with outages():
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(claims.ONE_AT_A_TIME, provider)
                return await self._take(
                    claims.CLAIM_SEATS, worker, attempt_ids, provider, seats, connection=connection
                )

    async def claim_resumed(
        self, worker: Worker, providers: Sequence[str], attempt_ids: Sequence[UUID]
    ) -> tuple[Claim, ...]:
        """The same for work that was given back."""
        return await self._begin(claims.CLAIM_RESUMED, worker, attempt_ids, providers)

    async def take_over(
        self, worker: Worker, providers: Sequence[str], attempt_ids: Sequence[UUID]
    ) -> tuple[Claim, ...]:
        """The same for work of lost workers."""
        return await self._begin(claims.TAKE_OVER, worker, attempt_ids, providers)

    async def _begin(
        self, statement: str, worker: Worker, attempt_ids: Sequence[UUID], *arguments: object
    ) -> tuple[Claim, ...]:
        with outages():
            rows = await self._pool.fetch(statement, worker.id, worker.name, attempt_ids, *arguments)
        return _claims_of(rows, worker)

    async def _take(
        self,
        claiming: Claiming,
        worker: Worker,
        attempt_ids: Sequence[UUID],
        providers: str | Sequence[str],
        *arguments: object,
        connection: asyncpg.Connection | None = None,
    ) -> tuple[Claim, ...]:
        """In turns where tasks of several owners wait, or did so when these providers were last asked for."""
        source, parameters = connection or self._pool, (worker.id, worker.name, attempt_ids, providers, *arguments)
        key = providers if isinstance(providers, str) else tuple(providers)
        rows: Sequence[Row] = ()
        with outages():
            if key not in self._shared:
                rows = self._noted(key, await source.fetch(claiming.plain, *parameters))
            if key in self._shared:
                rows = self._noted(key, await source.fetch(claiming.in_turn, *parameters))
        return _claims_of(rows, worker)

    def _noted(self, key: str | tuple[str, ...], rows: Sequence[Row]) -> Sequence[Row]:
        """Remember whether tasks of several owners wait."""
        if rows[0]["shared"]:
            self._shared.add(key)
        else:
            self._shared.discard(key)
        return rows

    async def claims_of(self, leases: Sequence[Lease]) -> tuple[Claim, ...]:
        """Attempts that began under these leases and have them still."""
        tasks, attempts = [lease.task_id for lease in leases], [lease.attempt_id for lease in leases]
        with outages():
            rows = await self._pool.fetch(claims.BEGUN, tasks, attempts)
        return tuple(claim_of(row, "") for row in rows)


def _claims_of(rows: Sequence[Row], worker: Worker) -> tuple[Claim, ...]:
    return tuple(claim_of(row, worker.name) for row in rows if row["id"] is not None)


def claim_of(row: Row, worker: str) -> Claim:
    """An attempt that began, out of the task's row."""
    task, attempt_id = task_of(row), uuid_of(row["lease"])
    return Claim(Lease(task.id, attempt_id), task, Attempt.start(task, attempt_id, worker, row["began_at"]))
