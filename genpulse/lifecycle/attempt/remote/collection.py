"""Collecting the result of a finished job."""

import time
from typing import Any

from genpulse.domain.errors import OutputUnavailable, ProviderError, UnknownOutcome
from genpulse.domain.failure import Charged
from genpulse.lifecycle.attempt.attempt_run import AttemptRun
from genpulse.lifecycle.attempt.outputs.received import ReceivedResult
from genpulse.lifecycle.attempt.outputs.receiving import OutputReceiver
from genpulse.lifecycle.attempt.remote.questions import Patience, Question, Unanswered
from genpulse.lifecycle.attempt.vendor_errors import Trouble
from genpulse.provider import Job, TwoPhase
from genpulse.provider.http import AnswerTooLarge


async def collect_result(run: AttemptRun, engine: TwoPhase[Any], job: Job[Any], ends_at: float) -> ReceivedResult:
    """Fetch all outputs of the job that can be had.

    The attempt waits for its turn, and keeps it when the whole result is there. The vendor is asked for fresh
    addresses as often as a download breaks off; what came already is kept. Raises `Stopped`, `OutputUnavailable`,
    and what the plug-in says of a job that has failed after all.
    """
    receiver = OutputReceiver(run)

    async def collect() -> ReceivedResult:
        return await receiver.receive(run.checked(await engine.collect(job)))

    try:
        return await Question(run, engine, _patience(run, ends_at)).ask(collect, engine.collect_s, run.turn)
    except Unanswered as unanswered:
        if receiver.has_outputs:
            return receiver.so_far()
        raise _cannot_be_fetched(unanswered) from unanswered
    except AnswerTooLarge as error:
        run.order.close()
        raise OutputUnavailable(f"The provider's result is too large: {error}", charged=Charged.YES) from error
    except ProviderError as error:
        raise _of_failed_job(run, error) from None


def _patience(run: AttemptRun, ends_at: float) -> Patience:
    """A job that ends in the last moment is still collected."""
    unusable_s = run.services.bounds.unusable_s
    after_s = dict.fromkeys((Trouble.PASSING, Trouble.REFUSED, Trouble.MISSING), unusable_s)
    return Patience(max(ends_at, time.monotonic() + unusable_s), after_s, final_errors_pass=True)


def _cannot_be_fetched(unanswered: Unanswered) -> OutputUnavailable:
    """Its order stays open: what the vendor gives out later is fetched by a retry, and not paid for again."""
    return OutputUnavailable(
        f"The provider says that it is done, and its result could not be fetched: {unanswered.failure.message}"
        " A retry asks for the same result again.",
        charged=Charged.YES,
    )


def _of_failed_job(run: AttemptRun, error: ProviderError) -> ProviderError:
    """The job is over, and was taken: nobody knows that it was free of charge."""
    if not isinstance(error, UnknownOutcome):
        run.order.close()
    if error.charged is Charged.NO:
        error.charged = Charged.MAYBE
    return error
