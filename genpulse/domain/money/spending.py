"""Spending limits of environments, keys and days."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from genpulse.domain.errors import BudgetExceeded, KeyLimitExceeded
from genpulse.domain.keys.api_key import KeyLimits, KeyUsage
from genpulse.domain.task import NewTask, Task

ACTIVE_AGAIN_S = 5
"""When a task of a key may have ended: a guess, in seconds."""


@dataclass(frozen=True, slots=True)
class Spending:
    """`paid` says whether providers that cost money may be asked, `by_provider` what differs from that.

    `daily_usd` is what a day (UTC) may cost in US dollars, None for no limit. `place` is the environment, for
    messages.
    """

    paid: bool = True
    by_provider: Mapping[str, bool] = field(default_factory=dict)
    daily_usd: Decimal | None = None
    place: str = ""

    def allows(self, provider: str) -> bool:
        """Whether a provider that costs money may be asked."""
        return self.by_provider.get(provider, self.paid)


@dataclass(frozen=True, slots=True)
class SpendingLimits:
    """What has to hold when a task is queued: `daily_usd` for all together, `key` for its owner alone."""

    daily_usd: Decimal | None = None
    key: KeyLimits = field(default_factory=KeyLimits)

    def bind(self, price_usd: Decimal) -> bool:
        """Whether a task of this price could be refused because of them."""
        key = self.key
        of_key = (key.max_active_tasks, key.daily_tasks, key.daily_usd)
        return (self.daily_usd is not None and bool(price_usd)) or any(limit is not None for limit in of_key)


UNLIMITED = SpendingLimits()


@dataclass(frozen=True, slots=True)
class Today:
    """What is counted by now: US dollars of all, and what each owner that somebody asks for has done.

    The day ends in `left_s` seconds.
    """

    left_s: int
    spent_usd: Decimal = Decimal(0)
    usage: Mapping[str, KeyUsage] = field(default_factory=dict)

    def usage_of(self, owner: str) -> KeyUsage:
        """What an owner has done; nothing, where nothing is known."""
        return self.usage.get(owner) or KeyUsage(0, 0, Decimal(0))


def price_of(tasks: Iterable[NewTask | Task]) -> Decimal:
    """What tasks cost together at most, in US dollars; one whose price nobody knows counts nothing."""
    return sum((task.price_usd or Decimal(0) for task in tasks), Decimal(0))


@dataclass(frozen=True, slots=True)
class Wish:
    """So many tasks of one owner, to be queued together or not at all. Their prices make `price_usd`.

    They were submitted before where `again` is set.
    """

    owner: str
    limits: SpendingLimits
    price_usd: Decimal
    tasks: int = 1
    again: bool = False

    @classmethod
    def of_new(cls, tasks: Sequence[NewTask], limits: SpendingLimits, owner: str) -> "Wish":
        """The wish to queue these new tasks of an owner."""
        return cls(owner, limits, price_of(tasks), len(tasks))

    @classmethod
    def of_retry(cls, task: Task, limits: SpendingLimits) -> "Wish":
        """The wish to queue a failed task again."""
        return cls(task.owner, limits, price_of([task]), again=True)

    @property
    def is_bound(self) -> bool:
        """Whether its limits could refuse it at all."""
        return self.limits.bind(self.price_usd)

    def refusal(self, today: Today) -> BudgetExceeded | KeyLimitExceeded | None:
        """Why they do not fit into what is left of the day, None when they do."""
        budget_usd = self.limits.daily_usd
        if budget_usd is not None and self.price_usd and today.spent_usd + self.price_usd > budget_usd:
            return BudgetExceeded(today.spent_usd, self.price_usd, budget_usd, today.left_s)
        return self._refusal_of_key(today) if self.owner and self.tasks else None

    def _refusal_of_key(self, today: Today) -> KeyLimitExceeded | None:
        limits, usage, tasks = self.limits.key, today.usage_of(self.owner), self.tasks
        if limits.max_active_tasks is not None and usage.active_tasks + tasks > limits.max_active_tasks:
            return KeyLimitExceeded(
                f"This API key has {usage.active_tasks:,} tasks that have not ended and may have"
                f" {limits.max_active_tasks:,}; this would make {usage.active_tasks + tasks:,}.",
                ACTIVE_AGAIN_S,
            )
        if limits.daily_tasks is not None and not self.again and usage.today_tasks + tasks > limits.daily_tasks:
            return KeyLimitExceeded(
                f"This API key has submitted {usage.today_tasks:,} tasks today and may submit"
                f" {limits.daily_tasks:,} a day (UTC).",
                today.left_s,
            )
        if limits.daily_usd is not None and usage.today_usd + self.price_usd > limits.daily_usd:
            return KeyLimitExceeded(
                f"This costs {self.price_usd:f} USD; this API key has spent or promised {usage.today_usd:f} USD of"
                f" the {limits.daily_usd:f} USD that it has a day (UTC).",
                today.left_s,
            )
        return None

    def added(self, today: Today, sign: int = 1) -> Today:
        """The day with them, or without them where `sign` is -1."""
        usage = today.usage_of(self.owner)
        price_usd = self.price_usd * sign
        owners = {
            **today.usage,
            self.owner: KeyUsage(
                usage.active_tasks + self.tasks * sign,
                usage.today_tasks + (0 if self.again else self.tasks * sign),
                usage.today_usd + price_usd,
            ),
        }
        return replace(today, spent_usd=today.spent_usd + price_usd, usage=owners)


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
