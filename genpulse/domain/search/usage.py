"""What tasks came to: how many, in which state, and for how much."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from genpulse.domain.money.ledger import Balance
from genpulse.domain.task import TaskStatus


class UsageField(StrEnum):
    """By what tasks are put together, beside names of their metadata. A day is one of UTC."""

    DAY = "day"
    PROVIDER = "provider"
    MODEL = "model"
    KEY = "key"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class UsageQuery:
    """Which tasks: those that came at or after `start` and before `end`, of this owner, None for all.

    They are put together by `fields`, and by the values of these names of `metadata`, into `limit` rows at most.
    """

    start: datetime
    end: datetime
    fields: tuple[UsageField, ...] = ()
    metadata: tuple[str, ...] = ()
    owner: str | None = None
    limit: int = 1000

    @property
    def is_of_ledger(self) -> bool:
        """Whether the ledger knows all that it is put together by, so that tasks that are gone count."""
        return not self.metadata and UsageField.STATUS not in self.fields

    @property
    def first_day(self) -> date:
        """The day (UTC) of its start."""
        return self.start.astimezone(UTC).date()

    @property
    def last_day(self) -> date:
        """The day (UTC) of the moment before its end."""
        end = self.end.astimezone(UTC)
        return end.date() if end == datetime.min.replace(tzinfo=UTC) else (end - timedelta.resolution).date()


@dataclass(frozen=True, slots=True)
class UsageRow:
    """Tasks with these values of the query's fields and of its names of metadata, None where one is not there.

    `cost_usd` is what they cost in US dollars as far as that is known, `price_usd` what they may cost at most by
    their prices, and `unpriced` how many have none. `money` is what the ledger says: of the days (UTC) from that
    of the query's start to that of its end, or, where tasks are put together by what the ledger does not know,
    of these tasks.
    """

    values: tuple[str, ...]
    metadata: tuple[str | None, ...]
    statuses: Mapping[TaskStatus, int]
    cost_usd: Decimal
    price_usd: Decimal
    unpriced: int
    money: Balance = field(default_factory=Balance)

    @property
    def count(self) -> int:
        """All of them."""
        return sum(self.statuses.values())

    @property
    def is_nothing(self) -> bool:
        """Neither a task nor money."""
        return not self.count and self.money == Balance()
