"""The outcome of an attempt that did not succeed: from an error or an interruption to what the store writes."""

from dataclasses import replace
from typing import assert_never

from genpulse.domain.attempt import Canceled, Failed, MovedOn, Outcome, Released
from genpulse.domain.errors import LeaseLost
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.provider_account.gate import CircuitState
from genpulse.domain.retry import deadline_exceeded, decide, worker_lost
from genpulse.domain.routing.task_route import RouteHop
from genpulse.lifecycle.attempt.attempt_run import AttemptRun
from genpulse.lifecycle.attempt.interruption import Interruption
from genpulse.lifecycle.attempt.plug_in_mistake import described_mistake
from genpulse.lifecycle.attempt.remote.cancellation import not_stopped
from genpulse.lifecycle.routing.next_target import next_on_route

OUTAGE_S = 86_400.0
"""Tasks wait for a provider that is away until they are a day old; then an attempt more is one too many."""


def outcome_of_foreign_task(run: AttemptRun) -> Outcome:
    """The end of a task of another environment."""
    failure = Failure(
        FailureCode.FOREIGN_ENVIRONMENT,
        f"The task belongs to the environment {run.task.environment!r}; this worker serves"
        f" {run.services.environment.name!r}.",
        retryable=False,
        charged=Charged.NO,
        who_must_act=Actor.OPERATOR,
    )
    return Failed(_with_open_order(run, failure))


async def outcome_of_lost_workers(run: AttemptRun) -> Outcome:
    """The outcome for a task that has lost one worker after the other."""
    return await _retry_or_end(run, worker_lost(_charged(run), again=run.order.is_open))


def outcome_of_interruption(run: AttemptRun, why: Interruption) -> Outcome:
    """The outcome of an attempt that was interrupted. Raises `LeaseLost` where that is why."""
    match why:
        case Interruption.CANCELED:
            open_order = not_stopped(run.order, is_free=run.is_free)
            return Canceled(run.as_charged(open_order) if open_order else None)
        case Interruption.DEADLINE:
            was_ordered = run.order.ordered_at is not None or run.task.order is not None
            failure = deadline_exceeded(Charged.MAYBE if was_ordered else Charged.NO)
            return Failed(run.as_charged(failure))
        case Interruption.RELEASED:
            return Released()
        case Interruption.LEASE_LOST:
            raise LeaseLost
        case other:
            assert_never(other)


async def outcome_of_failure(run: AttemptRun, failure: Failure) -> Outcome:
    """The outcome of an attempt that failed as its provider says.

    An order of which nobody knows the end is not made again for somebody who does not want it any more.
    """
    failure = _with_open_order(run, failure)
    if failure.code is FailureCode.UNKNOWN_OUTCOME and run.signal.why is Interruption.CANCELED:
        await _is_outage(run, failure)
        return Canceled(failure)
    return await _retry_or_end(run, failure)


async def outcome_of_mistake(run: AttemptRun, error: Exception) -> Outcome:
    """The outcome of an attempt whose engine raised what it does not declare.

    With an order that is open another attempt is worth while, which takes the order up.
    """
    failure = Failure(
        FailureCode.INTERNAL,
        f"The provider failed in a way that it does not declare ({_mistake(run, error)}).",
        retryable=run.order.is_open,
        charged=_charged(run),
        who_must_act=Actor.OPERATOR,
    )
    return await _retry_or_end(run, failure)


def _mistake(run: AttemptRun, error: Exception) -> str:
    is_shown = run.services.environment.shows_provider_errors
    return described_mistake(error, run.engine) if is_shown else type(error).__name__


def _charged(run: AttemptRun) -> Charged:
    return Charged.MAYBE if run.order.is_open and not run.is_free else Charged.NO


def _with_open_order(run: AttemptRun, failure: Failure) -> Failure:
    """An order of which nobody knows the end may be charged where the provider charges; no wait is for ever."""
    if run.order.is_open and failure.charged is Charged.NO:
        failure = replace(failure, charged=Charged.MAYBE)
    longest_s = run.services.bounds.order_wait_s
    if failure.retry_after_s is not None and failure.retry_after_s > longest_s:
        failure = replace(failure, retry_after_s=longest_s)
    return run.as_charged(failure)


async def _retry_or_end(run: AttemptRun, failure: Failure) -> Outcome:
    is_outage = await _is_outage(run, failure)
    if (moved := await _moved_on(run, failure)) is not None:
        return moved
    asked_for_at = run.task.retried_at or run.task.created_at
    age_s = (run.attempt.started_at - asked_for_at).total_seconds()
    return decide(
        run.services.retry,
        run.task.failures,
        failure,
        provider=run.task.provider,
        left_s=run.left_s(),
        random=run.services.random,
        outage=is_outage and age_s < OUTAGE_S,
    )


async def _moved_on(run: AttemptRun, failure: Failure) -> MovedOn | None:
    """The next model of the task's route, where the failure leads there and nothing is open at this one."""
    route, left_s = run.task.route, run.left_s()
    if route is None or run.order.is_open or not route.leaves_after(failure) or left_s == 0:
        return None
    why = RouteHop(
        run.task.model, run.attempt.number, failure.code.value, failure.message, run.now(), failure.charged
    )
    moved = await next_on_route(run.services, route, why)
    return None if moved is None else MovedOn(failure, run.task.model, moved)


async def _is_outage(run: AttemptRun, failure: Failure) -> bool:
    """Tell the gate, and learn whether the account is out of order. What is done here has none."""
    if not run.services.gate.guards(run.task.provider) or not run.account.was_asked:
        return False
    circuit = await run.tell_gate_of_failure(failure)
    return circuit.state is not CircuitState.CLOSED or failure.code is FailureCode.RATE_LIMITED
