"""Sweeping: expired tasks and lost work."""

from genpulse.domain.event import TaskEvent
from genpulse.ports import Services

PROMOTED_AFTER_S = 600.0
"""A task that waits for ten minutes gets the next higher priority, so that it does not wait for ever."""


async def sweep(services: Services) -> int:
    """End queued tasks whose deadline has passed, promote those that wait for long, and forget lost workers.

    What waits for the output of a task that has ended goes on, where nobody has told it.

    Returns how many ended. Raises `DatabaseUnavailable`.
    """
    expired = await services.store.expire()
    for task in expired:
        services.events.publish(TaskEvent(task.id, task.seq))
    await services.store.wake()
    await services.queue.promote(PROMOTED_AFTER_S)
    await services.queue.tidy()
    return len(expired)
