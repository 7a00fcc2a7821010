"""One attempt at a task: ask the engine, store what it made, and save once how it ended."""

import asyncio
import logging
from contextlib import AsyncExitStack
from typing import Any, assert_never

from genpulse.domain.attempt import Begun, Canceled, Failed, Outcome, Released, RetryLater, Succeeded
from genpulse.domain.errors import (
    BadInput,
    InvalidInput,
    LeaseLost,
    ProviderError,
    ProviderRejected,
    TaskCanceled,
    UnknownModel,
)
from genpulse.domain.event import TaskEvent
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.gate import CircuitState
from genpulse.domain.retry import deadline_exceeded, decide
from genpulse.lifecycle.attachments import TaskAttachments
from genpulse.lifecycle.engine import Work, run_immediate, run_local
from genpulse.lifecycle.hear import callback_url
from genpulse.lifecycle.interruption import Interruption, Signal
from genpulse.lifecycle.outputs import Made, store
from genpulse.lifecycle.patience import patiently
from genpulse.lifecycle.progress import ProgressReport
from genpulse.lifecycle.remote_job import run_remote_job
from genpulse.ports import Services
from genpulse.provider import AnyModel, Call, Immediate, Local

OUTAGE_S = 86_400.0
"""Tasks wait for a provider that is away until they are a day old; then an attempt more is one too many."""

_log = logging.getLogger(__name__)


