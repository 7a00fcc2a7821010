"""Deleting tasks and assets for good."""

import asyncio
import logging
from collections.abc import Sequence
from uuid import UUID

from genpulse.domain.deletion import Deletion, chunks
from genpulse.domain.errors import Unavailable, UnknownTask
from genpulse.domain.event import TaskEvent
from genpulse.ports import Services

CANCELS_AT_ONCE = 20

_log = logging.getLogger(__name__)


async def delete_task(services: Services, task_id: UUID, owner: str | None, *, deleted_by: str = "") -> None:
    """Let a task of this owner (None: of anybody) be gone, now for everybody and soon for good.

    From the commit on it is unknown; what runs is stopped, as a cancel does it, and removed when it has ended.
    A task that was deleted before stays so. `deleted_by` is the id of the API key that asks.
    Raises `UnknownTask`, `DatabaseUnavailable`.
    """
    done = await delete_tasks(services, [task_id], owner, deleted_by=deleted_by)
    if not done.deleted and not done.deleted_before:
        raise UnknownTask(task_id)


async def delete_tasks(
    services: Services, task_ids: Sequence[UUID], owner: str | None, *, deleted_by: str = ""
) -> Deletion:
    """The same for many, up to 500 in one commit; tells which of them were there. Raises `DatabaseUnavailable`."""
    total = Deletion()
    for part in chunks(task_ids):
        total += await services.deletions.delete_tasks(part, owner=owner, deleted_by=deleted_by)
    await stop(services, total.live)
    for task_id in total.deleted:
        services.events.publish(TaskEvent(task_id, 0))
    return total


async def stop(services: Services, task_ids: Sequence[UUID]) -> None:
    """Let deleted tasks end. What cannot be done now is done by a worker: nothing is raised."""
    for start in range(0, len(task_ids), CANCELS_AT_ONCE):
        part = task_ids[start : start + CANCELS_AT_ONCE]
        await asyncio.gather(*(_stop(services, task_id) for task_id in part))


async def _stop(services: Services, task_id: UUID) -> None:
    try:
        await services.store.cancel(task_id)
    except UnknownTask:
        return  # it has ended
    except Unavailable as error:
        _log.warning("the deleted task %s is stopped later: %s", task_id, error)


async def delete_asset(services: Services, asset_id: UUID, owner: str | None) -> None:
    """Let an asset of this owner (None: of anybody) be gone, now for everybody and soon for good.

    The task that made it says that the output is missing. Raises `UnknownAsset`, `AssetInUse`,
    `DatabaseUnavailable`.
    """
    await services.deletions.delete_asset(asset_id, owner=owner)
