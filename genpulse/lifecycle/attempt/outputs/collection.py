"""Collecting the result of a finished job."""

import time
from typing import Any

from genpulse.domain.errors import OutputUnavailable, ProviderError, UnknownOutcome
from genpulse.domain.failure import Charged
from genpulse.lifecycle.attempt.outputs.receiving import OutputReceiver
from genpulse.lifecycle.attempt.outputs.storing import Made
from genpulse.lifecycle.attempt.remote.questions import Patience, Question, Trouble, Unanswered
from genpulse.lifecycle.attempt.work import Work
from genpulse.provider import Job, TwoPhase
from genpulse.provider.http import AnswerTooLarge


async def collected(work: Work, engine: TwoPhase[Any], job: Job[Any], ends_at: float) -> Made:
    """All outputs of the job that can be had.

    The vendor is asked for fresh addresses as often as a download breaks off; what came already is kept. Raises
    `Stopped`, `OutputUnavailable`, and what the plug-in says of a job that has failed after all.
    """
    receiver = OutputReceiver(work)

    async def collect() -> Made:
        return await receiver.take(await engine.collect(job))

    try:
        return await Question(work, engine, _patience(work, ends_at)).ask(collect, engine.collect_s)
    except Unanswered as lost:
        if receiver.has_something:
            return receiver.made()
        raise _cannot_be_had(lost) from lost
    except AnswerTooLarge as error:
        work.money.close()
        raise OutputUnavailable(f"The provider's result is too large: {error}", charged=Charged.YES) from error
    except ProviderError as error:
        raise _after_all(work, error) from None


def _patience(work: Work, ends_at: float) -> Patience:
    """A job that ends in the last moment is still collected."""
    unusable_s = work.services.bounds.unusable_s
    after_s = dict.fromkeys((Trouble.PASSING, Trouble.REFUSED, Trouble.MISSING), unusable_s)
    return Patience(max(ends_at, time.monotonic() + unusable_s), after_s, plain_ends=True)


def _cannot_be_had(lost: Unanswered) -> OutputUnavailable:
    """Its order stays open: what the vendor gives out later is fetched by a retry, and not paid for again."""
    return OutputUnavailable(
        f"The provider says that it is done, and its result could not be fetched: {lost.failure.message}"
        " A retry asks for the same result again.",
        charged=Charged.YES,
    )


def _after_all(work: Work, error: ProviderError) -> ProviderError:
    """The job is over, and was taken: nobody knows that it was free of charge."""
    if not isinstance(error, UnknownOutcome):
        work.money.close()
    if error.charged is Charged.NO:
        error.charged = Charged.MAYBE
    return error
