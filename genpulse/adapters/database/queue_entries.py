"""What the store needs of the queue: changes on its own connection, so that both commit together."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

import asyncpg


class QueueEntries(Protocol):
    """Handed in by `wiring.py`.

    `adding` is SQL that adds an entry, due now, for each row (id, provider, priority) of `written`; `settling`
    removes the entry of each `ticket` of `done`, and leaves alone what has none (NULL).
    """

    @property
    def adding(self) -> str:
        """An `INSERT … SELECT … FROM written`."""

    @property
    def settling(self) -> str:
        """A `DELETE … WHERE … FROM done`."""

    async def add(self, connection: asyncpg.Connection, entries: Sequence[tuple[str, UUID, int]]) -> None:
        """An entry for each (provider, task id, priority), due now."""

    async def settle(self, connection: asyncpg.Connection, tickets: Sequence[int]) -> None:
        """Remove entries; unknown ones are no error."""

    async def postpone(self, connection: asyncpg.Connection, ticket: int, delay_s: float) -> None:
        """Let an entry wait again for so many seconds; unknown ones are no error."""

    async def release(self, connection: asyncpg.Connection, ticket: int) -> None:
        """Let another worker go on with what has begun; unknown ones are no error."""

    async def announce_cancellation(self, connection: asyncpg.Connection, task_id: UUID) -> None:
        """Tell the workers once the transaction is committed."""
