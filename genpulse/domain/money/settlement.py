"""What is taken of the cost that a vendor reports."""

from dataclasses import dataclass
from decimal import Decimal

from genpulse.domain.money.cost import Cost, CostFlag
from genpulse.domain.text.storable import storable
from genpulse.domain.warning import TaskWarning, WarningCode

ABSURD_TIMES = 10
"""A cost of more than so many times the price is a mistake rather than a cost."""
_SAID_LENGTH = 60

_WHY = {
    CostFlag.NOT_A_NUMBER: "that is no amount",
    CostFlag.NEGATIVE: "that is less than nothing",
    CostFlag.ABSURD: f"that is beyond reason, as is anything above {ABSURD_TIMES} times the price",
    CostFlag.CURRENCY: "no rate to US dollars is known here",
}


@dataclass(frozen=True, slots=True)
class Settlement:
    """The cost that a task shows, None where nobody knows one, and what the task says about it."""

    cost: Cost | None
    warning: TaskWarning | None = None


def settlement_of(reported: Cost | None, price_usd: Decimal | None) -> Settlement:
    """What to take where this is reported of a task with this price, in US dollars; None: nobody knows one.

    Where nothing is, the price is taken. What cannot be true is kept beside the price that is taken in its place:
    0 where there is none. Beside no price, or one of 0, nothing is absurd but what is beyond reason altogether.
    """
    if reported is None:
        return Settlement(Cost(price_usd, estimated=True) if price_usd else None)
    if (flag := _oddity(reported, price_usd)) is None:
        return Settlement(reported)
    reported_text = storable(f"{reported.amount_usd} {reported.currency}")[:_SAID_LENGTH]
    taken_usd = price_usd or Decimal(0)
    cost = Cost(taken_usd, estimated=True, flag=flag, reported=reported_text)
    message = (
        f"The provider reported a cost of {reported_text}: {_WHY[flag]}. {taken_usd:f} USD is taken in its place."
    )
    return Settlement(cost, TaskWarning(WarningCode.COST_NOT_TAKEN, message))


def _oddity(reported: Cost, price_usd: Decimal | None) -> CostFlag | None:
    if oddity := reported.oddity:
        return oddity
    is_absurd = bool(price_usd) and reported.amount_usd > ABSURD_TIMES * (price_usd or 0)
    return CostFlag.ABSURD if is_absurd else None
