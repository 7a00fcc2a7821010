"""The cost of an attempt."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

_TOO_MUCH = Decimal(10) ** 12
_FINEST = -1000


class CostFlag(StrEnum):
    """What is odd about an amount.

    UNSURE: nobody knows whether it was charged. The others are of what a vendor said and is not taken:
    NOT_A_NUMBER, NEGATIVE, ABSURD (more than ten times the price, or beyond reason), CURRENCY (not US dollars).
    """

    UNSURE = "unsure"
    NOT_A_NUMBER = "not_a_number"
    NEGATIVE = "negative"
    ABSURD = "absurd"
    CURRENCY = "currency"


@dataclass(frozen=True, slots=True)
class Cost:
    """An amount in US dollars, `estimated` where the provider did not state it.

    A whole number or a float of a plug-in is taken as it is written down. An amount in another `currency` (ISO
    4217) is told, and is not taken. Where `flag` says that what the vendor said is not taken, `reported` is that.
    `rule_version` is that of the price by which it was computed, empty where nobody here computed it.
    Raises `TypeError` for no number.
    """

    amount_usd: Decimal
    estimated: bool = False
    currency: str = "USD"
    flag: CostFlag | None = None
    reported: str | None = None
    rule_version: str = ""

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
        return None if self.oddity else self.amount_usd

    @property
    def is_known(self) -> bool:
        """Whether it says what was paid: not where a vendor's word is not taken and there is no price instead."""
        return self.flag is None or bool(self.amount_usd)

    @property
    def oddity(self) -> CostFlag | None:
        """Why no sum can take the amount, None where it can."""
        amount = self.amount_usd
        if self.currency != "USD":
            return CostFlag.CURRENCY
        if amount.is_nan():
            return CostFlag.NOT_A_NUMBER
        if amount < 0:
            return CostFlag.NEGATIVE
        exponent = amount.as_tuple().exponent
        is_usual = amount < _TOO_MUCH and isinstance(exponent, int) and exponent >= _FINEST
        return None if is_usual else CostFlag.ABSURD
