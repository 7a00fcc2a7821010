"""Attempts: begun by a claim, journaled under their lease, ended once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from genpulse.adapters.memory.queue.task_queue import Entry
from genpulse.adapters.memory.tasks.rows import TaskRows
from genpulse.domain.attempt import (
    Attempt,
    AttemptStatus,
    Canceled,
    Claim,
    End,
    Failed,
    HeldLease,
    Lease,
    MovedOn,
    Released,
    RetryLater,
    Succeeded,
    Worker,
    reference_of,
)
from genpulse.domain.errors import LeaseLost
from genpulse.domain.event import seq_at_begin, seq_at_end
from genpulse.domain.failure import Failure
from genpulse.domain.routing.task_route import TaskRoute
from genpulse.domain.task import OpenOrder, Task, TaskStatus, WaitsFor

_ENDS = {
    Succeeded: AttemptStatus.SUCCEEDED,
    Failed: AttemptStatus.FAILED,
    RetryLater: AttemptStatus.FAILED,
    MovedOn: AttemptStatus.FAILED,
    Canceled: AttemptStatus.CANCELED,
    Released: AttemptStatus.RELEASED,
}


class TaskAttempts(TaskRows):
    """The part of `TaskStore` that workers use."""

    async def renew(self, worker: Worker, clock: datetime) -> tuple[HeldLease, ...]:
        """Hold all that the worker has claimed for another lease, and say what that is."""
        leases = self._queue.renew(worker)
        return tuple(HeldLease(lease, self._tasks[lease.task_id].cancel_requested) for lease, _ in leases)

    async def leave(self, worker: Worker) -> None:
        """What the worker still holds goes to others at once."""
        self._queue.leave(worker)

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
        with_resumed = resumed and seats is None and not self._queue.limited(provider)
        free = len(attempt_ids) if seats is None else max(seats - await self._queue.running(provider), 0)
        entries = self._queue.take(worker, [provider], attempt_ids[:free], resumed=with_resumed, new=True)
        return tuple(self._begin(entry, worker) for entry in entries)

    async def claim_any(
        self, worker: Worker, providers: Sequence[str], attempt_ids: Sequence[UUID]
    ) -> tuple[Claim, ...]:
        """The same for providers without seats, each of which gets its part."""
        ready = self._queue.ready(providers)
        attempts: list[Claim] = []
        for name in ready:
            part = attempt_ids[len(attempts) : len(attempts) - (-len(attempt_ids) // len(ready))]
            entries = self._queue.take(worker, [name], part, resumed=True, new=True)
            attempts += [self._begin(entry, worker) for entry in entries]
        return tuple(attempts)

    async def claim_resumed(
        self, worker: Worker, providers: Sequence[str], attempt_ids: Sequence[UUID]
    ) -> tuple[Claim, ...]:
        """The same for work that was given back."""
        entries = self._queue.take(worker, providers, attempt_ids, resumed=True, new=False)
        return tuple(self._begin(entry, worker) for entry in entries)

    async def take_over(
        self, worker: Worker, providers: Sequence[str], attempt_ids: Sequence[UUID]
    ) -> tuple[Claim, ...]:
        """The same for work of lost workers."""
        entries = self._queue.take_over(worker, providers, attempt_ids)
        return tuple(self._begin(entry, worker, losses=1) for entry in entries)

    def _begin(self, entry: Entry, worker: Worker, losses: int = 0) -> Claim:
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
        attempt = Attempt.start(running, attempt_id, worker.name, now)
        lease = Lease(task.id, attempt_id)
        self._tasks[task.id] = running
        self._leases[task.id] = lease
        self._attempts.setdefault(task.id, []).append(attempt)
        if task.started_at is None and task.id not in self.deleted.tasks:
            self._deliveries.note_start(running)
        return Claim(lease, running, attempt)

    async def claims_of(self, leases: Sequence[Lease]) -> tuple[Claim, ...]:
        """Attempts that began under these leases and have them still."""
        current = [lease for lease in leases if self._holds(lease)]
        return tuple(Claim(one, self._tasks[one.task_id], self._attempts[one.task_id][-1]) for one in current)

    def _leased_task(self, lease: Lease) -> Task:
        if not self._holds(lease):
            raise LeaseLost
        return self._tasks[lease.task_id]

    def _log(self, task_id: UUID, order: OpenOrder | None, **changes: object) -> None:
        attempts = self._attempts[task_id]
        ordered = {"submitting_at": order and order.sent_at, "job_id": order and order.job_id}
        attempts[-1] = replace(attempts[-1], **{**ordered, **changes})  # type: ignore[arg-type]

    async def journal_order(self, lease: Lease) -> OpenOrder:
        """Raises `LeaseLost`."""
        task = self._leased_task(lease)
        order = OpenOrder(reference_of(lease.attempt_id), task.provider, self._now())
        self._tasks[task.id] = replace(task, order=order, losses=0)
        self._ledger.ordered(task.id)
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
            self._unstopped.hurry(task.id)
            raise LeaseLost
        self._log(task.id, order)

    async def save_progress(self, lease: Lease, progress: float, seq: int) -> None:
        """A lost lease is no error here."""
        if self._holds(lease):
            task = self._tasks[lease.task_id]
            changed = replace(task, progress=progress, seq=max(seq, task.seq))
            self._tasks[task.id] = changed
            if progress != task.progress and task.id not in self.deleted.tasks:
                self._deliveries.note_progress(changed)

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
        """End the attempt, move the task, and settle its queue entry. Raises `LeaseLost`, `BytesErased`."""
        task = self._leased_task(end.lease)
        outcome = end.outcome
        if isinstance(outcome, Succeeded):
            self._refuse_erased(outcome.outputs)
        error = outcome.failure if isinstance(outcome, Failed | RetryLater | MovedOn) else None
        self._log(
            task.id,
            None,
            status=_ENDS[type(outcome)],
            finished_at=self._now(),
            error=outcome.failure if isinstance(outcome, Canceled) else error,
            submitting_at=end.ordered_at,
            job_id=end.job_id,
            times=end.times,
        )
        self._ledger.tried(task, end)
        task = replace(task, losses=0, order=task.order if end.order_open else None)
        if isinstance(outcome, MovedOn):
            return self._move(task, outcome)
        if isinstance(outcome, RetryLater | Released):
            return self._give_back(task, outcome)
        if end.stop_later and task.order is not None:
            self._unstopped.note(task.id)
        task = replace(task, last_error=None)
        match outcome:
            case Succeeded(outputs, cost, warnings, result):
                self._assets.update({asset.id: asset for asset in outputs})
                succeeded = replace(
                    task, outputs=outputs, cost=cost, progress=1.0, warnings=warnings, result=result
                )
                ended = self._end(succeeded, status=TaskStatus.SUCCEEDED)
            case Failed(failure):
                ended = self._end(replace(task, error=failure), status=TaskStatus.FAILED)
            case Canceled(failure):
                ended = self._end(replace(task, error=failure), status=TaskStatus.CANCELED)
        return ended.seq

    def _move(self, task: Task, outcome: MovedOn) -> int:
        if task.cancel_requested:
            return self._end(replace(task, last_error=outcome.failure), status=TaskStatus.CANCELED).seq
        self._ledger.waits(task)
        moved = moved_on(task, outcome.route)
        moved = replace(
            moved,
            status=TaskStatus.QUEUED,
            progress=None,
            last_error=outcome.failure,
            seq=seq_at_end(task.seq),
            waiting_for=WaitsFor.WORKER,
            waiting_since=self._now(),
            next_try_at=self._now(),
        )
        self._tasks[task.id] = moved
        self._queue.give_back(task.id, delay_s=0.0, has_begun=False, ordered=False)
        self._queue.move(task.id, moved.provider)
        return moved.seq

    def _give_back(self, task: Task, outcome: RetryLater | Released) -> int:
        counts = isinstance(outcome, RetryLater) and outcome.counts
        last_error = outcome.failure if isinstance(outcome, RetryLater) else task.last_error
        task = replace(task, progress=None, failures=task.failures + counts, last_error=last_error)
        if task.cancel_requested and task.order is None:
            return self._end(task, status=TaskStatus.CANCELED).seq
        is_retry = isinstance(outcome, RetryLater)
        delay_s = outcome.delay_s if isinstance(outcome, RetryLater) and not task.cancel_requested else 0.0
        self._queue.give_back(
            task.id,
            delay_s=delay_s,
            has_begun=not is_retry or task.cancel_requested,
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
        self._ledger.waits(waiting)
        return waiting.seq


def moved_on(task: Task, route: TaskRoute) -> Task:
    """The task at the model where the route stands."""
    return replace(task, provider=route.current.provider, model=route.current.model, route=route)


def _id_of(entry: Entry) -> UUID:
    if entry.lease is None:
        raise AssertionError("an entry that was taken has a lease")
    return entry.lease
