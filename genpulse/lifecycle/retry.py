"""A failed task runs again because somebody asked for it."""

from decimal import Decimal
from uuid import UUID

from genpulse.domain.event import TaskEvent
from genpulse.domain.task import Task, TaskStatus
from genpulse.lifecycle.purse import check_allowed, check_budget
from genpulse.ports import Services


async def retry(services: Services, task_id: UUID) -> Task:
    """Queue a failed task again, unless that costs what may not be spent.

    Raises `UnknownTask`, `NotRetryable`, `PaidProviderRefused`, `BudgetExceeded`, `DatabaseUnavailable`.
    """
    failed = await services.store.get(task_id)
    if failed.status is TaskStatus.FAILED:
        check_allowed(services, failed.provider)
        await check_budget(services, failed.price_usd or Decimal(0))
    task = await services.store.retry(task_id, services.now())
    services.events.publish(TaskEvent(task.id, task.seq))
    return task
