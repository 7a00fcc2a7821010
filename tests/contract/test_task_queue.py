"""What every task queue does, with the store beside it."""

import asyncio

import pytest

from genpulse.domain.attempt import Released, RetryLater, Succeeded
from genpulse.domain.errors import ProviderUnavailable
from genpulse.domain.task import Priority
from genpulse.ports import TaskNotification
from tests.contract.conftest import new_ids, new_task, new_worker

FAILURE = ProviderUnavailable("502").failure


async def test_higher_priorities_come_first_and_equals_in_their_order(backend):
    wanted = [Priority.LOW, Priority.NORMAL, Priority.HIGH, Priority.NORMAL]
    tasks = [new_task(priority=priority) for priority in wanted]
    for task in tasks:
        await backend.store.submit(task)
    claimed = [(await backend.claim())[0].task.id for _ in tasks]
    assert claimed == [tasks[index].id for index in (2, 1, 3, 0)]


async def test_two_workers_never_get_the_same_task(backend):
    await backend.store.submit_batch([new_task() for _ in range(100)])
    workers = [await backend.alive(new_worker(str(number))) for number in range(5)]
    claims = [backend.store.claim(worker, "sandbox", new_ids(10)) for worker in workers for _ in range(4)]
    batches = await asyncio.gather(*claims)
    while left := await backend.claim(at_most=100):
        batches.append(left)
    ids = [begun.task.id for batch in batches for begun in batch]
    assert len(ids) == len(set(ids)) == 100


async def test_only_the_provider_that_is_asked_for_is_claimed(backend):
    await backend.store.submit(new_task(provider="other"))
    assert await backend.claim("sandbox") == []
    assert len(await backend.claim("sandbox", "other")) == 1


async def test_a_limit_of_a_provider_holds_and_delays_no_other(backend):
    await backend.store.submit_batch([new_task(provider="limited") for _ in range(5)])
    await backend.store.submit_batch([new_task() for _ in range(3)])
    held = await backend.claim("limited", at_most=10)
    assert len(held) == 2
    assert await backend.queue.due(["limited", "sandbox"]) == ("sandbox",)
    assert await backend.claim("limited", at_most=10) == []
    assert len(await backend.claim("sandbox", at_most=10)) == 3
    await backend.end(held[0].lease, Succeeded(()))
    assert await backend.queue.due(["limited"]) == ("limited",)
    assert len(await backend.claim("limited", at_most=10)) == 1


async def test_workers_that_claim_at_once_keep_to_a_limit(backend):
    await backend.store.submit_batch([new_task(provider="limited") for _ in range(9)])
    workers = [await backend.alive(new_worker(str(number))) for number in range(4)]
    batches = await asyncio.gather(
        *(backend.store.claim(worker, "limited", new_ids(5)) for worker in workers for _ in range(3))
    )
    assert sum(map(len, batches)) == 2


async def test_a_seat_of_a_lost_worker_is_taken_until_its_work_has_ended(backend):
    await backend.store.submit_batch([new_task(provider="limited") for _ in range(3)])
    await backend.claim("limited", at_most=2)
    taken = await backend.taken_over("limited")
    assert len(taken) == 2
    assert await backend.claim("limited", at_most=2) == []
    await backend.end(taken[0].lease, Succeeded(()))
    assert len(await backend.claim("limited", at_most=2)) == 1


async def test_a_freed_seat_wakes_whoever_waits_for_it(backend):
    await backend.store.submit_batch([new_task(provider="limited") for _ in range(3)])
    held = await backend.claim("limited", at_most=2)
    await backend.queue.wait(backend.queue.mark(), ["limited"], 0.5)
    mark = backend.queue.mark()
    waiting = asyncio.create_task(backend.queue.wait(mark, ["limited"], 600))
    await asyncio.sleep(0.1)
    await backend.end(held[0].lease, Succeeded(()))
    await asyncio.wait_for(waiting, 60)


async def new_claims(backend, provider, at_most, seats=None):
    worker = await backend.alive(new_worker("w"))
    return await backend.store.claim(worker, provider, new_ids(at_most), resumed=False, seats=seats)


async def test_a_claim_may_allow_fewer_seats_and_counts_what_was_claimed_before(backend):
    await backend.store.submit_batch([new_task() for _ in range(12)])
    held = await new_claims(backend, "sandbox", 5)
    assert await backend.queue.running("sandbox") == len(held) == 5
    assert await new_claims(backend, "sandbox", 5, seats=4) == ()
    assert len(await new_claims(backend, "sandbox", 5, seats=7)) == 2
    for claim, outcome in zip(held, (Succeeded(()), RetryLater(FAILURE, 600.0), Released()), strict=False):
        await backend.end(claim.lease, outcome)
    assert await backend.queue.running("sandbox") == 4
    assert await new_claims(backend, "sandbox", 5, seats=4) == ()
    resumed = await backend.store.claim_resumed(await backend.alive(new_worker("w")), ["sandbox"], new_ids(5))
    assert (len(resumed), await backend.queue.running("sandbox")) == (1, 5)
    assert len(await new_claims(backend, "sandbox", 3)) == 3, "without seats there are any number"


