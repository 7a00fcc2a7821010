"""Cancelling a task."""

from uuid import UUID

from genpulse.domain.event import TaskEvent
from genpulse.domain.task import Task
from genpulse.ports import Services


async def cancel(services: Services, task_id: UUID) -> Task:
    """Stop what can still be stopped. A running task goes on for the moment that its worker needs.

    What was ordered and is not known to be taken yet is waited for, and then stopped at the vendor; a request that
    is answered with the output itself cannot be stopped. Raises `UnknownTask`, `DatabaseUnavailable`.
    """
    task = await services.store.cancel(task_id)
    if task.cancel_requested:
        services.events.publish(TaskEvent(task.id, task.seq))
    return task
