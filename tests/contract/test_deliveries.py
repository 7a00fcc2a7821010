"""What every store of webhook messages does."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genpulse.adapters.memory.webhooks.deliveries import MemoryDeliveries
from genpulse.domain.attempt import Canceled, Failed, Released, RetryLater, Succeeded
from genpulse.domain.errors import UnknownDelivery
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.search.backlog import Backlog
from genpulse.domain.search.task_query import TaskQuery
from genpulse.domain.task import TaskStatus
from genpulse.domain.webhook_delivery import Answer, Delivery, DeliveryState, origin_of
from tests.contract.conftest import Backend, new_task
from tests.drawn import examples

URL = "https://receiver.example.com/hook"
FAILURE = Failure(
    FailureCode.PROVIDER_REJECTED, "no", retryable=False, charged=Charged.NO, who_must_act=Actor.CALLER
)
HELD_S = 60.0
DAY_S = 24 * 3600.0


async def ended(backend: Backend, outcome=None, **changes):
    begun = await backend.begun(webhook_url=URL, **changes)
    return await backend.ended(begun.lease, outcome or Succeeded(()))


async def due(backend: Backend, limit: int = 10, per_origin: int = 10, **room: int):
    return await backend.deliveries.due(limit, HELD_S, per_origin=per_origin, room=room)


async def pass_by(backend: Backend, seconds: float):
    """So much time goes by for the messages, and for nothing else."""
    if isinstance(backend.deliveries, MemoryDeliveries):
        before = backend.deliveries._clock
        backend.deliveries._clock = lambda: before() + timedelta(seconds=seconds)
        return
    await backend.deliveries._pool.execute(
        "UPDATE deliveries SET next_try_at = next_try_at - $1::interval, given_until = given_until - $1::interval",
        timedelta(seconds=seconds),
    )


async def known(backend: Backend, delivery: Delivery) -> Delivery:
    """As it is now."""
    (found,) = [each for each in await backend.deliveries.of_task(delivery.task_id) if each.id == delivery.id]
    return found


def left_s(delivery: Delivery) -> float:
    """Of its day when it is sent next, in seconds."""
    return (delivery.given_until - delivery.next_try_at).total_seconds()


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
    late = (await backend.store.submit(new_task(webhook_url=URL, deadline_s=0.0))).task
    await backend.store.cancel(canceled.id)
    await backend.store.expire()
    told = {(delivery.task_id, delivery.type) for delivery, _ in await due(backend)}
    assert told == {(canceled.id, "task.canceled"), (late.id, "task.failed")}


async def test_a_cancellation_that_was_lost_with_its_worker_is_told(backend):
    begun = await backend.begun(webhook_url=URL)
    await backend.store.cancel(begun.task.id)
    assert await due(backend) == ()
    (taken,) = await backend.taken_over()
    await backend.end(taken.lease, Canceled())
    ((delivery, _),) = await due(backend)
    assert delivery.type == "task.canceled"


@pytest.mark.parametrize("outcome", [RetryLater(FAILURE, 1.0), Released()])
async def test_what_is_no_end_is_not_told(backend, outcome):
    await ended(backend, outcome)
    assert await due(backend) == ()


async def test_nobody_asked(backend):
    begun = await backend.begun()
    await backend.end(begun.lease, Succeeded(()))
    assert await due(backend) == ()


async def test_what_is_taken_to_be_sent_is_held_for_a_while(backend):
    await ended(backend)
    assert len(await due(backend)) == 1
    assert await due(backend) == ()
    await pass_by(backend, HELD_S - 5)
    assert await due(backend) == ()
    await pass_by(backend, 6)
    assert len(await due(backend)) == 1


async def test_received_is_the_end_of_it(backend):
    task = await ended(backend)
    ((delivery, _),) = await due(backend)
    await backend.deliveries.taken(delivery.id, Answer(200))
    (known,) = await backend.deliveries.of_task(task.id)
    assert (known.state, known.tries, known.status_code) == (DeliveryState.TAKEN, 1, 200)
    await pass_by(backend, 10 * HELD_S)
    assert await due(backend) == ()


async def test_answers_that_come_at_once_are_noted_each_with_its_own_message(backend):
    for _ in range(8):
        await ended(backend)
    messages = [delivery for delivery, _ in await due(backend)]
    answers = [
        Answer(200 + number, request_excerpt=f"POST {number}", answer_excerpt=f"thanks {number}")
        for number in range(len(messages))
    ]
    await asyncio.gather(
        *(backend.deliveries.taken(message.id, answer) for message, answer in zip(messages, answers, strict=True))
    )
    assert len(messages) == 8
    for message, answer in zip(messages, answers, strict=True):
        (kept,) = await backend.deliveries.of_task(message.task_id)
        assert (kept.state, kept.tries, kept.status_code) == (DeliveryState.TAKEN, 1, answer.status_code)
        assert (kept.request_excerpt, kept.answer_excerpt) == (answer.request_excerpt, answer.answer_excerpt)


async def test_not_received_is_sent_again_until_it_is_given_up(backend):
    task = await ended(backend)
    ((delivery, _),) = await due(backend)
    again_at = await backend.deliveries.not_taken(delivery.id, Answer(500, "answered 500"), 5.0)
    assert again_at == (await known(backend, delivery)).next_try_at
    assert await due(backend) == ()
    await pass_by(backend, 6)
    ((again, told),) = await due(backend)
    assert (again.id, again.tries, again.status_code, again.error) == (delivery.id, 1, 500, "answered 500")
    assert told == task
    assert await backend.deliveries.not_taken(delivery.id, Answer(None, "away"), None) is None
    (found,) = await backend.deliveries.of_task(task.id)
    assert (found.state, found.tries, found.status_code, found.error) == (DeliveryState.GIVEN_UP, 2, None, "away")
    await pass_by(backend, 10 * HELD_S)
    assert await due(backend) == ()


async def test_a_wait_beyond_its_day_leads_to_one_last_try_at_its_end(backend):
    await ended(backend)
    ((delivery, _),) = await due(backend)
    await backend.deliveries.not_taken(delivery.id, Answer(503), 3 * DAY_S)
    assert left_s(await known(backend, delivery)) == 0
    await pass_by(backend, DAY_S - 60)
    assert await due(backend) == ()
    await pass_by(backend, 61)
    ((last, _),) = await due(backend)
    assert (last.id, last.tries) == (delivery.id, 1)
    assert await backend.deliveries.not_taken(delivery.id, Answer(503), 5.0) is None
    assert (await known(backend, delivery)).state is DeliveryState.GIVEN_UP


async def test_what_a_stranger_says_can_be_kept(backend):
    await ended(backend)
    ((delivery, _),) = await due(backend)
    answer = Answer(500, "no \udcff\x00\n\ud83d" + "x" * 100_000, float("inf"))
    await backend.deliveries.not_taken(delivery.id, answer, 5.0)
    assert (await known(backend, delivery)).error == answer.error


async def test_an_answer_that_comes_late_does_not_undo_one_that_was_taken(backend):
    await ended(backend)
    ((delivery, _),) = await due(backend)
    await backend.deliveries.taken(delivery.id, Answer(200))
    assert await backend.deliveries.not_taken(delivery.id, Answer(None, "too late"), 5.0) is None
    assert (await known(backend, delivery)).state is DeliveryState.TAKEN


async def test_answers_about_a_message_that_was_removed_are_nothing(backend):
    await backend.deliveries.taken(uuid4(), Answer(200))
    assert await backend.deliveries.not_taken(uuid4(), Answer(500), 5.0) is None


async def test_it_can_be_sent_again_by_hand(backend):
    task = await ended(backend)
    ((delivery, _),) = await due(backend)
    await backend.deliveries.taken(delivery.id, Answer(200))
    again = await backend.deliveries.again(task.id, delivery.id)
    assert (again.id, again.state) == (delivery.id, DeliveryState.WAITING)
    ((sent, _),) = await due(backend)
    assert sent.id == delivery.id


async def test_sent_again_by_hand_days_later_it_gets_a_whole_day(backend):
    task = await ended(backend)
    ((delivery, _),) = await due(backend)
    await backend.deliveries.not_taken(delivery.id, Answer(None, "away"), None)
    await pass_by(backend, 3 * DAY_S)
    again = await backend.deliveries.again(task.id, delivery.id)
    assert left_s(again) == DAY_S
    ((sent, _),) = await due(backend)
    assert await backend.deliveries.not_taken(sent.id, Answer(503), 4 * 3600.0) is not None
    assert left_s(await known(backend, delivery)) == pytest.approx(DAY_S - 4 * 3600, abs=30)


async def test_an_unknown_one_or_one_of_another_task(backend):
    task = await ended(backend)
    ((delivery, _),) = await due(backend)
    for task_id, delivery_id in ((task.id, uuid4()), (uuid4(), delivery.id)):
        with pytest.raises(UnknownDelivery):
            await backend.deliveries.again(task_id, delivery_id)


async def test_a_task_that_fails_runs_again_and_succeeds_is_told_twice(backend):
    task = await ended(backend, Failed(FAILURE))
    ((first, told),) = await due(backend)
    await backend.deliveries.taken(first.id, Answer(200))
    await backend.store.retry(task.id)
    (begun,) = await backend.claim()
    await backend.end(begun.lease, Succeeded(()))
    ((second, told_again),) = await due(backend)
    assert (told.status, told_again.status) == (TaskStatus.FAILED, TaskStatus.SUCCEEDED)
    assert [delivery.id for delivery in await backend.deliveries.of_task(task.id)] == [first.id, second.id]


async def noted(backend: Backend, *urls: str):
    """Messages to these, in this order."""
    for url in urls:
        task = (await backend.store.submit(new_task(webhook_url=url))).task
        await backend.store.cancel(task.id)


async def test_many_for_one_origin_hide_nobody(backend):
    await noted(backend, *["https://big.example/hook"] * 30, "https://small.example/", "https://other.example/x")
    first = await due(backend, limit=5)
    assert {delivery.origin for delivery, _ in first} == {
        "https://big.example",
        "https://small.example",
        "https://other.example",
    }
    assert len(first) == 5


async def test_no_origin_gets_more_than_it_has_room_for(backend):
    await noted(backend, *["https://a.example/hook", "https://b.example/", "https://c.example/"] * 6)
    room = {"https://a.example": 0, "https://b.example": 5, "https://nobody.example": 3}
    taken = await backend.deliveries.due(100, HELD_S, per_origin=2, room=room)
    assert Counter(delivery.origin for delivery, _ in taken) == {"https://b.example": 5, "https://c.example": 2}
    assert len(await due(backend, limit=100, per_origin=100)) == 11


@given(
    waiting=st.lists(st.sampled_from("abcd"), max_size=12),
    limit=st.integers(0, 8),
    per_origin=st.integers(0, 4),
    room=st.dictionaries(st.sampled_from("abcdx"), st.integers(0, 5)),
)
@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_whatever_waits_is_shared_out(backend, waiting, limit, per_origin, room):
    await noted(backend, *[f"https://{name}.example/" for name in waiting])
    rooms = {f"https://{name}.example": count for name, count in room.items()}
    taken = await backend.deliveries.due(limit, HELD_S, per_origin=per_origin, room=rooms)
    counts = Counter(delivery.origin for delivery, _ in taken)
    may = {
        origin: min(count, rooms.get(origin, per_origin))
        for origin, count in Counter(f"https://{name}.example" for name in waiting).items()
    }
    assert sum(counts.values()) == min(limit, sum(may.values()))
    assert all(counts[origin] <= most for origin, most in may.items())
    fair = max(counts.values(), default=0)
    assert all(counts[origin] >= min(most, fair - 1) for origin, most in may.items())
    for delivery, _ in (*taken, *await due(backend, limit=100, per_origin=100)):
        await backend.deliveries.taken(delivery.id, Answer(200))


async def test_two_that_look_at_once_take_each_message_once(backend):
    await noted(backend, *[f"https://{number % 7}.example/" for number in range(40)])
    taken = await asyncio.gather(*(due(backend, limit=15) for _ in range(4)))
    ids = [delivery.id for each in taken for delivery, _ in each]
    ids += [delivery.id for delivery, _ in await due(backend, limit=100)]
    assert len(ids) == len(set(ids)) == 40


async def test_all_to_a_silent_origin_wait_together(backend):
    await noted(backend, *["https://dead.example/a"] * 20, "https://alive.example/")
    ((held, _),) = await backend.deliveries.due(1, HELD_S, per_origin=1, room={"https://alive.example": 0})
    assert await backend.deliveries.put_off("https://dead.example", 120.0, "dead") == 19
    ((alive, _),) = await due(backend)
    assert alive.origin == "https://alive.example"
    await pass_by(backend, 118)
    again = await due(backend, limit=100, per_origin=100)
    assert {delivery.id for delivery, _ in again} == {held.id, alive.id}
    await pass_by(backend, 3)
    waiting = [delivery for delivery, _ in await due(backend, limit=100, per_origin=100)]
    assert len(waiting) == 19
    assert {(delivery.tries, delivery.error) for delivery in waiting} == {(0, "")}


async def test_put_off_keeps_within_the_day_of_each_and_gives_up_what_is_over(backend):
    task = await ended(backend)
    await pass_by(backend, DAY_S - 100)
    origin = origin_of(URL)
    assert await backend.deliveries.put_off(origin, 1000.0, "dead") == 1
    (delivery,) = await backend.deliveries.of_task(task.id)
    assert left_s(delivery) == 0
    await pass_by(backend, 101)
    assert await backend.deliveries.put_off(origin, 1000.0, "dead \udcff\x00") == 1
    (delivery,) = await backend.deliveries.of_task(task.id)
    assert (delivery.state, delivery.tries, delivery.error) == (DeliveryState.GIVEN_UP, 0, "dead \ufffd\ufffd")


async def test_only_messages_of_the_own_environment_are_sent(backend):
    await noted(backend, URL)
    (task,) = await backend.store.find(TaskQuery(limit=1))
    (delivery,) = await backend.deliveries.of_task(task.id)
    assert delivery.environment == "dev"
    backend.deliveries._environment = "test"
    assert await due(backend) == ()
    assert await backend.deliveries.put_off(origin_of(URL), 60.0, "dead") == 0
    backend.deliveries._environment = "dev"
    assert len(await due(backend)) == 1


ODD = [
    "https://Example.COM:443/a?b=https://c.example#d",
    "http://example.com:80",
    "http://example.com:8080/",
    "http://example.com:443/",
    "https://me:secret@example.com/hook",
    "https://me@you@example.com/hook",
    "https://[::1]:443/x",
    "http://[::ffff:127.0.0.1]:80/",
    "https://a.example\\@b.example/",
    "https://a.example?x=@b.example",
    "https://a.example/\n@b.example:443",
    "no url at all: //x",
    "//a.example/b",
    "",
    "https://",
    "https://" + "long" * 500 + ".example:443/",
    "ftp://a.example:80/",
    "https://a:80:443/",
]


@pytest.mark.parametrize("url", ODD)
async def test_both_know_origins_as_the_domain_does(backend, url):
    await noted(backend, url)
    ((delivery, _),) = await due(backend)
    assert delivery.origin == origin_of(url)
    assert len(delivery.origin) <= 500


async def test_a_message_has_its_whole_day_from_when_it_is_written(backend):
    begun = await backend.begun(webhook_url=URL)
    await backend.ended(begun.lease, Succeeded(()))
    ((delivery, _),) = await due(backend)
    assert left_s(delivery) == pytest.approx(DAY_S - HELD_S, abs=1)


async def test_the_backlog_is_what_will_be_sent(backend):
    assert await backend.deliveries.backlog() == Backlog(0, 0.0)
    for _ in range(2):
        await ended(backend)
    await pass_by(backend, 5)
    backlog = await backend.deliveries.backlog()
    assert backlog.count == 2
    assert 5 <= backlog.overdue_s < 600
    ((first, _), (second, _)) = await due(backend)
    assert await backend.deliveries.backlog() == Backlog(2, 0.0)
    await backend.deliveries.taken(first.id, Answer(200))
    await backend.deliveries.not_taken(second.id, Answer(410), None)
    assert await backend.deliveries.backlog() == Backlog(0, 0.0)


async def test_the_beginnings_of_the_last_try_are_kept(backend):
    task = await ended(backend)
    ((delivery, _),) = await due(backend)
    refused = Answer(
        500, "answered 500", request_excerpt="POST /", answer_excerpt=f"HTTP/1.1 500\n\n{'no ' * 9000}\0"
    )
    await backend.deliveries.not_taken(delivery.id, refused, 0.0)
    (kept,) = await backend.deliveries.of_task(task.id)
    assert (kept.request_excerpt, kept.answer_excerpt) == (refused.request_excerpt, refused.answer_excerpt)
    assert len(kept.answer_excerpt) <= 8192
    assert "\0" not in kept.answer_excerpt
    await backend.deliveries.taken(
        delivery.id, Answer(204, request_excerpt="POST /", answer_excerpt="HTTP/1.1 204")
    )
    (kept,) = await backend.deliveries.of_task(task.id)
    assert (kept.request_excerpt, kept.answer_excerpt) == ("POST /", "HTTP/1.1 204")