class Run:
    """An attempt that began. Await the call; `interrupt` may be called meanwhile."""

    def __init__(self, services: Services, begun: Begun) -> None:
        self._services = services
        self._begun = begun
        self._signal = Signal()
        self._report = ProgressReport(services, begun, lambda: self._signal.given)
        self._working: asyncio.Task[Any] | None = None
        self._has_result = False

    def interrupt(self, why: Interruption) -> None:
        """Stop as soon as the engine lets go. Only the first reason counts.

        A result that is there already is stored before the worker goes away: it may have been paid for.
        """
        if self._has_result and why is Interruption.RELEASED:
            return
        self._signal.give(why)
        if self._working is not None:
            self._working.cancel()

    def hear_change(self) -> None:
        """The provider has told that something has happened: it is asked at once."""
        self._signal.changed.set()

    async def __call__(self) -> None:
        """Run to the end and save it. Returns silently when another worker has taken the task over."""
        task = self._begun.task
        self._services.events.publish(TaskEvent(task.id, task.seq))
        try:
            outcome = await self._outcome()
            await self._report.close()
            await self._save(outcome)
        except LeaseLost:
            self._signal.give(Interruption.LEASE_LOST)
            _log.warning("task %s was taken over by another worker; its result here is dropped", task.id)

    async def _save(self, outcome: Outcome) -> None:
        task = self._begun.task
        seq = await patiently(
            "the end of task %s",
            task.id,
            lambda: self._services.store.finish(self._begun.lease, outcome, self._services.now()),
            random=self._services.random,
        )
        self._services.events.publish(TaskEvent(task.id, seq))
        _tell(self._begun, outcome)

    async def _outcome(self) -> Outcome:
        task = self._begun.task
        if task.environment != self._services.environment.name:
            return Failed(_foreign(task.environment, self._services.environment.name))
        try:
            return await self._until_deadline()
        except TaskCanceled:
            return self._interrupted(Charged.NO)
        except ProviderError as error:
            return await self._decide(error.failure)
        except LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001 - a plug-in may raise anything; the task must still end
            _log.exception("task %s failed in a way that its provider does not know", task.id)
            return Failed(_internal(error))

    async def _until_deadline(self) -> Outcome:
        """The engine's result, unless the deadline or an interruption comes first.

        The engine works in this very task: one for each attempt costs more than all that is done with it here.
        """
        if self._signal.why is not None:
            return self._interrupted(Charged.MAYBE)
        self._working = asyncio.current_task()
        deadline = self._at_deadline()
        try:
            return await self._succeed()
        except asyncio.CancelledError:
            if not self._signal.given:
                raise
            self._stay()
            return self._interrupted(Charged.MAYBE)
        finally:
            self._working = None
            if deadline is not None:
                deadline.cancel()

    def _at_deadline(self) -> asyncio.TimerHandle | None:
        if (left_s := self._left_s()) is None:
            return None
        return asyncio.get_running_loop().call_later(left_s, self.interrupt, Interruption.DEADLINE)

    def _stay(self) -> None:
        """The engine was stopped, and this task still has to say how it ended."""
        while self._working is not None and self._working.cancelling():
            self._working.uncancel()

    def _left_s(self) -> float | None:
        deadline_at = self._begun.task.deadline_at
        if deadline_at is None:
            return None
        return max((deadline_at - self._services.now()).total_seconds(), 0.0)

    def _interrupted(self, charged: Charged) -> Outcome:
        match self._signal.why:
            case Interruption.CANCELED | None:
                return Canceled()
            case Interruption.DEADLINE:
                return Failed(deadline_exceeded(charged))
            case Interruption.RELEASED:
                return Released()
            case Interruption.LEASE_LOST:
                raise LeaseLost
            case other:
                assert_never(other)

    async def _decide(self, failure: Failure) -> Outcome:
        now, task = self._services.now(), self._begun.task
        patient = (now - task.created_at).total_seconds() < OUTAGE_S
        return decide(
            self._services.retry,
            self._begun.attempt.number,
            failure,
            provider=task.provider,
            now=now,
            deadline_at=task.deadline_at,
            random=self._services.random,
            outage=await self._is_outage(failure) and patient,
        )

    async def _is_outage(self, failure: Failure) -> bool:
        """Tell the gate, and learn whether the account is out of order. What is done here has none."""
        provider, gate = self._begun.task.provider, self._services.gate
        if not gate.guards(provider):
            return False
        circuit = await gate.failed(provider, failure)
        return circuit.state is not CircuitState.CLOSED or failure.code is FailureCode.RATE_LIMITED

    async def _succeed(self) -> Succeeded:
        async with AsyncExitStack() as files:
            made = await _drive(self._work(files))
            self._has_result = True
            outputs = [await store(self._services, self._begun, content) for content in made.contents]
            return Succeeded(tuple(outputs), made.cost)

    def _work(self, files: AsyncExitStack) -> Work:
        task, attempt = self._begun.task, self._begun.attempt
        model = _model(self._services, task.model)
        call: Call[Any] = Call(
            model=model.name,
            kind=task.kind,
            input=_input(model, self._begun),
            task_id=task.id,
            client_reference=attempt.client_reference,
            attempt=attempt.number,
            callback_url=callback_url(self._services.hooks_url, task, attempt),
            attachments=TaskAttachments(self._services, task, files),
        )
        return Work(self._services, self._begun, model, call, self._report, self._signal, files)


async def _drive(work: Work) -> Made:
    match work.model.engine:
        case Local() as engine:
            return await run_local(work, engine)
        case Immediate() as engine:
            return await run_immediate(work, engine)
        case engine:
            return await run_remote_job(work, engine)


def _model(services: Services, model_id: str) -> AnyModel:
    try:
        return services.catalogue.model(model_id)
    except UnknownModel as error:
        raise ProviderRejected(f"This worker no longer has the model {model_id!r}.") from error


def _input(model: AnyModel, begun: Begun) -> Any:
    try:
        return model.parse(begun.task.input)
    except BadInput as error:
        details = "; ".join(f"{problem.pointer}: {problem.detail}" for problem in error.problems)
        raise InvalidInput(f"The input no longer fits the model: {details}") from error


def _foreign(theirs: str, ours: str) -> Failure:
    message = f"The task belongs to the environment {theirs!r}; this worker serves {ours!r}."
    return Failure(FailureCode.FOREIGN_ENVIRONMENT, message, False, Charged.NO, Actor.OPERATOR)  # noqa: FBT003


def _internal(error: Exception) -> Failure:
    message = f"The provider failed in a way that it does not declare ({type(error).__name__})."
    return Failure(FailureCode.INTERNAL, message, False, Charged.MAYBE, Actor.OPERATOR)  # noqa: FBT003


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
