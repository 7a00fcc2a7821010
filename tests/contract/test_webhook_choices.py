"""Which messages every store writes about a task that asks for more, or for less, than its end."""

import itertools

import pytest

from genpulse.domain.attempt import Canceled, Failed, Lease, Released, RetryLater, Succeeded
from genpulse.domain.errors import LeaseLost
from genpulse.domain.submission.webhook_choice import WebhookChoice, WebhookEvent
from genpulse.domain.task import TaskStatus
from genpulse.domain.webhook_delivery import Answer, DeliveryState
from tests.contract.conftest import Backend, new_ids, new_task
from tests.contract.test_deliveries import DAY_S, FAILURE, HELD_S, URL, due, left_s, pass_by

START, PROGRESS, OUTPUT, END = WebhookEvent
SUBSETS = [frozenset(each) for size in range(5) for each in itertools.combinations(WebhookEvent, size)]
OUTCOMES = {"succeeded": Succeeded(()), "failed": Failed(FAILURE), "canceled": Canceled()}


def choice(*events: WebhookEvent, form: str = "replicate") -> WebhookChoice:
    return WebhookChoice(form, frozenset(events))


async def begun(backend: Backend, *events: WebhookEvent, **changes):
    return await backend.begun(webhook_url=URL, webhook_choice=choice(*events), **changes)


async def types(backend: Backend, task_id) -> list[str]:
    return [delivery.type.removeprefix("task.") for delivery in await backend.deliveries.of_task(task_id)]


def named(events: frozenset[WebhookEvent]) -> str:
    return "+".join(sorted(events)) or "none"


@pytest.mark.parametrize("end", OUTCOMES)
@pytest.mark.parametrize("events", SUBSETS, ids=named)
async def test_each_choice_gets_its_messages_once_and_in_order(backend, events, end):
    claim = await begun(backend, *events)
    await backend.store.save_progress(claim.lease, 0.4, claim.task.seq + 1)
    task = await backend.ended(claim.lease, OUTCOMES[end])
    tells_end = END in events or (OUTPUT in events and end == "succeeded")
    expected = [("started", START in events), ("progress", PROGRESS in events), (end, tells_end)]
    assert await types(backend, task.id) == [kind for kind, is_told in expected if is_told]
    assert all(one.form == "replicate" for one in await backend.deliveries.of_task(task.id))
    assert task.webhook_choice == WebhookChoice("replicate", events)


async def test_the_choice_is_kept_with_the_task_and_costs_others_nothing(backend):
    chosen = await backend.store.submit(new_task(webhook_url=URL, webhook_choice=choice(START, END, form="fal")))
    usual = await backend.store.submit(new_task(webhook_url=URL))
    assert chosen.task.webhook_choice == choice(START, END, form="fal")
    assert (await backend.store.get(chosen.task.id)).webhook_choice == choice(START, END, form="fal")
    assert (await backend.store.get(usual.task.id)).webhook_choice is None


async def test_without_a_url_nothing_is_told(backend):
    claim = await backend.begun(webhook_choice=choice(*WebhookEvent))
    await backend.store.save_progress(claim.lease, 0.4, claim.task.seq + 1)
    await backend.end(claim.lease, Succeeded(()))
    assert await backend.deliveries.of_task(claim.task.id) == ()


async def test_the_start_is_told_with_the_task_as_it_began(backend):
    claim = await begun(backend, START, END)
    ((delivery, told),) = await due(backend)
    assert (delivery.type, delivery.event, delivery.form) == ("task.started", START, "replicate")
    assert delivery.created_at == told.started_at == claim.task.started_at
    assert (told.status, told.attempt, told.finished_at) == (TaskStatus.RUNNING, 1, None)
    assert left_s(delivery) <= DAY_S


async def test_our_own_form_may_tell_the_start_too(backend):
    claim = await backend.begun(webhook_url=URL, webhook_choice=WebhookChoice(events=frozenset({START, END})))
    await backend.end(claim.lease, Succeeded(()))
    assert await types(backend, claim.task.id) == ["started", "succeeded"]
    assert {one.form for one in await backend.deliveries.of_task(claim.task.id)} == {""}


@pytest.mark.parametrize("between", [RetryLater(FAILURE, 0.0), Released()], ids=["retry", "released"])
async def test_the_start_is_told_once_over_attempts(backend, between):
    claim = await begun(backend, START, END)
    await backend.end(claim.lease, between)
    (again,) = await backend.claim()
    await backend.end(again.lease, Succeeded(()))
    assert await types(backend, claim.task.id) == ["started", "succeeded"]


async def test_the_start_is_told_once_over_takeovers(backend):
    claim = await begun(backend, START, PROGRESS, END)
    (taken,) = await backend.taken_over()
    await backend.store.save_progress(claim.lease, 0.9, claim.task.seq + 1)
    with pytest.raises(LeaseLost):
        await backend.end(claim.lease, Succeeded(()))
    await backend.end(taken.lease, Succeeded(()))
    assert await types(backend, claim.task.id) == ["started", "succeeded"]


