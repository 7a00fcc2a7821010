"""Pruning: removing what is past its retention."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from genpulse.domain.errors import ClocksDiffer, StorageUnavailable
from genpulse.domain.retention import CLOCKS_DIFFER_S, Batch, Pruned, RetentionPolicy
from genpulse.ports import Pruning, Services, Storage

CLIENT_TOKENS_KEPT = timedelta(days=1)
"""For so long after their end somebody is told that they have run out, and not that they were never there."""
UNFINISHED_KEPT = timedelta(days=2)
"""Uploads to the storage that take longer have broken off."""
PAUSE_S = 0.05
"""Between two batches, so that others get at the database and the storage."""

_log = logging.getLogger(__name__)


async def prune(services: Services, policy: RetentionPolicy) -> Pruned | None:
    """Remove ended tasks, assets that nothing needs, tombstones, entries of the ledger and bytes of no asset.

    It goes on until no old ones are left. Returns None when another process is about it. What was removed before
    an error stays removed, and the next call goes on from there. Raises `DatabaseUnavailable`,
    `StorageUnavailable`, and `ClocksDiffer` where this host's clock is more than a minute from the database's:
    then nothing is removed.
    """
    ages, batch = policy.ages, policy.batch
    async with services.retention.turn() as pruning:
        if pruning is None:
            return None
        await _compare_clocks(services, pruning)
        pruned = Pruned()
        if (ended := ages.tasks) is not None:
            pruned += await drained(lambda: pruning.tasks(ended, batch))
        if (created := ages.assets) is not None:
            pruned += await drained(lambda: pruning.assets(created, batch))
        await services.keys.client_tokens.prune(await pruning.now() - CLIENT_TOKENS_KEPT)
        await drained(lambda: services.budgets.prune(batch))
        if (deleted := policy.tombstones) is not None:
            await drained(lambda: services.deletions.forget(deleted, batch))
        if (entered := policy.ledger) is not None:
            await drained(lambda: pruning.entries(entered, batch))
        pruned += await drained(lambda: _objects(pruning, services.storage, ages.objects, batch))
        await _abort_unfinished(services.storage)
        return pruned


async def _abort_unfinished(storage: Storage) -> None:
    """Whatever a storage has against it, the rest was removed, and the next turn asks again."""
    try:
        await storage.abort_unfinished(UNFINISHED_KEPT)
    except StorageUnavailable as error:
        _log.warning("uploads to the storage that broke off are looked for later: %s", error)


async def _compare_clocks(services: Services, pruning: Pruning) -> None:
    """Ages are counted by the database's clock alone. That the two differ means that one of them is wrong."""
    before = services.now()
    theirs = await pruning.now()
    ahead_s = max((before - theirs).total_seconds(), 0.0) + min((services.now() - theirs).total_seconds(), 0.0)
    if abs(ahead_s) > CLOCKS_DIFFER_S:
        raise ClocksDiffer(ahead_s)


async def drained(batch: Callable[[], Awaitable[Batch]]) -> Pruned:
    """What all batches together have removed, until there is no more."""
    pruned = Pruned()
    while True:
        done = await batch()
        pruned += done.pruned
        if not done.more:
            return pruned
        await asyncio.sleep(PAUSE_S)


async def _objects(pruning: Pruning, storage: Storage, older_than: timedelta, limit: int) -> Batch:
    """Bytes first: what is not forgotten is removed once more, and that does no harm."""
    doomed = await pruning.doomed(older_than, limit)
    keys = [stored.key for stored in doomed.objects]
    await storage.remove(keys)
    await pruning.forget(keys, older_than)
    pruned = Pruned(objects=len(keys), bytes=sum(stored.size for stored in doomed.objects))
    return Batch(pruned, more=doomed.more)
