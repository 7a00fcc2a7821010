"""The price of a model, with where and when it was read."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from genpulse.domain.money.cost import Cost
from genpulse.domain.money.pricing.billed_input import Document
from genpulse.domain.money.pricing.price_rules import PriceRule
from genpulse.domain.money.pricing.rates import PriceRate
from genpulse.domain.money.pricing.reported_usage import ReportedUsage
from genpulse.domain.money.pricing.unit import Unit


@dataclass(frozen=True, slots=True)
class Tariff:
    """A rule, and the price list that it was made of: `lines`, each for `per` units, in the words of the list.

    It was read on `read_on` at `source`. `version` changes with whatever an amount depends on. All amounts are in
    US dollars, whatever the vendor's own currency is.
    """

    unit: Unit
    rule: PriceRule
    lines: tuple[PriceRate, ...]
    per: int
    read_on: date
    source: str
    version: str

    @property
    def knows_most(self) -> bool:
        """Whether what an order costs at most is known before it is made."""
        return self.rule.knows_most

    def at_most(self, document: Document) -> Decimal | None:
        """The most that an order with this input can cost, in US dollars; None where nobody can tell."""
        return self.rule.at_most(document)

    def cost(self, document: Document, usage: ReportedUsage | None = None) -> Cost | None:
        """What it did cost, by what the vendor reports; None where it does not say what it counts by."""
        return self.rule.cost(document, usage or ReportedUsage())
