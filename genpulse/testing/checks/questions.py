"""A question that is not answered says nothing about the order."""

from dataclasses import replace

from genpulse.domain.failure import Charged, FailureCode
from genpulse.domain.warning import WarningCode
from genpulse.testing.checks.check import (
    Check,
    Outcome,
    in_each,
    is_paid_for_nothing,
    need,
    outcome_of,
    succeeds,
    two_phase,
)
from genpulse.testing.checks.orders import RETRY_AFTER
from genpulse.testing.oddity import Body, OddAnswer, Oddity, Phase
from genpulse.testing.rig import IMPATIENT, PATIENT, Terms
from genpulse.testing.situation import Situation
from genpulse.testing.subject import Subject

_REFUSED = (
    400,
    401,
    402,
    403,
    404,
    405,
    408,
    409,
    410,
    418,
    422,
    423,
    425,
    429,
    451,
    500,
    502,
    503,
    504,
    520,
    524,
)
_UNREADABLE = (
    Body.HTML,
    Body.XML,
    Body.TEXT,
    Body.EMPTY,
    Body.NULL,
    Body.LIST,
    Body.CUT,
    Body.FALSE_GZIP,
    Body.SHORT,
    Body.DROPPED,
    Body.EVENTS,
    Body.ELSEWHERE,
)
_SAYS = frozenset({Body.NULL, Body.LIST})
"""Results for all that one can know, if empty ones."""
_PASSING_RESULT = (404, 408, 425, 429, 500, 502, 503, 504, 520, 524)
_ENDLESS = (
    OddAnswer(500, Body.WORDS),
    OddAnswer(401, Body.WORDS),
    OddAnswer(403, Body.HTML),
    OddAnswer(404, Body.WORDS),
    OddAnswer(422, Body.WORDS),
    OddAnswer(429, Body.WORDS, {"Retry-After": "86400"}),
    OddAnswer(200, Body.HTML),
    OddAnswer(200, Body.NULL),
    OddAnswer(None, Body.CUT),
    OddAnswer(None, Body.FALSE_GZIP),
    OddAnswer(None, Body.ELSEWHERE),
    OddAnswer(None, Body.DROPPED),
)
_UNUSABLE = (
    OddAnswer(500, Body.HTML),
    OddAnswer(200, Body.HTML),
    OddAnswer(200, Body.EMPTY),
    OddAnswer(None, Body.CUT),
    OddAnswer(None, Body.FALSE_GZIP),
    OddAnswer(None, Body.SHORT),
)
_ENDS_SOON = Terms(IMPATIENT, longest_s=0.5)
_ENDS_LATE = Terms(IMPATIENT, longest_s=60.0)
_NEVER = frozenset({FailureCode.INVALID_INPUT, FailureCode.MODERATION_BLOCKED, FailureCode.INTERNAL})


def _twice(phase: Phase, status: int | None, body: Body) -> Oddity:
    return Oddity(phase, OddAnswer(status, body), times=2)


def _ends_as_unknown(outcome: Outcome) -> None:
    failure = outcome.failure
    need(failure.code not in _NEVER, f"it blames the caller: {outcome}")
    need(failure.charged is Charged.MAYBE, str(outcome))
    need(outcome.submits == 1, str(outcome))


async def _check_endless(subject: Subject) -> None:
    engine = two_phase(subject)

    def judge(outcome: Outcome) -> None:
        _ends_as_unknown(outcome)
        need(outcome.stops > 0 or not engine.can_cancel, f"the vendor is not told to stop: {outcome}")

    await in_each([Oddity(Phase.POLL, answer) for answer in _ENDLESS], judge, _ENDS_SOON)(subject)


async def _check_too_large(subject: Subject) -> None:
    oddity = Oddity(Phase.COLLECT, OddAnswer(None, Body.HUGE))
    outcome = await outcome_of(subject, oddity, _ENDS_LATE)
    is_paid_for_nothing(outcome)
    need(subject.fake.met == 1, f"it was fetched {subject.fake.met} times")


def _retry_after(value: str) -> Oddity:
    return Oddity(Phase.POLL, OddAnswer(429, Body.WORDS, {"Retry-After": value}), times=1)


async def _check_odd_status(subject: Subject) -> None:
    two_phase(subject)
    outcome = await outcome_of(subject, Situation.ODD_STATUS)
    succeeds(outcome)
    warnings = [warning for warning in outcome.task.warnings if warning.code is WarningCode.UNKNOWN_STATUS]
    need(len(warnings) == 1, f"the task tells of the unknown word {len(warnings)} times")


CHECKS = (
    Check("an unknown status word is no end, and the task tells of it", _check_odd_status),
    Check("a status word in another letter case is known", in_each([Situation.SPELLED_STATUS], succeeds)),
    Check("a vendor that is down while it works", in_each([Situation.POLL_DOWN], succeeds)),
    Check("polls that are dropped", in_each([Situation.POLL_DROPPED], succeeds)),
    Check(
        "a poll that is refused twice is asked again",
        in_each([_twice(Phase.POLL, status, Body.WORDS) for status in _REFUSED], succeeds),
    ),
    Check(
        "a poll whose answer cannot be read is asked again",
        in_each([_twice(Phase.POLL, None, body) for body in _UNREADABLE], succeeds),
    ),
    Check(
        "a result that is refused twice is asked for again",
        in_each([_twice(Phase.COLLECT, status, Body.HTML) for status in _PASSING_RESULT], succeeds),
    ),
    Check(
        "a result that cannot be read is asked for again",
        in_each([_twice(Phase.COLLECT, None, body) for body in _UNREADABLE if body not in _SAYS], succeeds),
    ),
    Check(
        "whatever Retry-After says of a poll, the wait is bounded",
        in_each(map(_retry_after, RETRY_AFTER), succeeds, Terms(replace(PATIENT, question_wait_s=0.1))),
    ),
    Check("polls that are never answered have an end", _check_endless),
    Check(
        "a result that can never be used ends as paid for nothing",
        in_each([Oddity(Phase.COLLECT, answer) for answer in _UNUSABLE], is_paid_for_nothing, _ENDS_LATE),
    ),
    Check("an answer that is too large is asked for once", _check_too_large),
    Check("a job id that a path has to quote", in_each([Situation.ODD_JOB_ID], succeeds)),
)
