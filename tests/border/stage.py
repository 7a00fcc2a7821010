"""Many tasks at once in one installation, each with a vendor of its own; some vendors are odd."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from genpulse.domain.provider_account.bounds import Bounds
from genpulse.domain.task import Task
from genpulse.lifecycle.cancel import cancel
from genpulse.lifecycle.watch import wait
from genpulse.provider import AnyModel, Provider, ProviderSettings, TwoPhase
from genpulse.testing import FakeServer, Subject
from genpulse.testing.rig import Rig, Terms, rig
from tests.border.answers import Case
from tests.conformance.subjects import ADAPTERS

LONGEST_S = 0.8
"""How long the job of an odd vendor may last; those of its neighbours have all the time that they want."""
ENDS_WITHIN_S = 60.0
"""Every bound on the way of a task is below a second; the rest is for a busy machine."""
TERMS = Terms(
    Bounds(missing_s=0.2, refused_s=0.3, unusable_s=0.4, question_wait_s=0.1, order_wait_s=0.1, stop_s=0.5)
)


@dataclass(frozen=True)
class Seen:
    """What came of a case, and what its vendor has seen."""

    case: Case
    task: Task
    fake: FakeServer


@dataclass(frozen=True)
class Played:
    """What came of all, of their well-behaved neighbours, and what was logged as a mistake."""

    seen: tuple[Seen, ...]
    mistakes: tuple[str, ...]


async def play(cases: Sequence[Case]) -> Played:
    """All of them in one worker."""
    async with AsyncExitStack() as stack:
        subjects = [await _subject(case, number, stack) for number, case in enumerate(cases)]
        bench = await stack.enter_async_context(rig(*subjects, terms=TERMS))
        for case, subject in zip(cases, subjects, strict=True):
            subject.fake.meet(*case.oddities, situation=case.situation)
        async with bench.worker():
            ended = await asyncio.gather(*(_through(bench, *pair) for pair in zip(cases, subjects, strict=True)))
        seen = tuple(Seen(*one) for one in zip(cases, ended, [one.fake for one in subjects], strict=True))
        return Played(seen, tuple(bench.mistakes.errors))


async def _subject(case: Case, number: int, stack: AsyncExitStack) -> Subject:
    """The adapter under a name of its own, so that many of the same kind live in one catalogue."""
    adapter = ADAPTERS[case.adapter]
    fake = adapter.fake()
    await stack.enter_async_context(fake.running())
    subject = adapter.subject(fake)
    name = f"vendor{number}"

    def build(settings: ProviderSettings) -> Provider:
        provider = replace(subject.build(settings), name=name)
        return _hurried(provider) if case.is_odd else provider

    return replace(subject, build=build, model=f"{name}/{subject.model.partition('/')[2]}")


def _hurried(provider: Provider) -> Provider:
    """The same, whose jobs have to end soon."""

    def hurried(model: AnyModel) -> AnyModel:
        if isinstance(model.engine, TwoPhase):
            model.engine.longest_s = LONGEST_S  # type: ignore[misc]
        return model

    def find_model(name: str) -> AnyModel | None:
        found = provider.find_model(name) if provider.find_model else None
        return hurried(found) if found else None

    return replace(provider, models=tuple(map(hurried, provider.models)), find_model=find_model)


async def _through(bench: Rig, case: Case, subject: Subject) -> Task:
    task = await bench.submit(subject)
    if case.canceled:
        await _ordered(subject.fake)
        await cancel(bench.services, task.id)
    return await wait(bench.services, task.id, ENDS_WITHIN_S)


async def _ordered(fake: FakeServer) -> None:
    async with asyncio.timeout(60):
        while not fake.orders:
            await asyncio.sleep(0.005)
