"""What has to be tidied up even when nobody asks."""

from genpulse.domain.event import TaskEvent
from genpulse.ports import Services

QUEUE_LOG_KEPT_S = 24 * 3600.0
"""Settled queue entries are remembered for a day, for whoever looks into a problem."""


async def sweep(services: Services) -> int:
    """End queued tasks whose deadline has passed and forget old queue entries; returns how many ended.

    Raises `DatabaseUnavailable`.
    """
    expired = await services.store.expire(services.now())
    for task in expired:
        services.events.publish(TaskEvent(task.id, task.seq))
    await services.queue.prune(QUEUE_LOG_KEPT_S)
    return len(expired)
