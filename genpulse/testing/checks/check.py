"""A check, and functions that most checks need."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from genpulse.domain.failure import Charged, Failure, FailureCode
from genpulse.domain.task import Task, TaskStatus
from genpulse.provider import AnyModel, ProviderSettings, TwoPhase
from genpulse.providers.catalog import LoadedCatalogue
from genpulse.testing.oddity import Oddity, Phase
from genpulse.testing.rig import Rig, Terms, rig
from genpulse.testing.situation import Situation
from genpulse.testing.subject import Lacking, Subject

WAIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Check:
    """A check. Await it with a subject: it raises `AssertionError`, or `Lacking`."""

    name: str
    run: Callable[[Subject], Awaitable[None]]

    async def __call__(self, subject: Subject) -> None:
        """Check it."""
        await self.run(subject)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a task, its outputs, and how often the vendor was asked for it, and to stop it."""

    what: Situation | Oddity
    task: Task
    contents: tuple[bytes, ...]
    submits: int
    stops: int

    @property
    def failure(self) -> Failure:
        """Why it failed. Raises `AssertionError` when it did not."""
        return failure_of(self.task)

    def __str__(self) -> str:
        """Short, for messages."""
        return f"it ended as {self.task.status.value} ({why(self.task)}) after {self.submits} submits"


Judge = Callable[[Outcome], None]


def need(condition: bool, what: str) -> None:  # noqa: FBT001 - reads as an assertion
    """Raises `AssertionError`."""
    if not condition:
        raise AssertionError(what)


def failure_of(task: Task) -> Failure:
    """Why it failed. Raises `AssertionError` when it did not."""
    if task.status is not TaskStatus.FAILED or task.error is None:
        raise AssertionError(f"it ended as {task.status.value}, and not as failed")
    return task.error


def why(task: Task) -> str:
    """The task's own reason for its end."""
    if task.error is None:
        return "no error"
    return f"{task.error.code.value}, charged: {task.error.charged.value}: {task.error.message}"


def model_of(subject: Subject) -> AnyModel:
    """The model under test."""
    settings = ProviderSettings(subject.key, subject.fake.base_url, subject.options)
    return LoadedCatalogue([subject.build(settings)]).model(subject.model)


def has_jobs(subject: Subject) -> bool:
    """Whether the vendor is asked for a job more than once."""
    return isinstance(model_of(subject).engine, TwoPhase)


def two_phase(subject: Subject) -> "TwoPhase[Any]":
    """The engine under test. Raises `Lacking` where there are no jobs."""
    engine = model_of(subject).engine
    if not isinstance(engine, TwoPhase):
        raise Lacking("the vendor answers at once: there is no job")
    return engine


async def run_one(bench: Rig) -> Task:
    """Run one task from submit to its end."""
    async with bench.worker():
        return await bench.ended(await bench.submit())


async def outcome_of(subject: Subject, what: Situation | Oddity, terms: Terms | None = None) -> Outcome:
    """Run one task in a situation. Raises `Lacking`, and `AssertionError` for mistakes of ours."""
    _prepare(subject, what)
    outcome = await outcome_as_it_is(subject, what, terms)
    if isinstance(what, Oddity):
        met = subject.fake.met > 0
        need(met, f"the fake had no {what.phase}: name its routes in `phases`, or say in `lacks` why")
    return outcome


async def outcome_as_it_is(subject: Subject, what: Situation | Oddity, terms: Terms | None = None) -> Outcome:
    """Run one task with a fake that is in some situation already; `what` is for messages."""
    fake = subject.fake
    submits, stops = fake.submits, fake.asked(Phase.CANCEL)
    async with rig(subject, terms=terms) as bench:
        task = await run_one(bench)
        contents = await bench.content(task)
    need(not bench.mistakes.errors, f"a mistake was logged: {'; '.join(bench.mistakes.errors)}")
    need(task.error is None or task.error.code is not FailureCode.INTERNAL, f"{why(task)}")
    return Outcome(what, task, contents, fake.submits - submits, fake.asked(Phase.CANCEL) - stops)


def _prepare(subject: Subject, what: Situation | Oddity) -> None:
    if isinstance(what, Oddity):
        subject.meet(what)
    else:
        subject.need(what)


def in_each(
    whats: Iterable[Situation | Oddity], judge: Judge, terms: Terms | None = None
) -> Callable[[Subject], Awaitable[None]]:
    """A check that runs one task in each of them that there is occasion for, and names all that do not hold."""
    whats = tuple(whats)

    async def run(subject: Subject) -> None:
        wrong, lacking = [], []
        for what in whats:
            try:
                judge(await outcome_of(subject, what, terms))
            except Lacking as reason:
                lacking.append(reason)
            except AssertionError as error:
                wrong.append(f"{what}: {error}")
        if len(lacking) == len(whats):
            raise lacking[0]
        need(not wrong, "\n".join(wrong))

    return run


def succeeds(outcome: Outcome) -> None:
    """Check that a task succeeded by its first submit."""
    need(outcome.task.status is TaskStatus.SUCCEEDED, str(outcome))
    need(outcome.submits == 1, str(outcome))


def is_ordered_once(outcome: Outcome) -> None:
    """Check that a lost order is not made again, whether the task succeeded or its outcome is unknown."""
    need(outcome.submits == 1, str(outcome))
    if outcome.task.status is TaskStatus.SUCCEEDED:
        return
    known = {FailureCode.UNKNOWN_OUTCOME, FailureCode.OUTPUT_UNAVAILABLE}
    need(outcome.failure.code in known, str(outcome))
    need(outcome.failure.charged is not Charged.NO, str(outcome))
    if outcome.failure.code is FailureCode.UNKNOWN_OUTCOME:
        need(outcome.failure.charged is Charged.MAYBE, str(outcome))


def is_paid_for_nothing(outcome: Outcome) -> None:
    """The output cannot be had, and is paid for."""
    need(outcome.failure.code is FailureCode.OUTPUT_UNAVAILABLE, str(outcome))
    need(outcome.failure.charged is Charged.YES, str(outcome))
    need(outcome.submits == 1, str(outcome))


async def until(holds: Callable[[], bool], otherwise: str) -> None:
    """Raises `AssertionError` when it does not come to hold."""

    async def ask() -> bool:
        return holds()

    await until_async(ask, otherwise)


async def until_async(holds: Callable[[], Awaitable[bool]], otherwise: str) -> None:
    """Raises `AssertionError` when it does not come to hold."""
    try:
        async with asyncio.timeout(WAIT_S):
            while not await holds():  # noqa: ASYNC110 - the fake has nothing to wait for
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(otherwise) from None


async def has_job(bench: Rig, task: Task) -> bool:
    """Whether the job's id was kept."""
    attempts = await bench.services.store.attempts(task.id)
    return bool(attempts) and attempts[-1].job_id is not None
