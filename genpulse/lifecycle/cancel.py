"""A caller no longer wants a task."""

from uuid import UUID

from genpulse.domain.event import TaskEvent
from genpulse.domain.task import Task, TaskStatus
from genpulse.ports import Services


async def cancel(services: Services, task_id: UUID) -> Task:
    """Stop what can still be stopped. A running task goes on for the moment that its worker needs.

    Raises `UnknownTask`, `DatabaseUnavailable`.
    """
    task = await services.store.cancel(task_id, services.now())
    if task.status is TaskStatus.CANCELED:
        services.events.publish(TaskEvent(task.id, task.seq))
    return task
