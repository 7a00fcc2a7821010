"""What is older than it is to be kept goes away."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from genpulse.domain.retention import Batch, Pruned, RetentionPolicy
from genpulse.ports import Pruning, Services, Storage

PAUSE_S = 0.05
"""Between two batches, so that others get at the database and the storage."""


async def prune(services: Services, policy: RetentionPolicy) -> Pruned | None:
    """Remove ended tasks, then assets that nothing needs, then bytes of no asset, until no old ones are left.

    Returns None when another process is about it. What was removed before an error stays removed, and the next
    call goes on from there. Raises `DatabaseUnavailable`, `StorageUnavailable`.
    """
    cutoffs = policy.cutoffs(services.now())
    async with services.retention.turn() as pruning:
        if pruning is None:
            return None
        pruned = Pruned()
        if (ended_before := cutoffs.tasks) is not None:
            pruned += await _drained(lambda: pruning.tasks(ended_before, policy.batch))
        if (created_before := cutoffs.assets) is not None:
            pruned += await _drained(lambda: pruning.assets(created_before, policy.batch))
        objects_before = cutoffs.objects
        return pruned + await _drained(lambda: _objects(pruning, services.storage, objects_before, policy.batch))


async def _drained(batch: Callable[[], Awaitable[Batch]]) -> Pruned:
    pruned = Pruned()
    while True:
        done = await batch()
        pruned += done.pruned
        if not done.more:
            return pruned
        await asyncio.sleep(PAUSE_S)


async def _objects(pruning: Pruning, storage: Storage, last_created_before: datetime, limit: int) -> Batch:
    """Bytes first: what is not forgotten is removed once more, and that does no harm."""
    doomed = await pruning.doomed(last_created_before, limit)
    keys = [stored.key for stored in doomed]
    await storage.remove(keys)
    await pruning.forget(keys)
    pruned = Pruned(objects=len(doomed), bytes=sum(stored.size for stored in doomed))
    return Batch(pruned, more=len(doomed) == limit)
