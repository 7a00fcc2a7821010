"""Errors in place of a vendor's answer: what follows from each, and what the task shows of it."""

from dataclasses import replace
from enum import Enum, auto

from genpulse.domain.errors import (
    ProviderError,
    ProviderUnavailable,
    ProviderUnreachable,
    QuestionRefused,
    Unavailable,
)
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode


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


_TROUBLE_OF_CODE = {
    FailureCode.AUTHENTICATION_FAILED: Trouble.ACCOUNT,
    FailureCode.QUOTA_EXHAUSTED: Trouble.ACCOUNT,
    FailureCode.PROVIDER_UNAVAILABLE: Trouble.PASSING,
    FailureCode.RATE_LIMITED: Trouble.PASSING,
    FailureCode.TIMEOUT: Trouble.PASSING,
}
_CALLERS_FAULT = frozenset({FailureCode.INVALID_INPUT, FailureCode.MODERATION_BLOCKED})


def trouble_of(error: Exception) -> Trouble:
    """The trouble that an error means which was raised in place of an answer."""
    match error:
        case QuestionRefused(missing=True):
            return Trouble.MISSING
        case QuestionRefused():
            return _TROUBLE_OF_CODE.get(error.because, Trouble.DENIED if error.denied else Trouble.REFUSED)
        case ProviderUnreachable() | Unavailable():
            return Trouble.UNASKED
        case ProviderError():
            return _TROUBLE_OF_CODE.get(error.code, Trouble.PASSING if error.retryable else Trouble.REFUSED)
        case _:
            return Trouble.PASSING


def is_final(error: Exception) -> bool:
    """Whether a plug-in says with it what became of a job, and that asking again would not help."""
    return isinstance(error, ProviderError) and not error.retryable and trouble_of(error) is not Trouble.ACCOUNT


def failure_of(error: Exception, charged: Charged = Charged.MAYBE) -> Failure:
    """The failure that is shown: never that an order was free of charge, and never that its caller is at fault."""
    if not isinstance(error, ProviderError):
        error = ProviderUnavailable(f"The provider did not answer: {str(error) or type(error).__name__}")
    failure = error.failure
    if failure.charged is Charged.NO:
        failure = replace(failure, charged=charged)
    if failure.who_must_act is Actor.CALLER or failure.code in _CALLERS_FAULT:
        failure = replace(failure, code=FailureCode.PROVIDER_REJECTED, who_must_act=Actor.OPERATOR)
    return failure
