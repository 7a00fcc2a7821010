"""Erasing: removing what was deleted, and what is past its own retention."""

from genpulse.domain.retention import Pruned
from genpulse.lifecycle.removal.deletion import stop
from genpulse.lifecycle.removal.prune import drained
from genpulse.ports import Services

SETTLED_S = 3.0
"""So old is a deletion, in seconds, before its rows go.

By then whoever has looked for an idempotency key before the deletion has found the row of its task.
"""
SEEN_S = 10.0
"""A task that is kept for no time is kept so long, in seconds: whoever waits for its end sees it."""
BATCH = 200


async def erase(
    services: Services, *, settled_s: float = SETTLED_S, seen_s: float = SEEN_S, batch: int = BATCH
) -> Pruned:
    """Stop what was deleted and has not ended, and remove what has: rows first, then the bytes.

    Any number of processes may do so at once. What was removed before an error stays removed, and the next call
    goes on from there. Raises `DatabaseUnavailable`, `StorageUnavailable`.
    """
    deletions = services.deletions
    while await deletions.delete_overdue(batch, seen_s) == batch:
        pass
    await stop(services, await deletions.unended(batch))
    pruned = await drained(lambda: deletions.erase_tasks(batch, settled_s))
    pruned += await drained(lambda: deletions.erase_assets(batch))
    return pruned + await _objects(services, batch)


async def _objects(services: Services, batch: int) -> Pruned:
    """Bytes first: what is not noted as removed is removed once more, and that does no harm."""
    pruned = Pruned()
    while objects := await services.deletions.erased_objects(batch):
        keys = [stored.key for stored in objects]
        await services.storage.remove(keys)
        await services.deletions.removed_objects(keys)
        pruned += Pruned(objects=len(keys), bytes=sum(stored.size for stored in objects))
    return pruned
