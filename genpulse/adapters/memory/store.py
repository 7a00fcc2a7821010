"""A task store inside this process. What one method writes is one commit, since nothing awaits in between."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from genpulse.adapters.memory.deliveries import MemoryDeliveries
from genpulse.adapters.memory.queue import MemoryTaskQueue
from genpulse.domain.api_key import KeyUsage
from genpulse.domain.asset import Asset
from genpulse.domain.attempt import (
    Attempt,
    AttemptStatus,
    Begun,
    Canceled,
    Claim,
    Failed,
    Lease,
    Outcome,
    Released,
    RetryLater,
    Succeeded,
)
from genpulse.domain.errors import IdempotencyKeyReuse, LeaseLost, NotRetryable, UnknownAsset, UnknownTask
from genpulse.domain.event import seq_at_begin, seq_at_end
from genpulse.domain.failure import Charged
from genpulse.domain.retry import deadline_exceeded
from genpulse.domain.task import NewTask, Submitted, Task, TaskQuery, TaskStatus

_ENDS = {
    Succeeded: AttemptStatus.SUCCEEDED,
    Failed: AttemptStatus.FAILED,
    RetryLater: AttemptStatus.FAILED,
    Canceled: AttemptStatus.CANCELED,
    Released: AttemptStatus.RELEASED,
}


class MemoryTaskStore:
    """Implements `TaskStore` together with a `MemoryTaskQueue`, and notes ends in `MemoryDeliveries`."""

    def __init__(self, queue: MemoryTaskQueue, deliveries: MemoryDeliveries | None = None) -> None:
        self._queue = queue
        self._deliveries = deliveries or MemoryDeliveries()
        self._tasks: dict[UUID, Task] = {}
        self._keys: dict[tuple[str, str], tuple[UUID, str]] = {}
        self._leases: dict[UUID, Lease] = {}
        self._attempts: dict[UUID, list[Attempt]] = {}
        self._assets: dict[UUID, Asset] = {}

    async def submit(self, task: NewTask) -> Submitted:
        """Keep the task and its queue entry, or find the one with the same idempotency key."""
        return self._known(task) or self._add(task)

    async def earlier(self, task: NewTask) -> Submitted | None:
        """The task that was submitted before under the same idempotency key, if any."""
        return self._known(task)

    async def submit_batch(self, tasks: Sequence[NewTask]) -> tuple[Submitted, ...]:
        """All of them or none: every key is looked at before anything is kept."""
        keys: dict[tuple[str, str], str] = {}
        for task in tasks:
            self._known(task)
            if task.idempotency_key is None:
                continue
            first = keys.setdefault((task.owner, task.idempotency_key), task.fingerprint)
            if first != task.fingerprint:
                raise IdempotencyKeyReuse(task.idempotency_key)
        return tuple([await self.submit(task) for task in tasks])

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
        task = Task(
            id=new.id,
            environment=new.environment,
            kind=new.kind,
            provider=new.provider,
            model=new.model,
            status=TaskStatus.QUEUED,
            input=new.input,
            created_at=new.created_at,
            priority=new.priority,
            metadata=new.metadata,
            webhook_url=new.webhook_url,
            deadline_at=new.deadline_at,
            price_usd=new.price_usd,
            owner=new.owner,
        )
        self._tasks[task.id] = task
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

    async def begin(self, claim: Claim, *, attempt_id: UUID, worker: str, now: datetime) -> Begun | None:
        """Start an attempt on what was claimed, or drop the queue entry."""
        task = self._tasks.get(claim.task_id)
        if task is None or not self._may_begin(task, claim):
            self._queue.settle(claim.ticket)
            return None
        if task.cancel_requested:
            self._abandon(task.id, now)
            self._queue.settle(claim.ticket)
            self._end(task, now, status=TaskStatus.CANCELED)
            return None
        return self._begin(task, claim, attempt_id, worker, now)

    def _may_begin(self, task: Task, claim: Claim) -> bool:
        if task.status is TaskStatus.RUNNING:
            return self._leases[task.id].ticket == claim.ticket
        return task.status is TaskStatus.QUEUED

    def _begin(self, task: Task, claim: Claim, attempt_id: UUID, worker: str, now: datetime) -> Begun:
        previous = self._abandon(task.id, now)
        running = replace(
            task,
            status=TaskStatus.RUNNING,
            attempt=task.attempt + 1,
            started_at=task.started_at or now,
            progress=None,
            seq=seq_at_begin(task.seq),
        )
        attempt = Attempt(
            id=attempt_id,
            task_id=task.id,
            number=running.attempt,
            provider=task.provider,
            model=task.model,
            worker=worker,
            client_reference=f"gp-{attempt_id.hex}",
            started_at=now,
        )
        lease = Lease(task.id, attempt_id, claim.ticket)
        self._tasks[task.id] = running
        self._leases[task.id] = lease
        self._attempts.setdefault(task.id, []).append(attempt)
        return Begun(lease, running, attempt, previous)

    def _abandon(self, task_id: UUID, now: datetime) -> Attempt | None:
        """The last attempt when it did not come to an end; one that still runs is marked as abandoned."""
        attempts = self._attempts.get(task_id, [])
        if not attempts:
            return None
        if attempts[-1].status is AttemptStatus.RUNNING:
            attempts[-1] = replace(attempts[-1], status=AttemptStatus.ABANDONED, finished_at=now)
        unfinished = {AttemptStatus.ABANDONED, AttemptStatus.RELEASED}
        return attempts[-1] if attempts[-1].status in unfinished else None

    def _held(self, lease: Lease) -> Task:
        task = self._tasks.get(lease.task_id)
        if task is None or task.status is not TaskStatus.RUNNING or self._leases.get(task.id) != lease:
            raise LeaseLost
        return task

    def _journal(self, lease: Lease, **changes: object) -> None:
        attempts = self._attempts[lease.task_id]
        attempts[-1] = replace(attempts[-1], **changes)  # type: ignore[arg-type]

    async def journal_submitting(self, lease: Lease, now: datetime) -> None:
        """Raises `LeaseLost`."""
        self._held(lease)
        self._journal(lease, submitting_at=now)

    async def journal_job(self, lease: Lease, job_id: str) -> None:
        """Raises `LeaseLost`."""
        self._held(lease)
        self._journal(lease, job_id=job_id)

    async def save_progress(self, lease: Lease, progress: float, seq: int) -> None:
        """A lost lease is no error here."""
        task = self._tasks.get(lease.task_id)
        if task and task.status is TaskStatus.RUNNING and self._leases.get(task.id) == lease:
            self._tasks[task.id] = replace(task, progress=progress, seq=max(seq, task.seq))

    async def finish(self, lease: Lease, outcome: Outcome, now: datetime) -> int:
        """End the attempt, move the task, and settle its queue entry. Raises `LeaseLost`."""
        task = self._held(lease)
        error = outcome.failure if isinstance(outcome, Failed | RetryLater) else None
        self._journal(lease, status=_ENDS[type(outcome)], finished_at=now, error=error)
        match outcome:
            case RetryLater() | Released():
                if isinstance(outcome, RetryLater):
                    self._queue.postpone(lease.ticket, outcome.delay_s)
                else:
                    self._queue.release(lease.ticket)
                waiting = replace(task, status=TaskStatus.QUEUED, progress=None, seq=seq_at_end(task.seq))
                self._tasks[task.id] = waiting
                return waiting.seq
            case Succeeded(outputs, cost):
                self._assets.update({asset.id: asset for asset in outputs})
                done = replace(task, outputs=outputs, cost=cost, progress=1.0)
                ended = self._end(done, now, status=TaskStatus.SUCCEEDED)
            case Failed(failure):
                ended = self._end(replace(task, error=failure), now, status=TaskStatus.FAILED)
            case Canceled():
                ended = self._end(task, now, status=TaskStatus.CANCELED)
        self._queue.settle(lease.ticket)
        return ended.seq

    def _end(self, task: Task, now: datetime, *, status: TaskStatus) -> Task:
        ended = replace(task, status=status, finished_at=now, seq=seq_at_end(task.seq))
        self._tasks[task.id] = ended
        self._deliveries.note(ended)
        return ended

    async def cancel(self, task_id: UUID, now: datetime) -> Task:
        """End a queued task; ask the worker of a running one to stop; leave an ended one."""
        task = await self.get(task_id)
        if task.status is TaskStatus.QUEUED:
            return self._end(task, now, status=TaskStatus.CANCELED)
        if task.status is TaskStatus.RUNNING:
            self._tasks[task_id] = task = replace(task, cancel_requested=True)
            self._queue.announce_cancellation(task_id)
        return task

    async def retry(self, task_id: UUID, now: datetime) -> Task:
        """Queue a failed task again. Raises `UnknownTask`, `NotRetryable`."""
        task = await self.get(task_id)
        if task.status is not TaskStatus.FAILED:
            raise NotRetryable(task_id, task.status)
        again = replace(
            task,
            status=TaskStatus.QUEUED,
            error=None,
            progress=None,
            finished_at=None,
            deadline_at=None,
            cancel_requested=False,
            seq=task.seq + 1,
        )
        self._tasks[task_id] = again
        self._queue.enqueue(task.provider, task_id, task.priority)
        return again

    async def cancel_requested(self, task_ids: Sequence[UUID]) -> frozenset[UUID]:
        """Which of these running tasks somebody wants to stop."""
        return frozenset(i for i in task_ids if i in self._tasks and self._tasks[i].cancel_requested)

    async def expire(self, now: datetime) -> tuple[Task, ...]:
        """End the queued tasks whose deadline has passed."""
        late = [
            task
            for task in self._tasks.values()
            if task.status is TaskStatus.QUEUED and task.deadline_at is not None and task.deadline_at <= now
        ][:1000]
        failure = deadline_exceeded(Charged.NO)
        return tuple(self._end(replace(task, error=failure), now, status=TaskStatus.FAILED) for task in late)

    async def spent_usd(self, since: datetime) -> Decimal:
        """What the tasks that were submitted since then cost, in US dollars."""
        tasks = [task for task in self._tasks.values() if task.created_at >= since]
        return sum((_spent(task, self._attempts.get(task.id, ())) for task in tasks), Decimal(0))

    async def usage(self, owner: str, since: datetime) -> KeyUsage:
        """What an owner has done, for the store of keys."""
        own = [task for task in self._tasks.values() if task.owner == owner]
        today = [task for task in own if task.created_at >= since]
        spent = sum((_spent(task, self._attempts.get(task.id, ())) for task in today), Decimal(0))
        return KeyUsage(sum(not task.status.ended for task in own), len(today), spent)

    async def add_asset(self, asset: Asset) -> None:
        """Keep an asset's identity."""
        self._assets[asset.id] = asset

    async def asset(self, asset_id: UUID) -> Asset:
        """Raises `UnknownAsset`."""
        try:
            return self._assets[asset_id]
        except KeyError:
            raise UnknownAsset(asset_id) from None

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
        self._keys = {key: known for key, known in self._keys.items() if known[0] != task_id}
        for asset in self.all_assets():
            if asset.task_id == task_id:
                self._assets[asset.id] = replace(asset, task_id=None)
        return len(self._attempts.pop(task_id, ()))

    def drop_asset(self, asset_id: UUID) -> None:
        """Forget an asset."""
        del self._assets[asset_id]


def _spent(task: Task, attempts: Sequence[Attempt]) -> Decimal:
    price_usd = task.price_usd or Decimal(0)
    charged = [attempt for attempt in attempts if attempt.error and attempt.error.charged is not Charged.NO]
    return _spent_by_itself(task, price_usd) + price_usd * len(charged)


def _spent_by_itself(task: Task, price_usd: Decimal) -> Decimal:
    if task.cost is not None and not task.cost.amount_usd.is_nan():
        return task.cost.amount_usd
    if task.status is TaskStatus.FAILED or (task.status is TaskStatus.CANCELED and not task.attempt):
        return Decimal(0)
    return price_usd


def _matches(task: Task, query: TaskQuery) -> bool:
    return (
        (query.before is None or task.id < query.before)
        and (query.status is None or task.status is query.status)
        and (query.kind is None or task.kind == query.kind)
        and (query.provider is None or task.provider == query.provider)
        and (query.owner is None or task.owner == query.owner)
        and (query.code is None or (task.error is not None and task.error.code is query.code))
    )
