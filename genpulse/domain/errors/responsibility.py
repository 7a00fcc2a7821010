"""Who has to act when a task failed so, by its code alone."""

from collections.abc import Mapping

from genpulse.domain.failure import Actor, FailureCode

ACTOR_OF: Mapping[FailureCode, Actor] = {
    FailureCode.INVALID_INPUT: Actor.CALLER,
    FailureCode.MODERATION_BLOCKED: Actor.CALLER,
    FailureCode.DEADLINE_EXCEEDED: Actor.CALLER,
    FailureCode.PROVIDER_REJECTED: Actor.OPERATOR,
    FailureCode.QUOTA_EXHAUSTED: Actor.OPERATOR,
    FailureCode.AUTHENTICATION_FAILED: Actor.OPERATOR,
    FailureCode.UNKNOWN_OUTCOME: Actor.OPERATOR,
    FailureCode.FOREIGN_ENVIRONMENT: Actor.OPERATOR,
    FailureCode.PAID_PROVIDER_REFUSED: Actor.OPERATOR,
    FailureCode.BUDGET_EXCEEDED: Actor.OPERATOR,
    FailureCode.WORKER_LOST: Actor.OPERATOR,
    FailureCode.INTERNAL: Actor.OPERATOR,
    FailureCode.PROVIDER_UNAVAILABLE: Actor.PROVIDER,
    FailureCode.TIMEOUT: Actor.PROVIDER,
    FailureCode.OUTPUT_UNAVAILABLE: Actor.PROVIDER,
    FailureCode.RATE_LIMITED: Actor.NOBODY,
}


def codes_of(actor: Actor) -> tuple[FailureCode, ...]:
    """The codes after which it has to act."""
    return tuple(code for code, who in ACTOR_OF.items() if who is actor)
