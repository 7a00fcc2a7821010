"""Questions about an order, repeated until they are answered or a bound is over."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from genpulse.background.turns import Turn
from genpulse.domain.errors import GenPulseError, Unavailable
from genpulse.domain.failure import Failure
from genpulse.domain.task import WaitsFor
from genpulse.lifecycle.attempt.attempt_run import AttemptRun
from genpulse.lifecycle.attempt.interruption import Stopped
from genpulse.lifecycle.attempt.vendor_errors import Trouble, failure_of, is_final, trouble_of
from genpulse.provider import TwoPhase
from genpulse.provider.http import AnswerTooLarge

SHOWN_AFTER = 2
"""After so many tries in a row without an answer the task shows what it waits for."""

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Unanswered(Exception):
    """A bound is over. `failure` is what came in place of an answer the last time, and `trouble` what that is."""

    def __init__(self, trouble: Trouble, failure: Failure) -> None:
        super().__init__(failure.message)
        self.trouble = trouble
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a question is asked: until `ends_at` by the monotonic clock at the latest.

    `after_s` are the seconds for which a trouble is borne with, from when it first came. `final_errors_pass`: an
    error with which the plug-in says what became of the job is raised as it is.
    """

    ends_at: float
    after_s: Mapping[Trouble, float] = field(default_factory=dict)
    final_errors_pass: bool = False

    def passes(self, error: Exception) -> bool:
        """Whether the error is itself an answer."""
        if isinstance(error, Stopped | AnswerTooLarge):
            return True
        return self.final_errors_pass and is_final(error)


class Question:
    """One question. Giving it up would lose a job, so nothing but a bound or an interruption ends it."""

    def __init__(self, run: AttemptRun, engine: TwoPhase[Any], patience: Patience) -> None:
        self._run = run
        self._engine = engine
        self._patience = patience
        self._since: dict[Trouble, float] = {}
        self._tries = 0
        self._queued_s = 0.0

    async def ask(self, request: Callable[[], Awaitable[T]], answer_s: float, turn: Turn | None = None) -> T:
        """The answer, for which `answer_s` seconds are waited each time. To wait for a turn is no patience.

        With the answer the turn is held; each try that brings none gives it back. Raises `Unanswered`,
        `AnswerTooLarge`, `Stopped`, and the errors that the patience lets through.
        """
        self._run.account.was_asked = True
        while True:
            try:
                answer = await self._answer(request, answer_s, turn)
            except Exception as error:
                if self._patience.passes(error):
                    raise
                await self._wait_after(error)
            else:
                await self._show_answered()
                return answer

    async def _answer(self, request: Callable[[], Awaitable[T]], answer_s: float, turn: Turn | None) -> T:
        signal = self._run.signal
        if turn is None:
            return await signal.ask(request, answer_s)
        came_at = time.monotonic()
        await signal.ask(turn.take, None)
        self._queued_s += time.monotonic() - came_at
        try:
            return await signal.ask(request, answer_s)
        except BaseException:
            turn.give_back()
            raise

    async def _wait_after(self, error: Exception) -> None:
        trouble, failure = trouble_of(error), self._run.as_charged(failure_of(error))
        now = time.monotonic() - self._queued_s
        is_new = trouble not in self._since
        self._tries += 1
        since = self._since.setdefault(trouble, now)
        ends_at = min(self._patience.ends_at, since + self._patience.after_s.get(trouble, float("inf")))
        self._log(error, failure, is_new=is_new)
        if now >= ends_at:
            raise Unanswered(trouble, failure)
        await self._show(error, trouble, failure, is_new=is_new)
        await self._run.signal.pause(min(self._wait_s(failure), ends_at - now))

    def _wait_s(self, failure: Failure) -> float:
        asked_for_s = min(failure.retry_after_s or 0.0, self._run.services.bounds.question_wait_s)
        return max(asked_for_s, self._engine.poll_interval.after(self._tries - 1))

    def _log(self, error: Exception, failure: Failure, *, is_new: bool) -> None:
        call = self._run.call
        if not isinstance(error, OSError | GenPulseError):
            _log.error("%s raised what it does not declare", call.model, exc_info=error)
        level = logging.WARNING if is_new else logging.DEBUG
        _log.log(level, "%s cannot be asked about task %s: %s", call.model, call.task_id, failure.message)

    async def _show(self, error: Exception, trouble: Trouble, failure: Failure, *, is_new: bool) -> None:
        """Show what the task waits for; what concerns the whole account is the gate's business too."""
        services, provider = self._run.services, self._run.task.provider
        if isinstance(error, Unavailable):
            await self._run.report.wait_for(WaitsFor.STORAGE)
        elif self._tries >= SHOWN_AFTER or trouble in {Trouble.ACCOUNT, Trouble.DENIED}:
            await self._run.report.wait_for(WaitsFor.PROVIDER, failure)
        if trouble is Trouble.ACCOUNT and is_new and services.gate.guards(provider):
            await self._run.tell_gate_of_failure(failure)

    async def _show_answered(self) -> None:
        await self._run.report.go_on()
        if Trouble.ACCOUNT in self._since:
            provider, gate = self._run.task.provider, self._run.services.gate
            if gate.guards(provider):
                await gate.succeeded(provider)
