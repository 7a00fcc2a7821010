"""A warning that a budget is nearly used up."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from genpulse.domain.money.allowance import Period


@dataclass(frozen=True, slots=True)
class BudgetWarning:
    """One for each counter and period, which begins on the day `begins`. `body` is the message that tells it."""

    id: UUID
    counter: str
    period: Period
    begins: date
    body: str

    @property
    def message_id(self) -> str:
        """By which receivers know it again."""
        return f"msg_{self.id.hex}"
