"""What the shops have in their books of a sale, and what it was charged with."""

from dataclasses import dataclass
from decimal import Decimal

from tests.chaos.books import Order
from tests.chaos.money.market import FAILS, Shop, Trade, charge_usd, price_usd


@dataclass
class Sale(Order):
    """An order that a shop has taken, and what it does with it."""

    trade: str = Trade.SERVED

    @property
    def shop(self) -> Shop:
        """Whose model it is for."""
        return Shop(self.shape.partition("/")[0])


@dataclass(frozen=True)
class Charge:
    """What one sale came to, in US dollars, and why."""

    sale: Sale
    usd: Decimal
    why: str


def charge_of(seed: int, sale: Sale) -> Charge:
    """By the shop's rules."""
    shop, trade = sale.shop, Trade(sale.trade)
    if sale.stopped_at is not None:
        usd = price_usd(shop, sale.number) if shop.charges_for_stopped else Decimal(0)
        return Charge(sale, usd, "stopped")
    if trade is Trade.SPOILED:
        return Charge(sale, price_usd(shop, sale.number), FAILS[trade])
    if trade is Trade.OVERLOADED:
        return Charge(sale, Decimal(0), FAILS[trade])
    return Charge(sale, charge_usd(seed, shop, sale.number), "made")
