"""Warnings of budgets inside this process."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.domain.money.budget_warning import BudgetWarning
from genpulse.domain.retention import Batch, Pruned


class MemoryBudgets:
    """Implements `BudgetStore`. `now` is this store's clock."""

    def __init__(self, store: MemoryTaskStore, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store = store
        self._now = now
        self._noted: dict[tuple[str, str, date], BudgetWarning] = {}
        self._due_at: dict[UUID, datetime] = {}

    async def note(self, warnings: Sequence[BudgetWarning], *, tell: bool) -> tuple[BudgetWarning, ...]:
        """Keep those of which there was none in their period, and return them."""
        new = []
        for warning in warnings:
            place = (warning.counter, warning.period, warning.begins)
            if self._noted.setdefault(place, warning) is warning:
                new.append(warning)
                if tell:
                    self._due_at[warning.id] = self._now()
        return tuple(new)

    async def due(self, limit: int, held_s: float) -> tuple[BudgetWarning, ...]:
        """Take some of which somebody is to be told."""
        now = self._now()
        due = [one for one in self._noted.values() if one.id in self._due_at and self._due_at[one.id] <= now]
        warnings = due[:limit]
        for warning in warnings:
            self._due_at[warning.id] = now + timedelta(seconds=held_s)
        return tuple(warnings)

    async def told(self, warning_id: UUID) -> None:
        """Somebody was told."""
        self._due_at.pop(warning_id, None)

    async def prune(self, limit: int) -> Batch:
        """Remove counters of periods that are over; warnings end with this process."""
        return Batch(Pruned(), more=self._store.prune_counters(limit) == limit)
