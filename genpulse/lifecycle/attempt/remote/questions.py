"""Questions about an order, repeated until they are answered or a bound is over."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any, TypeVar

from genpulse.domain.errors import (
    GenPulseError,
    ProviderError,
    ProviderUnavailable,
    ProviderUnreachable,
    QuestionRefused,
    Unavailable,
)
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.task import WaitsFor
from genpulse.lifecycle.attempt.interruption import Stopped
from genpulse.lifecycle.attempt.work import Work
from genpulse.provider import TwoPhase
from genpulse.provider.http import AnswerTooLarge

TOLD_AFTER = 2
"""So many questions in a row that are not answered make it worth telling."""

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Trouble(Enum):
    """Why a question has no answer, by what follows from it.

    UNASKED: the vendor was not reached, or we stand in the way. ACCOUNT: a key or a credit, which a person has to
    see to. DENIED: we may not ask, as before a wall for robots. PASSING: the vendor has failed itself, or its
    answer cannot be read. REFUSED: it does not want the question. MISSING: it knows of no such job.
    """

    UNASKED = auto()
    ACCOUNT = auto()
    DENIED = auto()
    PASSING = auto()
    REFUSED = auto()
    MISSING = auto()


_MEANS = {
    FailureCode.AUTHENTICATION_FAILED: Trouble.ACCOUNT,
    FailureCode.QUOTA_EXHAUSTED: Trouble.ACCOUNT,
    FailureCode.PROVIDER_UNAVAILABLE: Trouble.PASSING,
    FailureCode.RATE_LIMITED: Trouble.PASSING,
    FailureCode.TIMEOUT: Trouble.PASSING,
}


def trouble_of(error: Exception) -> Trouble:
    """What an error says that was raised in place of an answer."""
    match error:
        case QuestionRefused(missing=True):
            return Trouble.MISSING
        case QuestionRefused():
            return _MEANS.get(error.because, Trouble.DENIED if error.denied else Trouble.REFUSED)
        case ProviderUnreachable() | Unavailable():
            return Trouble.UNASKED
        case ProviderError():
            return _MEANS.get(error.code, Trouble.PASSING if error.retryable else Trouble.REFUSED)
        case _:
            return Trouble.PASSING


def is_plain(error: Exception) -> bool:
    """Whether a plug-in says with it what became of a job, and that asking again would not help."""
    return isinstance(error, ProviderError) and not error.retryable and trouble_of(error) is not Trouble.ACCOUNT


class Unanswered(Exception):
    """A bound is over. `failure` is what came in place of an answer the last time, and `trouble` what that is."""

    def __init__(self, trouble: Trouble, failure: Failure) -> None:
        super().__init__(failure.message)
        self.trouble = trouble
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a question is asked: until `ends_at` by the monotonic clock at the latest.

    `after_s` are the seconds for which a trouble is borne with, from when it first came. `plain_ends`: a plain
    error of the plug-in is what became of the job, and passes through.
    """

    ends_at: float
    after_s: Mapping[Trouble, float] = field(default_factory=dict)
    plain_ends: bool = False

    def passes(self, error: Exception) -> bool:
        """Whether the error is itself an answer."""
        if isinstance(error, Stopped | AnswerTooLarge):
            return True
        return self.plain_ends and is_plain(error)


class Question:
    """One question. Giving it up would lose a job, so nothing but a bound or an interruption ends it."""

    def __init__(self, work: Work, engine: TwoPhase[Any], patience: Patience) -> None:
        self._work = work
        self._engine = engine
        self._patience = patience
        self._since: dict[Trouble, float] = {}
        self._tries = 0

    async def ask(self, request: Callable[[], Awaitable[T]], answer_s: float) -> T:
        """The answer, for which `answer_s` seconds are waited each time.

        Raises `Unanswered`, `AnswerTooLarge`, `Stopped`, and the plain errors that the patience lets through.
        """
        self._work.permit.asked = True
        while True:
            try:
                answer = await self._work.signal.ask(request, answer_s)
            except Exception as error:
                if self._patience.passes(error):
                    raise
                await self._bear(error)
            else:
                await self._go_on()
                return answer

    async def _bear(self, error: Exception) -> None:
        trouble, failure, now = trouble_of(error), failure_of(error), time.monotonic()
        is_new = trouble not in self._since
        self._tries += 1
        since = self._since.setdefault(trouble, now)
        ends_at = min(self._patience.ends_at, since + self._patience.after_s.get(trouble, float("inf")))
        self._log(error, failure, is_new=is_new)
        if now >= ends_at:
            raise Unanswered(trouble, failure)
        await self._tell(error, trouble, failure, is_new=is_new)
        await self._work.signal.pause(min(self._wait_s(failure), ends_at - now))

    def _wait_s(self, failure: Failure) -> float:
        asked_for_s = min(failure.retry_after_s or 0.0, self._work.services.bounds.question_wait_s)
        return max(asked_for_s, self._engine.poll_interval.after(self._tries - 1))

    def _log(self, error: Exception, failure: Failure, *, is_new: bool) -> None:
        call = self._work.call
        if not isinstance(error, OSError | GenPulseError):
            _log.error("%s raised what it does not declare", call.model, exc_info=error)
        level = logging.WARNING if is_new else logging.DEBUG
        _log.log(level, "%s cannot be asked about task %s: %s", call.model, call.task_id, failure.message)

    async def _tell(self, error: Exception, trouble: Trouble, failure: Failure, *, is_new: bool) -> None:
        """Show what the task waits for; what concerns the whole account is the gate's business too."""
        services, provider = self._work.services, self._work.begun.task.provider
        if isinstance(error, Unavailable):
            await self._work.report.wait_for(WaitsFor.STORAGE)
        elif self._tries >= TOLD_AFTER or trouble in {Trouble.ACCOUNT, Trouble.DENIED}:
            await self._work.report.wait_for(WaitsFor.PROVIDER, failure)
        if trouble is Trouble.ACCOUNT and is_new and services.gate.guards(provider):
            self._work.permit.told = True
            await services.gate.failed(provider, failure)

    async def _go_on(self) -> None:
        await self._work.report.go_on()
        provider, gate = self._work.begun.task.provider, self._work.services.gate
        if Trouble.ACCOUNT in self._since and gate.guards(provider):
            await gate.succeeded(provider)


def failure_of(error: Exception, charged: Charged = Charged.MAYBE) -> Failure:
    """What is shown of it: never that an order was free of charge, and never that its caller is at fault."""
    if not isinstance(error, ProviderError):
        error = ProviderUnavailable(f"The provider did not answer: {_words_of(error)}")
    failure = error.failure
    if failure.charged is Charged.NO:
        failure = replace(failure, charged=charged)
    if failure.who_must_act is Actor.CALLER or failure.code in _BLAME:
        failure = replace(failure, code=FailureCode.PROVIDER_REJECTED, who_must_act=Actor.OPERATOR)
    return failure


_BLAME = frozenset({FailureCode.INVALID_INPUT, FailureCode.MODERATION_BLOCKED})


def _words_of(error: Exception) -> str:
    return str(error) or type(error).__name__
