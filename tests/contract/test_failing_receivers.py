"""Receivers that do not take messages, and sending again what was given up."""

from genpulse.domain.attempt import Failed
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.webhook_delivery import Answer

REFUSED = Failure(FailureCode.PROVIDER_REJECTED, "No.", False, Charged.NO, Actor.CALLER)


async def message(backend, url):
    begun = await backend.begun(webhook_url=url)
    await backend.end(begun.lease, Failed(REFUSED))
    (delivery,) = await backend.deliveries.of_task(begun.task.id)
    return delivery


async def test_receivers_are_told_by_their_origins_with_their_last_answers(backend):
    deliveries = backend.deliveries
    assert await deliveries.failing(9) == ()
    first = await message(backend, "http://b.example/1")
    second = await message(backend, "http://b.example/2")
    other = await message(backend, "http://a.example/1")
    untried, taken = await message(backend, "http://c.example/"), await message(backend, "http://d.example/")
    await deliveries.not_taken(first.id, Answer(500, "broken"), 60.0)
    await deliveries.not_taken(second.id, Answer(404, "not there"), None)
    await deliveries.not_taken(other.id, Answer(None, "no route"), None)
    await deliveries.not_taken(taken.id, Answer(500), 60.0)
    await deliveries.taken(taken.id, Answer(200))
    found = await deliveries.failing(9)
    assert [(one.origin, one.waiting, one.given_up, one.status_code, one.error) for one in found] == [
        ("http://a.example", 0, 1, None, "no route"),
        ("http://b.example", 1, 1, 404, "not there"),
    ]
    assert found[1].since == first.created_at
    assert [one.origin for one in await deliveries.failing(1)] == ["http://a.example"]
    shown = await deliveries.failing_at("http://b.example", 9)
    assert [one.id for one in shown] == [second.id, first.id]
    assert [one.id for one in await deliveries.failing_at("http://b.example", 1)] == [second.id]
    assert await deliveries.failing_at(untried.origin, 9) == ()


async def test_what_was_given_up_is_sent_again_and_nothing_else(backend):
    deliveries = backend.deliveries
    given_up = [await message(backend, f"http://b.example/{number}") for number in range(3)]
    waiting, other = await message(backend, "http://b.example/w"), await message(backend, "http://a.example/")
    for one in (*given_up, other):
        await deliveries.not_taken(one.id, Answer(500, "broken"), None)
    again_at = await deliveries.not_taken(waiting.id, Answer(500, "broken"), 600.0)
    assert await deliveries.send_again("http://b.example", 2) == 2
    assert await deliveries.send_again("http://b.example", 2) == 1
    assert await deliveries.send_again("http://b.example", 2) == 0
    for one in given_up:
        (now,) = await deliveries.of_task(one.task_id)
        assert now.next_try_at is not None
        assert now.given_until > one.given_until
    (kept,) = await deliveries.of_task(waiting.task_id)
    assert kept.next_try_at == again_at
    (left,) = await deliveries.of_task(other.task_id)
    assert left.next_try_at is None
