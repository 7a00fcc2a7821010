"""A job at a vendor: ordered once, polled until it ends, collected, and stopped where that is wanted."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

from genpulse.domain.errors import (
    GenPulseError,
    JobOverdue,
    OutputUnavailable,
    ProviderError,
    ProviderUnavailable,
    UnknownOutcome,
)
from genpulse.domain.failure import Charged, Failure
from genpulse.domain.recovery import LookUp, Resume, Unknown
from genpulse.domain.task import WaitsFor
from genpulse.domain.text import storable_line
from genpulse.lifecycle.immediate import asked_once, lost_before
from genpulse.lifecycle.interruption import Stopped
from genpulse.lifecycle.outputs import Made, receive
from genpulse.lifecycle.work import Work
from genpulse.provider import Call, Job, Submission, TwoPhase

VENDOR_CANCEL_S = 10.0
LOOK_UP_AGAIN_S = (0.5, 2.0)
"""Pauses after which a vendor is asked once more about a job that it does not know."""
TOLD_AFTER = 2
"""So many questions in a row that are not answered make it worth telling."""
JOB_ID_LENGTH = 2_000
LONGEST_WAIT_S = 3600.0
"""A vendor that wants to be asked later is asked after an hour."""

T = TypeVar("T")
_log = logging.getLogger(__name__)


async def run_remote_job(work: Work, engine: TwoPhase[Any]) -> Made:
    """Take the job up where an earlier attempt left it, or order it, and see it to its end.

    Nothing interrupts an order before its job's id is kept. Raises `Stopped` from then on, and before; a job that
    nobody will want is stopped at the vendor first.
    """
    ends_at = time.monotonic() + engine.longest_s - _age_s(work)
    try:
        job = Job(await _job_id(work, engine, ends_at), work.call)
        await _until_done(work, engine, job, ends_at)
        return await _collected(work, engine, job, ends_at)
    except Stopped as stopped:
        if stopped.why.for_good:
            await _give_up(work, engine)
        raise


async def _collected(work: Work, engine: TwoPhase[Any], job: Job[Any], ends_at: float) -> Made:
    async def collect() -> Made:
        return await receive(work, await engine.collect(job))

    try:
        return await _asking_again(work, engine, collect, engine.collect_s, ends_at)
    except OutputUnavailable:
        work.money.close()
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
    earlier = replace(work.call, client_reference=reference)
    found = await _look_up(work, engine, earlier, ends_at)
    if found is None:
        work.money.close()
        return await _order(work, engine, ends_at)
    await work.journal_job(found.job_id)
    return found.job_id


async def _look_up(work: Work, engine: TwoPhase[Any], call: Call[Any], ends_at: float) -> Submission | None:
    """The job under the call's reference. A vendor may need a moment until its list shows a new job."""

    async def find() -> Submission | None:
        return await engine.find(call)

    for wait_s in (*LOOK_UP_AGAIN_S, None):
        found = await _asking_again(work, engine, find, engine.answer_s, ends_at)
        if found is not None or wait_s is None:
            return found
        await work.signal.pause(wait_s)
    return None


async def _order(work: Work, engine: TwoPhase[Any], ends_at: float) -> str:
    """Order and journal are one: whoever comes in between waits."""
    await work.journal_order()
    try:
        submission = await asked_once(engine.submit(work.call), engine.answer_s)
        _check_id(submission)
    except UnknownOutcome as lost:
        submission = await _found_after_all(work, engine, lost, ends_at)
    except ProviderError:
        work.money.close()
        raise
    await work.journal_job(submission.job_id)
    await work.tell_success()
    return submission.job_id


def _check_id(submission: Submission) -> None:
    if not submission.job_id or storable_line(submission.job_id, JOB_ID_LENGTH) != submission.job_id:
        raise UnknownOutcome(
            f"The provider has taken the job and named it {submission.job_id[:100]!r}, which cannot be kept as an"
            " id. Look into the provider's own list of jobs before this task is run again."
        )


