"""What an attempt cost."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Cost:
    """An amount in US dollars, `estimated` when the provider did not state it."""

    amount_usd: Decimal
    estimated: bool = False
