"""How much may be done, and how much of it was: limits of environments, providers, keys and end customers."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum


class Measure(StrEnum):
    """What is counted."""

    USD = "usd"
    TASKS = "tasks"
    ACTIVE_TASKS = "active_tasks"


class Period(StrEnum):
    """For how long a limit counts, in UTC."""

    DAY = "day"
    MONTH = "month"

    def begin(self, day: date) -> date:
        """The first day of the period in which a day lies."""
        return day if self is Period.DAY else day.replace(day=1)

    def end(self, now: datetime) -> datetime:
        """When the period ends in which a moment lies."""
        first = self.begin(now.astimezone(UTC).date())
        next_one = first + timedelta(days=1) if self is Period.DAY else (first + timedelta(days=31)).replace(day=1)
        return datetime.combine(next_one, time.min, UTC)


class ScopeKind(StrEnum):
    """For whom a limit counts."""

    ENVIRONMENT = "environment"
    PROVIDER = "provider"
    KEY = "key"
    CUSTOMER = "customer"
    CLIENT_TOKEN = "client_token"  # noqa: S105 - a word of ours


@dataclass(frozen=True, slots=True)
class BudgetScope:
    """For whom something is counted.

    `name` is the provider, the id of the API key or of the client token, or the end customer as the metadata calls
    it; `owner` is the key that a customer belongs to.
    """

    kind: ScopeKind
    name: str = ""
    owner: str = ""

    @property
    def counter(self) -> str:
        """The name of its counters. Of a customer it holds a digest only: counters outlive a customer's data."""
        match self.kind:
            case ScopeKind.ENVIRONMENT:
                return ""
            case ScopeKind.KEY:
                return self.name
            case ScopeKind.PROVIDER | ScopeKind.CLIENT_TOKEN:
                return f"{self.kind}:{self.name}"
            case ScopeKind.CUSTOMER:
                said = f"{self.owner}\n{self.name}".encode("utf-8", "surrogatepass")
                return f"customer:{self.owner}:{hashlib.sha256(said).hexdigest()[:32]}"


ENVIRONMENT = BudgetScope(ScopeKind.ENVIRONMENT)


@dataclass(frozen=True, slots=True)
class ScopeUsage:
    """What was done: tasks that have not ended, and what was submitted today and spent this month, in UTC.

    Of a client token it is what was ever submitted and spent, and nothing of days and months.
    """

    active_tasks: int = 0
    today_tasks: int = 0
    today_usd: Decimal = Decimal(0)
    month_usd: Decimal = Decimal(0)
    total_tasks: int = 0
    total_usd: Decimal = Decimal(0)

    def added(self, *, active_tasks: int, today_tasks: int, usd: Decimal) -> "ScopeUsage":
        """With so much more."""
        return ScopeUsage(
            self.active_tasks + active_tasks,
            self.today_tasks + today_tasks,
            self.today_usd + usd,
            self.month_usd + usd,
            self.total_tasks + today_tasks,
            self.total_usd + usd,
        )


@dataclass(frozen=True, slots=True)
class LimitUse:
    """One limit, and how much of it is used. `period` is None for what counts at all times."""

    scope: BudgetScope
    measure: Measure
    period: Period | None
    used: Decimal
    limit: Decimal
    resets_at: datetime | None

    def is_at(self, share: Decimal) -> bool:
        """Whether so large a part of it is used, from 0 to 1; nothing is never part of nothing."""
        return self.used > 0 and self.used >= self.limit * share


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much may be done; None: no limit. Days and months are those of UTC, amounts are in US dollars.

    `total_tasks` and `total_usd` are of client tokens alone, whose life is shorter than any period.
    """

    max_active_tasks: int | None = None
    daily_tasks: int | None = None
    daily_usd: Decimal | None = None
    monthly_usd: Decimal | None = None
    total_tasks: int | None = field(default=None, kw_only=True)
    total_usd: Decimal | None = field(default=None, kw_only=True)

    @property
    def limits_money(self) -> bool:
        """Whether it says anything about US dollars."""
        return self.daily_usd is not None or self.monthly_usd is not None or self.total_usd is not None

    @property
    def limits_anything(self) -> bool:
        """Whether it says anything of what is counted."""
        counts = (self.max_active_tasks, self.daily_tasks, self.total_tasks)
        return self.limits_money or any(count is not None for count in counts)

    def uses(self, scope: BudgetScope, usage: ScopeUsage, now: datetime) -> Iterator[LimitUse]:
        """Each of its limits with what is used of it, in the order in which they are looked at."""
        for measure, period, used, limit in (
            (Measure.ACTIVE_TASKS, None, usage.active_tasks, self.max_active_tasks),
            (Measure.TASKS, Period.DAY, usage.today_tasks, self.daily_tasks),
            (Measure.USD, Period.DAY, usage.today_usd, self.daily_usd),
            (Measure.USD, Period.MONTH, usage.month_usd, self.monthly_usd),
            (Measure.TASKS, None, usage.total_tasks, self.total_tasks),
            (Measure.USD, None, usage.total_usd, self.total_usd),
        ):
            if limit is not None:
                resets_at = period.end(now) if period else None
                yield LimitUse(scope, measure, period, Decimal(used), Decimal(limit), resets_at)


NO_LIMITS = Allowance()
