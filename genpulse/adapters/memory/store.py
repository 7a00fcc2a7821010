"""A task store inside this process. What one method writes is one commit, since nothing awaits in between."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from genpulse.adapters.memory.deliveries import MemoryDeliveries
from genpulse.adapters.memory.ledger import MemoryLedger
from genpulse.adapters.memory.queue import Entry, MemoryTaskQueue
from genpulse.adapters.memory.unstopped import UnstoppedOrders
from genpulse.domain.api_key import KeyUsage
from genpulse.domain.asset import Asset
from genpulse.domain.attempt import (
    Attempt,
    AttemptStatus,
    Begun,
    Canceled,
    End,
    Failed,
    Held,
    Lease,
    Released,
    RetryLater,
    Succeeded,
    Worker,
    reference_of,
)
from genpulse.domain.errors import IdempotencyKeyReuse, LeaseLost, NotRetryable, UnknownAsset, UnknownTask
from genpulse.domain.event import seq_at_begin, seq_at_end, seq_at_wish
from genpulse.domain.failure import Charged, Failure, FailureCode
from genpulse.domain.retry import deadline_exceeded
from genpulse.domain.spending import UNLIMITED, SpendingLimits, Wish
from genpulse.domain.task import NewTask, OpenOrder, Submitted, Task, TaskQuery, TaskStatus, WaitsFor

_ENDS = {
    Succeeded: AttemptStatus.SUCCEEDED,
    Failed: AttemptStatus.FAILED,
    RetryLater: AttemptStatus.FAILED,
    Canceled: AttemptStatus.CANCELED,
    Released: AttemptStatus.RELEASED,
}


class MemoryTaskStore:
    """Implements `TaskStore` together with a `MemoryTaskQueue`, and notes ends in `MemoryDeliveries`."""

    def __init__(
        self,
        queue: MemoryTaskQueue,
        deliveries: MemoryDeliveries | None = None,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._now = now
        self._queue = queue
        self._deliveries = deliveries or MemoryDeliveries()
        self._ledger = MemoryLedger(now)
        self._tasks: dict[UUID, Task] = {}
        self._keys: dict[tuple[str, str], tuple[UUID, str]] = {}
        self._leases: dict[UUID, Lease] = {}
        self._attempts: dict[UUID, list[Attempt]] = {}
        self._assets: dict[UUID, Asset] = {}
        self._unstopped = UnstoppedOrders(now)

    async def submit(self, task: NewTask, limits: SpendingLimits = UNLIMITED) -> Submitted:
        """Keep the task and its queue entry, or find the one with the same idempotency key."""
        if known := self._known(task):
            return known
        self._check(limits, [task])
        return self._add(task)

    def _check(self, limits: SpendingLimits, tasks: Sequence[NewTask]) -> None:
        price_usd = sum((task.price_usd or Decimal(0) for task in tasks), Decimal(0))
        if not tasks or not limits.bind(price_usd):
            return
        owner = tasks[0].owner
        if refusal := Wish(owner, limits, price_usd, len(tasks)).refusal(self._ledger.today([owner])):
            raise refusal

    async def earlier(self, task: NewTask) -> Submitted | None:
        """The task that was submitted before under the same idempotency key, if any."""
        return self._known(task)

    async def submit_batch(
        self, tasks: Sequence[NewTask], limits: SpendingLimits = UNLIMITED
    ) -> tuple[Submitted, ...]:
        """All of them or none: every key is looked at before anything is kept."""
        new: dict[object, NewTask] = {}
        for task in tasks:
            if self._known(task):
                continue
            place = task.id if task.idempotency_key is None else (task.owner, task.idempotency_key)
            if new.setdefault(place, task).fingerprint != task.fingerprint:
                raise IdempotencyKeyReuse(task.idempotency_key or "")
        self._check(limits, list(new.values()))
        return tuple([self._known(task) or self._add(task) for task in tasks])

    def _known(self, task: NewTask) -> Submitted | None:
        if task.idempotency_key is None:
            return None
        known = self._keys.get((task.owner, task.idempotency_key))
        if known is None:
            return None
        task_id, fingerprint = known
        if fingerprint != task.fingerprint:
            raise IdempotencyKeyReuse(task.idempotency_key)
        return Submitted(self._tasks[task_id], replayed=True)

    def _add(self, new: NewTask) -> Submitted:
        now = self._now()
        task = Task(
            id=new.id,
            environment=new.environment,
            kind=new.kind,
            provider=new.provider,
            model=new.model,
            status=TaskStatus.QUEUED,
            input=new.input,
            created_at=now,
            priority=new.priority,
            metadata=new.metadata,
            webhook_url=new.webhook_url,
            deadline_at=None if new.deadline_s is None else now + timedelta(seconds=new.deadline_s),
            price_usd=new.price_usd,
            owner=new.owner,
        )
        self._tasks[task.id] = task
        self._ledger.submitted(task)
        if new.idempotency_key is not None:
            self._keys[new.owner, new.idempotency_key] = (new.id, new.fingerprint)
        self._queue.enqueue(new.provider, new.id, new.priority)
        return Submitted(task)

    async def get(self, task_id: UUID) -> Task:
        """Raises `UnknownTask`."""
        try:
            return self._tasks[task_id]
        except KeyError:
            raise UnknownTask(task_id) from None

    async def find(self, query: TaskQuery) -> tuple[Task, ...]:
        """A page of tasks, newest first."""
        found = [task for task in self._tasks.values() if _matches(task, query)]
        return tuple(sorted(found, key=lambda task: task.id, reverse=True)[: query.limit])

    async def attempts(self, task_id: UUID) -> tuple[Attempt, ...]:
        """All attempts of a task, oldest first."""
        return tuple(self._attempts.get(task_id, ()))

    async def renew(self, worker: Worker, clock: datetime) -> tuple[Held, ...]:
        """Hold all that the worker has claimed for another lease, and say what that is."""
        held = self._queue.renew(worker)
        return tuple(Held(lease, self._tasks[lease.task_id].cancel_requested) for lease, _ in held)

    async def leave(self, worker: Worker) -> None:
        """What the worker still holds goes to others at once."""
        self._queue.leave(worker)

    async def claim(
        self, worker: Worker, provider: str, attempt_ids: Sequence[UUID], *, resumed: bool = True
    ) -> tuple[Begun, ...]:
        """Begin attempts on tasks of a provider that are due."""
        with_begun = resumed and not self._queue.limited(provider)
        entries = self._queue.take(worker, [provider], attempt_ids, resumed=with_begun, new=True)
        return tuple(self._begin(entry, worker) for entry in entries)

    async def claim_any(
        self, worker: Worker, providers: Sequence[str], attempt_ids: Sequence[UUID]
    ) -> tuple[Begun, ...]:
        """The same for providers without seats, each of which gets its part."""
        ready = self._queue.ready(providers)
        begun: list[Begun] = []
        for name in ready:
            part = attempt_ids[len(begun) : len(begun) - (-len(attempt_ids) // len(ready))]
            entries = self._queue.take(worker, [name], part, resumed=True, new=True)
            begun += [self._begin(entry, worker) for entry in entries]
        return tuple(begun)

    async def claim_resumed(
        self, worker: Worker, providers: Sequence[str], attempt_ids: Sequence[UUID]
    ) -> tuple[Begun, ...]:
        """The same for work that was given back."""
        entries = self._queue.take(worker, providers, attempt_ids, resumed=True, new=False)
        return tuple(self._begin(entry, worker) for entry in entries)

    async def take_over(
        self, worker: Worker, providers: Sequence[str], attempt_ids: Sequence[UUID]
    ) -> tuple[Begun, ...]:
        """The same for work of lost workers."""
        entries = self._queue.take_over(worker, providers, attempt_ids)
        return tuple(self._begin(entry, worker, losses=1) for entry in entries)

    def _begin(self, entry: Entry, worker: Worker, losses: int = 0) -> Begun:
        task, attempt_id, now = self._tasks[entry.task_id], _id_of(entry), self._now()
        if losses:
            self._log(task.id, task.order, status=AttemptStatus.ABANDONED, finished_at=now)
        running = replace(
            task,
            status=TaskStatus.RUNNING,
            attempt=task.attempt + 1,
            losses=task.losses + losses,
            started_at=task.started_at or now,
            progress=None,
            waiting_for=None,
            waiting_since=None,
            next_try_at=None,
            seq=seq_at_begin(task.seq),
        )
        attempt = Attempt(
            id=attempt_id,
            task_id=task.id,
            number=running.attempt,
            provider=task.provider,
            model=task.model,
            worker=worker.name,
            client_reference=reference_of(attempt_id),
            started_at=now,
        )
        lease = Lease(task.id, attempt_id)
        self._tasks[task.id] = running
        self._leases[task.id] = lease
        self._attempts.setdefault(task.id, []).append(attempt)
        return Begun(lease, running, attempt)

    async def begun(self, leases: Sequence[Lease]) -> tuple[Begun, ...]:
        """Attempts that began under these leases and have them still."""
        held = [lease for lease in leases if self._holds(lease)]
        return tuple(Begun(one, self._tasks[one.task_id], self._attempts[one.task_id][-1]) for one in held)

    def _holds(self, lease: Lease) -> bool:
        task = self._tasks.get(lease.task_id)
        return task is not None and task.status is TaskStatus.RUNNING and self._leases.get(task.id) == lease

    def _held(self, lease: Lease) -> Task:
        if not self._holds(lease):
            raise LeaseLost
        return self._tasks[lease.task_id]

    def _log(self, task_id: UUID, order: OpenOrder | None, **changes: object) -> None:
        attempts = self._attempts[task_id]
        known = {"submitting_at": order and order.sent_at, "job_id": order and order.job_id}
        attempts[-1] = replace(attempts[-1], **{**known, **changes})  # type: ignore[arg-type]

    async def journal_order(self, lease: Lease) -> OpenOrder:
        """Raises `LeaseLost`."""
        task = self._held(lease)
        order = OpenOrder(reference_of(lease.attempt_id), task.provider, self._now())
        self._tasks[task.id] = replace(task, order=order, losses=0)
        self._log(task.id, order)
        return order

    async def journal_job(self, lease: Lease, job_id: str) -> None:
        """Raises `LeaseLost`."""
        task, is_held = self._tasks.get(lease.task_id), self._holds(lease)
        if task is None or task.order is None:
            raise LeaseLost
        is_own = task.order.reference == reference_of(lease.attempt_id) and task.order.job_id is None
        if is_held or is_own:
            order = replace(task.order, job_id=job_id)
            self._tasks[task.id] = replace(task, order=order, losses=0 if is_held else task.losses)
        if not is_held:
            raise LeaseLost
        self._log(task.id, order)

    async def save_progress(self, lease: Lease, progress: float, seq: int) -> None:
        """A lost lease is no error here."""
        if self._holds(lease):
            task = self._tasks[lease.task_id]
            self._tasks[task.id] = replace(task, progress=progress, seq=max(seq, task.seq))

    async def save_waiting(
        self, lease: Lease, waiting_for: WaitsFor | None, error: Failure | None, seq: int
    ) -> None:
        """A lost lease is no error here."""
        if not self._holds(lease):
            return
        task = self._tasks[lease.task_id]
        since = task.waiting_since if waiting_for is task.waiting_for else self._now()
        self._tasks[task.id] = replace(
            task,
            waiting_for=waiting_for,
            waiting_since=since if waiting_for else None,
            last_error=error or task.last_error,
            seq=max(seq, task.seq + 1),
        )

    async def finish(self, end: End) -> int:
        """End the attempt, move the task, and settle its queue entry. Raises `LeaseLost`."""
        task = self._held(end.lease)
        outcome = end.outcome
        error = outcome.failure if isinstance(outcome, Failed | RetryLater) else None
        self._log(
            task.id,
            None,
            status=_ENDS[type(outcome)],
            finished_at=self._now(),
            error=outcome.failure if isinstance(outcome, Canceled) else error,
            submitting_at=end.ordered_at,
            job_id=end.job_id,
        )
        self._ledger.tried(task, error)
        task = replace(task, losses=0, order=task.order if end.order_open else None)
        if isinstance(outcome, RetryLater | Released):
            return self._give_back(task, outcome)
        if end.stop_later and task.order is not None:
            self._unstopped.note(task.id)
        task = replace(task, last_error=None)
        match outcome:
            case Succeeded(outputs, cost, warnings):
                self._assets.update({asset.id: asset for asset in outputs})
                done = replace(task, outputs=outputs, cost=cost, progress=1.0, warnings=warnings)
                ended = self._end(done, status=TaskStatus.SUCCEEDED)
            case Failed(failure):
                ended = self._end(replace(task, error=failure), status=TaskStatus.FAILED)
            case Canceled(failure):
                ended = self._end(replace(task, error=failure), status=TaskStatus.CANCELED)
        return ended.seq

    def _give_back(self, task: Task, outcome: RetryLater | Released) -> int:
        counted = isinstance(outcome, RetryLater) and outcome.counts
        last_error = outcome.failure if isinstance(outcome, RetryLater) else task.last_error
        task = replace(task, progress=None, failures=task.failures + counted, last_error=last_error)
        if task.cancel_requested and task.order is None:
            return self._end(task, status=TaskStatus.CANCELED).seq
        is_retry = isinstance(outcome, RetryLater)
        delay_s = outcome.delay_s if isinstance(outcome, RetryLater) and not task.cancel_requested else 0.0
        self._queue.give_back(
            task.id,
            delay_s=delay_s,
            begun=not is_retry or task.cancel_requested,
            ordered=task.order is not None,
        )
        now = self._now()
        waiting = replace(
            task,
            status=TaskStatus.QUEUED,
            seq=seq_at_end(task.seq),
            waiting_for=WaitsFor.NEXT_ATTEMPT if is_retry else WaitsFor.WORKER,
            waiting_since=now,
            next_try_at=now + timedelta(seconds=delay_s),
        )
        self._tasks[task.id] = waiting
        return waiting.seq

    def _end(self, task: Task, *, status: TaskStatus) -> Task:
        ended = replace(
            task,
            status=status,
            finished_at=self._now(),
            seq=seq_at_end(task.seq),
            waiting_for=None,
            waiting_since=None,
            next_try_at=None,
        )
        self._tasks[task.id] = ended
        self._ledger.ended(ended)
        self._deliveries.note(ended)
        self._queue.settle(task.id)
        return ended

    async def cancel(self, task_id: UUID) -> Task:
        """End a queued task; ask the worker of a running one to stop; leave an ended one."""
        task = await self.get(task_id)
        if task.status.ended:
            return task
        wished = replace(task, cancel_requested_at=task.cancel_requested_at or self._now())
        if task.status is TaskStatus.QUEUED and task.order is None:
            return self._end(wished, status=TaskStatus.CANCELED)
        seq = task.seq if task.cancel_requested else seq_at_wish(task.seq)
        wished = replace(wished, seq=seq)
        if task.status is TaskStatus.QUEUED:
            self._queue.push(task_id)
            if not task.cancel_requested:
                now = self._now()
                wished = replace(wished, waiting_for=WaitsFor.WORKER, waiting_since=now, next_try_at=now)
        self._tasks[task_id] = wished
        self._queue.tell(task_id, unwanted=True)
        return wished

    async def retry(self, task_id: UUID, *, keeps_order: bool = True, limits: SpendingLimits = UNLIMITED) -> Task:
        """Queue a failed task again. Raises `UnknownTask`, `NotRetryable`, as `submit`."""
        task = await self.get(task_id)
        if task.status is not TaskStatus.FAILED:
            raise NotRetryable(task_id, task.status)
        wish = Wish(task.owner, limits, task.price_usd or Decimal(0), again=True)
        if limits.bind(wish.price_usd) and (refusal := wish.refusal(self._ledger.today([task.owner]))):
            raise refusal
        again = replace(
            task,
            status=TaskStatus.QUEUED,
            error=None,
            last_error=task.error,
            progress=None,
            finished_at=None,
            deadline_at=None,
            cancel_requested_at=None,
            failures=0,
            losses=0,
            retried_at=self._now(),
            order=task.order if keeps_order else None,
            seq=seq_at_end(task.seq),
        )
        self._tasks[task_id] = again
        self._unstopped.forget(task_id)
        self._ledger.again(again)
        self._queue.enqueue(task.provider, task_id, task.priority, ordered=again.order is not None)
        return again

    async def expire(self) -> tuple[Task, ...]:
        """End the queued tasks whose deadline has passed."""
        now = self._now()
        late = [
            task
            for task in self._tasks.values()
            if task.status is TaskStatus.QUEUED and task.deadline_at is not None and task.deadline_at <= now
        ][:1000]
        for task in late:
            if task.order is not None:
                self._queue.push(task.id)
        failure = deadline_exceeded(Charged.NO)
        ended = [task for task in late if task.order is None]
        return tuple(self._end(replace(task, error=failure), status=TaskStatus.FAILED) for task in ended)

    async def to_stop(self, providers: Sequence[str], limit: int) -> tuple[Task, ...]:
        """Ended tasks whose orders are still to be stopped at their vendor."""
        due = [self._tasks[task_id] for task_id in self._unstopped.due()]
        found = [task for task in due if task.provider in providers][:limit]
        for task in found:
            self._unstopped.put_off(task)
        return tuple(found)

    async def stopped(self, task_id: UUID, reference: str) -> None:
        """The order of an ended task is over."""
        task = self._tasks.get(task_id)
        if task is not None and task.status.ended and task.order and task.order.reference == reference:
            self._tasks[task_id] = replace(task, order=None)
            self._unstopped.forget(task_id)

    async def spent_usd(self) -> Decimal:
        """What is spent or promised today, in US dollars."""
        return self._ledger.today().spent_usd

    async def hold_price(self, task_id: UUID, daily_usd: Decimal) -> None:
        """Let the price of a task that runs stand among what today costs. Raises `BudgetExceeded`."""
        task = await self.get(task_id)
        wish = Wish("", SpendingLimits(daily_usd), task.price_usd or Decimal(0))
        if refusal := wish.refusal(self._ledger.others(task)):
            raise refusal
        self._ledger.carry(task)

    async def usage(self, owner: str) -> KeyUsage:
        """What an owner has done, for the store of keys."""
        return self._ledger.today([owner]).usage_of(owner)

    async def now(self) -> datetime:
        """The clock by which all moments here are counted."""
        return self._now()

    async def add_asset(self, asset: Asset) -> None:
        """Keep an asset's identity."""
        self._assets[asset.id] = asset

    async def asset(self, asset_id: UUID) -> Asset:
        """Raises `UnknownAsset`."""
        try:
            return self._assets[asset_id]
        except KeyError:
            raise UnknownAsset(asset_id) from None

    async def owners_of_assets(self, asset_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        """Whose these assets are; those that are not there are left out."""
        return {asset_id: self._assets[asset_id].owner for asset_id in asset_ids if asset_id in self._assets}

    async def counts(self) -> dict[str, int]:
        """How many tasks there are in each state that has not ended."""
        open_states = (TaskStatus.QUEUED, TaskStatus.RUNNING)
        return {state.value: sum(task.status is state for task in self._tasks.values()) for state in open_states}

    def all_tasks(self) -> tuple[Task, ...]:
        """In the order in which they were submitted."""
        return tuple(self._tasks.values())

    def all_assets(self) -> tuple[Asset, ...]:
        """In the order in which they were added."""
        return tuple(self._assets.values())

    def drop_task(self, task_id: UUID) -> int:
        """Forget a task and its idempotency key, and let its assets be of no task; returns its attempts."""
        del self._tasks[task_id]
        self._leases.pop(task_id, None)
        self._unstopped.forget(task_id)
        self._keys = {key: known for key, known in self._keys.items() if known[0] != task_id}
        for asset in self.all_assets():
            if asset.task_id == task_id:
                self._assets[asset.id] = replace(asset, task_id=None)
        return len(self._attempts.pop(task_id, ()))

    def drop_asset(self, asset_id: UUID) -> None:
        """Forget an asset."""
        del self._assets[asset_id]


def _id_of(entry: Entry) -> UUID:
    if entry.lease is None:
        raise AssertionError("an entry that was taken has a lease")
    return entry.lease


def _matches(task: Task, query: TaskQuery) -> bool:
    return (
        (query.before is None or task.id < query.before)
        and (query.ids is None or query.ids[0] <= task.id <= query.ids[1])
        and (query.status is None or task.status is query.status)
        and (query.kind is None or task.kind == query.kind)
        and (query.provider is None or task.provider == query.provider)
        and (query.owner is None or task.owner == query.owner)
        and (query.code is None or _failed_so(task, query.code))
    )


def _failed_so(task: Task, code: FailureCode) -> bool:
    return task.status is TaskStatus.FAILED and task.error is not None and task.error.code is code
