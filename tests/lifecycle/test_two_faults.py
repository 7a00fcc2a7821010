"""Two faults at once, on a real database: nothing is ordered twice, and nobody waits for ever."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace

import pytest

from genpulse.adapters.database.queue.task_queue import PostgresTaskQueue
from genpulse.adapters.database.removal.deletion import PostgresDeletions
from genpulse.adapters.database.removal.retention import PostgresRetention
from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.adapters.database.webhooks.deliveries import PostgresDeliveries
from genpulse.adapters.postgresql.connections import open_pool
from genpulse.background.loops import Loops
from genpulse.domain.attempt import AttemptStatus
from genpulse.domain.failure import FailureCode
from genpulse.domain.task import TaskStatus
from genpulse.lifecycle.attempt.attempt_run import AttemptRun
from genpulse.lifecycle.attempt.run import run_attempt
from genpulse.lifecycle.cancel import cancel
from genpulse.provider import (
    Call,
    Immediate,
    Job,
    Model,
    Output,
    PollInterval,
    Progress,
    Provider,
    Result,
    Submission,
    TwoPhase,
)
from genpulse.providers.catalog import LoadedCatalogue
from genpulse.worker.process import run_until
from tests.lifecycle.conftest import MEDIUM, QUICK, Words

pytestmark = pytest.mark.parametrize("rows", ["postgresql"], indirect=True)
MANY = 30


@dataclass
class Vendor(TwoPhase[Words]):
    """Takes paid jobs, and cannot be asked about those whose names nobody knows."""

    poll_interval = PollInterval(0.05, 1.0, 0.05)
    orders: Counter = field(default_factory=Counter)
    polls: Counter = field(default_factory=Counter)
    done: bool = False

    async def submit(self, call: Call[Words]) -> Submission:
        self.orders[call.task_id] += 1
        return Submission(f"job-{call.task_id}-{self.orders[call.task_id]}")

    async def poll(self, job: Job[Words]) -> Progress:
        self.polls[job.id] += 1
        return Progress(0.5, done=self.done)

    async def collect(self, job: Job[Words]) -> Result:
        return Result((Output(MEDIUM + job.id.encode()),))


@dataclass
class Till(Immediate[Words]):
    """Sells over the counter, when it may."""

    hold: asyncio.Event = field(default_factory=asyncio.Event)
    asked: int = 0

    async def generate(self, call: Call[Words]) -> Result:
        self.asked += 1
        await self.hold.wait()
        return Result((Output(MEDIUM + b"sold"),))


@pytest.fixture
async def shops(world):
    """A vendor of jobs and a counter, in place of the world's own engines."""
    vendor, counter = Vendor(), Till()
    models = (
        Model("jobs", ("text-to-image",), Words, vendor),
        Model("counter", ("text-to-image",), Words, counter),
    )
    world.services = replace(world.services, catalogue=LoadedCatalogue([Provider("art", models, paid=True)]))
    return vendor, counter


@pytest.fixture
async def other(world, migrated_url):
    """The same services over connections of their own, as another process has them."""
    pool = await open_pool(migrated_url, size=6, application_name="other", environment="dev")
    store, queue = PostgresTaskStore(pool), PostgresTaskQueue(pool, migrated_url, environment="dev")

    def services():
        return replace(
            world.services,
            store=store,
            queue=queue,
            deliveries=PostgresDeliveries(pool, "dev"),
            retention=PostgresRetention(pool),
            deletions=PostgresDeletions(pool, "dev"),
        )

    yield services
    await queue.close()
    await store.close()
    await pool.close()


async def killed(worker: asyncio.Task) -> None:
    """As by SIGKILL: nothing is given back."""
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)


def begins(services) -> asyncio.Task:
    return asyncio.create_task(run_until(asyncio.Event(), services, QUICK))


async def all_ended(world, tasks):
    return [await world.ended(task, 30) for task in tasks]


async def test_a_worker_that_is_lost_while_it_takes_over_forgets_no_job(world, shops, other, until):
    vendor, _ = shops
    first = begins(world.services)
    tasks = [await world.submit("art/jobs") for _ in range(MANY)]
    await until(lambda: len(vendor.polls) == MANY)
    await killed(first)
    for _ in range(2):
        before = await taken_over(world)
        second = begins(other())
        while await taken_over(world) == before:
            await asyncio.sleep(0.005)
        await killed(second)
    vendor.done = True
    async with world.worker():
        ended = await all_ended(world, tasks)
    assert set(vendor.orders.values()) == {1}
    assert {task.status for task in ended} <= {TaskStatus.SUCCEEDED, TaskStatus.FAILED}
    assert {task.error.code for task in ended if task.error} <= {FailureCode.WORKER_LOST}


async def taken_over(world) -> int:
    return await world.services.store._pool.fetchval("SELECT count(*) FROM attempts WHERE number > 1")


async def test_orderly_stops_alone_never_order_again(world, shops, until):
    vendor, _ = shops
    tasks = []
    for number in range(8):
        async with world.worker(replace(QUICK, grace_s=0, stop_s=5)):
            if not number:
                tasks = [await world.submit("art/jobs") for _ in range(MANY)]
                await until(lambda: len(vendor.orders) == MANY)
            await asyncio.sleep(0.03 * number)
    vendor.done = True
    async with world.worker():
        ended = await all_ended(world, tasks)
    assert set(vendor.orders.values()) == {1}
    assert {task.status for task in ended} == {TaskStatus.SUCCEEDED}


