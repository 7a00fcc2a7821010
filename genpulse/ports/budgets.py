"""The port of budgets: who was warned of them, and the end of old counters."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from genpulse.domain.money.budget_warning import BudgetWarning
from genpulse.domain.retention import Batch


class BudgetStore(Protocol):
    """Warnings of budgets, and counters that nobody needs. All raise `DatabaseUnavailable`."""

    async def note(self, warnings: Sequence[BudgetWarning], *, tell: bool) -> tuple[BudgetWarning, ...]:
        """Keep those of which there was none in their period, and return them: of two at once one is new.

        Where `tell` is set they come as `due` until somebody was told.
        """

    async def due(self, limit: int, held_s: float) -> tuple[BudgetWarning, ...]:
        """Take at most `limit` that somebody is to be told, so that no other process does for `held_s` seconds.

        What is not `told` then comes again, later and later.
        """

    async def told(self, warning_id: UUID) -> None:
        """Somebody was told."""

    async def prune(self, limit: int) -> Batch:
        """Remove at most `limit` counters, and the warnings, of periods that are over.

        Counters of end customers go with their month, and those of live tasks once there are none. The others,
        and warnings, are kept for another month.
        """
