"""The providers of the money suite: ordinary plug-ins for the shops in `tests/chaos/money/shops.py`.

Each has one model with a price of its own. What a shop says of the cost is passed on as it is.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from genpulse_chaos import Blind, Findable, Number, Pictures, account_of

from genpulse.provider import (
    Charged,
    Cost,
    Engine,
    Model,
    Output,
    Provider,
    ProviderError,
    ProviderRejected,
    ProviderSettings,
    ProviderUnavailable,
    Result,
)
from genpulse.provider.http import Reply

_UNIT_USD = {"alpha": Decimal("0.04"), "beta": Decimal("0.07"), "gamma": Decimal("0.025")}


def _failed(reason: str) -> ProviderError:
    """By the shops' contract what is spoiled is charged, and what there is no room for is not."""
    if reason == "overloaded":
        return ProviderUnavailable(reason)
    return ProviderRejected(reason, charged=Charged.YES if reason == "spoiled" else Charged.NO)


def _cost(amount: str, currency: str) -> Cost:
    return Cost(Decimal(amount), currency=currency)


class AtBeta(Blind):
    """Jobs that nobody can look up."""

    shape = "beta/picture"
    answer_s = 8.0

    def _failed(self, reason: str) -> ProviderError:
        return _failed(reason)

    def _cost(self, answer: Mapping[str, Any]) -> Cost | None:
        return _cost(*answer["cost"]) if answer["cost"] else None


class AtAlpha(AtBeta, Findable):
    """Jobs that the shop finds by the reference that they were submitted with."""

    shape = "alpha/picture"
    longest_s = 4.0


class AtGamma(Pictures):
    """Requests that answer with the picture."""

    shape = "gamma/picture"
    answer_s = 12.0

    def _result(self, reply: Reply) -> Result:
        if not reply.body.startswith(b"\x89PNG"):
            raise _failed(str(reply.document()["reason"]))
        said = reply.headers.get("x-cost")
        cost = _cost(said, reply.headers["x-currency"]) if said else None
        return Result((Output(reply.body),), cost=cost)


def _provider(name: str, engine: Engine[Number]) -> Provider:
    def price_usd(wanted: Number) -> Decimal:
        return _UNIT_USD[name] * (1 + wanted.number % 3)

    model = Model("picture", ("text-to-image",), Number, engine, price=price_usd)
    return Provider(name, (model,), paid=True)


def alpha(settings: ProviderSettings) -> Provider:
    return _provider("alpha", AtAlpha(account_of(settings)))


def beta(settings: ProviderSettings) -> Provider:
    return _provider("beta", AtBeta(account_of(settings)))


def gamma(settings: ProviderSettings) -> Provider:
    return _provider("gamma", AtGamma(account_of(settings)))
