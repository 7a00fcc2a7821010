"""A failed task runs again because somebody asked for it."""

from uuid import UUID

from genpulse.domain.errors import UnknownModel
from genpulse.domain.event import TaskEvent
from genpulse.domain.task import Task, TaskStatus
from genpulse.lifecycle.purse import check_allowed, limits_for
from genpulse.ports import Services
from genpulse.provider import TwoPhase


async def retry(services: Services, task_id: UUID) -> Task:
    """Queue a failed task again, unless that costs what may not be spent.

    An order whose end is not known is taken up where the vendor can be asked about it; else whoever asks for this
    has looked into the vendor's own list of jobs, and it is made anew.
    Raises `UnknownTask`, `NotRetryable`, `PaidProviderRefused`, `BudgetExceeded`, `DatabaseUnavailable`.
    """
    failed = await services.store.get(task_id)
    if failed.status is TaskStatus.FAILED:
        check_allowed(services, failed.provider)
    keeps_order = _can_be_taken_up(services, failed)
    task = await services.store.retry(task_id, keeps_order=keeps_order, limits=limits_for(services))
    services.events.publish(TaskEvent(task.id, task.seq))
    return task


def _can_be_taken_up(services: Services, task: Task) -> bool:
    if task.order is None:
        return False
    try:
        engine = services.catalogue.model(task.model).engine
    except UnknownModel:
        return True
    return isinstance(engine, TwoPhase) and (task.order.job_id is not None or engine.can_find)
