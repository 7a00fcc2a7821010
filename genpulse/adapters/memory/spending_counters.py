"""Spending counters in memory."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from genpulse.domain.failure import Charged, Failure
from genpulse.domain.money.allowance import BudgetScope, Period, ScopeKind, ScopeUsage
from genpulse.domain.money.spending import SpendingLimits, day_of
from genpulse.domain.money.wish import Today, Wish
from genpulse.domain.task import Task, TaskStatus


class MemoryLedger:
    """Sums of each day and scope, changed whenever a task changes."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._usd: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
        self._tasks: dict[tuple[date, str], int] = defaultdict(int)
        self._active: dict[str, int] = defaultdict(int)
        self._days: dict[UUID, date] = {}
        self._scopes: dict[UUID, frozenset[str]] = {}

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
        today = (day, counter)
        return ScopeUsage(
            self._active.get(counter, 0), self._tasks.get(today, 0), self._usd.get(today, Decimal(0)), month_usd
        )

    def check(self, wish: Wish) -> None:
        """Raises `BudgetExceeded`, `KeyLimitExceeded` where the wish does not fit into what is left."""
        if wish.counters and (refusal := wish.refusal(self.today(wish.counters))):
            raise refusal

    def submitted(self, task: Task, limits: SpendingLimits) -> None:
        """A new task."""
        self._begins(task, limits)
        for counter in self._counters_of_tasks(task):
            self._tasks[self._days[task.id], counter] += 1

    def again(self, task: Task, limits: SpendingLimits) -> None:
        """A task that had ended is queued again."""
        self._begins(task, limits)

    def _begins(self, task: Task, limits: SpendingLimits) -> None:
        self._days[task.id] = day_of(self._now())
        self._scopes[task.id] = frozenset(scope.counter for scope in limits.extra_scopes(task))
        self._make_active(task, 1)
        self._add(task, _price_of(task))

    def tried(self, task: Task, error: Failure | None) -> None:
        """An attempt on a task has ended."""
        if error is not None and error.charged is not Charged.NO:
            self._add(task, _price_of(task))

    def ended(self, task: Task) -> None:
        """A task has ended."""
        self._make_active(task, -1)
        self._add(task, _end_usd(task) - _price_of(task))

    def hold(self, task: Task, limits: SpendingLimits) -> None:
        """Let what a task is about to cost count today. Raises `BudgetExceeded`, `KeyLimitExceeded`."""
        if not task.price_usd:
            return
        wish = Wish.of([task], limits, again=True, queued=False)
        day, scopes = self._days[task.id], self._scopes[task.id]
        provider = _provider_of(task, limits)
        kept = frozenset(one for one in scopes if not (provider and _is_of_provider(one)))
        self._carry(task, max(day, day_of(self._now())), kept | provider)
        if refusal := wish.refusal(wish.added(self.today(wish.counters), -1)):
            self._carry(task, day, scopes)
            raise refusal

    def prune(self, limit: int) -> int:
        """Forget at most `limit` sums whose period is over; how many there were."""
        this = Period.MONTH.begin(day_of(self._now()))
        last = Period.MONTH.begin(this - timedelta(days=1))
        old = [
            (day, counter)
            for day, counter in self._usd.keys() | self._tasks.keys()
            if day < (this if _is_of_customer(counter) else last)
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

    def _make_active(self, task: Task, sign: int) -> None:
        for counter in self._counters_of_tasks(task):
            self._active[counter] += sign

    def _counters_of_tasks(self, task: Task) -> set[str]:
        """Those that count tasks: of its owner, and of an end customer of that."""
        customers = set(filter(_is_of_customer, self._scopes[task.id]))
        return {task.owner} | customers

    def _add(self, task: Task, usd: Decimal) -> None:
        for counter in {"", task.owner, *self._scopes[task.id]} if usd else ():
            self._usd[self._days[task.id], counter] += usd


def _is_of_customer(counter: str) -> bool:
    return counter.startswith(f"{ScopeKind.CUSTOMER}:")


def _is_of_provider(counter: str) -> bool:
    return counter.startswith(f"{ScopeKind.PROVIDER}:")


def _provider_of(task: Task, limits: SpendingLimits) -> set[str]:
    return {BudgetScope(ScopeKind.PROVIDER, task.provider).counter} if limits.has_budgets else set()


def _price_of(task: Task) -> Decimal:
    return task.price_usd or Decimal(0)


def _end_usd(task: Task) -> Decimal:
    cost_usd = task.cost.counts_usd if task.cost else None
    if cost_usd is not None:
        return cost_usd
    is_free = task.status is TaskStatus.FAILED or (task.status is TaskStatus.CANCELED and not task.attempt)
    return Decimal(0) if is_free else _price_of(task)
