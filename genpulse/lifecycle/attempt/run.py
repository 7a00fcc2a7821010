"""Running an attempt: ask the engine, store the outputs, save the end once."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from genpulse.background.contained_tasks import as_exception
from genpulse.domain.attempt import Canceled, End, Failed, Outcome, Released, RetryLater, Succeeded
from genpulse.domain.errors import BytesErased, LeaseLost, OutputUnavailable, ProviderError, TaskCanceled
from genpulse.domain.event import TaskEvent
from genpulse.domain.failure import FailureCode
from genpulse.domain.retry import LOSSES
from genpulse.lifecycle.attempt.attempt_run import AttemptRun
from genpulse.lifecycle.attempt.immediate_engine import run_immediate
from genpulse.lifecycle.attempt.interruption import Interruption, Stopped
from genpulse.lifecycle.attempt.local_engine import run_local
from genpulse.lifecycle.attempt.outcome import (
    outcome_of_failure,
    outcome_of_foreign_task,
    outcome_of_interruption,
    outcome_of_lost_workers,
    outcome_of_mistake,
)
from genpulse.lifecycle.attempt.outputs.received import ReceivedResult
from genpulse.lifecycle.attempt.outputs.storing import store_result
from genpulse.lifecycle.attempt.remote.cancellation import can_be_stopped
from genpulse.lifecycle.attempt.remote.job import run_remote_job
from genpulse.lifecycle.attempt.sources import check_sources
from genpulse.lifecycle.store_retry import until_available
from genpulse.lifecycle.task_trace import trace_of
from genpulse.provider import Immediate, Local

_log = logging.getLogger(__name__)


async def run_attempt(run: AttemptRun) -> None:
    """Run to the end and save it. Returns silently when another worker has taken the task over."""
    run.services.events.publish(TaskEvent(run.task.id, run.task.seq))
    try:
        trace = await trace_of(run.services, run.task.id)
        with run.services.tracing.attempt(run.task, run.attempt, trace):
            await _run(run)
    except LeaseLost:
        run.interrupt(Interruption.LEASE_LOST)
        _log.warning("task %s was taken over by another worker; its result here is dropped", run.task.id)
    finally:
        run.report.end()
        try:
            await run.files.aclose()
        finally:
            run.turn.give_back()
            await _give_back_admission(run)


async def _run(run: AttemptRun) -> None:
    engine_result = _EngineResult()
    while not await _end(run, engine_result):
        _log.info("an output of task %s was deleted with another task, and is stored again", run.task.id)


@dataclass
class _EngineResult:
    """What the engine has given, once it has: its outputs may have to be stored twice."""

    received: ReceivedResult | None = None


async def _end(run: AttemptRun, engine_result: _EngineResult) -> bool:
    """Whether the attempt has ended; else its outputs are to be stored once more. Raises `LeaseLost`."""
    outcome = await _outcome(run, engine_result)
    await run.report.close()
    if not isinstance(outcome, Succeeded):
        await run.files.aclose()
    try:
        await _save(run, outcome)
    except BytesErased:
        return False
    return True


async def _outcome(run: AttemptRun, engine_result: _EngineResult) -> Outcome:
    if run.task.environment != run.services.environment.name:
        return outcome_of_foreign_task(run)
    if run.task.losses >= LOSSES:
        return await outcome_of_lost_workers(run)
    try:
        with _deadline(run):
            return await _succeeded(run, engine_result)
    except Stopped as stopped:
        return outcome_of_interruption(run, stopped.why)
    except TaskCanceled:
        return outcome_of_interruption(run, run.signal.why or Interruption.CANCELED)
    except ProviderError as error:
        return await _outcome_of_refusal(run, error)
    except (LeaseLost, asyncio.CancelledError):
        raise
    except BaseException as error:  # noqa: BLE001 - a plug-in may raise anything; the task must still end
        known = as_exception(error)
        _log.exception("task %s failed in a way that its provider does not know", run.task.id)
        return await outcome_of_mistake(run, known)


async def _succeeded(run: AttemptRun, engine_result: _EngineResult) -> Succeeded:
    """Raises what the engine raises, and `Stopped`."""
    if engine_result.received is None:
        engine_result.received = await _run_engine(run)
        run.stopwatch.collected()
    with run.services.tracing.storing():
        succeeded = await store_result(run, engine_result.received)
    run.stopwatch.stored()
    return succeeded


async def _outcome_of_refusal(run: AttemptRun, error: ProviderError) -> Outcome:
    if isinstance(error, OutputUnavailable) and run.is_immediate:
        run.order.close()  # A job's result may be asked for once more by a retry; an answer is over.
    return await outcome_of_failure(run, error.failure)


@contextmanager
def _deadline(run: AttemptRun) -> Iterator[None]:
    """Interrupt the run at the task's deadline, also where that is over already."""
    left_s = run.left_s()
    if left_s is None:
        yield
        return
    if left_s <= 0:
        run.interrupt(Interruption.DEADLINE)
    timer = asyncio.get_running_loop().call_later(left_s, run.interrupt, Interruption.DEADLINE)
    try:
        yield
    finally:
        timer.cancel()


async def _run_engine(run: AttemptRun) -> ReceivedResult:
    engine = run.prepare()
    if run.task.depends_on and not run.order.is_open:
        await check_sources(run)
    match engine:
        case Local():
            return await run_local(run, engine)
        case Immediate():
            return await run_immediate(run, engine)
        case _:
            return await run_remote_job(run, engine)


async def _save(run: AttemptRun, outcome: Outcome) -> None:
    if run.is_abandoned:
        raise asyncio.CancelledError
    run.is_given_back = isinstance(outcome, Released)
    order = run.order
    end = End(
        run.lease,
        outcome,
        order_open=order.is_open and not isinstance(outcome, Succeeded),
        ordered_at=order.ordered_at,
        job_id=order.job_id,
        stop_later=_is_unwanted(outcome) and can_be_stopped(run.engine, order),
        is_priced=run.task.is_priced,
        times=run.stopwatch.times(),
    )
    seq = await until_available(
        run.services,
        "the end of task %s",
        run.task.id,
        lambda: run.services.store.finish(end),
        wait=run.step_aside,
    )
    run.services.events.publish(TaskEvent(run.task.id, seq))
    run.services.tracing.outcome(outcome)
    _log_outcome(run, outcome)


def _is_unwanted(outcome: Outcome) -> bool:
    """Whether nobody wants any more what was ordered."""
    match outcome:
        case Canceled():
            return True
        case Failed(failure):
            return failure.code is FailureCode.DEADLINE_EXCEEDED
        case _:
            return False


async def _give_back_admission(run: AttemptRun) -> None:
    """Tell the gate that let the task through that the vendor was not asked, or that nothing was learned of it."""
    if run.was_admitted and not run.account.gate_was_told:
        await run.services.gate.give_back(run.task.provider, 0 if run.account.has_ordered else 1)


def _log_outcome(run: AttemptRun, outcome: Outcome) -> None:
    task_id, number = run.task.id, run.attempt.number
    match outcome:
        case Succeeded(outputs):
            _log.debug("task %s succeeded in attempt %d with %d outputs", task_id, number, len(outputs))
        case Failed(failure):
            _log.warning("task %s failed: %s: %s", task_id, failure.code, failure.message)
        case RetryLater(failure, delay_s):
            _log.info("task %s tries again in %.1f s: %s", task_id, delay_s, failure.message)
        case Canceled():
            _log.info("task %s was canceled", task_id)
        case Released():
            _log.info("task %s goes back to the queue", task_id)
