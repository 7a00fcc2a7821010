"""Polling a job until it ends."""

import logging
import time
from collections.abc import Awaitable
from typing import Any

from genpulse.domain.errors import (
    JobOverdue,
    OutputUnavailable,
    ProviderError,
    ProviderRejected,
    UnknownOutcome,
)
from genpulse.domain.failure import Charged
from genpulse.domain.text.storable import storable_line
from genpulse.domain.warning import TaskWarning, WarningCode
from genpulse.lifecycle.attempt.attempt_run import AttemptRun
from genpulse.lifecycle.attempt.remote.cancellation import ask_to_stop
from genpulse.lifecycle.attempt.remote.order_lookup import look_up
from genpulse.lifecycle.attempt.remote.questions import Patience, Question, Unanswered
from genpulse.lifecycle.attempt.vendor_errors import Trouble
from genpulse.provider import Job, Progress, TwoPhase
from genpulse.provider.http import AnswerTooLarge

WORD_LENGTH = 100
MOST_WORDS = 10
"""So many unknown status words of one job become warnings."""

_log = logging.getLogger(__name__)


class Polling:
    """Polls a vendor about a job until it ends. `job` is the one that is asked about, also under a new id."""

    def __init__(self, run: AttemptRun, engine: TwoPhase[Any], job_id: str, ends_at: float) -> None:
        self.job = Job(job_id, run.call)
        self._run = run
        self._engine = engine
        self._ends_at = ends_at
        self._words: dict[str, None] = {}
        self._reported: tuple[float, str | None] = (0.0, None)
        self._looked_up = False
        bounds = run.services.bounds
        after_s = {Trouble.MISSING: bounds.missing_s, Trouble.REFUSED: bounds.refused_s}
        self._patience = Patience(ends_at + bounds.question_wait_s, after_s)

    @property
    def warnings(self) -> tuple[TaskWarning, ...]:
        """A warning for each status word that nobody knows here."""
        return tuple(TaskWarning(WarningCode.UNKNOWN_STATUS, _unknown_status(word)) for word in self._words)

    async def until_done(self) -> None:
        """Return when the output can be collected.

        Raises `Stopped`, the error with which the job has failed, `JobOverdue`, `UnknownOutcome`, and
        `OutputUnavailable` for a job whose answers are too large; all but the first two after the vendor was told
        to stop the job.
        """
        polls = 0
        while True:
            progress = await self._progress()
            if progress.failed is not None:
                self._run.order.close()
                raise self._ordered_again(progress.failed)
            self._report(progress)
            if progress.done:
                return
            if time.monotonic() > self._ends_at:
                await ask_to_stop(self._run, self._engine)
                raise self._overdue()
            await self._run.signal.pause(self._wait_s(progress, polls))
            polls += 1

    def _wait_s(self, progress: Progress, polls: int) -> float:
        spread = 0.9 + 0.2 * self._run.services.random()
        asked_for_s = min(progress.wait_s or 0.0, self._run.services.bounds.question_wait_s)
        wait_s = asked_for_s if asked_for_s > 0 else self._engine.poll_interval.after(polls) * spread
        return min(wait_s, max(self._ends_at - time.monotonic(), 0.0))

    async def _progress(self) -> Progress:
        while True:
            question = Question(self._run, self._engine, self._patience)
            try:
                return await question.ask(self._poll, self._engine.answer_s)
            except Unanswered as unanswered:
                await self._look_up_again(unanswered)
            except AnswerTooLarge as error:
                await ask_to_stop(self._run, self._engine)
                self._run.order.close()
                raise OutputUnavailable(
                    f"What the provider says about the job {self.job.id} is too large: {error}",
                    charged=Charged.YES,
                ) from error

    def _poll(self) -> Awaitable[Progress]:
        return self._engine.poll(self.job)

    async def _look_up_again(self, unanswered: Unanswered) -> None:
        """Return where the vendor's list shows the job, so that it is asked for again. Raises `UnknownOutcome`."""
        can_look_up = unanswered.trouble in {Trouble.MISSING, Trouble.REFUSED} and self._engine.can_find
        order = self._run.order.open
        if can_look_up and not self._looked_up and order is not None and order.can_be_looked_up:
            self._looked_up = True
            reference = order.reference
            try:
                submission = await look_up(self._run, self._engine, reference, self._ends_at)
            except UnknownOutcome:
                await ask_to_stop(self._run, self._engine)
                raise
            if submission is not None:
                await self._rename(submission.job_id)
                return
        await ask_to_stop(self._run, self._engine)
        raise UnknownOutcome(
            f"The provider has taken the job {self.job.id} and cannot be asked what became of it:"
            f" {unanswered.failure.message} Look into the provider's own list of jobs. A retry asks for this job"
            " again."
        )

    async def _rename(self, job_id: str) -> None:
        if job_id != self.job.id:
            await self._run.journal_job(job_id)
            self.job = Job(job_id, self._run.call)

    def _report(self, progress: Progress) -> None:
        message = progress.message
        if progress.odd is not None:
            word = storable_line(progress.odd, WORD_LENGTH)
            message = message or _unknown_status(word)
            self._note(word)
        news = (self._reported[0] if progress.fraction is None else progress.fraction, message)
        if news != self._reported:
            self._run.report.tell(*news)
            self._reported = news

    def _note(self, word: str) -> None:
        if word not in self._words and len(self._words) < MOST_WORDS:
            self._words[word] = None
            _log.warning("%s: %s (task %s)", self._run.call.model, _unknown_status(word), self._run.call.task_id)

    def _ordered_again(self, error: ProviderError) -> ProviderError:
        """A job that has failed and may be charged is not ordered again by itself, whatever its plug-in says."""
        if error.retryable and error.charged is not Charged.NO and not self._run.is_free:
            return ProviderRejected(error.message, charged=error.charged)
        return error

    def _overdue(self) -> JobOverdue:
        odd = f" {_unknown_status(next(reversed(self._words)))}" if self._words else ""
        why = "" if self._run.is_free else ", since it may be charged"
        return JobOverdue(
            f"The provider's job {self.job.id} has not ended within {self._engine.longest_s:g} s.{odd} It is not"
            f" submitted again{why}. A retry asks for this job again.",
            charged=Charged.MAYBE,
        )


def _unknown_status(word: str) -> str:
    return f"The provider says {word!r} of the job, which is no status that is known here: it counts as going on."
