"""What may be spent in an environment, and what has to hold when tasks are queued."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

from genpulse.domain.keys.api_key import KeyLimits
from genpulse.domain.money.allowance import (
    ENVIRONMENT,
    NO_LIMITS,
    Allowance,
    BudgetScope,
    ScopeKind,
)
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

    `daily_usd` and `monthly_usd` are for all together, `providers` for some of them, `key` for the owner, and
    `client_token` for the token by which the owner lets somebody else submit.
    """

    daily_usd: Decimal | None = None
    key: KeyLimits = field(default_factory=KeyLimits)
    monthly_usd: Decimal | None = None
    providers: Mapping[str, Allowance] = field(default_factory=dict)
    client_token: Allowance = NO_LIMITS

    @property
    def has_budgets(self) -> bool:
        """Whether something may not cost more than so much, whoever asks for it."""
        return self.daily_usd is not None or self.monthly_usd is not None or bool(self.providers)

    @property
    def limits_money(self) -> bool:
        """Whether anything may not cost more than so much."""
        of_customers = self.key.limit_by is not None and self.key.customer.limits_money
        return self.has_budgets or self.key.limits_money or of_customers

    @property
    def looks_at_months(self) -> bool:
        """Whether anything is limited by what a month costs."""
        allowances = (self.key, self.key.customer, *self.providers.values())
        return self.monthly_usd is not None or any(one.monthly_usd is not None for one in allowances)

    @property
    def shares_months(self) -> bool:
        """Whether tasks of several owners share a month, which have no counter in common but those of days."""
        return self.monthly_usd is not None or any(one.monthly_usd is not None for one in self.providers.values())

    def bind(self, price_usd: Decimal) -> bool:
        """Whether tasks of this price could be refused because of them."""
        of_caller = self.key.limits_tasks or self.client_token.limits_anything
        return of_caller or (bool(price_usd) and self.has_budgets)

    def extra_scopes(self, task: AnyTask) -> tuple[BudgetScope, ...]:
        """In whose counters a task stands besides those of all and of its owner.

        Providers are counted where there is any budget, so that one that is set later knows the past.
        """
        provider = (BudgetScope(ScopeKind.PROVIDER, task.provider),) if self.has_budgets else ()
        customer = self.customer_of(task)
        scopes = provider if customer is None else (*provider, customer)
        if task.client_token is None:
            return scopes
        return (*scopes, BudgetScope(ScopeKind.CLIENT_TOKEN, str(task.client_token)))

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
                return self.key
            case ScopeKind.CUSTOMER:
                return self.key.customer
            case ScopeKind.CLIENT_TOKEN:
                return self.client_token


UNLIMITED = SpendingLimits()


def price_of(tasks: Iterable[AnyTask]) -> Decimal:
    """What tasks cost together at most, in US dollars; one whose price nobody knows counts nothing."""
    return sum((task.price_usd or Decimal(0) for task in tasks), Decimal(0))


def day_of(now: datetime) -> date:
    """The day of a moment, in UTC."""
    return now.astimezone(UTC).date()
