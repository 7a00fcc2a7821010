"""However many jobs end in the same moment, so many results are in hand at once."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from genpulse.background.turns import Turns
from genpulse.domain.errors import ProviderUnavailable, StorageUnavailable
from genpulse.domain.provider_account.bounds import Bounds
from genpulse.domain.task import TaskStatus
from genpulse.lifecycle.cancel import cancel
from genpulse.provider import Job, Model, Output, Provider, Result
from genpulse.providers.catalog import LoadedCatalogue
from tests.lifecycle.conftest import MEDIUM, Studio, Words
from tests.lifecycle.test_outages import MoodyStorage
from tests.lifecycle.test_promises import LOST, Wire, behind

MOST = 2
KIND = "text-to-video"
AWAY = StorageUnavailable("away")


@dataclass
class Slow(Studio):
    """Holds every result back until it may go, and counts those that are fetched at once."""

    may_go: asyncio.Event = field(default_factory=asyncio.Event)
    at_once: int = 0
    most_at_once: int = 0
    collect_errors: int = 0
    refused_once: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)

    async def collect(self, job: Job[Words]) -> Result:
        self.seen.add(job.id)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.may_go.wait()
            if self.collect_errors or job.id in self.refused_once:
                self.collect_errors = max(self.collect_errors - 1, 0)
                self.refused_once.discard(job.id)
                raise ProviderUnavailable("not now")
        finally:
            self.at_once -= 1
        return Result((Output(MEDIUM + job.id.encode()),))


class SlowStorage(MoodyStorage):
    """Keeps nothing before it may, and is away as often as `errors` says."""

    def __init__(self, spool_dir):
        super().__init__(spool_dir, [])
        self.may_keep = asyncio.Event()
        self.tries = 0
        self.at_once = 0
        self.most_at_once = 0

    async def keep(self, content, **options):
        self.tries += 1
        if self.errors:
            return await super().keep(content, **options)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.may_keep.wait()
            return await super().keep(content, **options)
        finally:
            self.at_once -= 1


@asynccontextmanager
async def working(world, bounds=None):
    """A worker that has two results of a provider in hand at once; yields the vendors `art` and `song`."""
    art, song = Slow(), Slow()
    providers = [
        Provider(name, (Model("studio", (KIND,), Words, vendor),))
        for name, vendor in (("art", art), ("song", song))
    ]
    world.services = replace(
        world.services,
        catalogue=LoadedCatalogue(providers),
        collecting=Turns(MOST),
        bounds=bounds or Bounds(),
    )
    async with world.worker():
        yield art, song


async def ordered(world, until, vendor, count, model="art/studio"):
    """So many jobs, which have all been ordered."""
    tasks = [await world.submit(model, kind=KIND) for _ in range(count)]
    await until(lambda: vendor.submits >= count and vendor.at_once == MOST)
    return tasks


async def test_each_result_comes_in_its_turn(world, until):
    async with working(world) as (art, _):
        tasks = await ordered(world, until, art, 12)
        art.may_go.set()
        ended = [await world.ended(task) for task in tasks]
    assert {task.status for task in ended} == {TaskStatus.SUCCEEDED}
    assert art.most_at_once == MOST
    assert len({await world.content(task.outputs[0]) for task in ended}) == 12


async def test_a_vendor_whose_results_hang_holds_up_no_other(world, until):
    async with working(world) as (art, song):
        tasks = await ordered(world, until, art, 4)
        song.may_go.set()
        ended = await world.ended(await world.submit("song/studio", kind=KIND))
        assert ended.status is TaskStatus.SUCCEEDED
        art.may_go.set()
        assert [(await world.ended(task)).status for task in tasks] == [TaskStatus.SUCCEEDED] * 4


async def test_who_waits_for_a_turn_may_be_canceled_and_takes_none(world, until):
    async with working(world) as (art, _):
        tasks = await ordered(world, until, art, 6)
        for task in tasks:
            await cancel(world.services, task.id)
        for task in tasks:
            assert (await world.ended(task)).status is TaskStatus.CANCELED
        art.may_go.set()
        ended = await world.ended(await world.submit("art/studio", kind=KIND))
        assert ended.status is TaskStatus.SUCCEEDED
    assert art.most_at_once == MOST


@pytest.mark.parametrize("errors", [1, 5])
async def test_a_result_that_does_not_come_lets_the_next_one_have_its_turn(world, until, errors):
    async with working(world) as (art, _):
        art.collect_errors = errors
        tasks = await ordered(world, until, art, 5)
        art.may_go.set()
        assert [(await world.ended(task)).status for task in tasks] == [TaskStatus.SUCCEEDED] * 5
    assert art.most_at_once == MOST


@pytest.fixture
async def storage(world, tmp_path):
    storage = SlowStorage(tmp_path)
    world.services = replace(world.services, storage=storage)
    yield storage
    await storage.close()


async def test_what_is_not_stored_yet_is_in_hand(world, until, storage):
    async with working(world) as (art, _):
        art.may_go.set()
        tasks = [await world.submit("art/studio", kind=KIND) for _ in range(6)]
        await until(lambda: storage.tries == MOST)
        await asyncio.sleep(0.2)
        assert (len(art.seen), storage.tries) == (MOST, MOST)
        storage.may_keep.set()
        assert [(await world.ended(task)).status for task in tasks] == [TaskStatus.SUCCEEDED] * 6


async def test_while_the_storage_is_away_all_results_are_fetched(world, until, storage):
    """Vendors remove them after a while."""
    storage.errors = [AWAY] * 10_000
    storage.may_keep.set()
    async with working(world) as (art, _):
        art.may_go.set()
        tasks = [await world.submit("art/studio", kind=KIND) for _ in range(6)]
        await until(lambda: len(art.seen) == 6)
        storage.errors.clear()
        assert [(await world.ended(task)).status for task in tasks] == [TaskStatus.SUCCEEDED] * 6


async def test_after_a_hiccup_of_the_storage_results_are_stored_in_turn(world, until, storage):
    storage.errors = [AWAY] * 6
    async with working(world) as (art, _):
        art.may_go.set()
        tasks = [await world.submit("art/studio", kind=KIND) for _ in range(6)]
        await until(lambda: storage.tries >= 6 + MOST)
        await asyncio.sleep(0.5)
        assert storage.at_once == MOST
        storage.may_keep.set()
        assert [(await world.ended(task)).status for task in tasks] == [TaskStatus.SUCCEEDED] * 6
    assert storage.most_at_once == MOST


async def test_while_no_end_can_be_saved_all_results_are_fetched(world, until):
    wire = behind(world, Wire(world.services.store, "finish", LOST, done=False, times=10_000))
    async with working(world) as (art, _):
        art.may_go.set()
        tasks = [await world.submit("art/studio", kind=KIND) for _ in range(6)]
        await until(lambda: len(art.seen) == 6)
        wire.left = 0
        assert [(await world.ended(task)).status for task in tasks] == [TaskStatus.SUCCEEDED] * 6


@pytest.mark.slow
async def test_to_wait_for_a_turn_is_no_patience(world, until):
    """A job that has waited for longer than it may take at all is asked for its result once more."""
    longest_s = 10.0
    async with working(world, Bounds(unusable_s=5.0)) as (art, _):
        art.longest_s = longest_s
        tasks = await ordered(world, until, art, 3)
        await asyncio.sleep(longest_s + 1.0)
        art.refused_once = set(art.jobs.values()) - art.seen
        art.may_go.set()
        assert [(await world.ended(task)).status for task in tasks] == [TaskStatus.SUCCEEDED] * 3