async def test_what_was_claimed_by_a_statement_whose_answer_was_lost_begins_all_the_same(world, shops, until):
    vendor, _ = shops
    vendor.done = True

    class Deaf:
        """Hears no answer to its first claim."""

        def __init__(self, store):
            self._store = store
            self.lost = 0

        def __getattr__(self, name):
            return getattr(self._store, name)

        async def claim(self, *arguments, **options):
            begun = await self._store.claim(*arguments, **options)
            if begun and not self.lost:
                self.lost = len(begun)
                raise ConnectionResetError("the answer got lost")
            return begun

    deaf = Deaf(world.services.store)
    services = replace(world.services, store=deaf)
    task = await world.submit("art/jobs")
    worker = begins(services)
    ended = await world.ended(task)
    assert (ended.status, ended.attempt, deaf.lost) == (TaskStatus.SUCCEEDED, 1, 1)
    await killed(worker)
    assert sum(world.services.loops.failures.values()) == 1
    world.services = replace(world.services, loops=Loops())


async def test_a_worker_that_comes_back_lets_go_of_what_it_has_lost(world, shops, other, until):
    """It was frozen for longer than its lease: another one has the job now."""
    vendor, _ = shops
    frozen = await world_begun(world)
    run = asyncio.create_task(run_attempt(AttemptRun(world.services, frozen)))
    await until(lambda: bool(vendor.polls))
    second = begins(other())
    async with asyncio.timeout(60):
        while (await world.services.store.get(frozen.task.id)).attempt == 1:
            await asyncio.sleep(0.02)
    vendor.done = True
    await asyncio.wait_for(run, 60)
    ended = await world.ended(frozen.task)
    attempts = await world.services.store.attempts(ended.id)
    assert [attempt.status for attempt in attempts] == [AttemptStatus.ABANDONED, AttemptStatus.SUCCEEDED]
    assert vendor.orders[ended.id] == 1
    assert len(ended.outputs) == 1
    await killed(second)


async def world_begun(world):
    await world.submit("art/jobs")
    return await world.begun()


async def test_a_worker_stops_what_another_one_has_taken_over(world, shops, other, until):
    vendor, _ = shops
    stalled = StalledRenewals(world.services.store)
    first = begins(replace(world.services, store=stalled))
    task = await world.submit("art/jobs")
    await until(lambda: bool(vendor.polls))
    stalled.stall = True
    second = begins(other())
    async with asyncio.timeout(60):
        while (await world.services.store.get(task.id)).attempt == 1:
            await asyncio.sleep(0.02)
    stalled.stall = False
    await asyncio.sleep(QUICK.lease_s)
    (held,) = await world.services.store._pool.fetch("SELECT worker, lease FROM queue")
    assert await world.services.store._pool.fetchval("SELECT lease FROM tasks") == held["lease"]
    assert not [run for run in asyncio.all_tasks() if "RunningAttempts._run" in repr(run.get_coro())][1:]
    await killed(second)
    async with world.worker():
        vendor.done = True
        assert (await world.ended(task, 30)).status is TaskStatus.SUCCEEDED
    await killed(first)
    assert vendor.orders[task.id] == 1


class StalledRenewals:
    """A store that is not heard while it stalls."""

    def __init__(self, store):
        self._store = store
        self.stall = False

    def __getattr__(self, name):
        return getattr(self._store, name)

    async def renew(self, *arguments):
        while self.stall:
            await asyncio.sleep(0.02)
        return await self._store.renew(*arguments)


async def test_a_worker_that_starts_after_an_outage_takes_nothing_from_those_that_live(world, shops, other, until):
    """Nobody could renew anything for three leases; then a new worker is the first one that can."""
    _, counter = shops
    stalled = StalledRenewals(world.services.store)
    first = begins(replace(world.services, store=stalled))
    tasks = [await world.submit("art/counter") for _ in range(MANY)]
    await until(lambda: counter.asked == MANY)
    stalled.stall = True
    await asyncio.sleep(3 * QUICK.lease_s)
    second = begins(other())
    await asyncio.sleep(QUICK.lease_s * 0.6)
    stalled.stall = False
    await asyncio.sleep(QUICK.lease_s * 2)
    counter.hold.set()
    ended = await all_ended(world, tasks)
    assert {(task.status, task.attempt) for task in ended} == {(TaskStatus.SUCCEEDED, 1)}
    assert counter.asked == MANY
    await killed(first)
    await killed(second)


async def test_an_order_that_is_canceled_while_its_worker_is_lost_is_stopped_by_the_next_one(
    world, shops, other, until
):
    vendor, _ = shops
    stopped = []

    async def stop(job):
        stopped.append(job.id)

    vendor.can_cancel, vendor.cancel = True, stop
    first = begins(world.services)
    task = await world.submit("art/jobs")
    await until(lambda: bool(vendor.polls))
    await killed(first)
    assert (await cancel(world.services, task.id)).cancel_requested
    second = begins(other())
    ended = await world.ended(task)
    assert (ended.status, ended.order) == (TaskStatus.CANCELED, None)
    assert stopped == [f"job-{task.id}-1"]
    await killed(second)
