"""The rates of a price: what one unit costs, by what was ordered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from math import prod

from genpulse.domain.money.pricing.billed_input import Document, word_of


@dataclass(frozen=True, slots=True)
class PriceRate:
    """US dollars for a unit, where the input's fields have the values of `when`."""

    usd: Decimal
    when: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rates:
    """All rates of a price, one or more. They name the same fields, with values as `word_of` writes them."""

    all: tuple[PriceRate, ...]

    def dearest(self, document: Document) -> PriceRate:
        """The highest rate that the document can lead to: a value that is left out or unknown may be any.

        What the list has no line for may cost as much as the dearest of all.
        """
        values = {name: {rate.when[name] for rate in self.all} for name in self.all[0].when}
        wanted = {name: word_of(document.get(name)) for name in values}
        known = {name: word for name, word in wanted.items() if word in values[name]}
        fitting = [rate for rate in self.all if all(rate.when[name] == word for name, word in known.items())]
        possible = prod(len(words) for name, words in values.items() if name not in known)
        return max(fitting if len(fitting) == possible else self.all, key=lambda rate: rate.usd)