async def test_no_claim_allows_more_seats_than_there_are(backend):
    await backend.store.submit_batch([new_task(provider="limited") for _ in range(9)])
    assert len(await new_claims(backend, "limited", 5, seats=1)) == 1
    assert len(await new_claims(backend, "limited", 5, seats=9)) == 1
    assert await backend.queue.running("limited") == 2


async def test_workers_that_claim_at_once_keep_to_the_seats_of_their_claims(backend):
    await backend.store.submit_batch([new_task() for _ in range(20)])
    workers = [await backend.alive(new_worker(str(number))) for number in range(4)]
    claims = [backend.store.claim(one, "sandbox", new_ids(5), resumed=False, seats=3) for one in workers * 3]
    assert sum(map(len, await asyncio.gather(*claims))) == 3


async def test_a_lost_worker_holds_its_seats_until_its_work_has_ended(backend):
    await backend.store.submit_batch([new_task() for _ in range(4)])
    await backend.claim(at_most=2, resumed=False)
    taken = await backend.taken_over()
    assert len(taken) == await backend.queue.running("sandbox") == 2
    assert await new_claims(backend, "sandbox", 2, seats=2) == ()
    await backend.end(taken[0].lease, Succeeded(()))
    assert len(await new_claims(backend, "sandbox", 2, seats=2)) == 1


async def test_a_freed_seat_of_a_claim_wakes_whoever_waits_for_it(backend):
    await backend.store.submit_batch([new_task() for _ in range(3)])
    (held,) = await new_claims(backend, "sandbox", 2, seats=1)
    await backend.queue.wait(backend.queue.mark(), ["sandbox"], 0.5)
    mark = backend.queue.mark()
    waiting = asyncio.create_task(backend.queue.wait(mark, ["sandbox"], 600))
    await asyncio.sleep(0.1)
    await backend.end(held.lease, Succeeded(()))
    await asyncio.wait_for(waiting, 60)


async def test_waiting_ends_when_work_comes(backend):
    await backend.queue.wait(backend.queue.mark(), ["sandbox"], 0.5)
    waiting = asyncio.create_task(backend.queue.wait(backend.queue.mark(), ["sandbox"], 600))
    await asyncio.sleep(0.1)
    await backend.store.submit(new_task())
    await asyncio.wait_for(waiting, 60)


async def test_everybody_who_waits_is_woken_and_what_came_meanwhile_is_not_missed(backend):
    await backend.queue.wait(backend.queue.mark(), ["sandbox"], 0.5)
    mark = backend.queue.mark()
    waiting = [asyncio.create_task(backend.queue.wait(mark, ["sandbox"], 600)) for _ in range(3)]
    await asyncio.sleep(0.1)
    await backend.store.submit(new_task())
    await asyncio.wait_for(asyncio.gather(*waiting), 60)
    for _ in range(2):
        await asyncio.wait_for(backend.queue.wait(mark, ["sandbox"], 600), 60)


async def test_waiting_ends_with_its_time(backend):
    await asyncio.wait_for(backend.queue.wait(backend.queue.mark(), ["sandbox"], 0.1), 60)


async def test_waiting_ends_when_a_task_is_due(backend):
    begun = await backend.begun()
    await backend.end(begun.lease, RetryLater(FAILURE, 0.3))
    await backend.queue.wait(backend.queue.mark(), ["sandbox"], 0.05)
    await asyncio.wait_for(backend.queue.wait(backend.queue.mark(), ["sandbox"], 600), 60)


async def test_work_that_was_given_back_goes_before_new_work_and_past_limits(backend):
    begun = await backend.begun(provider="limited", priority=Priority.LOW)
    await backend.store.submit_batch([new_task(provider="limited", priority=Priority.HIGH) for _ in range(3)])
    await backend.end(begun.lease, Released())
    assert len(await backend.claim("limited", at_most=10)) == 2
    worker = await backend.alive(new_worker("w"))
    (resumed,) = await backend.store.claim_resumed(worker, ["limited", "sandbox"], new_ids(10))
    assert resumed.task.id == begun.task.id
    assert await backend.store.claim_resumed(worker, ["limited", "sandbox"], new_ids(10)) == ()


async def test_work_that_was_given_back_is_left_alone_where_that_is_wanted(backend):
    begun = await backend.begun()
    await backend.end(begun.lease, Released())
    worker = await backend.alive(new_worker("w"))
    assert await backend.store.claim(worker, "sandbox", new_ids(5), resumed=False) == ()
    assert len(await backend.store.claim(worker, "sandbox", new_ids(5))) == 1


