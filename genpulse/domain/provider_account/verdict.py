"""What a failed attempt means for the account."""

from enum import StrEnum

from genpulse.domain.failure import Failure, FailureCode
from genpulse.domain.text.storable import storable_line

_TROUBLE = frozenset(
    {
        FailureCode.PROVIDER_UNAVAILABLE,
        FailureCode.TIMEOUT,
        FailureCode.UNKNOWN_OUTCOME,
        FailureCode.AUTHENTICATION_FAILED,
        FailureCode.QUOTA_EXHAUSTED,
    }
)
_ANSWERED = frozenset(
    {
        FailureCode.INVALID_INPUT,
        FailureCode.MODERATION_BLOCKED,
        FailureCode.PROVIDER_REJECTED,
        FailureCode.OUTPUT_UNAVAILABLE,
    }
)


class Verdict(StrEnum):
    """What a failed attempt says about the provider's account.

    ANSWERED: the provider answered, and so the account works. TROUBLE: the next task would meet the same. LIMITED:
    it works and wants to be left alone for a while. NOTHING: what failed was on our side.
    """

    ANSWERED = "answered"
    TROUBLE = "trouble"
    LIMITED = "limited"
    NOTHING = "nothing"


def verdict(code: FailureCode) -> Verdict:
    """What a failure with this code says. A code that nobody has placed says nothing."""
    if code is FailureCode.RATE_LIMITED:
        return Verdict.LIMITED
    if code in _TROUBLE:
        return Verdict.TROUBLE
    return Verdict.ANSWERED if code in _ANSWERED else Verdict.NOTHING


def reason_of(failure: Failure) -> str:
    """The failure in one line of at most 300 characters, fit to be kept and shown."""
    return storable_line(f"{failure.code.value}: {failure.message}")
