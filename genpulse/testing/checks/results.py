"""Checks of results, in every form that vendors use."""

from uuid import UUID

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
from genpulse.testing.subject import Lacking, Subject


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


async def _check_answer(subject: Subject) -> None:
    outcome = await outcome_of(subject, Situation.WELL)
    succeeds(outcome)
    text, referred = _result_of(outcome)
    outputs = {asset.id for asset in outcome.task.outputs}
    need(referred <= outputs, f"its result refers to {referred - outputs}, which are no outputs: {text}")
    need(bool(referred), f"no file of the answer is an OutputPlace: {text}")


async def _check_partial_answer(subject: Subject) -> None:
    outcome = await outcome_of(subject, Situation.PARTIAL_OUTPUT, Terms(IMPATIENT))
    text, referred = _result_of(outcome)
    need(referred == {asset.id for asset in outcome.task.outputs}, f"its result refers to {referred}: {text}")
    need("null" in text, f"nothing stands in the place of the missing file: {text}")


async def _check_numbers_in_answer(subject: Subject) -> None:
    text, _ = _result_of(await outcome_of(subject, Situation.NUMBERS_OUTPUT))
    need("0.93" in text, f"the number is lost: {text}")


def _result_of(outcome: Outcome) -> tuple[str, set[UUID]]:
    """The result, and the assets that it refers to. Raises `Lacking` where the plug-in gives none."""
    result = outcome.task.result
    if result is None:
        raise Lacking("its results are files alone")
    referred: set[UUID] = set()

    def note(asset_id: UUID) -> None:
        referred.add(asset_id)

    result.value_with(note)
    return result.text, referred


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
    Check("the answer is kept as the task's result, in which a reference stands for each file", _check_answer),
    Check("a file of the answer that is missing is null in the result", _check_partial_answer),
    Check("numbers stand in the result as they came", _check_numbers_in_answer),
    Check("odd values beside a good output do not cost it", in_each([Situation.ODD_SHAPES], _keeps_the_picture)),
    Check("what the vendor marks about an output is told", _check_flagged),
    Check("of two outputs one is missing: the other is kept, with a warning", _check_partial),
)
