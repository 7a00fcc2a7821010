"""Ends of an attempt for which no provider has a word."""

from genpulse.domain.failure import Actor, Charged, Failure, FailureCode


def foreign(theirs: str, ours: str) -> Failure:
    """The task of another environment."""
    return Failure(
        FailureCode.FOREIGN_ENVIRONMENT,
        f"The task belongs to the environment {theirs!r}; this worker serves {ours!r}.",
        retryable=False,
        charged=Charged.NO,
        who_must_act=Actor.OPERATOR,
    )


def internal(error: Exception, charged: Charged, *, again: bool) -> Failure:
    """A mistake. With an order that is open it is worth another attempt (`again`), which takes the order up."""
    return Failure(
        FailureCode.INTERNAL,
        f"The provider failed in a way that it does not declare ({type(error).__name__}).",
        retryable=again,
        charged=charged,
        who_must_act=Actor.OPERATOR,
    )
