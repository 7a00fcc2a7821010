"""New tasks with their queue entries."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from genpulse.adapters.memory.task_rows import TaskRows
from genpulse.domain.errors import IdempotencyKeyReuse, TaskDeleted
from genpulse.domain.money.spending import UNLIMITED, SpendingLimits, Wish
from genpulse.domain.task import NewTask, Submitted


class TaskSubmission(TaskRows):
    """The part of `TaskStore` that takes new tasks."""

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
        if self.deleted.has_key(task.owner, task.idempotency_key):
            raise TaskDeleted(task.idempotency_key)
        known = self._keys.get((task.owner, task.idempotency_key))
        if known is None:
            return None
        task_id, fingerprint = known
        if fingerprint != task.fingerprint:
            raise IdempotencyKeyReuse(task.idempotency_key)
        return Submitted(self._tasks[task_id], replayed=True)

    def _add(self, new: NewTask) -> Submitted:
        now = self._now()
        deadline_at = None if new.deadline_s is None else now + timedelta(seconds=new.deadline_s)
        task = new.queued(now, deadline_at)
        self._tasks[task.id] = task
        self._ledger.submitted(task)
        if new.idempotency_key is not None:
            self._keys[new.owner, new.idempotency_key] = (new.id, new.fingerprint)
        self._queue.enqueue(new.provider, new.id, new.priority)
        return Submitted(task)
