"""A task store inside this process."""

import math
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from genpulse.adapters.memory.tasks.attempts import TaskAttempts
from genpulse.adapters.memory.tasks.routes import TaskRoutes
from genpulse.adapters.memory.tasks.submission import TaskSubmission
from genpulse.domain.errors import NotRetryable
from genpulse.domain.event import seq_at_end, seq_at_wish
from genpulse.domain.failure import Charged
from genpulse.domain.money.allowance import BudgetScope, ScopeUsage
from genpulse.domain.money.ledger import LedgerEntry, MoneyFlows
from genpulse.domain.money.spending import UNLIMITED, SpendingLimits
from genpulse.domain.money.wish import Today, Wish
from genpulse.domain.retry import deadline_exceeded
from genpulse.domain.task import Task, TaskStatus, WaitsFor


class MemoryTaskStore(TaskSubmission, TaskAttempts, TaskRoutes):
    """Implements `TaskStore` together with a `MemoryTaskQueue`, and notes ends in `MemoryDeliveries`."""

    async def cancel(self, task_id: UUID) -> Task:
        """End a queued task; ask the worker of a running one to stop; leave an ended one."""
        task = self._row(task_id)
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

    async def retry(
        self,
        task_id: UUID,
        *,
        keeps_order: bool = True,
        limits: SpendingLimits = UNLIMITED,
        seen_seq: int | None = None,
    ) -> Task:
        """Queue a failed task again. Raises `UnknownTask`, `NotRetryable`, as `submit`."""
        task = await self.get(task_id)
        if task.status is not TaskStatus.FAILED or seen_seq not in {None, task.seq}:
            raise NotRetryable(task_id, task.status)
        self._ledger.check(Wish.of([task], limits, again=True))
        waits = self._awaits(task.depends_on)
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
            next_try_at=self._now() if task.depends_on and not waits else None,
        )
        self._tasks[task_id] = again
        self._unstopped.forget(task_id)
        self._ledger.again(again, limits)
        delay_s = math.inf if waits else 0.0
        self._queue.enqueue(again, ordered=again.order is not None, delay_s=delay_s)
        return again

    async def expire(self) -> tuple[Task, ...]:
        """End the queued tasks whose deadline has passed."""
        now = self._now()
        late = [
            task
            for task in self._tasks.values()
            if task.status is TaskStatus.QUEUED
            and task.deadline_at is not None
            and task.deadline_at <= now
            and (task.attempt == 0 or not task.deadline_is_for_start)
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
        tasks = [task for task in due if task.provider in providers][:limit]
        for task in tasks:
            self._unstopped.put_off(task)
        return tuple(tasks)

    async def close_order(self, task_id: UUID, reference: str) -> None:
        """The order of an ended task is over."""
        task = self._tasks.get(task_id)
        if task is not None and task.status.ended and task.order and task.order.reference == reference:
            self._tasks[task_id] = replace(task, order=None)
            self._ledger.ordered(task_id)
            self._unstopped.forget(task_id)

    async def spent_usd(self) -> Decimal:
        """What is spent or promised today, in US dollars."""
        return self._ledger.today().spent_usd

    async def counted(self, scopes: Sequence[BudgetScope]) -> Today:
        """What is counted by now of all, and of these scopes."""
        return self._ledger.today(scope.counter for scope in scopes)

    async def hold_price(self, task: Task, limits: SpendingLimits) -> None:
        """Let the price of a task that runs stand among what today costs."""
        self._ledger.hold(self._row(task.id), limits)

    def prune_counters(self, limit: int) -> int:
        """Forget at most `limit` counters whose period is over; how many there were."""
        return self._ledger.prune(limit)

    def weigh(self, owner: str, weight: int) -> None:
        """How many tasks of an owner are taken in its turn, for the store of keys."""
        self._queue.weigh(owner, weight)

    async def ledger(self, task_id: UUID) -> tuple[LedgerEntry, ...]:
        """All entries about a task, oldest first."""
        return self._ledger.entries.of_task(task_id)

    async def money_flows(self, mark: int | None) -> MoneyFlows:
        """What was entered since the mark of an earlier look."""
        return self._ledger.entries.flows(mark)

    async def usage(self, owner: str) -> ScopeUsage:
        """What an owner has done, for the store of keys."""
        return self._ledger.today([owner]).usage_of(owner)
