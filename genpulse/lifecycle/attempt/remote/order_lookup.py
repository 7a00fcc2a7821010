"""Looking an order up at its vendor."""

from dataclasses import replace
from typing import Any

from genpulse.domain.errors import UnknownOutcome
from genpulse.lifecycle.attempt.attempt_run import AttemptRun
from genpulse.lifecycle.attempt.remote.questions import Patience, Question, Unanswered
from genpulse.lifecycle.attempt.vendor_errors import Trouble
from genpulse.provider import Submission, TwoPhase
from genpulse.provider.http import AnswerTooLarge

AGAIN_S = (0.5, 2.0)
"""Pauses after which a vendor is asked once more about a job that it does not know."""


async def look_up(run: AttemptRun, engine: TwoPhase[Any], reference: str, ends_at: float) -> Submission | None:
    """Ask the vendor for the job under this reference; None where it has none.

    A vendor may need a moment until its list shows a new job.
    Raises `UnknownOutcome` where the vendor cannot be asked, `Stopped`.
    """
    call, bounds = replace(run.call, client_reference=reference), run.services.bounds
    after_s = dict.fromkeys((Trouble.REFUSED, Trouble.MISSING), bounds.refused_s)
    patience = Patience(ends_at + bounds.question_wait_s, after_s)
    for wait_s in (*AGAIN_S, None):
        try:
            submission = await Question(run, engine, patience).ask(lambda: engine.find(call), engine.answer_s)
        except (Unanswered, AnswerTooLarge) as error:
            raise UnknownOutcome(
                f"The provider could not be asked what became of the order {reference}: {error}"
            ) from error
        if submission is not None or wait_s is None:
            return submission
        await run.signal.pause(wait_s)
    return None
