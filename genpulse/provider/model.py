"""A model of a provider."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice
from typing import Any, Generic, TypeAlias

from pydantic import ValidationError

from genpulse.domain.catalogue.model_facts import UNSTATED, ModelFacts
from genpulse.domain.errors import BadInput, Problem
from genpulse.domain.json.value import JsonObject
from genpulse.domain.kind import ANY, is_kind
from genpulse.domain.money.cost import Cost
from genpulse.domain.money.ledger import PRICE_IN_CODE
from genpulse.domain.money.pricing.reported_usage import ReportedUsage
from genpulse.provider.call import I
from genpulse.provider.engine import Engine
from genpulse.provider.inputs.unknown_field import said_of

_SEGMENT = r"[A-Za-z0-9][A-Za-z0-9._:@+-]*"
_TOLD_AT_MOST = 100
"""So many places of one input are told: to look for what each is like takes a while."""
_NAME = re.compile(rf"{_SEGMENT}(/{_SEGMENT})*")


@dataclass(frozen=True, slots=True)
class Model(Generic[I]):
    """A model of a provider.

    `name` is unique within the provider and keeps the case of its letters; the model's public id is
    `provider/name`. With several `kinds` the caller says which one is meant, where `decide_kind` does not tell it
    from the input (None: it does not say). `price` is what one call with
    this input costs at most, in US dollars, 0 or more; it is asked in the middle of a request, so it computes and
    does not wait. Without it the price is that of `facts`, what the vendor states of the model. `billed` is the
    input as that price reads it, where it is not the input's own JSON.
    """

    name: str
    kinds: tuple[str, ...]
    input: type[I]
    engine: Engine[I]
    title: str = ""
    description: str = ""
    price: Callable[[I], Decimal] | None = None
    decide_kind: Callable[[I], str | None] | None = None
    facts: ModelFacts = UNSTATED
    billed: Callable[[I], JsonObject] | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                f"the model name {self.name!r} is not upper-case or lower-case letters, digits, '.', '_', ':',"
                " '@', '+' or '-', in parts between slashes that begin with a letter or a digit"
            )
        if not self.kinds or not all(is_kind(kind) for kind in self.kinds):
            raise ValueError(f"the model {self.name!r} needs kinds such as 'text-to-image', not {self.kinds!r}")

    def parse(self, document: JsonObject) -> I:
        """The typed input. Raises `BadInput`, whose pointers begin at the input itself (`/width`)."""
        try:
            return self.input.model_validate(document)
        except ValidationError as error:
            errors = islice(error.errors(include_url=False, include_input=False), _TOLD_AT_MOST)
            problems = tuple(Problem(_pointer(item["loc"]), said_of(self.input, item)) for item in errors)
            raise BadInput(f"The input does not fit the model {self.name!r}.", problems) from error

    def kind_of(self, wanted: I) -> str | None:
        """The kind that this input asks for; None where it leaves that open."""
        if ANY in self.kinds:
            return ANY
        if len(self.kinds) == 1:
            return self.kinds[0]
        kind = self.decide_kind(wanted) if self.decide_kind else None
        return kind if kind in self.kinds else None

    def price_of(self, wanted: I) -> Decimal | None:
        """The highest price of one call with this input, in US dollars; None when it is not known.

        Raises `ValueError` when the model's own `price` gives something else than a Decimal of 0 or more.
        """
        if self.price is None:
            return self.facts.tariff.at_most(self._billed(wanted)) if self.facts.tariff else None
        price_usd: object = self.price(wanted)
        if not isinstance(price_usd, Decimal) or not price_usd.is_finite() or price_usd < 0:
            raise ValueError(
                f"the model {self.name!r} gives {price_usd!r} as its price; it must be US dollars as a"
                " decimal.Decimal, 0 or more"
            )
        return price_usd

    @property
    def knows_price(self) -> bool:
        """Whether what a call costs at most can be told before it is made."""
        if self.price is not None:
            return True
        return self.facts.tariff is not None and self.facts.tariff.knows_most

    @property
    def price_version(self) -> str:
        """The version of the rule by which a call has its price."""
        return self.facts.tariff.version if self.price is None and self.facts.tariff else PRICE_IN_CODE

    def cost_of(self, wanted: I, usage: ReportedUsage | None = None) -> Cost | None:
        """What a call with this input did cost, by the stated price and what the vendor reports.

        It is estimated where the price counts what the vendor does not report. None where nobody can tell, and for
        a model that computes its own price: that is the highest, and no cost.
        """
        if self.price is not None or self.facts.tariff is None:
            return None
        tariff = self.facts.tariff
        cost = tariff.cost(self._billed(wanted), usage)
        return cost and replace(cost, rule_version=tariff.version)

    def _billed(self, wanted: I) -> JsonObject:
        document: JsonObject = self.billed(wanted) if self.billed else wanted.model_dump(mode="json")
        return document


def _pointer(loc: tuple[int | str, ...]) -> str:
    """A JSON Pointer (RFC 6901) to the place where pydantic found a problem."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in loc)


AnyModel: TypeAlias = Model[Any]
"""A model of whatever input. The type of the input is known to the model's own engine alone."""
