"""Cancelling a job at its vendor."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from genpulse.domain.errors import UnknownOutcome
from genpulse.domain.failure import Failure
from genpulse.domain.task import OpenOrder
from genpulse.lifecycle.attempt.attempt_run import AttemptRun
from genpulse.lifecycle.attempt.orders import AttemptOrder
from genpulse.provider import Call, Job, TwoPhase

_log = logging.getLogger(__name__)


def can_be_stopped(engine: object, order: AttemptOrder) -> bool:
    """Whether the vendor can be told: now, or once whoever made the order tells what the vendor calls its job."""
    return isinstance(engine, TwoPhase) and order.is_open and engine.can_cancel


async def give_up(run: AttemptRun, engine: TwoPhase[Any]) -> None:
    """Ask the vendor to stop what nobody wants any more, for a few seconds; what cannot be stopped stays open."""
    if await ask_to_stop(run, engine):
        run.order.close()


async def ask_to_stop(run: AttemptRun, engine: TwoPhase[Any]) -> bool:
    """Ask the vendor to stop the job, for a few seconds. Returns whether it says that it will.

    That it will does not say that it did: who wants the job after all has to ask what became of it.
    """
    order = run.order.open
    if order is None:
        return False
    order, bounds = replace(order, job_id=run.order.job_id), run.services.bounds
    age_s = (run.now() - order.sent_at).total_seconds()
    try:
        return await run.signal.wait_for(
            lambda: stop(engine, run.call, order, age_s, bounds.missing_s, run.journal_job), bounds.stop_s
        )
    except Exception as error:  # noqa: BLE001 - a vendor that does not stop a job changes nothing here
        why = str(error) or type(error).__name__
        _log.warning("the order of task %s was not stopped at the vendor: %s", run.call.task_id, why)
        return False


async def stop(
    engine: TwoPhase[Any],
    call: Call[Any],
    order: OpenOrder,
    age_s: float,
    missing_s: float,
    keep: Callable[[str], Awaitable[None]] | None = None,
) -> bool:
    """Stop the job of an order. Returns whether the order is over: its job was stopped, or was never taken.

    A vendor may need `missing_s` seconds until its list shows a job; the order is `age_s` seconds old. `keep` gets
    the id of a job that was looked up. Raises what the engine raises.
    """
    job_id = order.job_id
    if job_id is None:
        if not (engine.can_find and order.can_be_looked_up):
            return False
        submission = await engine.find(replace(call, client_reference=order.reference))
        if submission is None:
            return age_s > missing_s
        job_id = submission.job_id
        if keep is not None:
            await keep(job_id)
    if not engine.can_cancel:
        return False
    await engine.cancel(Job(job_id, call))
    return True


def not_stopped(attempt_order: AttemptOrder, *, is_free: bool = False) -> Failure | None:
    """The failure of a canceled task whose order may go on; None where nothing is open.

    `is_free`: its provider costs nothing.
    """
    order, job_id = attempt_order.open, attempt_order.job_id
    if order is None:
        return None
    costs = "" if is_free else ", and be charged"
    if not order.can_be_looked_up:
        return UnknownOutcome(
            "The task was canceled after the database was restored from a backup, and what may have been ordered"
            f" between the two could not be stopped: it may go on at the provider{costs}."
        ).failure
    what = f"the job {job_id}" if job_id else f"what was ordered under {order.reference}"
    return UnknownOutcome(
        f"The task was canceled, and the provider could not be told to stop {what}, which was ordered at"
        f" {order.sent_at:%Y-%m-%d %H:%M:%S} UTC: it may go on there{costs}."
    ).failure
