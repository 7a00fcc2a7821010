"""Facts of a model that its vendor states."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from genpulse.domain.catalogue.lifetime import FOR_EVER, Lifetime
from genpulse.domain.money.pricing.tariff import Tariff


@dataclass(frozen=True, slots=True)
class ChargedOn:
    """Whether the vendor charges for what it did not deliver; None where it does not say."""

    failure: bool | None = None
    cancel: bool | None = None
    moderation: bool | None = None


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a vendor states of a model. `outputs` are media such as `image`; `limits` are in its own words."""

    tariff: Tariff | None = None
    outputs: tuple[str, ...] = ()
    charged_on: ChargedOn = ChargedOn()
    limits: Mapping[str, str] = field(default_factory=dict)
    lifetime: Lifetime = FOR_EVER


UNSTATED = ModelFacts()
