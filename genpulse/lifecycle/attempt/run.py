"""One attempt: run the engine, store the outputs, save the end once."""

import asyncio
import logging
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, assert_never

from genpulse.domain.attempt import Begun, Canceled, End, Failed, Outcome, Released, RetryLater, Succeeded
from genpulse.domain.errors import (
    BytesErased,
    LeaseLost,
    OutputUnavailable,
    ProviderError,
    TaskCanceled,
    UnknownModel,
)
from genpulse.domain.event import TaskEvent
from genpulse.domain.failure import Charged, Failure, FailureCode
from genpulse.domain.provider_account.gate import CircuitState
from genpulse.domain.recovery import Shape
from genpulse.domain.retry import LOSSES, deadline_exceeded, decide, worker_lost
from genpulse.lifecycle.attempt.failures import foreign, internal
from genpulse.lifecycle.attempt.immediate_engine import run_immediate
from genpulse.lifecycle.attempt.interruption import Interruption, Signal, Stopped
from genpulse.lifecycle.attempt.local_engine import run_local
from genpulse.lifecycle.attempt.outputs.storing import Made
from genpulse.lifecycle.attempt.outputs.validation import success
from genpulse.lifecycle.attempt.preparation import work_of
from genpulse.lifecycle.attempt.progress import ProgressReport
from genpulse.lifecycle.attempt.remote.cancellation import can_be_stopped, not_stopped
from genpulse.lifecycle.attempt.remote.job import run_remote_job
from genpulse.lifecycle.attempt.work import Money, Permit, Work, shape_of
from genpulse.lifecycle.store_retry import until_available
from genpulse.ports import Services
from genpulse.provider import Engine, Immediate, Local

OUTAGE_S = 86_400.0
"""Tasks wait for a provider that is away until they are a day old; then an attempt more is one too many."""

_log = logging.getLogger(__name__)


