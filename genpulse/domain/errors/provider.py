"""Why an attempt at a provider failed; each carries a `Failure`."""

from typing import ClassVar

from genpulse.domain.errors.base import GenPulseError
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.text.storable import unsigned


class ProviderError(GenPulseError):
    """Why an attempt failed. The class gives the defaults of its failure; an instance may differ.

    `charged` says whether money was taken; `retry_after_s` is the wait the provider asked for, in seconds.
    A message loses the queries of the URLs in it, as signatures stand there.
    """

    code: ClassVar[FailureCode] = FailureCode.INTERNAL
    retryable: ClassVar[bool] = False
    who_must_act: ClassVar[Actor] = Actor.OPERATOR

    def __init__(self, message: str, *, charged: Charged = Charged.NO, retry_after_s: float | None = None) -> None:
        self.message = unsigned(message)
        super().__init__(self.message)
        self.charged = charged
        self.retry_after_s = retry_after_s

    @property
    def failure(self) -> Failure:
        """The same as a value that is stored and shown."""
        return Failure(
            self.code, self.message, self.retryable, self.charged, self.who_must_act, self.retry_after_s
        )


class InvalidInput(ProviderError):
    """The provider does not take this input; sending it again would not help."""

    code = FailureCode.INVALID_INPUT
    who_must_act = Actor.CALLER


class ModerationBlocked(ProviderError):
    """The provider's moderation refused the input or the output."""

    code = FailureCode.MODERATION_BLOCKED
    who_must_act = Actor.CALLER


class ProviderRejected(ProviderError):
    """The provider refused the job for a reason of its own."""

    code = FailureCode.PROVIDER_REJECTED
    who_must_act = Actor.OPERATOR


class ProviderUnavailable(ProviderError):
    """The provider is down or cannot be reached; the request was definitely not taken."""

    code = FailureCode.PROVIDER_UNAVAILABLE
    retryable = True
    who_must_act = Actor.PROVIDER


class ProviderUnreachable(ProviderUnavailable):
    """No connection to the provider was made, so that it was not asked."""


class RateLimited(ProviderError):
    """The provider asked to slow down."""

    code = FailureCode.RATE_LIMITED
    retryable = True
    who_must_act = Actor.NOBODY


class QuotaExhausted(ProviderError):
    """The account has no credit left."""

    code = FailureCode.QUOTA_EXHAUSTED
    who_must_act = Actor.OPERATOR


class AuthenticationFailed(ProviderError):
    """The provider did not take the API key."""

    code = FailureCode.AUTHENTICATION_FAILED
    who_must_act = Actor.OPERATOR


class SpendingNotAllowed(ProviderError):
    """The provider costs money, and this environment does not allow that; it was not asked."""

    code = FailureCode.PAID_PROVIDER_REFUSED
    who_must_act = Actor.OPERATOR


class OverBudget(ProviderError):
    """The provider costs more than is left of a budget; it was not asked."""

    code = FailureCode.BUDGET_EXCEEDED
    who_must_act = Actor.OPERATOR


class TimedOut(ProviderError):
    """The provider took longer than it may."""

    code = FailureCode.TIMEOUT
    retryable = True
    who_must_act = Actor.PROVIDER


class JobOverdue(ProviderError):
    """The provider has taken a job and does not end it; another one might be paid for too."""

    code = FailureCode.TIMEOUT
    who_must_act = Actor.PROVIDER


class UnknownOutcome(ProviderError):
    """The request was sent and its answer got lost: it may have been done and charged."""

    code = FailureCode.UNKNOWN_OUTCOME
    who_must_act = Actor.OPERATOR

    def __init__(
        self, message: str, *, charged: Charged = Charged.MAYBE, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message, charged=charged, retry_after_s=retry_after_s)


class OutputUnavailable(ProviderError):
    """The provider says that it is done, yet its output cannot be fetched."""

    code = FailureCode.OUTPUT_UNAVAILABLE
    who_must_act = Actor.PROVIDER


class QuestionRefused(ProviderError):
    """The provider does not answer a question about an order; what became of the order is as open as before.

    `because` is what the refusal would mean by itself, `missing` that the provider knows of no such job: not
    yet, or not any more, and `denied` that we may not ask, as when a wall for robots stands before it. Money is
    never known to be saved by it, so that `charged` is `maybe`.
    """

    retryable = True

    def __init__(
        self,
        message: str,
        *,
        because: FailureCode = FailureCode.PROVIDER_UNAVAILABLE,
        missing: bool = False,
        denied: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, charged=Charged.MAYBE, retry_after_s=retry_after_s)
        self.because = because
        self.missing = missing
        self.denied = denied

    @property
    def failure(self) -> Failure:
        """What the refusal would mean by itself, and nothing about money."""
        actor = _ACTORS.get(self.because, Actor.OPERATOR)
        return Failure(self.because, self.message, self.retryable, self.charged, actor, self.retry_after_s)


_ACTORS = {FailureCode.PROVIDER_UNAVAILABLE: Actor.PROVIDER, FailureCode.RATE_LIMITED: Actor.NOBODY}
