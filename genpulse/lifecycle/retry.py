"""A failed task runs again because somebody asked for it."""

from uuid import UUID

from genpulse.domain.event import TaskEvent
from genpulse.domain.task import Task
from genpulse.ports import Services


async def retry(services: Services, task_id: UUID) -> Task:
    """Queue a failed task again. Raises `UnknownTask`, `NotRetryable`, `DatabaseUnavailable`."""
    task = await services.store.retry(task_id, services.now())
    services.events.publish(TaskEvent(task.id, task.seq))
    return task
