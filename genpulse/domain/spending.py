"""What an environment may spend, and on whom."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal


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

    def is_over(self, spent_usd: Decimal) -> bool:
        """Whether so much is more than a day may cost."""
        return self.daily_usd is not None and spent_usd > self.daily_usd


def start_of_day(now: datetime) -> datetime:
    """When the day of a moment began, in UTC."""
    return datetime.combine(now.astimezone(UTC).date(), time.min, UTC)


def left_of_day_s(now: datetime) -> int:
    """Whole seconds after which the next day has begun, in UTC: from 1 to 86,400."""
    return math.ceil((start_of_day(now) + timedelta(days=1) - now).total_seconds())
