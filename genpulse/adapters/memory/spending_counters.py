"""Daily spending counters in memory."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from genpulse.adapters.memory.ledger import Change, MemoryEntries
from genpulse.domain.attempt import Canceled, End, Failed, RetryLater, Succeeded
from genpulse.domain.failure import Charged
from genpulse.domain.keys.api_key import KeyUsage
from genpulse.domain.money.cost import CostFlag
from genpulse.domain.money.ledger import AmountSource
from genpulse.domain.money.spending import Today, Wish, day_of, left_of_day_s
from genpulse.domain.task import Task, TaskStatus


@dataclass(frozen=True, slots=True)
class _Trial:
    """An attempt that has ended: what it settles but for a cost, and what was settled before of the same order."""

    settled_usd: Decimal = Decimal(0)
    refund: tuple[Decimal, date] | None = None
    is_unsure: bool = False


class MemoryLedger:
    """Sums of each day and owner, changed whenever a task changes, with the entries that say why."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._usd: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
        self._tasks: dict[tuple[date, str], int] = defaultdict(int)
        self._active: dict[str, int] = defaultdict(int)
        self._days: dict[UUID, date] = {}
        self._trials: dict[UUID, _Trial] = {}
        self._open_orders: dict[UUID, tuple[Decimal, date]] = {}
        self.entries = MemoryEntries(now)

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

    def submitted(self, task: Task, rule_version: str = "") -> None:
        """A new task, whose price is by this version of a rule."""
        self._begins(task)
        self._tasks[self._days[task.id], task.owner] += 1
        self.entries.begin(task, rule_version, self._days[task.id])

    def again(self, task: Task) -> None:
        """A task that had ended is queued again."""
        if task.order is None:
            self._open_orders.pop(task.id, None)
        self._begins(task)
        self.entries.enter(task, Change(self._days[task.id], _price_of(task)))

    def _begins(self, task: Task) -> None:
        self._days[task.id] = day_of(self._now())
        self._active[task.owner] += 1
        self._add(task, _price_of(task))

    def ordered(self, task_id: UUID) -> None:
        """A task has a new order, of which nothing is settled yet."""
        self._open_orders.pop(task_id, None)

    def tried(self, task: Task, end: End) -> None:
        """An attempt on a task has ended, which `task` is as it was before; `ended` or `waits` follows."""
        outcome, price_usd = end.outcome, _price_of(task)
        before = self._open_orders.get(task.id)
        error = outcome.failure if isinstance(outcome, Failed | RetryLater | Canceled) else None
        has_failed = isinstance(outcome, Failed | RetryLater)
        is_charged = has_failed and error is not None and error.charged is not Charged.NO
        is_ordered_in_vain = isinstance(outcome, Canceled) and task.order is not None
        is_over = has_failed and not is_charged and not end.order_open
        self._trials[task.id] = _Trial(
            settled_usd=price_usd if before is None and (is_charged or is_ordered_in_vain) else Decimal(0),
            refund=before if isinstance(outcome, Succeeded) or is_over else None,
            is_unsure=error is not None and error.charged is Charged.MAYBE,
        )
        if not (end.order_open and task.order is not None):
            self._open_orders.pop(task.id, None)
        elif is_charged and price_usd:
            self._open_orders.setdefault(task.id, (price_usd, self._days[task.id]))

    def waits(self, task: Task) -> None:
        """A task goes on after an attempt."""
        self._change(task, Decimal(0), self._trials.pop(task.id))

    def ended(self, task: Task) -> None:
        """A task has ended."""
        self._active[task.owner] -= 1
        trial = self._trials.pop(task.id, _Trial())
        cost_usd = task.cost.counts_usd if task.cost else None
        if cost_usd is None:
            cost_usd = _price_of(task) if task.status is TaskStatus.SUCCEEDED else Decimal(0)
        self._change(task, -_price_of(task), replace(trial, settled_usd=trial.settled_usd + cost_usd))

    def _change(self, task: Task, usd: Decimal, trial: "_Trial") -> None:
        refunded_usd, refunded_day = trial.refund or (Decimal(0), None)
        self._add(task, usd + trial.settled_usd)
        if refunded_day is not None:
            self._add(task, -refunded_usd, refunded_day)
        cost = task.cost
        change = Change(
            self._days[task.id],
            usd + trial.settled_usd,
            trial.settled_usd,
            refunded_usd,
            refunded_day,
            _source_of(task),
            flag=cost.flag if cost and cost.flag else CostFlag.UNSURE if trial.is_unsure else None,
            reported=cost.reported if cost else None,
        )
        self.entries.enter(task, change)

    def others(self, task: Task) -> Today:
        """What is counted by now without what this task is about to cost."""
        now, price_usd = self.today(), _price_of(task)
        is_counted = self._days[task.id] == day_of(self._now())
        spent_usd = now.spent_usd + (0 if is_counted else price_usd)
        return replace(now, spent_usd=spent_usd - price_usd)

    def carry(self, task: Task) -> None:
        """A task of an earlier day counts today, with what it is about to cost."""
        today, price_usd = day_of(self._now()), _price_of(task)
        if self._days[task.id] == today:
            return
        for usd, day in ((-price_usd, self._days[task.id]), (price_usd, today)):
            self._add(task, usd, day)
            self.entries.enter(task, Change(day, usd))
        self._days[task.id] = today

    def _add(self, task: Task, usd: Decimal, day: date | None = None) -> None:
        for owner in {"", task.owner}:
            self._usd[day or self._days[task.id], owner] += usd


def _price_of(task: Task) -> Decimal:
    return task.price_usd or Decimal(0)


def _source_of(task: Task) -> AmountSource:
    cost = task.cost
    if cost is None or cost.flag or (cost.estimated and cost.amount_usd == task.price_usd):
        return AmountSource.PRICE
    return AmountSource.RULE if cost.estimated else AmountSource.VENDOR