async def test_a_retry_by_hand_tells_its_own_end_and_no_second_start(backend):
    claim = await begun(backend, START, END)
    await backend.end(claim.lease, Failed(FAILURE))
    await backend.store.retry(claim.task.id)
    (again,) = await backend.claim()
    await backend.end(again.lease, Succeeded(()))
    assert await types(backend, claim.task.id) == ["started", "failed", "succeeded"]


@pytest.mark.parametrize(("events", "told"), [((START,), []), ((START, OUTPUT), []), ((START, END), ["canceled"])])
async def test_what_is_canceled_before_it_starts_tells_no_start(backend, events, told):
    task = (await backend.store.submit(new_task(webhook_url=URL, webhook_choice=choice(*events)))).task
    await backend.store.cancel(task.id)
    assert await types(backend, task.id) == told


async def test_many_claims_at_once_tell_each_start(backend):
    chosen = [new_task(webhook_url=URL, webhook_choice=choice(START)) for _ in range(5)]
    for task in (*chosen, new_task(webhook_url=URL), new_task()):
        await backend.store.submit(task)
    await backend.claim(at_most=10)
    told = await due(backend, limit=20, per_origin=20)
    assert {delivery.task_id for delivery, _ in told} == {task.id for task in chosen}


async def test_the_end_waits_for_the_first_try_of_the_start(backend):
    claim = await begun(backend, START, END)
    await backend.end(claim.lease, Succeeded(()))
    ((start, _),) = await due(backend)
    assert start.type == "task.started"
    assert await due(backend) == ()
    await backend.deliveries.not_taken(start.id, Answer(503), 3600.0)
    ((end, _),) = await due(backend)
    assert (end.type, end.follows) == ("task.succeeded", start.id)


async def test_the_end_waits_no_longer_when_the_start_is_received(backend):
    claim = await begun(backend, START, END)
    ((start, _),) = await due(backend)
    await backend.end(claim.lease, Succeeded(()))
    assert await due(backend) == ()
    await backend.deliveries.taken(start.id, Answer(200))
    ((end, _),) = await due(backend)
    assert end.type == "task.succeeded"


async def test_a_crash_between_the_commit_and_the_send_loses_neither(backend):
    claim = await begun(backend, START, END)
    await backend.end(claim.lease, Succeeded(()))
    await due(backend)
    await pass_by(backend, HELD_S + 1)
    ((start, _),) = await due(backend)
    await backend.deliveries.taken(start.id, Answer(200))
    ((end, _),) = await due(backend)
    assert (start.type, end.type) == ("task.started", "task.succeeded")


async def test_an_end_that_follows_nothing_waits_for_nothing(backend):
    claim = await begun(backend, START, END)
    ((start, _),) = await due(backend)
    await backend.deliveries.taken(start.id, Answer(200))
    await backend.end(claim.lease, Succeeded(()))
    ((end, _),) = await due(backend)
    assert end.follows is None


async def test_progress_has_one_message_on_its_way_and_a_minute(backend):
    claim = await begun(backend, PROGRESS, END)
    for number in range(1, 4):
        await backend.store.save_progress(claim.lease, number / 10, claim.task.seq + number)
    ((delivery, told),) = await due(backend)
    assert (delivery.type, told.progress) == ("task.progress", 0.1)
    await backend.deliveries.not_taken(delivery.id, Answer(503), 5.0)
    await pass_by(backend, 61)
    ((late, _),) = await due(backend)
    assert await backend.deliveries.not_taken(late.id, Answer(503), 5.0) is None
    await backend.end(claim.lease, Succeeded(()))
    assert await types(backend, claim.task.id) == ["progress", "succeeded"]


async def test_progress_that_is_no_news_is_not_told(backend):
    claim = await begun(backend, PROGRESS)
    await backend.store.save_progress(Lease(claim.task.id, new_ids(1)[0]), 0.5, claim.task.seq + 1)
    assert await types(backend, claim.task.id) == []


async def test_what_is_left_to_others_counts_no_try_and_keeps_its_order(backend):
    claim = await begun(backend, START, END)
    await backend.end(claim.lease, Succeeded(()))
    ((start, _),) = await due(backend)
    await backend.deliveries.leave(start.id, 60.0, "not \x00 here")
    waiting, end = await backend.deliveries.of_task(claim.task.id)
    assert (waiting.tries, waiting.error) == (0, "not \N{REPLACEMENT CHARACTER} here")
    assert waiting.state is end.state is DeliveryState.WAITING
    assert await due(backend) == ()
    await pass_by(backend, 61)
    ((again, _),) = await due(backend)
    assert again.id == start.id
    await pass_by(backend, DAY_S)
    await backend.deliveries.leave(start.id, 60.0, "nobody could")
    given_up, end = await backend.deliveries.of_task(claim.task.id)
    assert (given_up.state, given_up.error, given_up.tries) == (DeliveryState.GIVEN_UP, "nobody could", 0)
    ((last, _),) = await due(backend)
    assert last.id == end.id


async def test_what_was_received_meanwhile_is_not_left(backend):
    claim = await begun(backend, START)
    ((start, _),) = await due(backend)
    await backend.deliveries.taken(start.id, Answer(200))
    await backend.deliveries.leave(start.id, 60.0, "not here")
    (delivery,) = await backend.deliveries.of_task(claim.task.id)
    assert (delivery.state, delivery.error) == (DeliveryState.TAKEN, "")
