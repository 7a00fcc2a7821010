"""What an attempt has ordered at its vendor, and what it has asked of the provider's account."""

from dataclasses import dataclass
from datetime import datetime

from genpulse.domain.task import OpenOrder


@dataclass(slots=True)
class AttemptOrder:
    """The order of a task while an attempt runs: one that came with the task, or one that this attempt has made.

    `open` is what the vendor may hold and of which nobody knows the end. `job_id` is what the vendor calls it.
    `ordered_at` is when this attempt has ordered, None where it has not. Whoever learns what became of the order
    closes it.
    """

    open: OpenOrder | None
    job_id: str | None = None
    ordered_at: datetime | None = None

    def __post_init__(self) -> None:
        """A job that an earlier attempt has left is known from the start."""
        self.job_id = self.open.job_id if self.open else None

    @property
    def is_open(self) -> bool:
        """Whether the vendor may hold something of which nobody knows the end."""
        return self.open is not None

    def start(self, order: OpenOrder) -> None:
        """Note that this attempt is about to ask the vendor."""
        self.open, self.ordered_at, self.job_id = order, order.sent_at, None

    def close(self) -> None:
        """Note that the end of the order is known."""
        self.open = None


@dataclass(slots=True)
class AccountUse:
    """What an attempt has asked of the provider's account, for the gate in front of it.

    `has_ordered`: something new was asked for. `was_asked`: anything at all was, so that a failure says something
    about the account. `gate_was_told`: the gate has learned how the account is.
    """

    has_ordered: bool = False
    was_asked: bool = False
    gate_was_told: bool = False
