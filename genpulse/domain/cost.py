"""What an attempt cost."""

from dataclasses import dataclass
from decimal import Decimal

_TOO_MUCH = Decimal(10) ** 12
_FINEST = -1000


@dataclass(frozen=True, slots=True)
class Cost:
    """An amount in US dollars, `estimated` when the provider did not state it."""

    amount_usd: Decimal
    estimated: bool = False

    @property
    def counts_usd(self) -> Decimal | None:
        """The amount as a sum takes it; None where it is none: no number, less than nothing, or beyond reason."""
        amount = self.amount_usd
        if not amount.is_finite() or not 0 <= amount < _TOO_MUCH:
            return None
        exponent = amount.as_tuple().exponent
        return amount if isinstance(exponent, int) and exponent >= _FINEST else None