async def _found_after_all(work: Work, engine: TwoPhase[Any], lost: UnknownOutcome, ends_at: float) -> Submission:
    """The job whose answer got lost, where the vendor can be asked about it."""
    if not engine.can_find:
        raise lost
    found = await _look_up(work, engine, work.call, ends_at)
    if found is None:
        work.money.close()
        raise ProviderUnavailable(
            "The provider was asked, its answer got lost, and it knows of no such job: it was never taken."
        ) from lost
    return found


async def _until_done(work: Work, engine: TwoPhase[Any], job: Job[Any], ends_at: float) -> None:
    polls = 0
    told: tuple[float, str | None] = (0.0, None)
    while True:
        progress = await _asking_again(work, engine, lambda: engine.poll(job), engine.answer_s, ends_at)
        if progress.failed is not None:
            work.money.close()
            raise progress.failed
        news = (told[0] if progress.fraction is None else progress.fraction, progress.message)
        if news != told:
            work.report.tell(*news)
            told = news
        if progress.done:
            return
        if time.monotonic() > ends_at:
            await _give_up(work, engine)
            raise _overdue(engine, job)
        spread = 0.9 + 0.2 * work.services.random()
        wait_s = min(progress.wait_s or 0.0, LONGEST_WAIT_S)
        await work.signal.pause(wait_s if wait_s > 0 else engine.poll_interval.after(polls) * spread)
        polls += 1


def _overdue(engine: TwoPhase[Any], job: Job[Any]) -> JobOverdue:
    return JobOverdue(
        f"The provider's job {job.id} has not ended within {engine.longest_s:g} s. It is not submitted again,"
        " since it may be charged.",
        charged=Charged.MAYBE,
    )


async def _asking_again(
    work: Work, engine: TwoPhase[Any], ask: Callable[[], Awaitable[T]], answer_s: float, ends_at: float
) -> T:
    """The vendor's answer to a question. Giving up would lose the job, so only a plain refusal or time ends it."""
    tries = 0
    work.permit.asked = True
    while True:
        try:
            answer = await work.signal.ask(ask, answer_s)
        except Stopped:
            raise
        except ProviderError as error:
            if not error.retryable:
                raise
            failure = error.failure
        except Exception as error:  # noqa: BLE001 - no answer to a question says anything about the order
            failure = _unanswered(work, error)
        else:
            await work.report.go_on()
            return answer
        tries += 1
        await _wait_to_ask_again(work, engine, failure, tries, ends_at)


async def _wait_to_ask_again(
    work: Work, engine: TwoPhase[Any], failure: Failure, tries: int, ends_at: float
) -> None:
    _log.warning("%s cannot be asked about task %s: %s", work.call.model, work.call.task_id, failure.message)
    if time.monotonic() > ends_at + engine.answer_s:
        raise UnknownOutcome(
            f"For {engine.longest_s:g} s the provider could not be asked what became of the order:"
            f" {failure.message}"
        )
    if tries >= TOLD_AFTER:
        await work.report.wait_for(WaitsFor.PROVIDER, failure)
    await work.signal.pause(max(failure.retry_after_s or 0.0, engine.poll_interval.after(tries - 1)))


def _unanswered(work: Work, error: Exception) -> Failure:
    if not isinstance(error, OSError | GenPulseError):
        _log.exception("%s raised what it does not declare", work.call.model)
    why = str(error) or type(error).__name__
    return ProviderUnavailable(f"The provider did not answer: {why}").failure


async def _give_up(work: Work, engine: TwoPhase[Any]) -> None:
    """Ask the vendor to stop what nobody wants any more; what cannot be stopped stays open."""
    if not work.money.is_open:
        return
    try:
        async with asyncio.timeout(VENDOR_CANCEL_S):
            await _stop(work, engine)
    except Exception as error:  # noqa: BLE001 - a vendor that does not stop a job changes nothing here
        why = str(error) or type(error).__name__
        _log.warning("the order of task %s was not stopped at the vendor: %s", work.call.task_id, why)


async def _stop(work: Work, engine: TwoPhase[Any]) -> None:
    job_id = work.money.job_id
    if job_id is None and engine.can_find and work.money.order is not None:
        found = await engine.find(replace(work.call, client_reference=work.money.order.reference))
        job_id = found.job_id if found else None
        if job_id is None:
            return
    if job_id is not None and engine.can_cancel:
        await engine.cancel(Job(job_id, work.call))
        work.money.close()
