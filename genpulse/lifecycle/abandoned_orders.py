"""Cancelling orders at vendors that outlived their tasks."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from genpulse.domain.errors import BadInput, UnknownModel
from genpulse.domain.task import OpenOrder, Task
from genpulse.lifecycle.attempt.interruption import Signal
from genpulse.lifecycle.attempt.remote.cancellation import stop
from genpulse.ports import Services
from genpulse.provider import AnyModel, Call, TwoPhase

AT_ONCE = 20
"""So many orders are seen to at once."""

_log = logging.getLogger(__name__)


async def stop_unwanted(services: Services, providers: Sequence[str]) -> int:
    """Stop at their vendors what canceled and overdue tasks of these providers have left there.

    Returns how many orders are over. Raises `DatabaseUnavailable`.
    """
    tasks = await services.store.to_stop(providers, AT_ONCE)
    answers = await asyncio.gather(*(_is_over(services, task) for task in tasks), return_exceptions=True)
    over = [task for task, answer in zip(tasks, answers, strict=True) if answer is True]
    for task in over:
        if task.order is not None:
            await services.store.close_order(task.id, task.order.reference)
    return len(over)


async def _is_over(services: Services, task: Task) -> bool:
    if (order := task.order) is None:
        return False
    try:
        signal = Signal(services.contained_tasks)
        return await signal.wait_for(lambda: _stop(services, task, order), services.bounds.stop_s)
    except (UnknownModel, BadInput) as error:
        _log.info("the order of task %s cannot be stopped here: %s", task.id, error)
    except Exception as error:  # noqa: BLE001 - what does not work is tried again later
        why = str(error) or type(error).__name__
        _log.warning("the order of task %s was not stopped at the vendor, and is later: %s", task.id, why)
    return False


async def _stop(services: Services, task: Task, order: OpenOrder) -> bool:
    model = services.catalogue.model(task.model)
    if not isinstance(model.engine, TwoPhase):
        return False
    age_s = (await services.store.now() - order.sent_at).total_seconds()
    return await stop(model.engine, _call(model, task, order), order, age_s, services.bounds.missing_s)


def _call(model: AnyModel, task: Task, order: OpenOrder) -> Call[Any]:
    return Call(
        model=model.name,
        kind=task.kind,
        input=model.parse(task.model_input),
        task_id=task.id,
        client_reference=order.reference,
        attempt=task.attempt,
    )
