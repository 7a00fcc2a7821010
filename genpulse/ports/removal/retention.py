"""The port of retention: what is old is removed."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from genpulse.domain.retention import Ages, Batch, Doomed, Pruned


class Pruning(Protocol):
    """A turn at removing what is old. Each call is one transaction, and waits for no other one.

    Ages are counted by the clock of the database. All raise `DatabaseUnavailable`.
    """

    async def now(self) -> datetime:
        """What that clock says."""

    async def tasks(self, older_than: timedelta, limit: int) -> Batch:
        """Remove at most `limit` tasks that ended longer ago, oldest first, with attempts, messages and keys.

        A task stays while a message about it is still to be sent. Its assets stay behind, of no task.
        """

    async def assets(self, older_than: timedelta, limit: int) -> Batch:
        """Remove at most `limit` older assets that are of no task and that no input of a task names, oldest first.

        The keys of those that were the last with their content are kept as doomed, in the same commit.
        """

    async def entries(self, older_than: timedelta, limit: int) -> Batch:
        """Remove at most `limit` entries of the ledger of days (UTC) longer ago, but for those of live tasks."""

    async def doomed(self, older_than: timedelta, limit: int) -> Doomed:
        """Objects that may be removed now: no asset has them, and they were expected or had one longer ago.

        Looks at the oldest `limit` entries; those that an asset has are no longer looked at.
        """

    async def forget(self, keys: Sequence[str], older_than: timedelta) -> None:
        """These objects were removed. One that has been expected again since then is remembered."""


class Retention(Protocol):
    """Removes what is old, one process at a time, and nothing of another environment."""

    async def expect(self, key: str, size: int, task_id: UUID | None = None) -> str:
        """Note that `size` bytes are about to be stored under this key, perhaps for a task; returns under which.

        That is another key where the bytes under this one were erased: it is never used again. They are removed
        when no asset has come to have them long after, or when that task is deleted. Note them again whenever they
        are stored again. Raises `LeaseLost` where the task is gone, `DatabaseUnavailable`.
        """

    def turn(self) -> AbstractAsyncContextManager[Pruning | None]:
        """None while another process has the turn. Raises `DatabaseUnavailable`."""

    async def due(self, ages: Ages) -> Pruned:
        """What would be removed now. Changes nothing. Raises `DatabaseUnavailable`."""
