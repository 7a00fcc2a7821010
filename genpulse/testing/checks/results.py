"""Checks of results, in every form that vendors use."""

from genpulse.domain.failure import Charged, FailureCode
from genpulse.domain.task import TaskStatus
from genpulse.domain.warning import WarningCode
from genpulse.testing.checks.check import (
    Check,
    Outcome,
    has_jobs,
    in_each,
    need,
    outcome_of,
    succeeds,
)
from genpulse.testing.media import IN_THE_ANSWER, PNG, content_of
from genpulse.testing.oddity import Body, OddAnswer, Oddity, Phase
from genpulse.testing.rig import IMPATIENT, Terms
from genpulse.testing.situation import Situation
from genpulse.testing.subject import Subject


def _is_as_made(outcome: Outcome) -> None:
    succeeds(outcome)
    need(
        isinstance(outcome.what, Situation) and outcome.contents == (content_of(outcome.what),), "its bytes differ"
    )


def _is_empty(outcome: Outcome) -> None:
    need(outcome.failure.code is FailureCode.OUTPUT_UNAVAILABLE, str(outcome))
    need(outcome.failure.charged is not Charged.NO, f"what was made is called free of charge: {outcome}")
    need(outcome.submits == 1, str(outcome))


async def _check_partial(subject: Subject) -> None:
    outcome = await outcome_of(subject, Situation.PARTIAL_OUTPUT, Terms(IMPATIENT))
    need(outcome.task.status is TaskStatus.SUCCEEDED, str(outcome))
    need(len(outcome.contents) == 1, f"{len(outcome.contents)} outputs are kept")
    warnings = [(warning.code, warning.index) for warning in outcome.task.warnings]
    need(warnings == [(WarningCode.OUTPUT_MISSING, 1)], f"the task tells {warnings}")


async def _check_flagged(subject: Subject) -> None:
    outcome = await outcome_of(subject, Situation.FLAGGED_OUTPUT)
    succeeds(outcome)
    warnings = [warning for warning in outcome.task.warnings if warning.code is WarningCode.FLAGGED]
    need(bool(warnings), f"the task tells nothing of the mark, but {outcome.task.warnings}")


async def _check_numbers(subject: Subject) -> None:
    outcome = await outcome_of(subject, Situation.NUMBERS_OUTPUT)
    succeeds(outcome)
    need(any(b"0.93" in content for content in outcome.contents), f"its outputs are {outcome.contents!r}")


def _keeps_the_picture(outcome: Outcome) -> None:
    succeeds(outcome)
    need(PNG in outcome.contents, f"the good output is lost among {outcome.contents!r}")


async def _check_error(subject: Subject) -> None:
    subject.need(Situation.ERROR_RESULT)
    phase = Phase.COLLECT if has_jobs(subject) else Phase.ORDER
    answer = OddAnswer(200, Body.WORDS, words="the model ran out of memory")
    outcome = await outcome_of(subject, Oddity(phase, answer), Terms(IMPATIENT))
    failure = outcome.failure
    need("ran out of memory" in failure.message, f"the vendor's words are lost: {outcome}")
    need(failure.code is not FailureCode.INVALID_INPUT, str(outcome))
    need(outcome.submits == 1, str(outcome))
    need(failure.charged is not Charged.NO, str(outcome))


CHECKS = (
    Check("an empty result", in_each([Situation.NO_OUTPUT], _is_empty)),
    Check("an error where the result should be is told in the vendor's words", _check_error),
    Check("a file inside an answer, however it is encoded", in_each(sorted(IN_THE_ANSWER), _is_as_made)),
    Check("a result of numbers alone is one", _check_numbers),
    Check("odd values beside a good output do not cost it", in_each([Situation.ODD_SHAPES], _keeps_the_picture)),
    Check("what the vendor marks about an output is told", _check_flagged),
    Check("of two outputs one is missing: the other is kept, with a warning", _check_partial),
)
