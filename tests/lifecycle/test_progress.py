"""How far an attempt has come, as its task shows it while its engine says nothing more."""

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest

from genpulse.domain.errors import DatabaseUnavailable, TaskCanceled
from genpulse.lifecycle.attempt.attempt_run import AttemptRun
from genpulse.lifecycle.attempt.progress import SAVED_EVERY_S
from genpulse.lifecycle.attempt.run import run_attempt
from genpulse.lifecycle.watch import watch


class CountedSaves:
    """A store that counts how often progress is saved, and is away for the first so many."""

    def __init__(self, store: Any, away: int = 0) -> None:
        self._store = store
        self._away = away
        self.saved: list[float] = []
        self.refused = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def save_progress(self, lease: Any, progress: float, seq: int) -> None:
        if self.refused < self._away:
            self.refused += 1
            raise DatabaseUnavailable("away")
        self.saved.append(progress)
        await self._store.save_progress(lease, progress, seq)


def counted(world, away=0):
    store = CountedSaves(world.services.store, away)
    world.services = replace(world.services, store=store)
    return store


async def progress_of(world, task):
    return (await world.services.store.get(task.id)).progress


async def shown(world, task, progress, timeout_s=10.0):
    """Wait until the row says so."""
    async with asyncio.timeout(timeout_s):
        while await progress_of(world, task) != progress:
            await asyncio.sleep(0.02)


async def test_what_is_said_once_at_the_beginning_is_in_the_row_soon(world):
    task = await world.submit("art/painter")
    async with world.run(await world.begun()) as run:
        run.report(0.5, "goes on")
        await shown(world, task, 0.5)
        await run.report.close()


async def test_whoever_looks_after_the_only_word_learns_of_it(world):
    """Its event is gone by then."""
    task = await world.submit("art/painter")
    async with world.run(await world.begun()) as run:
        run.report(0.5, "goes on")
        await asyncio.sleep(0.1)
        stream = watch(world.services, task.id)
        async with asyncio.timeout(20):
            async for update in stream:
                if update is not None and update.task is not None and update.task.progress == 0.5:
                    break
        await stream.aclose()
        await run.report.close()


async def test_the_last_word_before_a_silence_is_the_one_that_stays(world):
    store = counted(world)
    task = await world.submit("art/painter")
    async with world.run(await world.begun()) as run:
        began_at = time.monotonic()
        for number in range(1, 26):
            run.report(number / 100)
            await asyncio.sleep(0.06)
        await shown(world, task, 0.25)
        lasted_s = time.monotonic() - began_at
        await run.report.close()
    assert len(store.saved) <= lasted_s / SAVED_EVERY_S + 1, store.saved


async def test_a_word_that_could_not_be_kept_is_kept_later(world):
    store = counted(world, away=2)
    task = await world.submit("art/painter")
    async with world.run(await world.begun()) as run:
        run.report(0.5)
        await shown(world, task, 0.5, timeout_s=20)
        await run.report.close()
    assert (store.saved, store.refused) == ([0.5], 2)


async def test_nothing_is_told_of_a_run_that_is_over(world):
    store = counted(world)
    task = await world.submit("art/painter")
    async with world.run(await world.begun()) as run:
        run.report(0.5)
        await asyncio.sleep(0.1)
        await run.report.close()
        kept = list(store.saved)
        async with world.services.events.subscribe(task.id) as events:
            with pytest.raises(TaskCanceled):
                run.report(0.6)
            run.report.tell(0.7)
            assert await events.next(1.5) is None
    assert store.saved == kept


async def test_a_run_whose_lease_is_lost_tells_nothing_more(world, until):
    world.studio.finished = False
    task = await world.submit("art/studio")
    run = AttemptRun(world.services, await world.begun("art"))
    running = asyncio.create_task(run_attempt(run))
    await until(lambda: world.studio.submits == 1)
    run.abandon()
    await asyncio.wait({running})
    async with world.services.events.subscribe(task.id) as events:
        run.report.tell(0.7)
        assert await events.next(1.5) is None
