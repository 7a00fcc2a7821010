"""Spending counters in memory."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from genpulse.adapters.memory.money.ledger import Change, MemoryEntries
from genpulse.domain.attempt import Canceled, End, Failed, MovedOn, RetryLater, Succeeded
from genpulse.domain.failure import Charged
from genpulse.domain.money.allowance import BudgetScope, Period, ScopeKind, ScopeUsage
from genpulse.domain.money.cost import CostFlag
from genpulse.domain.money.ledger import AmountSource
from genpulse.domain.money.spending import SpendingLimits, day_of
from genpulse.domain.money.wish import Today, Wish
from genpulse.domain.task import Task, TaskStatus

_NO_DAY = date.min


@dataclass(frozen=True, slots=True)
class _Trial:
    """An attempt that has ended: what it settles but for a cost, and what was settled before of the same order."""

    settled_usd: Decimal = Decimal(0)
    refund: tuple[Decimal, date] | None = None
    is_unsure: bool = False


class MemoryLedger:
    """Sums of each day and scope, changed whenever a task changes, with the entries that say why."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._usd: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
        self._tasks: dict[tuple[date, str], int] = defaultdict(int)
        self._active: dict[str, int] = defaultdict(int)
        self._days: dict[UUID, date] = {}
        self._scopes: dict[UUID, frozenset[str]] = {}
        self._trials: dict[UUID, _Trial] = {}
        self._open_orders: dict[UUID, tuple[Decimal, date]] = {}
        self.entries = MemoryEntries(now)

    def today(self, counters: Iterable[str] = ()) -> Today:
        """What is counted by now, of all and of these counters."""
        now = self._now()
        return Today(now, {counter: self._usage(counter, day_of(now)) for counter in {"", *counters}})

    def _usage(self, counter: str, day: date) -> ScopeUsage:
        month = Period.MONTH.begin(day)
        month_usd = sum(
            (usd for (on, who), usd in self._usd.items() if who == counter and Period.MONTH.begin(on) == month),
            Decimal(0),
        )
        today, always = (day, counter), (_NO_DAY, counter)
        return ScopeUsage(
            self._active.get(counter, 0),
            self._tasks.get(today, 0),
            self._usd.get(today, Decimal(0)),
            month_usd,
            self._tasks.get(always, 0),
            self._usd.get(always, Decimal(0)),
        )

    def check(self, wish: Wish) -> None:
        """Raises `BudgetExceeded`, `KeyLimitExceeded` where the wish does not fit into what is left."""
        if wish.counters and (refusal := wish.refusal(self.today(wish.counters))):
            raise refusal

    def submitted(self, task: Task, limits: SpendingLimits, rule_version: str = "") -> None:
        """A new task, whose price is by this version of a rule."""
        self._begins(task, limits)
        for counter in self._counters_of_tasks(task):
            self._tasks[_day_in(counter, self._days[task.id]), counter] += 1
        self.entries.begin(task, rule_version, self._days[task.id])

    def again(self, task: Task, limits: SpendingLimits) -> None:
        """A task that had ended is queued again."""
        if task.order is None:
            self._open_orders.pop(task.id, None)
        self._begins(task, limits)
        self.entries.enter(task, Change(self._days[task.id], _price_of(task)))

    def _begins(self, task: Task, limits: SpendingLimits) -> None:
        self._days[task.id] = day_of(self._now())
        if task.id not in self._open_orders:
            self._scopes[task.id] = frozenset(scope.counter for scope in limits.extra_scopes(task))
        self._make_active(task, 1)
        self._add(task, _price_of(task))

    def ordered(self, task_id: UUID) -> None:
        """A task has a new order, of which nothing is settled yet."""
        self._open_orders.pop(task_id, None)

    def tried(self, task: Task, end: End) -> None:
        """An attempt on a task has ended, which `task` is as it was before; `ended` or `waits` follows."""
        outcome, price_usd = end.outcome, task.model_price_usd or Decimal(0)
        before = self._open_orders.get(task.id)
        error = outcome.failure if isinstance(outcome, Failed | RetryLater | MovedOn | Canceled) else None
        has_failed = isinstance(outcome, Failed | RetryLater | MovedOn)
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
        self._make_active(task, -1)
        trial = self._trials.pop(task.id, _Trial())
        cost_usd = task.cost.counts_usd if task.cost else None
        if cost_usd is None:
            cost_usd = (task.model_price_usd or Decimal(0)) if task.status is TaskStatus.SUCCEEDED else Decimal(0)
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
            rule_version=task.route.current.rule_version if task.route else None,
            cost_version=cost.rule_version if cost else "",
        )
        self.entries.enter(task, change)

    def hold(self, task: Task, limits: SpendingLimits) -> None:
        """Let what a task is about to cost count today. Raises `BudgetExceeded`, `KeyLimitExceeded`."""
        if not (task.price_usd or task.route):
            return
        wish = Wish.of([task], limits, again=True, queued=False)
        day, scopes = self._days[task.id], self._scopes[task.id]
        provider = set() if task.id in self._open_orders else _provider_of(task, limits)
        kept = frozenset(one for one in scopes if not (provider and _is_of_provider(one)))
        self._carry(task, max(day, day_of(self._now())), kept | provider)
        if refusal := wish.refusal(wish.added(self.today(wish.counters), -1)):
            self._carry(task, day, scopes)
            raise refusal
        self._enter_move(task, day)

    def prune(self, limit: int) -> int:
        """Forget at most `limit` sums whose period is over; how many there were."""
        this = Period.MONTH.begin(day_of(self._now()))
        last = Period.MONTH.begin(this - timedelta(days=1))
        old = [
            (day, counter)
            for day, counter in self._usd.keys() | self._tasks.keys()
            if _NO_DAY < day < (this if _is_of_customer(counter) else last)
        ][:limit]
        for place in old:
            self._usd.pop(place, None)
            self._tasks.pop(place, None)
        for counter in [one for one, active in self._active.items() if _is_of_customer(one) and not active]:
            del self._active[counter]
        return len(old)

    def _carry(self, task: Task, day: date, scopes: frozenset[str]) -> None:
        self._add(task, -_price_of(task))
        self._days[task.id], self._scopes[task.id] = day, scopes
        self._add(task, _price_of(task))

    def _enter_move(self, task: Task, before: date) -> None:
        today, price_usd = self._days[task.id], _price_of(task)
        for usd, day in ((-price_usd, before), (price_usd, today)) if before != today else ():
            self.entries.enter(task, Change(day, usd))

    def _make_active(self, task: Task, sign: int) -> None:
        for counter in self._counters_of_tasks(task):
            self._active[counter] += sign

    def _counters_of_tasks(self, task: Task) -> set[str]:
        """Those that count tasks: of its owner, and of an end customer and a client token of that."""
        return {task.owner} | {one for one in self._scopes[task.id] if not _is_of_provider(one)}

    def _add(self, task: Task, usd: Decimal, day: date | None = None) -> None:
        for counter in {"", task.owner, *self._scopes[task.id]} if usd else ():
            self._usd[_day_in(counter, day or self._days[task.id]), counter] += usd


def _day_in(counter: str, day: date) -> date:
    """The day on which something counts there; a client token has none."""
    return _NO_DAY if counter.startswith(f"{ScopeKind.CLIENT_TOKEN}:") else day


def _is_of_customer(counter: str) -> bool:
    return counter.startswith(f"{ScopeKind.CUSTOMER}:")


def _is_of_provider(counter: str) -> bool:
    return counter.startswith(f"{ScopeKind.PROVIDER}:")


def _provider_of(task: Task, limits: SpendingLimits) -> set[str]:
    return {BudgetScope(ScopeKind.PROVIDER, task.provider).counter} if limits.has_budgets else set()


def _price_of(task: Task) -> Decimal:
    return task.price_usd or Decimal(0)


def _source_of(task: Task) -> AmountSource:
    cost = task.cost
    if cost is not None and cost.rule_version:
        return AmountSource.RULE
    if cost is None or cost.flag or (cost.estimated and cost.amount_usd == task.model_price_usd):
        return AmountSource.PRICE
    return AmountSource.RULE if cost.estimated else AmountSource.VENDOR
