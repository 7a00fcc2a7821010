"""The `TaskStore` port on PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import asyncpg

from genpulse.adapters.database.assets.asset_rows import AssetRows
from genpulse.adapters.database.coalescer import Coalescer
from genpulse.adapters.database.money.held_prices import HeldPrices
from genpulse.adapters.database.money.ledger import LedgerReader
from genpulse.adapters.database.money.spending_counters import (
    check_again,
    lock_months,
    scopes_array,
    today,
)
from genpulse.adapters.database.money.usage_sums import UsageSums
from genpulse.adapters.database.statements import ends, sources, tasks
from genpulse.adapters.database.tasks.ending_attempts import EndWriter
from genpulse.adapters.database.tasks.looks import TaskLooks
from genpulse.adapters.database.tasks.order_journal import OrderJournal
from genpulse.adapters.database.tasks.progress import ProgressWriter, SavedProgress
from genpulse.adapters.database.tasks.routes import RoutedTasks
from genpulse.adapters.database.tasks.rows import Row, attempt_of, failure_document, task_of
from genpulse.adapters.database.tasks.search import TaskSearch
from genpulse.adapters.database.tasks.starting_attempts import ClaimWriter
from genpulse.adapters.database.tasks.submission import Group, KnownBatch, SubmitWriter
from genpulse.adapters.postgresql.connections import in_transaction, outages
from genpulse.domain.assets.asset import Asset, Content
from genpulse.domain.attempt import Attempt, Claim, End, HeldLease, Lease, Worker
from genpulse.domain.errors import DatabaseUnavailable, NotRetryable, UnknownTask
from genpulse.domain.failure import Charged, Failure
from genpulse.domain.money.allowance import BudgetScope
from genpulse.domain.money.ledger import LedgerEntry, MoneyFlows
from genpulse.domain.money.spending import UNLIMITED, SpendingLimits
from genpulse.domain.money.wish import Today
from genpulse.domain.retry import deadline_exceeded
from genpulse.domain.task import NewTask, OpenOrder, Submitted, Task, TaskStatus, WaitsFor
from genpulse.domain.task_batch import EarlierBatch, NewBatch
from genpulse.ports import RouteMove


class PostgresTaskStore(TaskSearch, TaskLooks):
    """Implements `TaskStore`. Calls that come together are written, and read, together.

    `limits` is how many tasks of a provider may run at once over all workers; one that is not in it has no limit.
    """

    def __init__(self, pool: asyncpg.Pool, *, limits: Mapping[str, int] | None = None) -> None:
        self._pool = pool
        self._claims = ClaimWriter(pool, limits or {})
        self._ledger = LedgerReader(pool)
        self._sums = UsageSums(pool)
        self._routes = RoutedTasks(pool)
        self._assets = AssetRows(pool)
        self._submits = SubmitWriter(pool)
        self._journal = OrderJournal(pool)
        self._prices = HeldPrices(pool)
        self._submit: Coalescer[Group, tuple[Submitted, ...]] = Coalescer(self._submits.write, flights=2)
        self._finish: Coalescer[End, int] = Coalescer(EndWriter(pool, self._claims.seated).write)
        self._progress: Coalescer[SavedProgress, None] = Coalescer(ProgressWriter(pool).write)
        self._read: Coalescer[UUID, Task] = Coalescer(self._read_tasks, flights=2)

    async def submit(self, task: NewTask, limits: SpendingLimits = UNLIMITED) -> Submitted:
        """Write the row and its queue entry in one commit; return after it."""
        (submitted,) = await self._submit(Group((task,), limits))
        await self._wake_new([task])
        return submitted

    async def earlier(self, task: NewTask) -> Submitted | None:
        """The task that was submitted before under the same idempotency key, if any."""
        return await self._submits.earlier(task)

    async def newest_key(self, owner: str, after: str, before: str) -> str | None:
        """The last one of this owner's idempotency keys between these two."""
        return await self._submits.newest_key(owner, after, before)

    async def known(self, tasks: Sequence[NewTask]) -> tuple[Submitted | None, ...]:
        """The same for several of one owner, in their order."""
        return tuple(await self._submits.known(tasks))

    async def earlier_batch(self, batch: NewBatch) -> EarlierBatch | None:
        """The batch that was submitted before under the same idempotency key, if any."""
        return await self._submits.earlier_batch(batch)

    async def submit_batch(
        self, tasks: Sequence[NewTask], limits: SpendingLimits = UNLIMITED, batch: NewBatch | None = None
    ) -> tuple[Submitted, ...]:
        """The same for several: all of them or none."""
        if not tasks:
            return ()
        try:
            (answer,) = await self._submits.write([Group(tasks, limits, batch)])
        except KnownBatch:
            earlier = await self._submits.earlier_batch(batch) if batch else None
            return earlier.tasks if earlier else ()
        if isinstance(answer, Exception):
            raise answer
        await self._wake_new(tasks)
        return answer

    async def _wake_new(self, tasks: Sequence[NewTask]) -> None:
        """What a source that ended while they were written could not see is due at once, or by the next sweep."""
        waiting = [task.id for task in tasks if task.depends_on]
        if not waiting:
            return
        with suppress(DatabaseUnavailable):
            await self._fetch(sources.LOCK, [source for task in tasks for source in task.depends_on])
            await self._fetch(sources.WAKE, waiting)

    async def get(self, task_id: UUID) -> Task:
        """Raises `UnknownTask`."""
        return await self._read(task_id)

    async def _read_tasks(self, ids: Sequence[UUID]) -> Sequence[Task | Exception]:
        tasks_by_id = {row["id"]: task_of(row) for row in await self._fetch(tasks.GET, list(set(ids)))}
        return [tasks_by_id.get(task_id) or UnknownTask(task_id) for task_id in ids]

    async def sum_usage(self) -> bool:
        """Let the sums of usage follow what is settled."""
        return await self._sums.sum_up()

    async def attempts(self, task_id: UUID) -> tuple[Attempt, ...]:
        """All attempts of a task, oldest first."""
        return tuple(attempt_of(row) for row in await self._fetch(tasks.ATTEMPTS, task_id))

    async def renew(self, worker: Worker, clock: datetime) -> tuple[HeldLease, ...]:
        """Hold all that the worker has claimed for another lease, and say what that is."""
        return await self._claims.renew(worker, clock)

    async def leave(self, worker: Worker) -> None:
        """What the worker still holds goes to others at once."""
        await self._claims.leave(worker)

    async def claim(
        self,
        worker: Worker,
        provider: str,
        attempt_ids: Sequence[UUID],
        *,
        resumed: bool = True,
        seats: int | None = None,
    ) -> tuple[Claim, ...]:
        """Begin attempts on tasks of a provider that are due."""
        return await self._claims.claim(worker, provider, attempt_ids, resumed=resumed, seats=seats)

    async def claim_any(
        self, worker: Worker, providers: Sequence[str], attempt_ids: Sequence[UUID]
    ) -> tuple[Claim, ...]:
        """The same for several providers without seats, each of which gets its part."""
        return await self._claims.claim_any(worker, providers, attempt_ids)

    async def claim_resumed(
        self, worker: Worker, providers: Sequence[str], attempt_ids: Sequence[UUID]
    ) -> tuple[Claim, ...]:
        """The same for work that was given back."""
        return await self._claims.claim_resumed(worker, providers, attempt_ids)

    async def take_over(
        self, worker: Worker, providers: Sequence[str], attempt_ids: Sequence[UUID]
    ) -> tuple[Claim, ...]:
        """The same for work of lost workers."""
        return await self._claims.take_over(worker, providers, attempt_ids)

    async def claims_of(self, leases: Sequence[Lease]) -> tuple[Claim, ...]:
        """Attempts that began under these leases and have them still."""
        return await self._claims.claims_of(leases)

    async def journal_order(self, lease: Lease) -> OpenOrder:
        """Commit that the provider is about to be asked. Raises `LeaseLost`."""
        return await self._journal.order(lease)

    async def journal_job(self, lease: Lease, job_id: str) -> None:
        """Commit the provider's job id, also of an order that was left behind. Raises `LeaseLost`."""
        await self._journal.job(lease, job_id)

    async def save_progress(self, lease: Lease, progress: float, seq: int) -> None:
        """Keep how far the work has come."""
        await self._progress(SavedProgress(lease, progress, seq))

    async def save_waiting(
        self, lease: Lease, waiting_for: WaitsFor | None, error: Failure | None, seq: int
    ) -> None:
        """Keep what the task waits for, and what the last try said."""
        what = waiting_for.value if waiting_for else None
        document = failure_document(error)
        await self._fetch(tasks.SAVE_WAITING, lease.task_id, lease.attempt_id, what, document, seq)

    async def finish(self, end: End) -> int:
        """End the attempt, move the task, and settle its queue entry, in one commit. Raises as the port says."""
        return await self._finish(end)

    async def cancel(self, task_id: UUID) -> Task:
        """End a queued task, ask the worker of a running one to stop, leave an ended one as it is."""
        task = await self._cancel(task_id)
        if task is not None and task.status is TaskStatus.QUEUED:
            # Its worker gave it back in this very moment, and the statement has seen the queue as it was before.
            task = await self._cancel(task_id)
        return task or await self.get(task_id)

    async def _cancel(self, task_id: UUID) -> Task | None:
        rows = await self._fetch(ends.CANCEL, task_id)
        return task_of(rows[0]) if rows else None

    async def retry(
        self,
        task_id: UUID,
        *,
        keeps_order: bool = True,
        limits: SpendingLimits = UNLIMITED,
        seen_seq: int | None = None,
    ) -> Task:
        """Queue a failed task again, in one commit. Raises `UnknownTask`, `NotRetryable`, as `submit`."""
        scopes = scopes_array(await self.get(task_id), limits)

        async def queue_again(connection: asyncpg.Connection) -> Task | None:
            await lock_months(connection, [limits])
            row = await connection.fetchrow(ends.RETRY, task_id, keeps_order, scopes, seen_seq)
            if row is None:
                return None
            task = task_of(row)
            await check_again(connection, task, limits)
            return task

        again = await in_transaction(self._pool, queue_again)
        if again is None:
            raise NotRetryable(task_id, (await self.get(task_id)).status)
        return again

    async def wake(self) -> int:
        """Let tasks go on that wait for others which have all ended."""
        rows = await self._fetch(sources.WAKE, None)
        return int(rows[0]["count"])

    async def waiting_on_routes(
        self, providers: Sequence[str], others: Collection[str], limit: int
    ) -> tuple[Task, ...]:
        """At most `limit` tasks that wait for one of these providers and may go to one of the others."""
        return await self._routes.waiting(providers, others, limit)

    async def durations_s(self, models: Sequence[str]) -> Mapping[str, float]:
        """How many seconds the last tasks of each model took, on average."""
        return await self._routes.durations_s(models)

    async def move_on(self, moves: Sequence[RouteMove]) -> tuple[Task, ...]:
        """Let tasks that wait go on at another model of their routes."""
        return await self._routes.move_on(moves)

    async def expire(self) -> tuple[Task, ...]:
        """End queued tasks whose deadline has passed (at most 1,000 at a time) and return them."""
        error = failure_document(deadline_exceeded(Charged.NO))
        return tuple(task_of(row) for row in await self._fetch(ends.EXPIRE, error))

    async def to_stop(self, providers: Sequence[str], limit: int) -> tuple[Task, ...]:
        """Ended tasks whose orders are still to be stopped at their vendor."""
        return tuple(task_of(row) for row in await self._fetch(ends.TO_STOP, list(providers), limit))

    async def close_order(self, task_id: UUID, reference: str) -> None:
        """The order of an ended task is over."""
        await self._fetch(ends.STOPPED, task_id, reference)

    async def spent_usd(self) -> Decimal:
        """What is spent or promised today, in US dollars."""
        with outages():
            return (await today(self._pool, months=False)).spent_usd

    async def counted(self, scopes: Sequence[BudgetScope]) -> Today:
        """What is counted by now, of all and of these scopes."""
        with outages():
            return await today(self._pool, [scope.counter for scope in scopes])

    async def hold_price(self, task: Task, limits: SpendingLimits) -> None:
        """Let the price of a task that runs stand among what today costs."""
        await self._prices.hold(task, limits)

    async def ledger(self, task_id: UUID) -> tuple[LedgerEntry, ...]:
        """All entries about a task, oldest first."""
        return await self._ledger.entries(task_id)

    async def money_flows(self, mark: int | None) -> MoneyFlows:
        """What was entered since the mark of an earlier look."""
        return await self._ledger.flows(mark)

    async def now(self) -> datetime:
        """The clock of the database."""
        with outages():
            moment: datetime = await self._pool.fetchval("SELECT now()")
            return moment

    async def add_asset(self, asset: Asset) -> None:
        """Keep an asset's identity; its bytes are stored already. Raises `BytesErased`, `AssetExists`."""
        await self._assets.add(asset)

    async def asset(self, asset_id: UUID) -> Asset:
        """Raises `UnknownAsset`."""
        return await self._assets.get(asset_id)

    async def twin_of(self, content: Content, environment: str) -> Content | None:
        """The same bytes under another key of the same week."""
        return await self._assets.twin_of(content, environment)

    async def owners_of_assets(self, asset_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        """Whose these assets are; those that are not there are left out."""
        return await self._assets.owners(asset_ids)

    async def media_types(self, asset_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        """What these assets are; those that are not there are left out."""
        return await self._assets.media_types(asset_ids)

    async def counts(self) -> dict[str, int]:
        """How many tasks there are in each state that has not ended."""
        rows = await self._fetch(tasks.COUNTS)
        return {"queued": 0, "running": 0, **{row["status"]: row["count"] for row in rows}}

    async def _fetch(self, statement: str, *arguments: object) -> Sequence[Row]:
        with outages():
            rows: Sequence[Row] = await self._pool.fetch(statement, *arguments)
            return rows

    async def close(self) -> None:
        """Wait for what is being written. The pool stays open; it belongs to whoever opened it."""
        for coalescer in (self._submit, self._finish, self._progress, self._read):
            await coalescer.close()
        await self._journal.close()
        await self._prices.close()
        await self._assets.close()
