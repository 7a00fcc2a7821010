"""A tariff, made of what a file says."""

import hashlib
from collections.abc import Mapping
from decimal import Decimal

from genpulse.domain.money.pricing.billed_input import EXACT, word_of
from genpulse.domain.money.pricing.price_rules import CountedPrice, PriceRule, TokenBound, TokenPrice
from genpulse.domain.money.pricing.rates import PriceRate, Rates
from genpulse.domain.money.pricing.tariff import Tariff
from genpulse.domain.money.pricing.unit import Unit
from genpulse.provider.catalogue.documents import BoundDocument, PriceDocument

_TOKEN = "token"  # noqa: S105 - a kind of token of a model


def tariff_of(price: PriceDocument) -> Tariff:
    """The tariff that a valid document says."""
    lines = tuple(_lines(price))
    return Tariff(
        unit=price.unit,
        rule=_token_price(price) if price.tokens else _counted_price(price, lines),
        lines=lines,
        per=price.per,
        read_on=price.date,
        source=price.source,
        version=_version(price),
    )


def _lines(price: PriceDocument) -> list[PriceRate]:
    if price.tokens:
        return [PriceRate(_usd(price, amount), {_TOKEN: kind}) for kind, amount in price.tokens.items()]
    if price.rates:
        return [PriceRate(_usd(price, rate.amount), rate.when) for rate in price.rates]
    return [PriceRate(_usd(price, price.amount or Decimal(0)))]


def _usd(price: PriceDocument, amount: Decimal) -> Decimal:
    usd = EXACT.multiply(amount, price.exchange.usd) if price.exchange else amount
    return _plain(usd)


def _plain(amount: Decimal) -> Decimal:
    """Without zeros at the end and without an exponent, so that equal amounts read alike."""
    return Decimal(f"{EXACT.normalize(amount):f}")


def _each(usd: Decimal, per: int) -> Decimal:
    """Dollars for one unit: exact, because `per` is a power of ten."""
    return EXACT.divide(usd, Decimal(per))


def _counted_price(price: PriceDocument, lines: tuple[PriceRate, ...]) -> PriceRule:
    rates = Rates(
        tuple(
            PriceRate(
                _each(line.usd, price.per), {name: word_of(value) or "" for name, value in line.when.items()}
            )
            for line in lines
        )
    )
    is_image = price.unit is Unit.IMAGE
    return CountedPrice(
        price.unit,
        rates,
        price.counted_by or "",
        price.left_out or (Decimal(1) if is_image and price.at_most is None else None),
        price.at_most if isinstance(price.at_most, Decimal) else None,
        price.round_up_to or Decimal(int(is_image)),
    )


def _token_price(price: PriceDocument) -> PriceRule:
    usd = {kind: _each(_usd(price, amount), price.per) for kind, amount in (price.tokens or {}).items()}
    bounds: Mapping[str, Decimal | BoundDocument] = price.at_most if isinstance(price.at_most, dict) else {}
    return TokenPrice(usd, {kind: _bound(bound) for kind, bound in bounds.items()})


def _bound(bound: Decimal | BoundDocument) -> TokenBound:
    if isinstance(bound, BoundDocument):
        return TokenBound(bound.each, bound.of or "", bound.bytes_of or "")
    return TokenBound(bound)


def _version(price: PriceDocument) -> str:
    """The day, and a digest of all that amounts depend on."""
    said = price.model_dump_json(exclude={"date", "source"}, exclude_none=True)
    return f"{price.date.isoformat()}-{hashlib.sha256(said.encode()).hexdigest()[:8]}"
