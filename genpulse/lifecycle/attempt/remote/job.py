"""A remote job: ordered once, polled until it ends, collected, or cancelled."""

import time
from dataclasses import replace
from typing import Any

from genpulse.domain.errors import ProviderError, ProviderUnavailable, UnknownOutcome
from genpulse.domain.recovery import LookUp, Resume, Unknown
from genpulse.domain.text.storable import storable_line
from genpulse.lifecycle.attempt.immediate_engine import asked_once, lost_before
from genpulse.lifecycle.attempt.interruption import Stopped
from genpulse.lifecycle.attempt.outputs.collection import collected
from genpulse.lifecycle.attempt.outputs.storing import Made
from genpulse.lifecycle.attempt.remote.cancellation import give_up
from genpulse.lifecycle.attempt.remote.order_lookup import look_up
from genpulse.lifecycle.attempt.remote.polling import Polling
from genpulse.lifecycle.attempt.work import Work
from genpulse.provider import Submission, TwoPhase

JOB_ID_LENGTH = 2_000


async def run_remote_job(work: Work, engine: TwoPhase[Any]) -> Made:
    """Take the job up where an earlier attempt left it, or order it, and see it to its end.

    Nothing interrupts an order before its job's id is kept. Raises `Stopped` from then on, and before; a job that
    nobody will want is stopped at the vendor first.
    """
    ends_at = time.monotonic() + engine.longest_s - _age_s(work)
    try:
        polling = Polling(work, engine, await _job_id(work, engine, ends_at), ends_at)
        await polling.until_done()
        made = await collected(work, engine, polling.job, ends_at)
        return replace(made, warnings=(*made.warnings, *polling.odd))
    except Stopped as stopped:
        if stopped.why.for_good:
            await give_up(work, engine)
        raise


def _age_s(work: Work) -> float:
    """How long ago the job was ordered, by the clock of the database. From here on time does not jump."""
    order, attempt = work.begun.task.order, work.begun.attempt
    return max((attempt.started_at - order.sent_at).total_seconds(), 0.0) if order else 0.0


async def _job_id(work: Work, engine: TwoPhase[Any], ends_at: float) -> str:
    match work.recovery(repeatable=engine.repeatable, can_find=engine.can_find):
        case Resume(job_id):
            return job_id
        case LookUp(reference):
            return await _find_or_order(work, engine, reference, ends_at)
        case Unknown():
            raise lost_before(work.begun.task.order)
        case _:
            return await _order(work, engine, ends_at)


async def _find_or_order(work: Work, engine: TwoPhase[Any], reference: str, ends_at: float) -> str:
    found = await look_up(work, engine, reference, ends_at)
    if found is None:
        work.money.close()
        return await _order(work, engine, ends_at)
    await work.journal_job(found.job_id)
    return found.job_id


async def _order(work: Work, engine: TwoPhase[Any], ends_at: float) -> str:
    """Order and journal are one: whoever comes in between waits."""
    await work.journal_order()
    try:
        submission = await asked_once(_submitted(work, engine), engine.answer_s)
    except UnknownOutcome as lost:
        submission = await _found_after_all(work, engine, lost, ends_at)
    except ProviderError:
        work.money.close()
        raise
    await work.journal_job(submission.job_id)
    await work.tell_success()
    return submission.job_id


async def _submitted(work: Work, engine: TwoPhase[Any]) -> Submission:
    """The job under an id that can be kept and asked about. Raises `UnknownOutcome` for any other."""
    submission = await engine.submit(work.call)
    job_id = submission.job_id
    if not job_id.strip() or storable_line(job_id, JOB_ID_LENGTH) != job_id:
        raise UnknownOutcome(
            f"The provider has taken the job and named it {job_id[:100]!r}, which cannot be kept as an id. Look"
            " into the provider's own list of jobs before this task is run again."
        )
    return submission


async def _found_after_all(work: Work, engine: TwoPhase[Any], lost: UnknownOutcome, ends_at: float) -> Submission:
    """The job whose answer got lost, where the vendor can be asked about it."""
    if not engine.can_find:
        raise lost
    found = await look_up(work, engine, work.call.client_reference, ends_at)
    if found is None:
        work.money.close()
        raise ProviderUnavailable(
            "The provider was asked, its answer got lost, and it knows of no such job: it was never taken."
        ) from lost
    return found
