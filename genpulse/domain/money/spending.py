"""What has to hold when tasks are queued, and what is counted of environments, providers, keys and customers."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from genpulse.domain.errors import BudgetExceeded, KeyLimitExceeded
from genpulse.domain.keys.api_key import KeyLimits
from genpulse.domain.money.allowance import (
    ENVIRONMENT,
    NO_LIMITS,
    Allowance,
    BudgetScope,
    LimitUse,
    Measure,
    ScopeKind,
    ScopeUsage,
)
from genpulse.domain.money.limit_refusal import refusal_of
from genpulse.domain.task import NewTask, Task

AnyTask = NewTask | Task


@dataclass(frozen=True, slots=True)
class Spending:
    """`paid` says whether providers that cost money may be asked, `by_provider` what differs from that.

    `daily_usd` and `monthly_usd` are what a day and a month (UTC) may cost in US dollars, None for no limit;
    `providers` says the same of some of them. `place` is the environment, for messages. Somebody is told once a
    budget is used up to `warn_at`, from 0 to 1, at `warning_url` where there is one.
    """

    paid: bool = True
    by_provider: Mapping[str, bool] = field(default_factory=dict)
    daily_usd: Decimal | None = None
    place: str = ""
    monthly_usd: Decimal | None = None
    providers: Mapping[str, Allowance] = field(default_factory=dict)
    warn_at: Decimal = Decimal("0.8")
    warning_url: str | None = None

    def allows(self, provider: str) -> bool:
        """Whether a provider that costs money may be asked."""
        return self.by_provider.get(provider, self.paid)

    @property
    def budgets(self) -> Mapping[BudgetScope, Allowance]:
        """The budgets of the environment and of its providers."""
        of_all = {ENVIRONMENT: Allowance(daily_usd=self.daily_usd, monthly_usd=self.monthly_usd)}
        named = {BudgetScope(ScopeKind.PROVIDER, name): allowance for name, allowance in self.providers.items()}
        return {scope: allowance for scope, allowance in (of_all | named).items() if allowance.limits_money}


@dataclass(frozen=True, slots=True)
class SpendingLimits:
    """What has to hold when a task is queued.

    `daily_usd` and `monthly_usd` are for all together, `providers` for some of them, and `key` for the owner.
    """

    daily_usd: Decimal | None = None
    key: KeyLimits = field(default_factory=KeyLimits)
    monthly_usd: Decimal | None = None
    providers: Mapping[str, Allowance] = field(default_factory=dict)

    @property
    def has_budgets(self) -> bool:
        """Whether something may not cost more than so much, whoever asks for it."""
        return self.daily_usd is not None or self.monthly_usd is not None or bool(self.providers)

    @property
    def limits_money(self) -> bool:
        """Whether anything may not cost more than so much."""
        of_customers = self.key.limit_by is not None and self.key.customer.limits_money
        return self.has_budgets or self.key.allowance.limits_money or of_customers

    @property
    def looks_at_months(self) -> bool:
        """Whether anything is limited by what a month costs."""
        allowances = (self.key.allowance, self.key.customer, *self.providers.values())
        return self.monthly_usd is not None or any(one.monthly_usd is not None for one in allowances)

    @property
    def shares_months(self) -> bool:
        """Whether tasks of several owners share a month, which have no counter in common but those of days."""
        return self.monthly_usd is not None or any(one.monthly_usd is not None for one in self.providers.values())

    def bind(self, price_usd: Decimal) -> bool:
        """Whether tasks of this price could be refused because of them."""
        key = self.key
        return (
            (self.has_budgets and bool(price_usd))
            or key.allowance.limits_anything
            or (key.limit_by is not None and key.customer.limits_anything)
        )

    def extra_scopes(self, task: AnyTask) -> tuple[BudgetScope, ...]:
        """In whose counters a task stands besides those of all and of its owner.

        Providers are counted where there is any budget, so that one that is set later knows the past.
        """
        provider = (BudgetScope(ScopeKind.PROVIDER, task.provider),) if self.has_budgets else ()
        customer = self.customer_of(task)
        return provider if customer is None else (*provider, customer)

    def customer_of(self, task: AnyTask) -> BudgetScope | None:
        """The end customer of a task, where the key tells them apart."""
        field_name = self.key.limit_by
        name = task.metadata.get(field_name) if field_name is not None and task.owner else None
        return BudgetScope(ScopeKind.CUSTOMER, name, task.owner) if name else None

    def allowance_of(self, scope: BudgetScope) -> Allowance:
        """How much may be done for this scope."""
        match scope.kind:
            case ScopeKind.ENVIRONMENT:
                return Allowance(daily_usd=self.daily_usd, monthly_usd=self.monthly_usd)
            case ScopeKind.PROVIDER:
                return self.providers.get(scope.name, NO_LIMITS)
            case ScopeKind.KEY:
                return self.key.allowance
            case ScopeKind.CUSTOMER:
                return self.key.customer


UNLIMITED = SpendingLimits()


@dataclass(frozen=True, slots=True)
class Today:
    """What is counted at a moment, by the names of the counters that somebody asks for."""

    now: datetime
    usage: Mapping[str, ScopeUsage] = field(default_factory=dict)

    @property
    def spent_usd(self) -> Decimal:
        """What the tasks of all have come to today, in US dollars."""
        return self.usage_of(ENVIRONMENT.counter).today_usd

    def usage_of(self, counter: str) -> ScopeUsage:
        """What was done; nothing, where nothing is known."""
        return self.usage.get(counter) or ScopeUsage()


def price_of(tasks: Iterable[AnyTask]) -> Decimal:
    """What tasks cost together at most, in US dollars; one whose price nobody knows counts nothing."""
    return sum((task.price_usd or Decimal(0) for task in tasks), Decimal(0))


@dataclass(frozen=True, slots=True)
class Demand:
    """So many tasks and US dollars more for one scope, and how much it may have."""

    scope: BudgetScope
    allowance: Allowance
    usd: Decimal
    tasks: int

    def misfit(self, today: Today, *, again: bool) -> LimitUse | None:
        """The first of its limits that would be passed. What costs nothing passes no limit of money."""
        for use in self.allowance.uses(self.scope, today.usage_of(self.scope.counter), today.now):
            more = self._more(use, again=again)
            if more and use.used + more > use.limit:
                return use
        return None

    def _more(self, use: LimitUse, *, again: bool) -> Decimal:
        match use.measure:
            case Measure.USD:
                return self.usd
            case Measure.TASKS:
                return Decimal(0 if again else self.tasks)
            case Measure.ACTIVE_TASKS:
                return Decimal(self.tasks)


@dataclass(frozen=True, slots=True)
class Wish:
    """What tasks want that are to be queued together or not at all, of each scope in which they are counted.

    They were submitted before where `again` is set.
    """

    demands: tuple[Demand, ...]
    again: bool = False

    @classmethod
    def of(
        cls, tasks: Sequence[AnyTask], limits: SpendingLimits, *, again: bool = False, queued: bool = True
    ) -> "Wish":
        """The wish to queue these tasks of one owner; without `queued`, to pay for them alone."""
        counted: dict[BudgetScope, list[AnyTask]] = {}
        for task in tasks:
            owner = (BudgetScope(ScopeKind.KEY, task.owner),) if task.owner else ()
            for scope in (ENVIRONMENT, *owner, *limits.extra_scopes(task)):
                counted.setdefault(scope, []).append(task)
        return cls(tuple(_demands(counted, limits, queued=queued)), again)

    @property
    def counters(self) -> frozenset[str]:
        """The counters that tell whether it fits."""
        return frozenset(demand.scope.counter for demand in self.demands if demand.allowance.limits_anything)

    def refusal(self, today: Today) -> BudgetExceeded | KeyLimitExceeded | None:
        """Why they do not fit into what is left, None when they do."""
        for demand in self.demands:
            if (use := demand.misfit(today, again=self.again)) is not None:
                return refusal_of(use, today.now, usd=demand.usd, tasks=demand.tasks)
        return None

    def added(self, today: Today, sign: int = 1) -> Today:
        """What is counted with them, or without them where `sign` is -1."""
        usage = dict(today.usage)
        for demand in self.demands:
            counter, tasks = demand.scope.counter, demand.tasks * sign
            usage[counter] = today.usage_of(counter).added(
                active_tasks=tasks, today_tasks=0 if self.again else tasks, usd=demand.usd * sign
            )
        return replace(today, usage=usage)


def _demands(
    counted: Mapping[BudgetScope, Sequence[AnyTask]], limits: SpendingLimits, *, queued: bool
) -> Iterator[Demand]:
    for scope in sorted(counted, key=lambda scope: (_ORDER[scope.kind], scope.name)):
        tasks = counted[scope]
        yield Demand(scope, limits.allowance_of(scope), price_of(tasks), len(tasks) if queued else 0)


_ORDER = {kind: number for number, kind in enumerate(ScopeKind)}


def refusals(today: Today, wishes: Sequence[Wish]) -> list[BudgetExceeded | KeyLimitExceeded | None]:
    """Why each does not fit, None for those that do: one after the other is added as long as there is room."""
    answers: list[BudgetExceeded | KeyLimitExceeded | None] = []
    for wish in wishes:
        refusal = wish.refusal(today)
        answers.append(refusal)
        if refusal is None:
            today = wish.added(today)
    return answers


def day_of(now: datetime) -> date:
    """The day of a moment, in UTC."""
    return now.astimezone(UTC).date()


def left_of_day_s(now: datetime) -> int:
    """Whole seconds after which the next day has begun, in UTC: from 1 to 86,400."""
    tomorrow = datetime.combine(day_of(now), time.min, UTC) + timedelta(days=1)
    return math.ceil((tomorrow - now).total_seconds())
