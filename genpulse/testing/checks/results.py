"""What a result consists of, however it is spelled."""

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
from genpulse.testing.media import IN_THE_ANSWER, content_of
from genpulse.testing.oddity import Answer, Body, Oddity, Phase
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
    outcome = await outcome_of(subject, Situation.PARTIAL_OUTPUT)
    need(outcome.task.status is TaskStatus.SUCCEEDED, str(outcome))
    need(len(outcome.contents) == 1, f"{len(outcome.contents)} outputs are kept")
    told = [(warning.code, warning.index) for warning in outcome.task.warnings]
    need(told == [(WarningCode.OUTPUT_MISSING, 1)], f"the task tells {told}")


async def _check_error(subject: Subject) -> None:
    subject.need(Situation.ERROR_RESULT)
    answer = Answer(200, Body.WORDS, words="the model ran out of memory")
    outcome = await outcome_of(subject, Oddity(Phase.COLLECT if has_jobs(subject) else Phase.ORDER, answer))
    failure = outcome.failure
    need("ran out of memory" in failure.message, f"the vendor's words are lost: {outcome}")
    need(failure.code is not FailureCode.INVALID_INPUT, str(outcome))
    need(outcome.submits == 1, str(outcome))
    need(failure.charged is not Charged.NO, str(outcome))


CHECKS = (
    Check("an empty result", in_each([Situation.NO_OUTPUT], _is_empty)),
    Check("an error where the result should be is told in the vendor's words", _check_error),
    Check("a file inside an answer, however it is encoded", in_each(sorted(IN_THE_ANSWER), _is_as_made)),
    Check("of two outputs one is missing: the other is kept, with a warning", _check_partial),
)
