"""The ledger: what tasks reserve, cost and give back, in entries that never change."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from genpulse.domain.money.cost import CostFlag

PRICE_IN_CODE = "code"
"""The version of a price rule that is code of its model."""


class EntryKind(StrEnum):
    """What an entry does with its amount.

    RESERVED: it may be spent. SETTLED: it is spent, out of what is reserved. RELEASED: it is reserved no longer,
    and was not spent. REFUNDED: it was settled, and is given back.
    """

    RESERVED = "reserved"
    SETTLED = "settled"
    RELEASED = "released"
    REFUNDED = "refunded"


class AmountSource(StrEnum):
    """Where an amount comes from.

    PRICE: the most that the task can cost, by its model's price. VENDOR: what the vendor says. RULE: what is
    computed where the vendor tells no amount: by the model's price from what it counted, or by the provider.
    OPENING: a price that was reserved before there was a ledger.
    """

    PRICE = "price"
    VENDOR = "vendor"
    RULE = "rule"
    OPENING = "opening"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One entry about a task, in US dollars: 0 or more, and 0 only where `flag` says why.

    `attempt` is the number of the task's attempt, 0 before the first one. `day` (UTC) is the one on which it
    counts. `rule_version` is that of the price rule, empty where the amount is not by a price. `flag` says what is
    odd about the amount, and `reported` is what the vendor said where that is not the amount.
    """

    task_id: UUID
    kind: EntryKind
    amount_usd: Decimal
    attempt: int
    provider: str
    model: str
    owner: str
    environment: str
    day: date
    source: AmountSource
    created_at: datetime
    rule_version: str = ""
    flag: CostFlag | None = None
    reported: str | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """Entries added up, in US dollars."""

    reserved_usd: Decimal = Decimal(0)
    settled_usd: Decimal = Decimal(0)
    released_usd: Decimal = Decimal(0)
    refunded_usd: Decimal = Decimal(0)

    @classmethod
    def of(cls, entries: Iterable[LedgerEntry]) -> "Balance":
        """The sums of these."""
        sums = dict.fromkeys(EntryKind, Decimal(0))
        for entry in entries:
            sums[entry.kind] += entry.amount_usd
        return cls(*(sums[kind] for kind in EntryKind))

    @property
    def cost_usd(self) -> Decimal:
        """What it cost: settled, and not given back."""
        return self.settled_usd - self.refunded_usd

    @property
    def open_usd(self) -> Decimal:
        """What is still reserved: 0 once all tasks have ended."""
        return self.reserved_usd - self.settled_usd - self.released_usd

    @property
    def counted_usd(self) -> Decimal:
        """What counts against budgets: what it cost, and what is still reserved."""
        return self.cost_usd + self.open_usd


@dataclass(frozen=True, slots=True)
class MoneyFlow:
    """What entries of one kind about one model have come to since somebody last asked."""

    kind: EntryKind
    provider: str
    model: str
    amount_usd: Decimal


@dataclass(frozen=True, slots=True)
class MoneyFlows:
    """What came into the ledger since a mark, and the `mark` from which the next look goes on."""

    mark: int
    flows: tuple[MoneyFlow, ...] = ()
