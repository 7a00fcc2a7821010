"""A job at a vendor: submitted once, polled until it ends, collected, and stopped where that is wanted."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

from genpulse.domain.errors import GenPulseError, ProviderError, UnknownOutcome
from genpulse.domain.recovery import LookUp, Resume, Unknown
from genpulse.lifecycle.engine import Work, asked_once, lost_before
from genpulse.provider import Job, Result, Submission, TwoPhase

SUBMIT_SETTLES_S = 60.0
"""How long a submit may take to answer, once it is interrupted, before its outcome counts as unknown."""
VENDOR_CANCEL_S = 10.0

T = TypeVar("T")
_log = logging.getLogger(__name__)


async def run_remote_job(work: Work, engine: TwoPhase[Any]) -> Result:
    """Take the job up where an earlier attempt left it, or submit it, and see it to its end."""
    job = Job(await _job_id(work, engine), work.call)
    try:
        await _until_done(work, engine, job)
        return await _asking_again(work, engine, lambda: engine.collect(job))
    except asyncio.CancelledError:
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
    found = await _asking_again(work, engine, lambda: engine.find(earlier))
    if found is None:
        return await _submit(work, engine)
    await work.journal_job(found.job_id)
    return found.job_id


async def _submit(work: Work, engine: TwoPhase[Any]) -> str:
    await work.journal_submitting()
    request = asyncio.ensure_future(asked_once(engine.submit(work.call)))
    try:
        submission = await asyncio.shield(request)
    except asyncio.CancelledError:
        await _settle(work, engine, request)
        raise
    await work.journal_job(submission.job_id)
    return submission.job_id


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
    await _stop_at_vendor(work, engine, job)


async def _until_done(work: Work, engine: TwoPhase[Any], job: Job[Any]) -> None:
    polls = 0
    while True:
        progress = await _asking_again(work, engine, lambda: engine.poll(job))
        if progress.failed is not None:
            raise progress.failed
        if progress.fraction is not None:
            work.report(progress.fraction, progress.message)
        if progress.done:
            return
        await asyncio.sleep(progress.wait_s or engine.poll_interval.after(polls))
        polls += 1


async def _asking_again(work: Work, engine: TwoPhase[Any], ask: Callable[[], Awaitable[T]]) -> T:
    """The vendor's answer about a job. Giving up would lose the job, so only a plain refusal ends it."""
    tries = 0
    while True:
        try:
            return await ask()
        except ProviderError as error:
            if not error.retryable:
                raise
            _log.warning("%s cannot be asked about task %s: %s", work.call.model, work.call.task_id, error)
            wait_s = max(error.retry_after_s or 0.0, engine.poll_interval.after(tries))
        await asyncio.sleep(wait_s)
        tries += 1


async def _stop_at_vendor(work: Work, engine: TwoPhase[Any], job: Job[Any]) -> None:
    """Ask the vendor to stop what nobody wants any more; a refusal changes nothing here."""
    if not (engine.can_cancel and work.signal.why and work.signal.why.for_good):
        return
    try:
        async with asyncio.timeout(VENDOR_CANCEL_S):
            await engine.cancel(job)
    except (GenPulseError, OSError, TimeoutError) as error:
        _log.warning("job %s of task %s was not stopped at the vendor: %s", job.id, work.call.task_id, error)
