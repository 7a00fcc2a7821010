"""Keeping how far tasks have come, many in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from genpulse.adapters.database.statements import tasks
from genpulse.adapters.postgresql.connections import outages
from genpulse.domain.attempt import Lease


@dataclass(frozen=True, slots=True)
class SavedProgress:
    """How far the task under a lease has come, 0.0 to 1.0, with the number of its last event."""

    lease: Lease
    progress: float
    seq: int


class ProgressWriter:
    """Writes the newest progress of each lease."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def write(self, saves: Sequence[SavedProgress]) -> Sequence[None]:
        """Those whose lease was lost are left out. Raises `DatabaseUnavailable`."""
        latest = {save.lease.attempt_id: save for save in saves}
        newest = sorted(latest.values(), key=lambda save: save.lease.task_id)
        with outages():
            await self._pool.fetch(
                tasks.SAVE_PROGRESS,
                [save.lease.task_id for save in newest],
                [save.lease.attempt_id for save in newest],
                [save.progress for save in newest],
                [save.seq for save in newest],
            )
        return [None] * len(saves)
