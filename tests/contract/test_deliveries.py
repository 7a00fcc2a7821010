"""What every store of webhook messages does."""

from datetime import timedelta
from uuid import uuid4

import pytest

from genpulse.domain.attempt import Canceled, Failed, Released, RetryLater, Succeeded
from genpulse.domain.delivery import Answer, DeliveryState
from genpulse.domain.errors import UnknownDelivery
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.task import TaskStatus
from tests.contract.conftest import Backend, new_task, now

URL = "https://receiver.example.com/hook"
FAILURE = Failure(
    FailureCode.PROVIDER_REJECTED, "no", retryable=False, charged=Charged.NO, who_must_act=Actor.CALLER
)
HELD_S = 60.0


async def ended(backend: Backend, outcome=None, **changes):
    begun = await backend.begun(webhook_url=URL, **changes)
    return await backend.ended(begun.lease, outcome or Succeeded(()))


async def due(backend: Backend, later_s: float = 0.0):
    return await backend.deliveries.due(now() + timedelta(seconds=later_s), 10, HELD_S)


@pytest.mark.parametrize(
    ("outcome", "kind"), [(Succeeded(()), "succeeded"), (Failed(FAILURE), "failed"), (Canceled(), "canceled")]
)
async def test_an_end_is_told_with_the_task_as_it_was(backend, outcome, kind):
    task = await ended(backend, outcome, metadata={"order": "17"})
    ((delivery, told),) = await due(backend)
    assert (delivery.task_id, delivery.type, delivery.url, delivery.tries) == (task.id, f"task.{kind}", URL, 0)
    assert delivery.created_at == task.finished_at
    assert told == task


async def test_ends_without_a_worker_are_told_too(backend):
    canceled = (await backend.store.submit(new_task(webhook_url=URL))).task
    late = (await backend.store.submit(new_task(webhook_url=URL, deadline_at=now()))).task
    await backend.store.cancel(canceled.id, now())
    await backend.store.expire(now())
    told = {(delivery.task_id, delivery.type) for delivery, _ in await due(backend)}
    assert told == {(canceled.id, "task.canceled"), (late.id, "task.failed")}


async def test_a_cancellation_that_was_lost_with_its_worker_is_told(backend):
    begun = await backend.begun(webhook_url=URL)
    await backend.store.cancel(begun.task.id, now())
    assert await due(backend) == ()
    await backend.queue.renew([])
    while not (claims := await backend.queue.claim(("sandbox",), 1)):
        await backend.queue.wait(0.1)
    assert await backend.begin(claims[0]) is None
    ((delivery, _),) = await due(backend)
    assert delivery.type == "task.canceled"


@pytest.mark.parametrize("outcome", [RetryLater(FAILURE, 1.0), Released()])
async def test_what_is_no_end_is_not_told(backend, outcome):
    await ended(backend, outcome)
    assert await due(backend) == ()


async def test_nobody_asked(backend):
    begun = await backend.begun()
    await backend.store.finish(begun.lease, Succeeded(()), now())
    assert await due(backend) == ()


async def test_what_is_taken_to_be_sent_is_held_for_a_while(backend):
    await ended(backend)
    assert len(await due(backend)) == 1
    assert await due(backend) == ()
    assert len(await due(backend, HELD_S + 1)) == 1


async def test_received_is_the_end_of_it(backend):
    task = await ended(backend)
    ((delivery, _),) = await due(backend)
    await backend.deliveries.taken(delivery.id, Answer(200), now())
    (known,) = await backend.deliveries.of_task(task.id)
    assert (known.state, known.tries, known.status_code) == (DeliveryState.TAKEN, 1, 200)
    assert await due(backend, 10 * HELD_S) == ()


async def test_not_received_is_sent_again_until_it_is_given_up(backend):
    task = await ended(backend)
    ((delivery, _),) = await due(backend)
    await backend.deliveries.not_taken(delivery.id, Answer(500, "answered 500"), now() + timedelta(seconds=5))
    assert await due(backend) == ()
    ((again, told),) = await due(backend, 6)
    assert (again.id, again.tries, again.status_code, again.error) == (delivery.id, 1, 500, "answered 500")
    assert told == task
    await backend.deliveries.not_taken(delivery.id, Answer(None, "away"), None)
    (known,) = await backend.deliveries.of_task(task.id)
    assert (known.state, known.tries, known.status_code, known.error) == (DeliveryState.GIVEN_UP, 2, None, "away")
    assert await due(backend, 10 * HELD_S) == ()


async def test_it_can_be_sent_again_by_hand(backend):
    task = await ended(backend)
    ((delivery, _),) = await due(backend)
    await backend.deliveries.taken(delivery.id, Answer(200), now())
    again = await backend.deliveries.again(task.id, delivery.id, now())
    assert (again.id, again.state) == (delivery.id, DeliveryState.WAITING)
    ((sent, _),) = await due(backend)
    assert sent.id == delivery.id


async def test_an_unknown_one_or_one_of_another_task(backend):
    task = await ended(backend)
    ((delivery, _),) = await due(backend)
    for task_id, delivery_id in ((task.id, uuid4()), (uuid4(), delivery.id)):
        with pytest.raises(UnknownDelivery):
            await backend.deliveries.again(task_id, delivery_id, now())


async def test_a_task_that_fails_runs_again_and_succeeds_is_told_twice(backend):
    task = await ended(backend, Failed(FAILURE))
    ((first, told),) = await due(backend)
    await backend.deliveries.taken(first.id, Answer(200), now())
    await backend.store.retry(task.id, now())
    begun = await backend.begin(await backend.claim())
    await backend.store.finish(begun.lease, Succeeded(()), now())
    ((second, told_again),) = await due(backend)
    assert (told.status, told_again.status) == (TaskStatus.FAILED, TaskStatus.SUCCEEDED)
    assert [delivery.id for delivery in await backend.deliveries.of_task(task.id)] == [first.id, second.id]
