"""What is taken from the queue, and what waits in it."""

import asyncio
import time
from dataclasses import dataclass, field, replace

import pytest
import uuid_utils.compat

from genpulse.adapters.memory.provider_gate import MemoryGate
from genpulse.domain.attempt import Worker
from genpulse.domain.errors import AuthenticationFailed, DatabaseUnavailable, ProviderUnavailable, RateLimited
from genpulse.domain.failure import FailureCode
from genpulse.domain.provider_account.gate import Admission, CircuitPolicy, CircuitState, Limits
from genpulse.domain.provider_account.rate import Rate
from genpulse.domain.task import Priority, TaskStatus
from genpulse.lifecycle.cancel import cancel
from genpulse.lifecycle.claim import claim_within_limits
from genpulse.lifecycle.submission.submit import Order, submit
from genpulse.providers.catalog import LoadedCatalogue
from genpulse.worker.claiming import Claimer
from tests.lifecycle.conftest import QUICK, Model, Painter, Provider, Words


def with_two_providers(world, **changes):
    """The providers `near` and `far`, each with a painter; only `far` has an account."""
    painters = {name: Painter() for name in ("near", "far")}
    providers = [
        Provider(name, (Model("painter", ("text-to-image",), Words, painter),))
        for name, painter in painters.items()
    ]
    gate = MemoryGate(["far"], **changes)
    world.services = replace(world.services, catalogue=LoadedCatalogue(providers), gate=gate)
    return painters


async def submit_many(world, provider, count, **changes):
    order = Order(f"{provider}/painter", {"prompt": "x"}, **changes)
    return [(await submit(world.services, order)).task for _ in range(count)]


async def known(world):
    worker = Worker(world.services.new_id(), "w", QUICK.lease_s)
    await world.services.store.renew(worker, world.services.now())
    return worker


def new_ids(count):
    return [uuid_utils.compat.uuid7() for _ in range(count)]


async def test_a_provider_at_its_rate_delays_no_other(world):
    with_two_providers(world, limits={"far": Limits(rate=Rate.parse("1/min"))})
    await submit_many(world, "far", 500)
    near = await submit_many(world, "near", 5)
    async with world.worker():
        for task in near:
            assert (await world.ended(task)).status is TaskStatus.SUCCEEDED
    assert await world.services.store.counts() == {"queued": 499, "running": 0}


async def test_a_rate_is_used_and_not_exceeded(world):
    painters = with_two_providers(world, limits={"far": Limits(rate=Rate.parse("20/s"))})
    tasks = await submit_many(world, "far", 15)
    began = time.monotonic()
    async with world.worker():
        for task in tasks:
            await world.ended(task)
    assert painters["far"].runs == 15
    assert time.monotonic() - began >= 13 / 20 * 0.95


async def test_of_those_that_wait_for_a_rate_the_higher_priority_goes_first(world):
    with_two_providers(world, limits={"far": Limits(rate=Rate.parse("1/s"))})
    await submit_many(world, "far", 10)
    async with world.worker():
        (high,) = await submit_many(world, "far", 1, priority=Priority.HIGH)
        await world.ended(high)
        assert (await world.services.store.counts())["queued"] >= 6


async def test_no_provider_takes_all_the_room(world):
    with_two_providers(world)
    for provider in ("far", "near"):
        await submit_many(world, provider, 50)
    result = await claim_within_limits(world.services, await known(world), ("far", "near"), 10, new_ids)
    assert sorted(begun.task.provider for begun in result.claims) == ["far"] * 5 + ["near"] * 5
    assert result.more


async def test_what_was_admitted_and_is_not_there_is_given_back(world):
    with_two_providers(world, limits={"far": Limits(rate=Rate.parse("1000/s"))})
    await submit_many(world, "far", 3)
    result = await claim_within_limits(world.services, await known(world), ("far",), 50, new_ids)
    assert len(result.claims) == 3
    assert all(begun.admitted for begun in result.claims)
    assert (await world.services.gate.admit("far", 100)).granted >= 90


