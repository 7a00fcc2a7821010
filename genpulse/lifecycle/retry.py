"""Retrying a failed task on request."""

from uuid import UUID

from genpulse.domain.errors import MayBeCharged, NotRetryable, UnknownModel
from genpulse.domain.event import TaskEvent
from genpulse.domain.keys.caller import WITHOUT_KEY, Caller
from genpulse.domain.recovery import LookUp, Recovery, Resume, StartAnew, Unknown, recover
from genpulse.domain.task import OpenOrder, Task, TaskStatus
from genpulse.lifecycle.budgets.check import check_provider, is_free, limits_for
from genpulse.ports import Services
from genpulse.provider import Local, TwoPhase


async def retry(
    services: Services, task_id: UUID, *, caller: Caller = WITHOUT_KEY, even_if_charged: bool = False
) -> Task:
    """Queue a failed task again, unless that costs what may not be spent.

    A caller's own limits hold for its own tasks; an operator may run those of others beyond theirs.

    An order whose end is not known is taken up where the vendor can be asked about it. Elsewhere it would be made
    anew and perhaps paid for twice: that is refused, unless its provider costs nothing. With `even_if_charged`
    whatever is open is forgotten and made anew.
    Raises `UnknownTask`, `NotRetryable`, `MayBeCharged`, `PaidProviderRefused`, `BudgetExceeded`,
    `KeyLimitExceeded`, `DatabaseUnavailable`.
    """
    while True:
        failed = await services.store.get(task_id)
        try:
            return await retry_seen(services, failed, caller=caller, even_if_charged=even_if_charged)
        except NotRetryable:
            if not await _has_failed_anew(services, failed):
                raise


async def retry_seen(
    services: Services, failed: Task, *, caller: Caller = WITHOUT_KEY, even_if_charged: bool = False
) -> Task:
    """The same for a task that is still as it was seen: it may have another failure or order meanwhile.

    Raises as `retry`; `NotRetryable` also where it has changed.
    """
    if failed.status is not TaskStatus.FAILED:
        raise NotRetryable(failed.id, failed.status)
    check_provider(services, failed.provider)
    keeps_order = not even_if_charged and failed.order is not None and _takes_up(services, failed, failed.order)
    limits = limits_for(services, caller if caller.owner == failed.owner else WITHOUT_KEY)
    task = await services.store.retry(failed.id, keeps_order=keeps_order, limits=limits, seen_seq=failed.seq)
    services.events.publish(TaskEvent(task.id, task.seq))
    return task


async def _has_failed_anew(services: Services, before: Task) -> bool:
    """Whether it has failed since it was seen, or once more: then it is looked at again."""
    now = await services.store.get(before.id)
    return now.status is TaskStatus.FAILED and now.seq != before.seq


def _takes_up(services: Services, task: Task, order: OpenOrder) -> bool:
    """Whether the next attempt goes on with the order, in place of making it anew. Raises `MayBeCharged`."""
    try:
        step = next_step(services, task.model, task.provider, order)
    except UnknownModel:
        return True
    if isinstance(step, Unknown):
        raise MayBeCharged(task.id, task.provider, order)
    return isinstance(step, Resume | LookUp)


def next_step(services: Services, model: str, provider: str, order: OpenOrder) -> Recovery:
    """What a retry by hand does about an order of the model. Raises `UnknownModel`."""
    engine = services.catalogue.model(model).engine
    if isinstance(engine, Local):
        return StartAnew()
    return recover(
        order,
        repeatable=engine.repeatable,
        can_find=isinstance(engine, TwoPhase) and engine.can_find,
        resubmits=provider in services.retry.resubmits or is_free(services, provider),
    )
