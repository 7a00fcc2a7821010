"""Sending what is due."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from genpulse.adapters.memory.webhooks.sender import MemoryMessageSender
from genpulse.background.loops import Loops
from genpulse.domain.attempt import Worker
from genpulse.domain.errors import DatabaseUnavailable
from genpulse.domain.keys.webhook_secret import SHARED
from genpulse.domain.webhook_delivery import Answer, DeliveryState, Unreadable
from genpulse.lifecycle.webhooks.delivery import LOOP, WebhookDeliverer
from genpulse.lifecycle.webhooks.receivers import MOST_SEATS, SEATS
from genpulse.ports.webhooks import NO_HEADERS
from genpulse.worker.background_jobs import WorkerContext, deliver_webhooks
from genpulse.worker.claiming import Claimer
from genpulse.worker.options import WorkerOptions

pytestmark = pytest.mark.parametrize("rows", ["memory"], indirect=True)

URL = "https://receiver.example.com/hook"
OTHER = "https://other.example.com/hook"
SILENT = Answer(None, "no answer within 15 s", silent=True)


async def describe(task):
    return {"id": str(task.id), "status": task.status.value}


class Receivers(MemoryMessageSender):
    """Those at `hangs` answer nothing until they are let go; all others take everything."""

    def __init__(self, hangs=()):
        super().__init__()
        self.hangs = hangs
        self.let_go = asyncio.Event()
        self.answer = Answer(204)
        self.sending = self.most = 0

    async def send(self, url, message_id, body, *, now, secrets=SHARED, headers=NO_HEADERS):
        answer = await super().send(url, message_id, body, now=now, secrets=secrets, headers=headers)
        self.sending += 1
        self.most = max(self.most, self.sending)
        try:
            await asyncio.sleep(0)
            if url not in self.hangs:
                return answer
            await self.let_go.wait()
            return self.answer
        finally:
            self.sending -= 1

    def to(self, url):
        return [sent for sent in self.sent if sent.url == url]


def postman(world, describe=describe, **changes):
    return WebhookDeliverer(world.services, describe, Loops(), **changes)


async def ended(world, *urls):
    """A task that has ended for each, whose end is to be told there."""
    tasks = [await world.submit("art/painter", webhook_url=url) for url in urls]
    for task in tasks:
        await world.services.store.cancel(task.id)
    return tasks


async def delivery_of(world, task):
    (delivery,) = await world.services.deliveries.of_task(task.id)
    return delivery


@pytest.fixture
def pass_by(world):
    """Lets time go by for the messages."""
    begun = datetime.now(UTC)
    clock = [begun]
    world.services.deliveries._clock = lambda: clock[0] + (datetime.now(UTC) - begun)

    def go_on(**much):
        clock[0] += timedelta(**much)

    return go_on


async def all_sent(postman):
    count = await postman.take()
    await postman.wait_until_idle()
    return count


async def test_a_worker_sends_it_under_one_id_until_it_is_taken(world, pass_by):
    sender = MemoryMessageSender(Answer(500, "answered 500"), Answer(None, "away"))
    world.services = replace(world.services, sender=sender)
    (task,) = await ended(world, URL)
    sends = postman(world)
    for _ in range(4):
        await all_sent(sends)
        pass_by(hours=1)
    assert [sent.url for sent in sender.sent] == [URL] * 3
    assert len({sent.message_id for sent in sender.sent}) == 1
    first, *others = [json.loads(sent.body) for sent in sender.sent]
    assert first["type"] == "task.canceled"
    assert first["data"]["id"] == str(task.id)
    assert all(other["timestamp"] == first["timestamp"] for other in others)
    delivery = await delivery_of(world, task)
    assert (delivery.state, delivery.tries) == (DeliveryState.TAKEN, 3)


async def test_a_worker_sends_messages_while_it_runs(world, until):
    async with world.worker():
        task = await world.submit("art/painter", webhook_url=URL)
        await world.ended(task)
        await until(lambda: world.services.sender.sent)
    assert (await delivery_of(world, task)).state is DeliveryState.TAKEN


async def test_after_a_day_it_is_given_up_and_sent_again_by_hand_it_gets_another(world, pass_by):
    sender = MemoryMessageSender(*[Answer(503, "answered 503")] * 100)
    world.services = replace(world.services, sender=sender)
    (task,) = await ended(world, URL)
    sends = postman(world)
    for day in (1, 2):
        for _ in range(30):
            await all_sent(sends)
            pass_by(hours=1)
        delivery = await delivery_of(world, task)
        assert delivery.state is DeliveryState.GIVEN_UP
        assert 6 * day <= delivery.tries == len(sender.sent) <= 24 * day
        await world.services.deliveries.again(task.id, delivery.id)


async def test_a_long_retry_after_leads_to_one_last_try_within_the_day(world, pass_by):
    sender = MemoryMessageSender(*[Answer(503, "answered 503", 10.0**9)] * 10)
    world.services = replace(world.services, sender=sender)
    (task,) = await ended(world, URL)
    sends = postman(world)
    for _ in range(30):
        await all_sent(sends)
        pass_by(hours=1)
    assert len(sender.sent) == 2
    assert (await delivery_of(world, task)).state is DeliveryState.GIVEN_UP


async def test_410_is_the_end_of_it(world, pass_by):
    world.services = replace(world.services, sender=MemoryMessageSender(Answer(410, "answered 410 Gone", 60.0)))
    (task,) = await ended(world, URL)
    await all_sent(postman(world))
    assert (await delivery_of(world, task)).state is DeliveryState.GIVEN_UP


async def test_others_get_their_messages_while_silent_receivers_hang(world):
    """Most of them: 250 messages to a silent one, and one of another tenant, who comes last."""
    sender = Receivers(hangs=(URL,))
    world.services = replace(world.services, sender=sender)
    silent = await ended(world, *[URL] * 250)
    (task,) = await ended(world, OTHER)
    sends = postman(world)
    await sends.take()
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(sender.to(URL)) == SEATS
    assert (await delivery_of(world, task)).state is DeliveryState.TAKEN
    (late,) = await ended(world, OTHER)
    await all_sent_to(sends, sender, OTHER, 2)
    assert (await delivery_of(world, late)).state is DeliveryState.TAKEN
    assert sender.sending == SEATS
    sender.answer = SILENT
    sender.let_go.set()
    await sends.wait_until_idle()
    told = [await delivery_of(world, each) for each in silent]
    assert sum(delivery.tries for delivery in told) == SEATS
    now = datetime.now(UTC)
    assert sum(delivery.next_try_at <= now for delivery in told) == 0, "the others wait together"
    assert await sends.take() == 0


async def all_sent_to(sends, sender, url, count):
    await sends.take()
    async with asyncio.timeout(60):
        while len(sender.to(url)) < count:
            await asyncio.sleep(0.001)


async def test_a_seat_that_becomes_free_is_used_at_once(world, until):
    sender = Receivers()
    world.services = replace(world.services, sender=sender)
    await ended(world, *[URL] * 200)
    run = asyncio.create_task(postman(world).run())
    await until(lambda: len(sender.sent) == 200)
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    assert SEATS <= sender.most <= MOST_SEATS


async def test_no_more_at_once_than_there_are_seats(world):
    sender = Receivers(hangs=[f"https://{number}.example/" for number in range(30)])
    world.services = replace(world.services, sender=sender)
    await ended(world, *sender.hangs)
    sends = postman(world, at_once=12)
    assert [await sends.take(), await sends.take()] == [12, 0]
    await asyncio.sleep(0)
    sender.let_go.set()
    await sends.wait_until_idle()
    assert await all_sent(sends) == 12
    assert sender.most == 12


class Bug(Exception):
    """Of ours."""


async def test_a_message_that_cannot_be_made_is_counted_and_harms_no_other(world, pass_by):
    broken, fine = await ended(world, URL, URL)

    async def describe_some(task):
        if task.id == broken.id:
            raise Bug("a bug \x00")
        return await describe(task)

    sends = postman(world, describe_some)
    for _ in range(30):
        await all_sent(sends)
        pass_by(hours=1)
    assert (await delivery_of(world, fine)).state is DeliveryState.TAKEN
    delivery = await delivery_of(world, broken)
    assert (delivery.state, delivery.error) == (
        DeliveryState.GIVEN_UP,
        "the message could not be made: Bug: a bug \N{REPLACEMENT CHARACTER}",
    )
    assert sends._loops.failures == {LOOP: delivery.tries}


async def test_a_task_that_cannot_be_read_any_more_is_counted_and_harms_no_other(world):
    broken, fine = await ended(world, URL, URL)
    noted = world.services.deliveries._noted
    (key,) = [key for key, (delivery, _) in noted.items() if delivery.task_id == broken.id]
    before = noted[key]
    noted[key] = (before[0], Unreadable("not to be read"))
    await all_sent(postman(world))
    noted[key] = (noted[key][0], before[1])
    delivery = await delivery_of(world, broken)
    assert (delivery.tries, delivery.error, delivery.state) == (1, "not to be read", DeliveryState.WAITING)
    assert (await delivery_of(world, fine)).state is DeliveryState.TAKEN


async def test_a_sender_that_raises_is_counted_and_harms_no_other(world):
    class Broken(MemoryMessageSender):
        async def send(self, url, message_id, body, *, now, secrets=SHARED, headers=NO_HEADERS):
            if url == URL:
                raise Bug("oh")
            return await super().send(url, message_id, body, now=now)

    world.services = replace(world.services, sender=Broken())
    broken, fine = await ended(world, URL, OTHER)
    await all_sent(postman(world))
    assert (await delivery_of(world, broken)).error == "the message could not be sent: Bug: oh"
    assert (await delivery_of(world, fine)).state is DeliveryState.TAKEN


class Refusing:
    """A store that refuses what is said about the answers of one receiver, or all for a while."""

    def __init__(self, store, refuses):
        self._store = store
        self._refuses = refuses

    def __getattr__(self, name):
        return getattr(self._store, name)

    async def not_taken(self, delivery_id, answer, again_in_s):
        if (error := self._refuses(answer)) is not None:
            raise error
        return await self._store.not_taken(delivery_id, answer, again_in_s)


async def test_an_answer_that_cannot_be_kept_is_counted_all_the_same(world):
    store = Refusing(world.services.deliveries, lambda answer: Bug("refused") if answer.status_code else None)
    sender = MemoryMessageSender(Answer(500, "odd"))
    world.services = replace(world.services, sender=sender, deliveries=store)
    (task,) = await ended(world, URL)
    await all_sent(postman(world))
    delivery = await delivery_of(world, task)
    assert (delivery.tries, delivery.error) == (1, "the answer could not be kept")


async def test_while_the_database_is_away_nothing_is_counted(world, pass_by):
    away = [DatabaseUnavailable("away")]
    store = Refusing(world.services.deliveries, lambda _answer: away.pop() if away else None)
    sender = MemoryMessageSender(*[Answer(500, "odd")] * 2)
    world.services = replace(world.services, sender=sender, deliveries=store)
    (task,) = await ended(world, URL)
    sends = postman(world)
    await all_sent(sends)
    assert (await delivery_of(world, task)).tries == 0
    assert sends._loops.failures == {}
    pass_by(minutes=2)
    await all_sent(sends)
    assert (await delivery_of(world, task)).tries == 1


async def test_an_orderly_end_waits_for_what_is_being_sent_and_takes_nothing_more(world, until):
    sender = Receivers(hangs=(URL,))
    world.services = replace(world.services, sender=sender)
    (task,) = await ended(world, URL)
    options, worker = WorkerOptions(describe=describe), Worker(world.services.new_id(), "w")
    claimer = Claimer(world.services, options, worker, Loops())
    context = WorkerContext(world.services, options, worker, claimer, Loops())
    delivering = asyncio.create_task(deliver_webhooks(context))
    await until(lambda: sender.sending)
    delivering.cancel()
    await asyncio.sleep(0)
    (late,) = await ended(world, OTHER)
    sender.let_go.set()
    with pytest.raises(asyncio.CancelledError):
        await delivering
    assert (await delivery_of(world, task)).state is DeliveryState.TAKEN
    assert (await delivery_of(world, late)).tries == 0


class ClumsyReceivers(Receivers):
    """An error takes the place of the cancellation, which is said to be this answer."""

    def __init__(self, instead):
        super().__init__(hangs=(URL,))
        self.instead = instead

    async def send(self, *words, **more):
        try:
            return await super().send(*words, **more)
        except asyncio.CancelledError:
            return self.instead


@pytest.mark.parametrize(
    "instead", [SILENT, Answer(None, "Cannot connect"), None], ids=["silence", "error", "none"]
)
async def test_an_end_cuts_off_what_hangs_and_another_worker_sends_it_later(world, pass_by, instead):
    sender = ClumsyReceivers(instead) if instead else Receivers(hangs=(URL,))
    world.services = replace(world.services, sender=sender)
    (task,) = await ended(world, URL)
    sends = postman(world)
    await sends.take()
    await asyncio.sleep(0)
    await sends.stop(grace_s=0.01)
    assert sender.sending == 0
    assert (await delivery_of(world, task)).tries == 0
    sender.let_go.set()
    pass_by(minutes=2)
    await all_sent(postman(world))
    assert (await delivery_of(world, task)).state is DeliveryState.TAKEN
