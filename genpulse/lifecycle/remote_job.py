"""A job at a vendor: submitted once, polled until it ends, collected, and stopped where that is wanted."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

from genpulse.domain.errors import (
    GenPulseError,
    JobOverdue,
    ProviderError,
    ProviderUnavailable,
    Unavailable,
    UnknownOutcome,
)
from genpulse.domain.failure import Charged
from genpulse.domain.recovery import LookUp, Resume, Unknown
from genpulse.lifecycle.engine import Work, asked_once, lost_before
from genpulse.lifecycle.outputs import Made
from genpulse.provider import Call, Job, Submission, TwoPhase

SUBMIT_SETTLES_S = 60.0
"""How long a submit may take to answer, once it is interrupted, before its outcome counts as unknown."""
VENDOR_CANCEL_S = 10.0
LOOK_UP_AGAIN_S = (0.5, 2.0)
"""Pauses after which a vendor is asked once more about a job that it does not know."""

T = TypeVar("T")
_log = logging.getLogger(__name__)


async def run_remote_job(work: Work, engine: TwoPhase[Any]) -> Made:
    """Take the job up where an earlier attempt left it, or submit it, and see it to its end."""
    job = Job(await _job_id(work, engine), work.call)

    async def collect() -> Made:
        return await work.receive(await engine.collect(job))

    try:
        await _until_done(work, engine, job)
        return await _asking_again(work, engine, collect, engine.collect_s)
    except asyncio.CancelledError:
        if work.signal.why and work.signal.why.for_good:
            await _stop_at_vendor(work, engine, job)
        raise


async def _job_id(work: Work, engine: TwoPhase[Any]) -> str:
    match work.recovery(repeatable=engine.repeatable, can_find=engine.can_find):
        case Resume(job_id):
            await work.journal_job(job_id)
            return job_id
        case LookUp(reference):
            return await _find_or_submit(work, engine, reference)
        case Unknown():
            raise lost_before(work.begun.previous)
        case _:
            return await _submit(work, engine)


async def _find_or_submit(work: Work, engine: TwoPhase[Any], reference: str) -> str:
    earlier = replace(work.call, client_reference=reference)
    found = await _look_up(work, engine, earlier)
    if found is None:
        return await _submit(work, engine)
    await work.journal_job(found.job_id)
    return found.job_id


async def _look_up(work: Work, engine: TwoPhase[Any], call: Call[Any]) -> Submission | None:
    """The job under the call's reference. A vendor may need a moment until its list shows a new job."""
    for wait_s in (*LOOK_UP_AGAIN_S, None):
        found = await _asking_again(work, engine, lambda: engine.find(call), engine.answer_s)
        if found is not None or wait_s is None:
            return found
        await asyncio.sleep(wait_s)
    return None


async def _submit(work: Work, engine: TwoPhase[Any]) -> str:
    await work.journal_submitting()
    request = asyncio.ensure_future(asked_once(engine.submit(work.call), engine.answer_s))
    try:
        submission = await asyncio.shield(request)
    except asyncio.CancelledError:
        await _settle(work, engine, request)
        raise
    except UnknownOutcome as lost:
        submission = await _found_after_all(work, engine, lost)
    await work.journal_job(submission.job_id)
    await work.tell_success()
    return submission.job_id


async def _found_after_all(work: Work, engine: TwoPhase[Any], lost: UnknownOutcome) -> Submission:
    """The job whose answer got lost, where the vendor can be asked about it."""
    if not engine.can_find:
        raise lost
    found = await _look_up(work, engine, work.call)
    if found is None:
        raise ProviderUnavailable(
            "The provider was asked, its answer got lost, and it knows of no such job: it was never taken."
        ) from lost
    return found


async def _settle(work: Work, engine: TwoPhase[Any], request: "asyncio.Future[Submission]") -> None:
    """See an interrupted submit to its end, so that its job is neither forgotten nor paid for in vain."""
    await asyncio.wait({request}, timeout=SUBMIT_SETTLES_S)
    if not request.done():
        request.cancel()
        raise UnknownOutcome("The task was stopped while the provider was being asked, and no answer came.")
    if request.exception() is not None:
        return
    job = Job(request.result().job_id, work.call)
    await work.journal_job(job.id)
    if work.signal.why and work.signal.why.for_good:
        await _stop_at_vendor(work, engine, job)


async def _until_done(work: Work, engine: TwoPhase[Any], job: Job[Any]) -> None:
    polls, ends_at = 0, time.monotonic() + engine.longest_s - _age_s(work)
    told: tuple[float, str | None] = (0.0, None)
    while True:
        progress = await _asking_again(work, engine, lambda: engine.poll(job), engine.answer_s)
        if progress.failed is not None:
            raise progress.failed
        news = (told[0] if progress.fraction is None else progress.fraction, progress.message)
        if news != told:
            work.report(*news)
            told = news
        if progress.done:
            return
        if time.monotonic() > ends_at:
            await _stop_at_vendor(work, engine, job)
            raise _overdue(engine, job)
        spread = 0.9 + 0.2 * work.services.random()
        await work.signal.pause(progress.wait_s or engine.poll_interval.after(polls) * spread)
        polls += 1


def _age_s(work: Work) -> float:
    """How long ago the job was begun. What is left of its time is counted by a clock that does not jump."""
    began = (work.begun.previous or work.begun.attempt).started_at
    return max((work.services.now() - began).total_seconds(), 0.0)


def _overdue(engine: TwoPhase[Any], job: Job[Any]) -> JobOverdue:
    return JobOverdue(
        f"The provider's job {job.id} has not ended within {engine.longest_s:g} s. It is not submitted again,"
        " since it may be charged.",
        charged=Charged.MAYBE,
    )


async def _asking_again(work: Work, engine: TwoPhase[Any], ask: Callable[[], Awaitable[T]], answer_s: float) -> T:
    """The vendor's answer about a job. Giving up would lose the job, so only a plain refusal ends it."""
    tries = 0
    while True:
        asked_for_s = 0.0
        try:
            async with asyncio.timeout(answer_s):
                return await ask()
        except ProviderError as error:
            if not error.retryable:
                raise
            asked_for_s = error.retry_after_s or 0.0
            _tell_waiting(work, str(error))
        except (OSError, TimeoutError, Unavailable) as error:
            _tell_waiting(work, str(error) or type(error).__name__)
        await work.signal.pause(max(asked_for_s, engine.poll_interval.after(tries)))
        tries += 1


def _tell_waiting(work: Work, why: str) -> None:
    _log.warning("%s cannot be asked about task %s: %s", work.call.model, work.call.task_id, why)


async def _stop_at_vendor(work: Work, engine: TwoPhase[Any], job: Job[Any]) -> None:
    """Ask the vendor to stop what nobody wants any more; a refusal changes nothing here."""
    if not engine.can_cancel:
        return
    try:
        async with asyncio.timeout(VENDOR_CANCEL_S):
            await engine.cancel(job)
    except (GenPulseError, OSError, TimeoutError) as error:
        _log.warning("job %s of task %s was not stopped at the vendor: %s", job.id, work.call.task_id, error)
