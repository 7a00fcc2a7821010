"""The cost of an attempt."""

from dataclasses import dataclass
from decimal import Decimal

_TOO_MUCH = Decimal(10) ** 12
_FINEST = -1000


@dataclass(frozen=True, slots=True)
class Cost:
    """An amount in US dollars, `estimated` where the provider did not state it.

    A whole number or a float of a plug-in is taken as it is written down. Raises `TypeError` for no number.
    """

    amount_usd: Decimal
    estimated: bool = False

    def __post_init__(self) -> None:
        """Plug-ins are not all typed, and what is stored is a decimal."""
        amount: object = self.amount_usd
        if isinstance(amount, bool) or not isinstance(amount, Decimal | int | float):
            raise TypeError(f"a cost is US dollars as a decimal.Decimal, and {amount!r} is none")
        if not isinstance(amount, Decimal):
            object.__setattr__(self, "amount_usd", Decimal(str(amount)))

    @property
    def counts_usd(self) -> Decimal | None:
        """The amount as a sum takes it; None where it is none: no number, less than nothing, or beyond reason."""
        amount = self.amount_usd
        if not amount.is_finite() or not 0 <= amount < _TOO_MUCH:
            return None
        exponent = amount.as_tuple().exponent
        return amount if isinstance(exponent, int) and exponent >= _FINEST else None