async def test_an_outage_opens_the_circuit_and_waiting_tasks_survive_it(world):
    world.shop.errors = [ProviderUnavailable("503") for _ in range(6)]
    tasks = [await world.submit("art/shop", kind="text-to-image") for _ in range(20)]
    async with world.worker(replace(QUICK, concurrency=2, batch=2)):
        async with asyncio.timeout(60):
            while (await world.services.gate.circuit("art")).state is CircuitState.CLOSED:
                await asyncio.sleep(0.002)
        for task in tasks:
            assert (await world.ended(task)).status is TaskStatus.SUCCEEDED
    assert (await world.services.gate.circuit("art")).state is CircuitState.CLOSED
    assert world.shop.sold == 26


async def test_a_refused_key_does_not_use_up_the_whole_queue(world, until):
    policy = CircuitPolicy(failures=2, first_s=60)
    world.services = replace(world.services, gate=MemoryGate(["art"], policy=policy))
    world.shop.errors = [AuthenticationFailed("401") for _ in range(50)]
    for _ in range(50):
        await world.submit("art/shop", kind="text-to-image")
    async with world.worker(replace(QUICK, concurrency=2, batch=2)):
        await until(lambda: world.shop.sold >= 2)
        await asyncio.sleep(0.1)
    assert world.shop.sold <= 4
    assert (await world.services.store.counts())["queued"] >= 46


async def test_a_provider_that_asks_to_slow_down_is_not_asked_for_so_long(world, until):
    world.shop.errors = [RateLimited("429", retry_after_s=1.0)]
    first = await world.submit("art/shop", kind="text-to-image")
    async with world.worker():
        await until(lambda: world.shop.sold >= 1)
        while not any(attempt.finished_at for attempt in await world.services.store.attempts(first.id)):
            await asyncio.sleep(0.01)  # the gate is told before an attempt ends
        ended = await world.ended(await world.submit("art/shop", kind="text-to-image"))
    assert ended.status is TaskStatus.SUCCEEDED
    assert world.shop.asked_at[1] - world.shop.asked_at[0] >= 0.5


async def test_work_that_was_given_back_is_resumed_whatever_the_rate(world, until):
    world.services = replace(world.services, gate=MemoryGate(limits={"art": Limits(rate=Rate.parse("1/h"))}))
    world.studio.finished = False
    task = await world.submit("art/studio")
    async with world.worker():
        await until(lambda: world.studio.submits == 1)
    assert (await world.services.store.get(task.id)).status is TaskStatus.QUEUED
    world.studio.finished = True
    async with world.worker():
        assert (await world.ended(task)).status is TaskStatus.SUCCEEDED
    assert world.studio.submits == 1