class Run:
    """An attempt that began. Await the call; `interrupt` may be called meanwhile."""

    def __init__(self, services: Services, begun: Begun) -> None:
        self._services = services
        self._begun = begun
        self._began_at = time.monotonic()
        self._signal = Signal()
        self._report = ProgressReport(services, begun, lambda: self._signal.given)
        self._money = Money(begun.task.order)
        self._permit = Permit()
        self._files = AsyncExitStack()
        self._made: tuple[Work, Made] | None = None
        if begun.task.cancel_requested:
            self._signal.give(Interruption.CANCELED)

    @property
    def is_local(self) -> bool:
        """Whether the work is done in this process, and is lost when it is given back."""
        engine = self._engine
        return engine is not None and shape_of(engine) is Shape.LOCAL

    @property
    def _engine(self) -> Engine[Any] | None:
        try:
            return self._services.catalogue.model(self._begun.task.model).engine
        except UnknownModel:
            return None

    def interrupt(self, why: Interruption) -> None:
        """Stop at the next step that may be given up. Only the first reason counts."""
        self._signal.give(why)

    def hear_change(self) -> None:
        """The provider has told that something has happened: it is asked at once."""
        self._signal.changed.set()

    async def __call__(self) -> None:
        """Run to the end and save it. Returns silently when another worker has taken the task over."""
        task = self._begun.task
        self._services.events.publish(TaskEvent(task.id, task.seq))
        try:
            while not await self._is_over():
                _log.info("an output of task %s was deleted with another task, and is stored again", task.id)
        except LeaseLost:
            self._signal.give(Interruption.LEASE_LOST)
            _log.warning("task %s was taken over by another worker; its result here is dropped", task.id)
        finally:
            try:
                await self._files.aclose()
            finally:
                await self._give_back()

    async def _is_over(self) -> bool:
        """Whether the end is saved; else what was made is to be stored once more. Raises `LeaseLost`."""
        outcome = await self._outcome()
        await self._report.close()
        if not isinstance(outcome, Succeeded):
            await self._files.aclose()
        try:
            await self._save(outcome)
        except BytesErased:
            return False
        return True

    async def _save(self, outcome: Outcome) -> None:
        task, money = self._begun.task, self._money
        end = End(
            self._begun.lease,
            outcome,
            order_open=money.is_open and not isinstance(outcome, Succeeded),
            ordered_at=money.ordered_at,
            job_id=money.job_id,
            stop_later=_is_stopped(outcome) and can_be_stopped(self._engine, money),
        )
        seq = await until_available(
            "the end of task %s",
            task.id,
            lambda: self._services.store.finish(end),
            random=self._services.random,
            loops=self._services.loops,
        )
        self._services.events.publish(TaskEvent(task.id, seq))
        _tell(self._begun, outcome)

    async def _give_back(self) -> None:
        """What let the task through learns that the vendor was not asked, or that nothing was learned of it."""
        if self._begun.admitted and not self._permit.told:
            await self._services.gate.give_back(self._begun.task.provider, 0 if self._permit.used else 1)

    async def _outcome(self) -> Outcome:
        task = self._begun.task
        if task.environment != self._services.environment.name:
            return Failed(self._honest(foreign(task.environment, self._services.environment.name)))
        if task.losses >= LOSSES:
            return await self._decide(worker_lost(self._charged, again=self._money.is_open))
        try:
            return await self._until_deadline()
        except Stopped as stopped:
            return self._stopped(stopped.why)
        except TaskCanceled:
            return self._stopped(self._signal.why or Interruption.CANCELED)
        except ProviderError as error:
            return await self._failed(self._honest(error.failure))
        except LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001 - a plug-in may raise anything; the task must still end
            _log.exception("task %s failed in a way that its provider does not know", task.id)
            return await self._decide(internal(error, self._charged, again=self._money.is_open))

    async def _until_deadline(self) -> Outcome:
        """The engine's result, unless the deadline or an interruption comes first, or the deadline is over."""
        left_s = self._left_s()
        if left_s is None:
            return await self._succeed()
        if left_s <= 0:
            self.interrupt(Interruption.DEADLINE)
        deadline = asyncio.get_running_loop().call_later(left_s, self.interrupt, Interruption.DEADLINE)
        try:
            return await self._succeed()
        finally:
            deadline.cancel()

    def _left_s(self) -> float | None:
        """Seconds until the deadline: the database's own clock said when the attempt began."""
        deadline_at = self._begun.task.deadline_at
        if deadline_at is None:
            return None
        at_begin_s = (deadline_at - self._begun.attempt.started_at).total_seconds()
        return max(at_begin_s - (time.monotonic() - self._began_at), 0.0)

    @property
    def _charged(self) -> Charged:
        return Charged.MAYBE if self._money.is_open else Charged.NO

    def _stopped(self, why: Interruption) -> Outcome:
        match why:
            case Interruption.CANCELED:
                return Canceled(not_stopped(self._money))
            case Interruption.DEADLINE:
                was_asked = self._money.asked or self._begun.task.order is not None
                return Failed(deadline_exceeded(Charged.MAYBE if was_asked else Charged.NO))
            case Interruption.RELEASED:
                return Released()
            case Interruption.LEASE_LOST:
                raise LeaseLost
            case other:
                assert_never(other)

    def _honest(self, failure: Failure) -> Failure:
        """An order of which nobody knows the end may be charged, whatever came between; no wait is for ever."""
        if self._money.is_open and failure.charged is Charged.NO:
            failure = replace(failure, charged=Charged.MAYBE)
        longest_s = self._services.bounds.order_wait_s
        if failure.retry_after_s is not None and failure.retry_after_s > longest_s:
            failure = replace(failure, retry_after_s=longest_s)
        return failure

    async def _failed(self, failure: Failure) -> Outcome:
        """What nobody knows the end of is not ordered again for somebody who does not want it any more."""
        if failure.code is FailureCode.UNKNOWN_OUTCOME and self._signal.why is Interruption.CANCELED:
            await self._is_outage(failure)
            return Canceled(failure)
        return await self._decide(failure)

    async def _decide(self, failure: Failure) -> Outcome:
        task = self._begun.task
        patient_since = task.retried_at or task.created_at
        age_s = (self._begun.attempt.started_at - patient_since).total_seconds()
        return decide(
            self._services.retry,
            task.failures,
            failure,
            provider=task.provider,
            left_s=self._left_s(),
            random=self._services.random,
            outage=await self._is_outage(failure) and age_s < OUTAGE_S,
        )

    async def _is_outage(self, failure: Failure) -> bool:
        """Tell the gate, and learn whether the account is out of order. What is done here has none."""
        provider, gate = self._begun.task.provider, self._services.gate
        if not gate.guards(provider) or not self._permit.asked:
            return False
        self._permit.told = True
        circuit = await gate.failed(provider, failure)
        return circuit.state is not CircuitState.CLOSED or failure.code is FailureCode.RATE_LIMITED

    async def _succeed(self) -> Succeeded:
        if self._made is None:
            work = self._work(self._files)
            self._made = work, await _drive(work)
        work, made = self._made
        try:
            return await success(work, made)
        except OutputUnavailable:
            # A job's result may be asked for once more by a retry; an answer is over.
            if work.shape is Shape.IMMEDIATE:
                self._money.close()
            raise

    def _work(self, files: AsyncExitStack) -> Work:
        known = (self._money, self._permit, self._began_at)
        return work_of(self._services, self._begun, self._report, self._signal, files, *known)


async def _drive(work: Work) -> Made:
    match work.model.engine:
        case Local() as engine:
            return await run_local(work, engine)
        case Immediate() as engine:
            return await run_immediate(work, engine)
        case engine:
            return await run_remote_job(work, engine)


def _is_stopped(outcome: Outcome) -> bool:
    """Whether nobody wants any more what was ordered."""
    match outcome:
        case Canceled():
            return True
        case Failed(failure):
            return failure.code is FailureCode.DEADLINE_EXCEEDED
        case _:
            return False


def _tell(begun: Begun, outcome: Outcome) -> None:
    task, number = begun.task, begun.attempt.number
    match outcome:
        case Succeeded(outputs):
            _log.debug("task %s succeeded in attempt %d with %d outputs", task.id, number, len(outputs))
        case Failed(failure):
            _log.warning("task %s failed: %s: %s", task.id, failure.code, failure.message)
        case RetryLater(failure, delay_s):
            _log.info("task %s tries again in %.1f s: %s", task.id, delay_s, failure.message)
        case Canceled():
            _log.info("task %s was canceled", task.id)
        case Released():
            _log.info("task %s goes back to the queue", task.id)
