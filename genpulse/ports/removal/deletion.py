"""The port of deletion: tasks and assets that somebody does not want to be kept."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from genpulse.domain.deletion import Deletion
from genpulse.domain.retention import Batch, StoredObject


class DeletionStore(Protocol):
    """Marks what is to go, in one commit, and removes it in steps that may be broken off and done again.

    What is marked is there for nobody any more, and a tombstone without content stands in its place. Nothing of
    another environment is marked or removed. All raise `DatabaseUnavailable`.
    """

    async def delete_tasks(self, task_ids: Sequence[UUID], *, owner: str | None, deleted_by: str) -> Deletion:
        """Mark at most `AT_ONCE` tasks of this owner (None: of anybody), and drop the messages about them.

        Those that have not ended are wanted by nobody any more: see `TaskStore.cancel`.
        """

    async def delete_overdue(self, limit: int, settled_s: float) -> int:
        """Mark at most `limit` tasks whose own `retain_s` is over and about which no message is to be sent.

        None of them ended less than `settled_s` seconds ago. Returns how many they were.
        """

    async def unended(self, limit: int) -> tuple[UUID, ...]:
        """At most `limit` marked tasks that have not ended."""

    async def erase_tasks(self, limit: int, settled_s: float) -> Batch:
        """Remove at most `limit` marked tasks that have ended, and that were marked `settled_s` seconds ago.

        Attempts, messages and outputs go in the same commit. An output that a task needs which has not ended goes
        when that has. A task with an order that is still to be stopped waits for that, 45 seconds at most.
        """

    async def delete_asset(self, asset_id: UUID, *, owner: str | None) -> None:
        """Mark an asset of this owner (None: of anybody), and let its task say that the output is missing.

        One that was marked before stays so. Raises `UnknownAsset`, `AssetInUse`.
        """

    async def erase_assets(self, limit: int) -> Batch:
        """Remove at most `limit` marked assets that no task needs which has not ended."""

    async def erased_objects(self, limit: int) -> tuple[StoredObject, ...]:
        """At most `limit` objects whose last asset was removed here, so that their bytes are to go."""

    async def removed_objects(self, keys: Sequence[str]) -> None:
        """The bytes under these keys are gone."""

    async def forget(self, older_than: timedelta, limit: int) -> Batch:
        """Remove at most `limit` tombstones of tasks that were marked longer ago."""