@dataclass
class Away:
    """Where a worker is held while it claims, until it learns that PostgreSQL is away."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    answers: asyncio.Event = field(default_factory=asyncio.Event)


class HeldGate(MemoryGate):
    """Lets nothing through."""

    def __init__(self, away: Away) -> None:
        super().__init__(["art"])
        self.away = away

    async def admit(self, provider: str, wanted: int) -> Admission:
        self.away.asked.set()
        await self.away.answers.wait()
        raise DatabaseUnavailable("away")


async def test_a_claim_that_fails_while_its_worker_stops_is_told_in_one_line(world, caplog):
    away = Away()
    world.services = replace(world.services, gate=HeldGate(away))
    await world.submit("art/painter")
    async with world.worker() as stop:
        await away.asked.wait()
        stop.set()
        await asyncio.sleep(0.1)
        away.answers.set()
    assert "never retrieved" not in caplog.text
    assert "the last claim before the stop was not answered: away" in caplog.text


async def test_a_worker_that_stops_between_two_claims_leaves_nothing_that_it_has_claimed(world, until):
    tasks = [await world.submit("art/painter") for _ in range(40)]
    async with world.worker(replace(QUICK, batch=3)) as stop:
        await until(lambda: world.painter.runs > 0)
        stop.set()
    ended = {(await world.services.store.get(task.id)).status for task in tasks}
    assert ended <= {TaskStatus.QUEUED, TaskStatus.SUCCEEDED}


async def test_a_worker_that_claims_one_after_the_other_claims_no_more_than_it_has_room_for(world, until):
    world.painter.hold = asyncio.Event()
    tasks = [await world.submit("art/painter") for _ in range(12)]
    async with world.worker(replace(QUICK, concurrency=4, batch=3)):
        await until(lambda: world.painter.runs == 4)
        await asyncio.sleep(2 * QUICK.look_again_s)
        statuses = [(await world.services.store.get(task.id)).status for task in tasks]
        assert statuses.count(TaskStatus.RUNNING) == world.painter.runs == 4
        world.painter.hold.set()
        for task in tasks:
            await world.ended(task)


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_those_who_claim_beside_each_other_take_no_room_twice(world, concurrency):
    painters = with_two_providers(world)
    for painter in painters.values():
        painter.lasts_s = 0.01
    tasks = await submit_many(world, "near", 40) + await submit_many(world, "far", 4)
    async with world.worker(replace(QUICK, concurrency=concurrency, look_again_s=3600.0, lease_s=60.0)):
        for task in tasks:
            assert (await world.ended(task)).status is TaskStatus.SUCCEEDED


async def test_what_is_claimed_in_the_moment_in_which_a_claim_is_given_up_runs(world, until):
    await submit_many(world, "art", 4)
    worker = Worker(world.services.new_id(), "w", 60.0)
    await world.services.store.renew(worker, world.services.now())
    claimer = Claimer(world.services, replace(QUICK, batch=2), worker, world.services.loops)
    asked = claimer._ask(claim_within_limits, ("art",), 2)
    claim = asyncio.ensure_future(claimer._claim_and_start(claim_within_limits, ("art",), asked))
    asked.add_done_callback(lambda _: claim.cancel())
    with pytest.raises(asyncio.CancelledError):
        await claim
    await until(lambda: not len(claimer.running))
    assert world.painter.runs == 2


async def half_open(world):
    """The account is to be tried again by one task."""
    for _ in range(4):
        await world.gate.failed("art", ProviderUnavailable("503").failure)
    circuit = await world.gate.circuit("art")
    await asyncio.sleep(circuit.wait_s + 0.01)
    assert (await world.gate.circuit("art")).state is CircuitState.HALF_OPEN


async def test_a_probe_that_is_work_done_here_ends_and_says_nothing_of_the_account(world):
    await half_open(world)
    async with world.worker():
        await world.ended(await world.submit("art/painter"))
    assert (await world.gate.circuit("art")).state is CircuitState.HALF_OPEN
    assert (await world.gate.admit("art", 1)).granted == 1


async def test_a_probe_that_fails_here_says_nothing_of_the_account(world):
    world.painter.errors = [AuthenticationFailed("not here")]
    await half_open(world)
    async with world.worker():
        await world.ended(await world.submit("art/painter"))
    assert (await world.gate.circuit("art")).failures == 4
    assert (await world.gate.admit("art", 1)).granted == 1


async def test_a_probe_that_nobody_wants_any_more_ends(world, until):
    world.studio.submit_errors, world.studio.forgets = [TimeoutError()], True
    await half_open(world)
    async with world.worker():
        task = await world.submit("art/studio")
        await until(lambda: world.studio.submits == 1)
        await cancel(world.services, task.id)
        assert (await world.ended(task)).status is TaskStatus.CANCELED
    assert (await world.gate.admit("art", 1)).granted == 1


async def test_orders_that_lost_workers_have_left_say_nothing_of_the_account(world):
    tasks = [await world.submit("art/shop", kind="text-to-image") for _ in range(5)]
    for _ in tasks:
        begun = await world.begun()
        await world.services.store.journal_order(begun.lease)
    async with world.worker():
        for task in tasks:
            assert (await world.ended(task)).error.code is FailureCode.UNKNOWN_OUTCOME
    circuit = await world.gate.circuit("art")
    assert (circuit.state, circuit.failures) == (CircuitState.CLOSED, 0)