async def test_work_that_is_tried_again_is_new_work(backend):
    begun = await backend.begun(priority=Priority.LOW)
    await backend.end(begun.lease, RetryLater(FAILURE, 0.0))
    assert await backend.store.claim_resumed(await backend.alive(new_worker("w")), ["sandbox"], new_ids(1)) == ()
    later = new_task()
    await backend.store.submit(later)
    (claimed,) = await backend.claim()
    assert claimed.task.id == later.id


async def test_only_providers_with_something_to_claim_are_due(backend):
    await backend.store.submit(new_task(provider="limited"))
    begun = await backend.begun()
    assert await backend.queue.due(["limited", "sandbox", "other"]) == ("limited",)
    await backend.end(begun.lease, RetryLater(FAILURE, 60.0))
    assert await backend.queue.due(["sandbox"]) == ()


async def test_work_that_waits_for_long_is_promoted_step_by_step(backend):
    tasks = [new_task(priority=Priority.LOW), new_task(priority=Priority.HIGH)]
    await backend.store.submit_batch(tasks)
    assert await backend.queue.promote(3600) == 0
    await asyncio.sleep(2.1)
    assert await backend.queue.promote(2.0) == 1
    assert await backend.queue.promote(2.0) == 0
    assert await backend.queue.promote(0.0) == 1
    assert await backend.queue.promote(0.0) == 0
    assert {begun.task.id for begun in await backend.claim(at_most=2)} == {task.id for task in tasks}


async def test_what_a_provider_tells_reaches_the_worker_that_holds_the_task_and_nobody_else(backend):
    if not backend.listens:
        pytest.skip("where nobody listens, the vendor's job is polled")
    begun = await backend.begun()
    bystander = new_worker("bystander")
    heard = asyncio.ensure_future(anext(backend.queue.notifications(backend.worker)))
    overheard = asyncio.ensure_future(anext(backend.queue.notifications(bystander)))
    async with asyncio.timeout(60):
        while not heard.done():
            await backend.queue.announce_change(begun.task.id)
            await asyncio.sleep(0.02)
    assert heard.result() == TaskNotification(begun.task.id, unwanted=False)
    assert not overheard.done()
    overheard.cancel()


async def test_a_task_that_nobody_holds_has_nobody_to_tell(backend):
    await backend.queue.announce_change(new_task().id)


async def test_workers_that_are_gone_are_forgotten_and_no_others(backend):
    begun = await backend.begun()
    await backend.queue.tidy()
    assert len(await backend.store.renew(backend.worker, begun.attempt.started_at)) == 1


async def test_each_provider_that_has_something_gets_its_part(backend):
    await backend.store.submit_batch([new_task(provider="a") for _ in range(9)])
    await backend.store.submit_batch([new_task(provider="b") for _ in range(2)])
    worker = await backend.alive(new_worker("w"))
    first = await backend.store.claim_any(worker, ("a", "b", "idle"), new_ids(6))
    assert sorted(one.task.provider for one in first) == ["a"] * 3 + ["b"] * 2
    second = await backend.store.claim_any(worker, ("a", "b", "idle"), new_ids(6))
    assert [one.task.provider for one in second] == ["a"] * 6
    assert await backend.store.claim_any(worker, ("a", "b", "idle"), new_ids(6)) == ()


async def test_what_was_given_back_is_among_what_any_provider_has(backend):
    begun = await backend.begun()
    await backend.end(begun.lease, Released())
    await backend.store.submit(new_task())
    (again,) = await backend.store.claim_any(await backend.alive(new_worker("w")), ("idle", "sandbox"), new_ids(1))
    assert again.task.id == begun.task.id


async def test_nothing_is_claimed_of_any_provider_by_a_worker_that_is_not_known(backend):
    await backend.store.submit(new_task())
    assert await backend.store.claim_any(new_worker("stranger"), ("sandbox",), new_ids(1)) == ()


async def test_a_task_that_is_due_in_the_moment_after_looking_is_not_waited_for(backend):
    begun = await backend.begun()
    await backend.queue.wait(backend.queue.mark(), ["sandbox"], 0.5)
    await backend.end(begun.lease, RetryLater(FAILURE, 0.03))
    await asyncio.wait_for(backend.queue.wait(backend.queue.mark(), ["sandbox"], 600), 60)


async def test_backlogs_are_told_by_provider(backend):
    assert await backend.queue.backlogs() == {}
    await backend.store.submit_batch([new_task(provider="a"), new_task(provider="a"), new_task(provider="b")])
    backlogs = await backend.queue.backlogs()
    assert {name: backlog.count for name, backlog in backlogs.items()} == {"a": 2, "b": 1}
    assert all(0 <= backlog.overdue_s < 600 for backlog in backlogs.values())
