"""Cancelling a job at its vendor."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from genpulse.domain.errors import UnknownOutcome
from genpulse.domain.failure import Failure
from genpulse.domain.task import OpenOrder
from genpulse.lifecycle.attempt.work import Money, Work
from genpulse.provider import Call, Job, TwoPhase

_log = logging.getLogger(__name__)


def can_be_stopped(engine: object, money: Money) -> bool:
    """Whether the vendor can be told, by the job's id or after it was looked up."""
    if not isinstance(engine, TwoPhase) or not money.is_open:
        return False
    return engine.can_cancel and (money.job_id is not None or engine.can_find)


async def give_up(work: Work, engine: TwoPhase[Any]) -> None:
    """Ask the vendor to stop what nobody wants any more, for a few seconds; what cannot be stopped stays open."""
    if await tell(work, engine):
        work.money.close()


async def tell(work: Work, engine: TwoPhase[Any]) -> bool:
    """Ask the vendor to stop the job, for a few seconds, and whether it says that it will.

    That it will does not say that it did: who wants the job after all has to ask what became of it.
    """
    order = work.money.order
    if order is None:
        return False
    order = replace(order, job_id=work.money.job_id)
    age_s = (work.moment() - order.sent_at).total_seconds()
    try:
        async with asyncio.timeout(work.services.bounds.stop_s):
            return await stop(engine, work.call, order, age_s, work.services.bounds.missing_s, work.journal_job)
    except Exception as error:  # noqa: BLE001 - a vendor that does not stop a job changes nothing here
        why = str(error) or type(error).__name__
        _log.warning("the order of task %s was not stopped at the vendor: %s", work.call.task_id, why)
        return False


async def stop(
    engine: TwoPhase[Any],
    call: Call[Any],
    order: OpenOrder,
    age_s: float,
    missing_s: float,
    keep: Callable[[str], Awaitable[None]] | None = None,
) -> bool:
    """Whether the order is over: its job was stopped, or was never taken.

    A vendor may need `missing_s` seconds until its list shows a job; the order is `age_s` seconds old. `keep` is
    told an id that was found. Raises what the engine raises.
    """
    job_id = order.job_id
    if job_id is None:
        if not engine.can_find:
            return False
        found = await engine.find(replace(call, client_reference=order.reference))
        if found is None:
            return age_s > missing_s
        job_id = found.job_id
        if keep is not None:
            await keep(job_id)
    if not engine.can_cancel:
        return False
    await engine.cancel(Job(job_id, call))
    return True


def not_stopped(money: Money) -> Failure | None:
    """What is to be said of a canceled task whose order may go on; None where nothing is open."""
    if money.order is None:
        return None
    order, job_id = money.order, money.job_id
    what = f"the job {job_id}" if job_id else f"what was ordered under {order.reference}"
    return UnknownOutcome(
        f"The task was canceled, and the provider could not be told to stop {what}, which was ordered at"
        f" {order.sent_at:%Y-%m-%d %H:%M:%S} UTC: it may go on there, and be charged."
    ).failure
