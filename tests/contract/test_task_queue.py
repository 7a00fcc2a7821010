"""What every task queue does."""

import asyncio
import time

from genpulse.domain.attempt import Claim, Released, RetryLater
from genpulse.domain.errors import ProviderUnavailable
from genpulse.domain.task import Priority
from tests.contract.conftest import LEASE_S, new_task, now

FAILURE = ProviderUnavailable("502").failure


async def test_higher_priorities_come_first_and_equals_in_their_order(backend):
    wanted = [Priority.LOW, Priority.NORMAL, Priority.HIGH, Priority.NORMAL]
    tasks = [new_task(priority=priority) for priority in wanted]
    for task in tasks:
        await backend.store.submit(task)
    claimed = [claim.task_id for claim in await backend.queue.claim(["sandbox"], 10)]
    assert claimed == [tasks[index].id for index in (2, 1, 3, 0)]


async def test_two_workers_never_get_the_same_entry(backend):
    await backend.store.submit_batch([new_task() for _ in range(100)])
    batches = await asyncio.gather(*(backend.queue.claim(["sandbox"], 10) for _ in range(20)))
    tickets = [claim.ticket for batch in batches for claim in batch]
    assert len(tickets) == len(set(tickets)) == 100


async def test_only_the_providers_that_are_asked_for_are_claimed(backend):
    await backend.store.submit(new_task(provider="other"))
    assert await backend.queue.claim(["sandbox"], 10) == ()
    assert len(await backend.queue.claim(["sandbox", "other"], 10)) == 1


async def test_a_claim_that_is_renewed_stays(backend):
    await backend.store.submit(new_task())
    claim = await backend.claim()
    for _ in range(3):
        await asyncio.sleep(LEASE_S * 0.6)
        await backend.queue.renew([claim.ticket])
        assert await backend.queue.claim(["sandbox"], 1) == ()


async def test_a_claim_that_is_not_renewed_is_handed_out_again(backend):
    await backend.store.submit(new_task())
    claim = await backend.claim()
    await asyncio.sleep(LEASE_S * 1.2)
    assert await backend.claim() == claim


async def test_a_limit_of_a_provider_holds_and_delays_no_other(backend):
    await backend.store.submit_batch([new_task(provider="limited") for _ in range(5)])
    await backend.store.submit_batch([new_task() for _ in range(3)])
    claims = await backend.queue.claim(["limited", "sandbox"], 10)
    assert len(claims) == 5
    assert await backend.queue.claim(["limited"], 10) == ()


async def test_waiting_ends_when_work_comes(backend):
    await backend.queue.claim(["sandbox"], 1)
    await backend.queue.wait(1)
    await backend.queue.claim(["sandbox"], 1)
    waiting = asyncio.create_task(backend.queue.wait(10))
    await asyncio.sleep(0.1)
    started = time.monotonic()
    await backend.store.submit(new_task())
    await waiting
    assert time.monotonic() - started < 5


async def test_waiting_ends_with_its_time(backend):
    await backend.queue.wait(0.5)
    await backend.queue.claim(["sandbox"], 1)
    await asyncio.wait_for(backend.queue.wait(0.1), 5)


async def test_settled_entries_are_forgotten(backend):
    await backend.queue.prune(0)
    assert await backend.queue.depth() == 0


async def test_work_that_was_given_back_goes_before_new_work_and_past_limits(backend):
    await backend.store.submit(new_task(provider="limited", priority=Priority.LOW))
    begun = await backend.begin(await backend.claim("limited"))
    await backend.store.submit_batch([new_task(provider="limited", priority=Priority.HIGH) for _ in range(3)])
    await backend.store.finish(begun.lease, Released(), now())
    (resumed,) = await backend.queue.claim_resumed(["limited", "sandbox"], 10)
    assert resumed == Claim(begun.lease.ticket, begun.task.id)
    assert await backend.queue.claim_resumed(["limited", "sandbox"], 10) == ()


async def test_work_that_is_tried_again_is_new_work(backend):
    begun = await backend.begun(priority=Priority.LOW)
    await backend.store.finish(begun.lease, Released(), now())
    (resumed,) = await backend.queue.claim_resumed(["sandbox"], 1)
    again = await backend.begin(resumed)
    await backend.store.finish(again.lease, RetryLater(FAILURE, 0.0), now())
    assert await backend.queue.claim_resumed(["sandbox"], 1) == ()
    later = new_task()
    await backend.store.submit(later)
    assert (await backend.claim()).task_id == later.id


async def test_work_of_a_lost_worker_can_be_resumed(backend):
    await backend.store.submit(new_task())
    claim = await backend.claim()
    assert await backend.queue.claim_resumed(["sandbox"], 1) == ()
    await asyncio.sleep(LEASE_S * 1.2)
    assert await backend.queue.claim_resumed(["sandbox"], 1) == (claim,)


async def test_only_providers_with_something_to_claim_are_due(backend):
    await backend.store.submit(new_task(provider="limited"))
    begun = await backend.begun()
    assert await backend.queue.due(["limited", "sandbox", "other"]) == ("limited",)
    await backend.store.finish(begun.lease, RetryLater(FAILURE, 60.0), now())
    assert await backend.queue.due(["sandbox"]) == ()


async def test_work_that_waits_for_long_is_promoted_step_by_step(backend):
    tasks = [new_task(priority=Priority.LOW), new_task(priority=Priority.HIGH)]
    await backend.store.submit_batch(tasks)
    assert await backend.queue.promote(3600) == 0
    await asyncio.sleep(0.05)
    assert await backend.queue.promote(0.04) == 1
    assert await backend.queue.promote(0.04) == 0
    await asyncio.sleep(0.05)
    assert await backend.queue.promote(0.04) == 1
    await asyncio.sleep(0.05)
    assert await backend.queue.promote(0.04) == 0
    assert [claim.task_id for claim in await backend.queue.claim(["sandbox"], 2)] == [task.id for task in tasks]


async def test_what_a_provider_tells_reaches_those_who_listen(backend):
    task_id = new_task().id
    heard = asyncio.ensure_future(anext(backend.queue.changes()))
    async with asyncio.timeout(5):
        while not heard.done():
            await backend.queue.announce_change(task_id)
            await asyncio.sleep(0.02)
    assert heard.result() == task_id
