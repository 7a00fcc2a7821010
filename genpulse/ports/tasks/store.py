"""The port of the task store: tasks, attempts and their orders."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from genpulse.domain.assets.asset import Asset, Content
from genpulse.domain.attempt import Attempt, Claim, End, HeldLease, Lease, Worker
from genpulse.domain.failure import Failure
from genpulse.domain.money.allowance import BudgetScope
from genpulse.domain.money.ledger import LedgerEntry, MoneyFlows
from genpulse.domain.money.spending import UNLIMITED, SpendingLimits
from genpulse.domain.money.wish import Today
from genpulse.domain.routing.task_route import TaskRoute
from genpulse.domain.search.looked_through import LookedThrough
from genpulse.domain.search.task_group import TaskGroup
from genpulse.domain.search.task_query import TaskFilter, TaskQuery
from genpulse.domain.search.usage import UsageQuery, UsageRow
from genpulse.domain.task import NewTask, OpenOrder, Submitted, Task, WaitsFor
from genpulse.domain.task_batch import EarlierBatch, NewBatch


@dataclass(frozen=True, slots=True)
class TaskNotification:
    """Something that concerns a running task: `unwanted`, somebody wants it to stop; else its vendor has news."""

    task_id: UUID
    unwanted: bool


@dataclass(frozen=True, slots=True)
class RouteMove:
    """That a task which waits goes on at another model: the task as it was found, and its route after the hop."""

    task: Task
    route: TaskRoute


class TaskStore(Protocol):
    """The one truth about tasks, attempts and leases.

    Every write checks the state and the lease that it expects, in the row that it changes, and each step is one
    commit: it happens or does not. An order, a job's id, an end and a cancel may be asked for again when the
    answer was lost; of lost claims `renew` tells; a submit is known again by its idempotency key alone. All
    moments are the database's own.
    """

    async def submit(self, task: NewTask, limits: SpendingLimits = UNLIMITED) -> Submitted:
        """Write the row and its queue entry in one commit; return after it.

        The limits are looked at in that commit, so that nothing goes over them together with what comes at the
        same moment. Raises `IdempotencyKeyReuse`, `TaskDeleted`, `BudgetExceeded`, `KeyLimitExceeded`; one of
        the last two also where a new task does not fit and there is an `earlier` one.
        """

    async def earlier(self, task: NewTask) -> Submitted | None:
        """The task that was submitted before under the same idempotency key, if any. Writes nothing.

        Raises `IdempotencyKeyReuse`, `TaskDeleted`.
        """

    async def newest_key(self, owner: str, after: str, before: str) -> str | None:
        """The last one of this owner's idempotency keys between these two, in the order of their letters.

        For keys of lower-case letters, digits and hyphens that differ in digits alone.
        """

    async def known(self, tasks: Sequence[NewTask]) -> tuple[Submitted | None, ...]:
        """The same for several of one owner, in their order: None for each that nobody has submitted before.

        Raises `IdempotencyKeyReuse`, `TaskDeleted`.
        """

    async def earlier_batch(self, batch: NewBatch) -> EarlierBatch | None:
        """The batch that was submitted before under the same idempotency key, if any. Writes nothing.

        Raises `IdempotencyKeyReuse`.
        """

    async def submit_batch(
        self, tasks: Sequence[NewTask], limits: SpendingLimits = UNLIMITED, batch: NewBatch | None = None
    ) -> tuple[Submitted, ...]:
        """As `submit` for several of one owner: all of them or none.

        `batch` is written with them, unless all are known by their keys. Where its own key is known, the answer
        is those tasks of the earlier batch that are kept.
        """

    async def get(self, task_id: UUID) -> Task:
        """Raises `UnknownTask`, also for a task that was deleted and is still being stopped."""

    async def find(self, query: TaskQuery) -> tuple[Task, ...]:
        """A page of tasks, newest first."""

    async def look(self, query: TaskQuery, at_most: int) -> LookedThrough[Task]:
        """What of a page, newest first, is found by looking at so many rows, or a few times as many.

        What is rare and has an index is found all the same.
        """

    async def count(self, query: TaskQuery, at_most: int) -> LookedThrough[TaskGroup]:
        """The same, but all of them instead of a page, counted where they are alike."""

    async def groups(self, task_filter: TaskFilter) -> tuple[TaskGroup, ...]:
        """All tasks that fit, counted where they are alike."""

    async def usage_by(self, query: UsageQuery) -> tuple[UsageRow, ...]:
        """What tasks came to, put together: in the order of their values, at most as many rows as are asked for.

        No row has no task. What was deleted counts, without its metadata.
        """

    async def sum_usage(self) -> bool:
        """Let the sums from which `usage_by` is told follow what is settled; whether there is more to sum up now.

        It tells the same without them, and takes longer.
        """

    async def attempts(self, task_id: UUID) -> tuple[Attempt, ...]:
        """All attempts of a task, oldest first. Empty for an unknown task."""

    async def renew(self, worker: Worker, clock: datetime) -> tuple[HeldLease, ...]:
        """Say that the worker is there, which holds all that it has claimed for another `lease_s` seconds.

        Returns all of that: a lease that is not among it is lost. `clock` is the worker's own time, for those who
        compare clocks.
        """

    async def leave(self, worker: Worker) -> None:
        """Say that the worker goes: what it still holds goes to others at once."""

    async def claim(
        self,
        worker: Worker,
        provider: str,
        attempt_ids: Sequence[UUID],
        *,
        resumed: bool = True,
        seats: int | None = None,
    ) -> tuple[Claim, ...]:
        """Begin attempts on tasks of a provider that are due, as many as there are ids and free seats.

        There are `seats` (1 or more) where the provider has no fewer, None: as many as it has, or any number. With
        seats, work that was given back is left alone.
        Work that was given back comes first where `resumed` is set and is left alone else; then higher priority,
        then what has waited longest. Nothing is claimed by a worker whose own lease has run out. When the answer
        is lost, `renew` tells of leases that nobody knows here.
        """

    async def claim_any(
        self, worker: Worker, providers: Sequence[str], attempt_ids: Sequence[UUID]
    ) -> tuple[Claim, ...]:
        """The same for providers without seats, in one step.

        Each of those that have something gets the same part of the ids, rounded up. So there may be more where one
        of them has used its part, which is at least as many as there are ids for each of all providers.
        """

    async def claim_resumed(
        self, worker: Worker, providers: Sequence[str], attempt_ids: Sequence[UUID]
    ) -> tuple[Claim, ...]:
        """The same for work of these providers that was given back: seats do not hold it up, it had one before."""

    async def take_over(
        self, worker: Worker, providers: Sequence[str], attempt_ids: Sequence[UUID]
    ) -> tuple[Claim, ...]:
        """The same for work of these providers whose worker is lost; its attempts become ABANDONED.

        A worker is lost when its lease has run out, unless nobody at all could renew anything: then each has a
        whole lease from when the first could again.
        """

    async def claims_of(self, leases: Sequence[Lease]) -> tuple[Claim, ...]:
        """Attempts that began under these leases and have them still."""

    async def journal_order(self, lease: Lease) -> OpenOrder:
        """Commit that the provider is about to be asked for something that may cost money. Raises `LeaseLost`."""

    async def journal_job(self, lease: Lease, job_id: str) -> None:
        """Commit the provider's id of what was ordered. Raises `LeaseLost`.

        Where the lease is lost and the task still has the order that was made under it, the id is kept all the
        same: whoever has the task now, or tries it again, goes on with that job.
        """

    async def save_progress(self, lease: Lease, progress: float, seq: int) -> None:
        """Keep how far the work has come. A lost lease is no error here; the next checked write tells."""

    async def save_waiting(
        self, lease: Lease, waiting_for: WaitsFor | None, error: Failure | None, seq: int
    ) -> None:
        """Keep what the task waits for, or that it goes on (None), and what the last try said.

        The task's `seq` becomes `seq`, and in any case higher than it was. A lost lease is no error here.
        """

    async def finish(self, end: End) -> int:
        """End the attempt, move the task, and settle its queue entry, in one commit.

        Raises `LeaseLost`, and `BytesErased` where an output has to be stored again first. A task that nobody
        wants any more does not wait for another attempt: it is canceled, unless it has an order that is still to
        be stopped. Returns the number of the event that tells the end, which is the task's `seq` from then on,
        also when the end was written before and its answer got lost.
        """

    async def cancel(self, task_id: UUID) -> Task:
        """End a queued task, ask the worker of a running one to stop, leave an ended one as it is.

        A queued task that has an open order goes to a worker at once, which stops it at the vendor.
        Raises `UnknownTask`.
        """

    async def retry(
        self,
        task_id: UUID,
        *,
        keeps_order: bool = True,
        limits: SpendingLimits = UNLIMITED,
        seen_seq: int | None = None,
    ) -> Task:
        """Queue a failed task again, with failures and losses counted anew. It counts today with its price.

        Without `keeps_order` an order whose end is not known is forgotten. What was decided of that holds for the
        task as it was seen: with `seen_seq` one whose `seq` is another now is not queued. Raises `UnknownTask`,
        `NotRetryable`, `BudgetExceeded`, `KeyLimitExceeded`.
        """

    async def wake(self) -> int:
        """Let at most 1,000 tasks go on that wait for others which have all ended; how many there were.

        Whoever ends a task lets those go on that wait for it; this finds what was missed.
        """

    async def waiting_on_routes(
        self, providers: Sequence[str], others: Collection[str], limit: int
    ) -> tuple[Task, ...]:
        """At most `limit` tasks that wait for one of these providers, are due, and may go to one of the `others`.

        None of them has an order open or is unwanted, and a provider among the others is further on in the route
        of each. The oldest come first.
        """

    async def durations_s(self, models: Sequence[str]) -> Mapping[str, float]:
        """How many seconds the last tasks of each model took from start to end, on average.

        Of the last 50 tasks those count that were begun within a day and succeeded in their first attempt. A model
        without any is left out.
        """

    async def move_on(self, moves: Sequence[RouteMove]) -> tuple[Task, ...]:
        """Let tasks that wait go on at another model of their routes. Returns those that do, as they stand now.

        One that has begun, ended or moved since it was found, has an order open or is unwanted, stays as it is.
        """

    async def expire(self) -> tuple[Task, ...]:
        """End queued tasks whose deadline has passed (at most 1,000 at a time) and return them.

        Those with an open order go to a worker at once.
        """

    async def to_stop(self, providers: Sequence[str], limit: int) -> tuple[Task, ...]:
        """At most `limit` ended tasks of these providers whose orders are still to be stopped at the vendor.

        A task is due half a minute after its end, then later and later, and goes to one caller each time. After a
        day it comes for the last time, and its order is left as it is.
        """

    async def close_order(self, task_id: UUID, reference: str) -> None:
        """The order that an ended task has under this reference is over. Of any other task or order: nothing."""

    async def spent_usd(self) -> Decimal:
        """What is spent or promised today, in US dollars.

        A task counts with its cost where that is known, else with its price while it waits or runs, when it
        succeeded, or was canceled with an order open; and with its price once more for each failed attempt that
        was charged, or may have been, until the order of that attempt turns out to have cost something else. It is
        what the ledger says: reserved, and neither released nor refunded. That is on the day (UTC) on which it was
        submitted or asked for again; a task for which `hold_price` is called on a later day goes on to count on
        that one.
        """

    async def counted(self, scopes: Sequence[BudgetScope]) -> Today:
        """What is counted by now of all, and of these scopes."""

    async def hold_price(self, task: Task, limits: SpendingLimits) -> None:
        """Before a running task's order is paid: let its price stand among what today costs.

        Only amounts are looked at. Raises `BudgetExceeded`, `KeyLimitExceeded`, with what the others cost, where
        all together are more than a limit.
        """

    async def ledger(self, task_id: UUID) -> tuple[LedgerEntry, ...]:
        """All entries about a task, oldest first, also of one that was deleted."""

    async def money_flows(self, mark: int | None) -> MoneyFlows:
        """What was entered since the mark of an earlier look, each entry once; None: nothing yet."""

    async def now(self) -> datetime:
        """The clock by which all moments in rows are counted."""

    async def add_asset(self, asset: Asset) -> None:
        """Keep an asset's identity; its bytes are stored.

        Raises `BytesErased` where they are gone again, and `AssetExists` where its id is another asset's, also of
        one that was deleted and is not erased yet.
        """

    async def asset(self, asset_id: UUID) -> Asset:
        """Raises `UnknownAsset`. One that was deleted is there while a task needs it that has not ended."""

    async def twin_of(self, content: Content, environment: str) -> Content | None:
        """The same bytes of another asset of this environment, under a key of the same week, see `staged_key`."""

    async def owners_of_assets(self, asset_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        """Whose these assets are, empty for those of nobody; assets that are not there are left out."""

    async def media_types(self, asset_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        """What these assets are; assets that are not there are left out."""

    async def counts(self) -> dict[str, int]:
        """How many tasks there are in each state that has not ended."""
