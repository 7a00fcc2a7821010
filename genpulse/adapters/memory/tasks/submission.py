"""New tasks with their queue entries."""

import math
from collections.abc import Sequence
from datetime import timedelta

from genpulse.adapters.memory.tasks.rows import TaskRows
from genpulse.domain.errors import IdempotencyKeyReuse, TaskDeleted
from genpulse.domain.money.spending import UNLIMITED, SpendingLimits
from genpulse.domain.money.wish import Wish
from genpulse.domain.submission.idempotency import RequestId, check_same_order, replay, request_of
from genpulse.domain.task import NewTask, Submitted
from genpulse.domain.task_batch import EarlierBatch, NewBatch, TaskBatch


class TaskSubmission(TaskRows):
    """The part of `TaskStore` that takes new tasks."""

    async def submit(self, task: NewTask, limits: SpendingLimits = UNLIMITED) -> Submitted:
        """Keep the task and its queue entry, or find the one with the same idempotency key."""
        if earlier := self._earlier(task):
            return earlier
        self._check(limits, [task])
        return self._add(task, limits)

    def _check(self, limits: SpendingLimits, tasks: Sequence[NewTask]) -> None:
        if tasks:
            self._ledger.check(Wish.of(tasks, limits))

    async def earlier(self, task: NewTask) -> Submitted | None:
        """The task that was submitted before under the same idempotency key, if any."""
        return self._earlier(task)

    async def newest_key(self, owner: str, after: str, before: str) -> str | None:
        """The last one of this owner's idempotency keys between these two."""
        return max((key for whose, key in self._keys if whose == owner and after < key < before), default=None)

    async def known(self, tasks: Sequence[NewTask]) -> tuple[Submitted | None, ...]:
        """The same for several of one owner, in their order."""
        return tuple(self._earlier(task) for task in tasks)

    async def earlier_batch(self, batch: NewBatch) -> EarlierBatch | None:
        """The batch that was submitted before under the same idempotency key, if any."""
        entry = self._batch_keys.get((batch.owner, batch.idempotency_key or ""))
        if entry is None:
            return None
        batch_id, fingerprint = entry
        if fingerprint != batch.fingerprint:
            raise IdempotencyKeyReuse(batch.idempotency_key or "")
        return EarlierBatch(batch_id, tuple(Submitted(task, replayed=True) for task in self.of_batch(batch_id)))

    async def submit_batch(
        self, tasks: Sequence[NewTask], limits: SpendingLimits = UNLIMITED, batch: NewBatch | None = None
    ) -> tuple[Submitted, ...]:
        """All of them or none: every key is looked at before anything is kept."""
        if batch and (earlier := await self.earlier_batch(batch)):
            return earlier.tasks
        new: dict[RequestId, NewTask] = {}
        for task in tasks:
            if self._earlier(task):
                continue
            first = new.setdefault(request_of(task), task)
            check_same_order(task, first.fingerprint)
        self._check(limits, list(new.values()))
        if batch and new:
            self._add_batch(batch, len(new))
        return tuple([self._earlier(task) or self._add(task, limits) for task in tasks])

    def _earlier(self, task: NewTask) -> Submitted | None:
        if task.idempotency_key is None:
            return None
        if self.deleted.has_key(task.owner, task.idempotency_key):
            raise TaskDeleted(task.idempotency_key)
        entry = self._keys.get((task.owner, task.idempotency_key))
        if entry is None:
            return None
        task_id, fingerprint = entry
        return replay(task, fingerprint, self._tasks[task_id])

    def _add_batch(self, new: NewBatch, size: int) -> None:
        self._batches[new.id] = TaskBatch(new.id, new.environment, new.owner, self._now(), size)
        if new.idempotency_key is not None:
            self._batch_keys[new.owner, new.idempotency_key] = (new.id, new.fingerprint)

    def _add(self, new: NewTask, limits: SpendingLimits) -> Submitted:
        now = self._now()
        begins_at = new.begins_at(now) or now
        deadline_at = None if new.deadline_s is None else begins_at + timedelta(seconds=new.deadline_s)
        waits = self._awaits(new.depends_on)
        next_try_at = None if waits else begins_at if new.depends_on else new.begins_at(now)
        task = new.queued(now, deadline_at, next_try_at)
        self._tasks[task.id] = task
        if new.trace is not None:
            self.traces[task.id] = new.trace
        self._ledger.submitted(task, limits, new.rule_version)
        if new.idempotency_key is not None:
            self._keys[new.owner, new.idempotency_key] = (new.id, new.fingerprint)
        delay_s = math.inf if waits else (begins_at - now).total_seconds()
        self._queue.enqueue(new, delay_s=delay_s)
        self._wake(task)
        return Submitted(task)
