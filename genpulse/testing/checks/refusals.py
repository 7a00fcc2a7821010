"""Checks of orders that a vendor refuses for good, and of the code that they end with."""

from collections.abc import Awaitable, Callable

from genpulse.domain.failure import Actor, Charged, FailureCode
from genpulse.domain.provider_account.verdict import Verdict, verdict
from genpulse.testing.checks.check import Check, Outcome, in_each, need, outcome_of
from genpulse.testing.oddity import Body, OddAnswer, Oddity, Phase
from genpulse.testing.situation import Situation
from genpulse.testing.subject import Subject

_PROVED = (400, 401, 402, 403, 404, 405, 406, 410, 413, 415, 418, 422, 451)
"""4xx without 408, 409, 423, 425 and 429: whatever the words are, the vendor has not taken the order."""
_ONE_MODEL = "Your organization must be verified to use this model."


def _ends_as(situation: Situation, code: FailureCode) -> Callable[[Subject], Awaitable[None]]:
    async def run(subject: Subject) -> None:
        outcome = await outcome_of(subject, situation)
        failure = outcome.failure
        need(failure.code is code, f"its code is {failure.code}, not {code}: {failure.message}")
        need(not failure.retryable, "it counts as retryable")
        need(outcome.submits == 1, f"it was submitted {outcome.submits} times")
        need(subject.key is None or subject.key not in failure.message, "its message holds the key")

    return run


def _refused(status: int, body: Body, words: str = "this cannot be done") -> Oddity:
    return Oddity(Phase.ORDER, OddAnswer(status, body, words=words, taken=False))


def _cost_nothing(outcome: Outcome) -> None:
    need(outcome.failure.code is not FailureCode.UNKNOWN_OUTCOME, str(outcome))
    need(outcome.failure.charged is Charged.NO, str(outcome))
    need(outcome.submits == 1, str(outcome))


def _is_of_one_model(outcome: Outcome) -> None:
    """The account works for its other models."""
    failure = outcome.failure
    need(verdict(failure.code) is Verdict.ANSWERED, f"it counts against the whole account: {outcome}")
    need(failure.who_must_act is Actor.OPERATOR, f"{failure.who_must_act} has to act: {outcome}")
    need("verified" in failure.message, f"the vendor's words are lost: {outcome}")
    _cost_nothing(outcome)


CHECKS = (
    Check("bad input is the caller's", _ends_as(Situation.INVALID, FailureCode.INVALID_INPUT)),
    Check("moderation is told and never retried", _ends_as(Situation.MODERATED, FailureCode.MODERATION_BLOCKED)),
    Check("a refused key is the operator's", _ends_as(Situation.BAD_KEY, FailureCode.AUTHENTICATION_FAILED)),
    Check("no credit is the operator's", _ends_as(Situation.NO_CREDIT, FailureCode.QUOTA_EXHAUSTED)),
    Check("no credit in the words of a 403, too", _ends_as(Situation.LOCKED, FailureCode.QUOTA_EXHAUSTED)),
    Check(
        "a proved refusal of an order costs nothing",
        in_each([_refused(status, Body.WORDS) for status in _PROVED], _cost_nothing),
    ),
    Check(
        "a refusal in words that cannot be stored is one",
        in_each([_refused(status, Body.SURROGATE) for status in (400, 422)], _cost_nothing),
    ),
    Check(
        "a model that one may not use is no trouble of the account",
        in_each([_refused(403, Body.WORDS, _ONE_MODEL)], _is_of_one_model),
    ),
)
