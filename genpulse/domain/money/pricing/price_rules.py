"""Rules of prices: the most that an order can cost, and what it did cost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from typing import Protocol

from genpulse.domain.money.cost import Cost
from genpulse.domain.money.pricing.billed_input import (
    EXACT,
    Document,
    bytes_in,
    characters_in,
    count_of,
    number_in,
    size_in,
)
from genpulse.domain.money.pricing.rates import PriceRate, Rates
from genpulse.domain.money.pricing.reported_usage import ReportedUsage
from genpulse.domain.money.pricing.unit import Unit


class PriceRule(Protocol):
    """Computes, and asks nobody. Amounts are exact, in US dollars, 0 or more."""

    @property
    def knows_most(self) -> bool:
        """Whether an order can tell what it costs at most."""

    def at_most(self, document: Document) -> Decimal | None:
        """The most that an order with this input can cost; None where nobody can tell."""

    def cost(self, document: Document, usage: ReportedUsage) -> Cost | None:
        """What it did cost, estimated where the vendor did not count; None where it alone could have."""


@dataclass(frozen=True, slots=True)
class CountedPrice:
    """So much for each unit, by the rate that fits.

    `counted_by` is the field that says how many; one that does not counts as `left_out` where it is absent, as
    `most` where it holds something odd. Units are rounded up to multiples of `step`, 0 for none.
    """

    unit: Unit
    rates: Rates
    counted_by: str = ""
    left_out: Decimal | None = None
    most: Decimal | None = None
    step: Decimal = Decimal(0)

    @property
    def knows_most(self) -> bool:
        """Whether an order can tell what it costs at most."""
        return not self.unit.is_reported or self.most is not None

    def at_most(self, document: Document) -> Decimal | None:
        """The most that an order with this input can cost; None where nobody can tell."""
        count = self._ordered(document)
        return None if count is None else self._usd(count, self.rates.dearest(document))

    def cost(self, document: Document, usage: ReportedUsage) -> Cost | None:
        """What it did cost, estimated where the vendor did not count; None where it alone could have."""
        reported = self._reported(usage)
        count = self._ordered(document) if reported is None and not self.unit.is_reported else reported
        if count is None:
            return None
        rate = self.rates.dearest({**document, **usage.actual})
        return Cost(self._usd(count, rate), estimated=reported is None and self.unit is not Unit.CALL)

    def _ordered(self, document: Document) -> Decimal | None:
        if self.unit is Unit.CALL:
            return Decimal(1)
        if self.unit is Unit.CHARACTER:
            return characters_in(document, self.counted_by)
        if self.unit.is_reported:
            return self.most
        count = number_in(document, self.counted_by)
        if count is None and document.get(self.counted_by) is None:
            count = self.left_out
        return self.most if count is None else count

    def _reported(self, usage: ReportedUsage) -> Decimal | None:
        match self.unit:
            case Unit.IMAGE:
                return count_of(usage.images)
            case Unit.SECOND:
                return count_of(usage.seconds)
            case Unit.CHARACTER:
                return count_of(usage.characters)
            case Unit.GPU_SECOND:
                return count_of(usage.gpu_seconds)
            case _:
                return None

    def _usd(self, count: Decimal, rate: PriceRate) -> Decimal:
        if self.step:
            steps = EXACT.divide(count, self.step).to_integral_value(ROUND_CEILING)
            count = EXACT.multiply(steps, self.step)
        return EXACT.multiply(count, rate.usd)


@dataclass(frozen=True, slots=True)
class TokenBound:
    """How many tokens an order can take at most: `each`, times what one of its fields holds.

    Of the field `of` the number counts, or the entries of a list; of `bytes_of` the bytes of its text.
    """

    each: Decimal
    of: str = ""
    bytes_of: str = ""

    def tokens(self, document: Document) -> Decimal:
        """The bound, for an order with this input."""
        if self.bytes_of:
            return EXACT.multiply(self.each, bytes_in(document, self.bytes_of))
        return EXACT.multiply(self.each, size_in(document, self.of)) if self.of else self.each


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """US dollars for a token of each kind. What an order costs at most is known where each kind has a bound."""

    usd: Mapping[str, Decimal]
    bounds: Mapping[str, TokenBound] = field(default_factory=dict)

    @property
    def knows_most(self) -> bool:
        """Whether an order can tell what it costs at most."""
        return self.usd.keys() <= self.bounds.keys()

    def at_most(self, document: Document) -> Decimal | None:
        """The most that an order with this input can cost; None where nobody can tell."""
        if not self.knows_most:
            return None
        return self._usd({kind: self.bounds[kind].tokens(document) for kind in self.usd})

    def cost(self, document: Document, usage: ReportedUsage) -> Cost | None:  # noqa: ARG002 - as in `PriceRule`
        """What it did cost; None where the vendor told no tokens that the price names."""
        reported = {kind: count_of(count) for kind, count in usage.tokens.items() if kind in self.usd}
        counts = {kind: count for kind, count in reported.items() if count is not None}
        return Cost(self._usd(counts)) if counts else None

    def _usd(self, counts: Mapping[str, Decimal]) -> Decimal:
        total = Decimal(0)
        for kind, count in counts.items():
            total = EXACT.add(total, EXACT.multiply(count, self.usd[kind]))
        return total
