"""The books of the shops: what was taken, what became of it, and what was charged."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from tests.chaos.money.market import FAILS, Shop, Trade, charge_usd, price_usd


@dataclass
class Sale:
    """One order that a shop has taken. Moments are seconds since 1970."""

    job: str
    shop: str
    task: str
    number: int
    reference: str
    trade: str
    taken_at: float
    ends_at: float
    stopped_at: float | None = None

    def is_open(self, now: float) -> bool:
        """Whether it is still in work."""
        return self.stopped_at is None and now < self.ends_at


@dataclass(frozen=True)
class Charge:
    """What one sale came to, in US dollars, and why."""

    sale: Sale
    usd: Decimal
    why: str


@dataclass(frozen=True)
class ShopBooks:
    """Everything that the shops know. `refused` counts refusals by shop."""

    now: float
    sales: tuple[Sale, ...]
    refused: dict[str, int]

    def document(self) -> dict[str, Any]:
        """As it goes over the wire."""
        return {"now": self.now, "sales": [asdict(sale) for sale in self.sales], "refused": self.refused}

    @classmethod
    def of(cls, document: dict[str, Any]) -> "ShopBooks":
        """As it came over the wire."""
        sales = tuple(Sale(**sale) for sale in document["sales"])
        return cls(document["now"], sales, document["refused"])

    def charges(self, seed: int) -> Iterable[Charge]:
        """What each sale was charged with."""
        return (_charge(seed, sale) for sale in self.sales)

    @property
    def open(self) -> int:
        """How many are still in work."""
        return sum(sale.is_open(self.now) for sale in self.sales)


def _charge(seed: int, sale: Sale) -> Charge:
    shop, trade = Shop(sale.shop), Trade(sale.trade)
    if sale.stopped_at is not None:
        usd = price_usd(shop, sale.number) if shop.charges_for_stopped else Decimal(0)
        return Charge(sale, usd, "stopped")
    if trade is Trade.SPOILED:
        return Charge(sale, price_usd(shop, sale.number), FAILS[trade])
    if trade is Trade.OVERLOADED:
        return Charge(sale, Decimal(0), FAILS[trade])
    return Charge(sale, charge_usd(seed, shop, sale.number), "made")
