"""Tasks that are alike, counted together."""

from dataclasses import dataclass
from decimal import Decimal

from genpulse.domain.failure import FailureCode
from genpulse.domain.task import TaskStatus


@dataclass(frozen=True, slots=True)
class TaskGroup:
    """How many tasks are alike in all that decides what can be done with them, and what they cost.

    `code` and `retryable` are those of the failure. `has_order`: something is open at the provider, of which
    `knows_job` says that the job's id is known. Of `priced` tasks the price is known: together `price_usd` US
    dollars, as it was when they were submitted. `cost_usd` is what they have cost, as far as that is known.
    """

    status: TaskStatus
    provider: str
    model: str
    code: FailureCode | None
    retryable: bool
    has_order: bool
    knows_job: bool
    count: int
    priced: int
    price_usd: Decimal
    cost_usd: Decimal
