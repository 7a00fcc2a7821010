"""The three shapes of an engine."""

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeAlias

from genpulse.provider.call import Call, Callback, I, Job, PollInterval, Progress, Report, Result, Submission


class Local(ABC, Generic[I]):
    """An engine that runs inside the worker. Keep the event loop free: heavy work goes into `call.in_thread`.

    `run` is cut off at any `await` when the task is to stop, and is called again when its worker stops or is lost.
    """

    @abstractmethod
    async def run(self, call: Call[I], report: Report) -> Result:
        """Do the work. Raises a `ProviderError`, or `TaskCanceled` when told to stop."""


class Immediate(ABC, Generic[I]):
    """An engine whose vendor answers one request with the output.

    `repeatable`: the same request sent twice is charged once at most. Where that is not so, a request whose
    answer got lost is never sent again by itself. An answer that takes longer than `answer_s` seconds is lost;
    until then nothing cuts the request off, and its output is kept, also when nobody wants the task any more.
    """

    repeatable: ClassVar[bool] = False
    answer_s: ClassVar[float] = 900.0

    @abstractmethod
    async def generate(self, call: Call[I]) -> Result:
        """Send the request once, without retries.

        Raises a `ProviderError` only when the vendor definitely did not take it, and `UnknownOutcome`, or anything
        else, when the answer got lost.
        """


class TwoPhase(ABC, Generic[I]):
    """An engine whose vendor takes a job, works on it, and is asked for it later.

    Set `can_cancel` or `can_find` where the vendor has the call and the method is overridden. A submit or a poll
    that is not answered within `answer_s` seconds counts as not answered, and so does a collect after `collect_s`.
    A job that has not ended `longest_s` seconds after it was ordered is given up.

    Nothing cuts a submit off before `answer_s`. Poll, collect and find are questions: each may be given up at any
    `await` and asked again, also by another process. Whatever they raise says nothing about the order, and they
    are asked again, within bounds: see `domain/provider_account/bounds.py`.
    """

    repeatable: ClassVar[bool] = False
    can_cancel: ClassVar[bool] = False
    can_find: ClassVar[bool] = False
    poll_interval: ClassVar[PollInterval] = PollInterval()
    answer_s: ClassVar[float] = 120.0
    collect_s: ClassVar[float] = 3600.0
    longest_s: ClassVar[float] = 86_400.0

    @abstractmethod
    async def submit(self, call: Call[I]) -> Submission:
        """Hand the job to the vendor: one request, without retries.

        Raises a `ProviderError` only when the vendor definitely did not take the job, and `UnknownOutcome`,
        or anything else, when the answer got lost.
        """

    @abstractmethod
    async def poll(self, job: Job[I]) -> Progress:
        """Ask how far it has come.

        A job that has failed is `Progress(failed=…)`, and nothing else is. Raises `QuestionRefused` where the
        vendor does not want to say it, or whatever else came in place of an answer.
        """

    @abstractmethod
    async def collect(self, job: Job[I]) -> Result:
        """Fetch what a finished job made.

        It is called again, for ten minutes, where its answer or a stream of it cannot be used. Raises a
        `ProviderError` that is not retryable for a job that has failed after all, which ends the task.
        """

    async def cancel(self, job: Job[I]) -> None:
        """Ask the vendor to stop the job, within 10 seconds. When it returns, the order counts as over.

        Raises `QuestionRefused`, or anything else, where that is not so: it is asked again later for a job that
        nobody wants. Called only where `can_cancel` is set.
        """

    async def find(self, call: Call[I]) -> Submission | None:
        """Look a job up by `call.client_reference`; None when the vendor never took it: then it is ordered anew.

        It is asked three times within three seconds, since lists lag. Called only where `can_find` is set.
        """
        raise NotImplementedError(f"{type(self).__name__} sets can_find and must override find()")

    async def is_authentic(self, callback: Callback) -> bool:
        """Whether a callback is the vendor's own, so that the job is polled at once.

        Override it where the vendor signs. What a callback says is never the truth: it is a reason to poll.
        """
        return await self.heeds(callback)

    async def heeds(self, notice: Callback) -> bool:  # noqa: ARG002 - for those who override it
        """The name of `is_authentic` until version 0.3; what overrides it is still asked."""
        return True


Engine: TypeAlias = Local[I] | Immediate[I] | TwoPhase[I]
