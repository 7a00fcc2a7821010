"""What a vendor states of a model, as callers see it."""

from datetime import date
from typing import Literal

from genpulse.api.schemas.document import Amount, Document
from genpulse.domain.catalogue.model_facts import ChargedOn
from genpulse.domain.money.pricing.rates import PriceRate
from genpulse.domain.money.pricing.tariff import Tariff


class RateDocument(Document):
    """One line of a price list."""

    when: dict[str, str]
    """Values of fields of the input for which it holds, or the kind of `token`; empty: it always does."""
    amount_usd: Amount
    """US dollars for `per` units."""

    @classmethod
    def of(cls, line: PriceRate) -> "RateDocument":
        """From the domain's value."""
        return cls(when=dict(line.when), amount_usd=line.usd)


class PriceDocument(Document):
    """What a vendor charges by, as it was read at a source on a day."""

    unit: Literal["call", "image", "second", "character", "token", "gpu_second"]
    per: int
    """For how many units the amounts are."""
    rates: list[RateDocument]
    date: date
    """When it was read."""
    source: str
    version: str
    """Changes with whatever an amount depends on."""

    @classmethod
    def of(cls, tariff: Tariff) -> "PriceDocument":
        """From the domain's value."""
        return cls(
            unit=tariff.unit.value,
            per=tariff.per,
            rates=[RateDocument.of(line) for line in tariff.lines],
            date=tariff.read_on,
            source=tariff.source,
            version=tariff.version,
        )


class ChargedOnDocument(Document):
    """Whether the vendor charges for what it did not deliver; null where it does not say."""

    failure: bool | None
    cancel: bool | None
    moderation: bool | None

    @classmethod
    def of(cls, charged_on: ChargedOn) -> "ChargedOnDocument":
        """From the domain's value."""
        return cls(failure=charged_on.failure, cancel=charged_on.cancel, moderation=charged_on.moderation)
