"""Daily spending counters in memory."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from genpulse.domain.failure import Charged, Failure
from genpulse.domain.keys.api_key import KeyUsage
from genpulse.domain.money.spending import Today, Wish, day_of, left_of_day_s
from genpulse.domain.task import Task, TaskStatus


class MemoryLedger:
    """Sums of each day and owner, changed whenever a task changes."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._usd: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
        self._tasks: dict[tuple[date, str], int] = defaultdict(int)
        self._active: dict[str, int] = defaultdict(int)
        self._days: dict[UUID, date] = {}

    def today(self, owners: Sequence[str] = ()) -> Today:
        """What is counted by now, of all and of these owners."""
        now = self._now()
        day = day_of(now)
        usage = {
            owner: KeyUsage(self._active[owner], self._tasks[day, owner], self._usd[day, owner])
            for owner in owners
            if owner
        }
        return Today(left_of_day_s(now), self._usd[day, ""], usage)

    def check(self, wish: Wish) -> None:
        """Raises `BudgetExceeded`, `KeyLimitExceeded` where the wish does not fit into what is left of the day."""
        if wish.is_bound and (refusal := wish.refusal(self.today([wish.owner]))):
            raise refusal

    def submitted(self, task: Task) -> None:
        """A new task."""
        self._begins(task)
        self._tasks[self._days[task.id], task.owner] += 1

    def again(self, task: Task) -> None:
        """A task that had ended is queued again."""
        self._begins(task)

    def _begins(self, task: Task) -> None:
        self._days[task.id] = day_of(self._now())
        self._active[task.owner] += 1
        self._add(task, _price_of(task))

    def tried(self, task: Task, error: Failure | None) -> None:
        """An attempt on a task has ended."""
        if error is not None and error.charged is not Charged.NO:
            self._add(task, _price_of(task))

    def ended(self, task: Task) -> None:
        """A task has ended."""
        self._active[task.owner] -= 1
        self._add(task, _end_usd(task) - _price_of(task))

    def others(self, task: Task) -> Today:
        """What is counted by now without what this task is about to cost."""
        now, price_usd = self.today(), _price_of(task)
        is_counted = self._days[task.id] == day_of(self._now())
        spent_usd = now.spent_usd + (0 if is_counted else price_usd)
        return replace(now, spent_usd=spent_usd - price_usd)

    def carry(self, task: Task) -> None:
        """A task of an earlier day counts today, with what it is about to cost."""
        self._add(task, -_price_of(task))
        self._days[task.id] = day_of(self._now())
        self._add(task, _price_of(task))

    def _add(self, task: Task, usd: Decimal) -> None:
        for owner in {"", task.owner}:
            self._usd[self._days[task.id], owner] += usd


def _price_of(task: Task) -> Decimal:
    return task.price_usd or Decimal(0)


def _end_usd(task: Task) -> Decimal:
    cost_usd = task.cost.counts_usd if task.cost else None
    if cost_usd is not None:
        return cost_usd
    is_free = task.status is TaskStatus.FAILED or (task.status is TaskStatus.CANCELED and not task.attempt)
    return Decimal(0) if is_free else _price_of(task)
