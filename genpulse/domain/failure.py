"""Failures of tasks: code, message, who has to act, what was charged."""

from dataclasses import dataclass
from enum import StrEnum

from genpulse.domain.text.storable import storable


class FailureCode(StrEnum):
    """The closed list of reasons; each is part of the public API."""

    INVALID_INPUT = "invalid_input"
    MODERATION_BLOCKED = "moderation_blocked"
    PROVIDER_REJECTED = "provider_rejected"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXHAUSTED = "quota_exhausted"
    AUTHENTICATION_FAILED = "authentication_failed"
    TIMEOUT = "timeout"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    UNKNOWN_OUTCOME = "unknown_outcome"
    OUTPUT_UNAVAILABLE = "output_unavailable"
    FOREIGN_ENVIRONMENT = "foreign_environment"
    PAID_PROVIDER_REFUSED = "paid_provider_refused"
    BUDGET_EXCEEDED = "budget_exceeded"
    WORKER_LOST = "worker_lost"
    INTERNAL = "internal"


class Charged(StrEnum):
    """Whether the provider took money for the attempt."""

    NO = "no"
    YES = "yes"
    MAYBE = "maybe"


class Actor(StrEnum):
    """Who has to do something before the task can succeed."""

    CALLER = "caller"
    OPERATOR = "operator"
    PROVIDER = "provider"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Failure:
    """The end of an attempt that did not succeed.

    `retry_after_s` is the wait that the provider asked for, in seconds, or None when it asked for none.
    """

    code: FailureCode
    message: str
    retryable: bool
    charged: Charged
    who_must_act: Actor
    retry_after_s: float | None = None

    def __post_init__(self) -> None:
        """What a vendor says is made fit to be kept, and a wait that makes no sense is none."""
        object.__setattr__(self, "message", storable(self.message))
        if self.retry_after_s is not None and not 0 <= self.retry_after_s < float("inf"):
            object.__setattr__(self, "retry_after_s", None)
