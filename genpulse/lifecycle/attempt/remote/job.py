"""A remote job: ordered once, polled until it ends, collected, or cancelled."""

import time
from dataclasses import replace
from typing import Any

from genpulse.domain.errors import ProviderError, ProviderUnavailable, UnknownOutcome
from genpulse.domain.recovery import LookUp, Resume, Unknown
from genpulse.domain.text.storable import storable_line
from genpulse.lifecycle.attempt.asking_once import ask_once, order_without_answer
from genpulse.lifecycle.attempt.attempt_run import AttemptRun
from genpulse.lifecycle.attempt.interruption import Stopped
from genpulse.lifecycle.attempt.outputs.received import ReceivedResult
from genpulse.lifecycle.attempt.remote.cancellation import give_up
from genpulse.lifecycle.attempt.remote.collection import collect_result
from genpulse.lifecycle.attempt.remote.order_lookup import look_up
from genpulse.lifecycle.attempt.remote.polling import Polling
from genpulse.ports import EngineStep
from genpulse.provider import Submission, TwoPhase

JOB_ID_LENGTH = 2_000


async def run_remote_job(run: AttemptRun, engine: TwoPhase[Any]) -> ReceivedResult:
    """Take the job up where an earlier attempt left it, or order it, and see it to its end.

    Nothing interrupts an order before its job's id is kept. Raises `Stopped` from then on, and before; a job that
    nobody will want is stopped at the vendor first.
    """
    ends_at = time.monotonic() + engine.longest_s - _age_s(run)
    try:
        polling = Polling(run, engine, await _job_id(run, engine, ends_at), ends_at)
        with run.services.tracing.engine_step(EngineStep.WAIT, run.task):
            await polling.until_done()
        run.stopwatch.done()
        with run.services.tracing.engine_step(EngineStep.COLLECT, run.task):
            result = await collect_result(run, engine, polling.job, ends_at)
        return replace(result, warnings=(*result.warnings, *polling.warnings))
    except Stopped as stopped:
        if stopped.why.for_good:
            await give_up(run, engine)
        raise


def _age_s(run: AttemptRun) -> float:
    """How long ago the job was ordered, by the clock of the database. From here on time does not jump."""
    order = run.task.order
    return max((run.attempt.started_at - order.sent_at).total_seconds(), 0.0) if order else 0.0


async def _job_id(run: AttemptRun, engine: TwoPhase[Any], ends_at: float) -> str:
    match run.recovery(repeatable=engine.repeatable, can_find=engine.can_find):
        case Resume(job_id):
            return job_id
        case LookUp(reference):
            return await _look_up_or_order(run, engine, reference, ends_at)
        case Unknown():
            raise order_without_answer(run.task.order)
        case _:
            return await _order(run, engine, ends_at)


async def _look_up_or_order(run: AttemptRun, engine: TwoPhase[Any], reference: str, ends_at: float) -> str:
    submission = await look_up(run, engine, reference, ends_at)
    if submission is None:
        run.order.close()
        return await _order(run, engine, ends_at)
    await run.journal_job(submission.job_id)
    return submission.job_id


async def _order(run: AttemptRun, engine: TwoPhase[Any], ends_at: float) -> str:
    """Order the job and journal its id, as one step: whoever comes in between waits."""
    await run.journal_order()
    try:
        with run.services.tracing.engine_step(EngineStep.ORDER, run.task):
            submission = await ask_once(
                run.signal, lambda: _submit(run, engine), engine.answer_s, is_free=run.is_free
            )
    except UnknownOutcome as error:
        submission = await _look_up_lost_answer(run, engine, error, ends_at)
    except ProviderError:
        run.order.close()
        raise
    await run.journal_job(submission.job_id)
    run.stopwatch.taken()
    await run.tell_gate_of_success()
    return submission.job_id


async def _submit(run: AttemptRun, engine: TwoPhase[Any]) -> Submission:
    """The job under an id that can be kept and asked about. Raises `UnknownOutcome` for any other."""
    submission = await engine.submit(run.call)
    job_id = submission.job_id
    if not job_id.strip() or storable_line(job_id, JOB_ID_LENGTH) != job_id:
        raise UnknownOutcome(
            f"The provider has taken the job and named it {job_id[:100]!r}, which cannot be kept as an id. Look"
            " into the provider's own list of jobs before this task is run again."
        )
    return submission


async def _look_up_lost_answer(
    run: AttemptRun, engine: TwoPhase[Any], error: UnknownOutcome, ends_at: float
) -> Submission:
    """The job whose answer got lost, where the vendor can be asked about it. Raises `error` where it cannot."""
    if not engine.can_find:
        raise error
    submission = await look_up(run, engine, run.call.client_reference, ends_at)
    if submission is None:
        run.order.close()
        raise ProviderUnavailable(
            "The provider was asked, its answer got lost, and it knows of no such job: it was never taken."
        ) from error
    return submission
