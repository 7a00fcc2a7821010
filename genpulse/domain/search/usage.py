"""What tasks came to: how many, in which state, and for how much."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

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


@dataclass(frozen=True, slots=True)
class UsageRow:
    """Tasks with these values of the query's fields and of its names of metadata, None where one is not there.

    `cost_usd` is what they cost in US dollars as far as that is known, `price_usd` what they may cost at most by
    their prices, and `unpriced` how many have none.
    """

    values: tuple[str, ...]
    metadata: tuple[str | None, ...]
    statuses: Mapping[TaskStatus, int]
    cost_usd: Decimal
    price_usd: Decimal
    unpriced: int

    @property
    def count(self) -> int:
        """All of them."""
        return sum(self.statuses.values())
