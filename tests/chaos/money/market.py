"""What is for sale, who buys it, and what goes wrong with it: drawn from the seed and the number of the task."""

import random
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum


class Shop(StrEnum):
    """A vendor. ALPHA finds jobs by their reference, BETA does not, and GAMMA answers with the picture."""

    ALPHA = "alpha"
    BETA = "beta"
    GAMMA = "gamma"

    @property
    def charges_for_stopped(self) -> bool:
        """Whether a job that was stopped has to be paid."""
        return self is Shop.BETA


_UNIT_USD = {Shop.ALPHA: Decimal("0.04"), Shop.BETA: Decimal("0.07"), Shop.GAMMA: Decimal("0.025")}


def price_usd(shop: Shop, number: int) -> Decimal:
    """By the shop's list: one to three pictures are wanted."""
    return _UNIT_USD[shop] * (1 + number % 3)


OVERDUE_S = 9.0
"""A job at ALPHA that takes so long is given up by its plug-in, after 4 seconds."""


class Owner(StrEnum):
    """An API key: the first two may spend more than there is to buy."""

    RICH = "rich"
    CALM = "calm"
    BY_DAY = "limited by day"
    BY_MONTH = "limited by month"

    @property
    def is_limited(self) -> bool:
        """Whether its budget ends before its orders do."""
        return self in {Owner.BY_DAY, Owner.BY_MONTH}


class Trade(StrEnum):
    """What a shop does with an order."""

    SERVED = "served"
    BUSY = "refuses: 429"
    FULL = "refuses: 503"
    BROKE = "refuses for good: 402"
    LOST = "takes it, drops the connection"
    BROKEN = "takes it, answers 500"
    OVERLOADED = "the job fails for want of room, free of charge"
    SPOILED = "the job fails, and is charged"


REFUSES = {Trade.BUSY: 429, Trade.FULL: 503, Trade.BROKE: 402}
FAILS = {Trade.OVERLOADED: "overloaded", Trade.SPOILED: "spoiled"}
PASSES = frozenset({Trade.BUSY, Trade.FULL, Trade.OVERLOADED})
_TRADES = {
    Trade.SERVED: 75,
    Trade.BUSY: 5,
    Trade.FULL: 5,
    Trade.BROKE: 2,
    Trade.LOST: 4,
    Trade.BROKEN: 3,
    Trade.OVERLOADED: 3,
    Trade.SPOILED: 3,
}


class Billing(StrEnum):
    """What a shop takes for a picture, and what it says of that."""

    LIST = "takes the price, says nothing"
    TOLD = "takes the price, says so"
    LESS = "takes less, says so"
    MORE = "takes more, says so"
    ODD = "takes the price, says what cannot be true"


_BILLINGS = {Billing.LIST: 40, Billing.TOLD: 20, Billing.LESS: 20, Billing.MORE: 10, Billing.ODD: 10}
_SHARES = {Billing.LESS: Decimal("0.6"), Billing.MORE: Decimal("1.5")}
_ODD = (("-0.01", "USD"), ("NaN", "USD"), ("99", "USD"), ("0.03", "EUR"))

ON = "provider_unavailable, rate_limited, quota_exhausted"
ROUTES: Mapping[str, Mapping[str, str]] = {
    "listed": {"try": "alpha/picture, beta/picture, gamma/picture", "on": ON},
    "cheapest": {"try": "beta/picture, alpha/picture, gamma/picture", "on": ON, "order": "price"},
    "thrifty": {"try": "gamma/picture, beta/picture", "on": f"{ON}, budget_exceeded"},
    "drawn": {"try": "beta/picture, alpha/picture", "on": ON, "order": "weight"},
}
_MODELS = (*ROUTES, *ROUTES, ["gamma/picture", "alpha/picture"], *(f"{shop}/picture" for shop in Shop))


def _draw(seed: int, number: int, what: str) -> random.Random:
    return random.Random(f"{seed}:{number}:money:{what}")


def model_of(seed: int, number: int) -> str | list[str]:
    """What the order of a task names: a route, a list, or one model."""
    return _draw(seed, number, "model").choice(_MODELS)


def owner_of(seed: int, number: int) -> Owner:
    """Whose task it is."""
    return _draw(seed, number, "owner").choices(list(Owner), (40, 30, 15, 15))[0]


def canceled_after_s(seed: int, number: int) -> float | None:
    """Seconds from acceptance to the moment when it is not wanted any more; None for nine of ten tasks."""
    draw = _draw(seed, number, "cancel")
    return draw.choice((0.0, 0.5, 1.0, 2.0, 4.0)) if draw.random() < 0.1 else None


def trade_of(seed: int, shop: Shop, number: int) -> Trade:
    """What this shop does with the order of this task."""
    return _draw(seed, number, f"{shop}:trade").choices(list(_TRADES), list(_TRADES.values()))[0]


def times_of(seed: int, shop: Shop, number: int) -> int | None:
    """How often it does so before it serves the task; None for ever."""
    if trade_of(seed, shop, number) in PASSES:
        return _draw(seed, number, f"{shop}:times").choice((1, 1, 2, 4))
    return None


def lasts_s(seed: int, shop: Shop, number: int) -> float:
    """How long its job takes, in seconds: now and then longer than anybody waits for it at ALPHA.

    What is not wanted any more after a while takes long enough to be stopped.
    """
    draw = _draw(seed, number, f"{shop}:time")
    if canceled_after_s(seed, number) is not None:
        return 3.5
    if shop is Shop.ALPHA and draw.random() < 0.06:
        return OVERDUE_S
    return draw.choice((0.0, 0.0, 0.3, 1.0, 3.0))


def heeds_stop(number: int) -> bool:
    """Whether a job is stopped when the shop is told to; else the shop only says so."""
    return number % 2 == 0


def billing_of(seed: int, shop: Shop, number: int) -> Billing:
    """How a picture is billed. Nothing costs more than its price where that could pass the end of a budget."""
    billing = _draw(seed, number, f"{shop}:billing").choices(list(_BILLINGS), list(_BILLINGS.values()))[0]
    is_held = owner_of(seed, number).is_limited or shop is Shop.GAMMA
    return Billing.LIST if billing is Billing.MORE and is_held else billing


def charge_usd(seed: int, shop: Shop, number: int) -> Decimal:
    """What a picture is charged with."""
    return price_usd(shop, number) * _SHARES.get(billing_of(seed, shop, number), Decimal(1))


def said_of(seed: int, shop: Shop, number: int) -> tuple[str, str] | None:
    """The amount and the currency that the shop tells with the picture, None where it tells nothing."""
    match billing_of(seed, shop, number):
        case Billing.LIST:
            return None
        case Billing.ODD:
            return _draw(seed, number, f"{shop}:odd").choice(_ODD)
        case _:
            return str(charge_usd(seed, shop, number)), "USD"
