"""Messages in another form than ours: to a real receiver, which verifies them by code that is not ours."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from genpulse.adapters.memory.webhooks.sender import MemoryMessageSender
from genpulse.adapters.webhooks.sender import WebhookSender
from genpulse.background.loops import Loops
from genpulse.domain.errors import DatabaseUnavailable
from genpulse.domain.keys.caller import Caller
from genpulse.domain.keys.webhook_secret import SHARED
from genpulse.domain.submission.webhook_choice import WebhookChoice, WebhookEvent
from genpulse.domain.task import Task
from genpulse.domain.webhook_delivery import Answer, Delivery, DeliveryState
from genpulse.lifecycle.webhooks.delivery import LOOP, WebhookDeliverer
from genpulse.lifecycle.webhooks.forms import Signing, WebhookMessage
from genpulse.lifecycle.webhooks.message_keys import MessageSigner, json_web_keys
from genpulse.lifecycle.webhooks.secrets import webhook_secret_of
from genpulse.ports import KeyStore
from tests.api_keys import new_key
from tests.integration.webhooks.test_sender import receiver
from tests.lifecycle.conftest import QUICK

URL = "https://receiver.example.com/hook"
SHARED_SECRET = "whsec_" + base64.b64encode(b"shared by all that receive").decode()
in_memory = pytest.mark.parametrize("rows", ["memory"], indirect=True)
ALL = frozenset(WebhookEvent)


async def describe(task: Task):
    return {"id": str(task.id), "status": task.status.value}


@dataclass
class Standard:
    """A body of another shape, signed as ours is."""

    errors: list[Exception] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    async def message(self, delivery: Delivery, task: Task, now: datetime) -> WebhookMessage:
        if self.errors:
            raise self.errors.pop(0)
        body = {"id": task.id.hex, "event": delivery.event, "status": task.status, "output": len(task.outputs)}
        return WebhookMessage(json.dumps(body).encode(), self.headers)


@dataclass
class Lines:
    """Four lines, signed by a private key."""

    keys: KeyStore

    async def message(self, delivery: Delivery, task: Task, now: datetime) -> WebhookMessage:
        body = json.dumps({"request_id": str(task.id), "payload": {"ü": task.status}}).encode()
        sent, digest = str(int(now.timestamp())), hashlib.sha256(body).hexdigest()
        signed = await MessageSigner(self.keys).sign(f"{task.id}\n{task.owner}\n{sent}\n{digest}".encode())
        headers = {
            "X-Lines-Request-Id": str(task.id),
            "X-Lines-User-Id": task.owner,
            "X-Lines-Timestamp": sent,
            "X-Lines-Signature": signed.signature.hex(),
        }
        return WebhookMessage(body, headers, Signing.NONE)


def choice(form: str, *events: WebhookEvent) -> WebhookChoice:
    return WebhookChoice(form, frozenset(events or {WebhookEvent.END}))


def is_signed_by(secret: str, headers, body: bytes) -> bool:
    """As a receiver does that cuts the secret at each underscore."""
    _, key = secret.split("_")
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(base64.b64decode(key, validate=True), signed, hashlib.sha256).digest()
    assert abs(time.time() - int(headers["webhook-timestamp"])) < 300
    return f"v1,{base64.b64encode(digest).decode()}" in headers["webhook-signature"].split(" ")


def is_signed_by_key(document, headers, body: bytes) -> bool:
    """As a receiver does that has the JWK Set."""
    names = ("Request-Id", "User-Id", "Timestamp")
    lines = [*(headers[f"X-Lines-{name}"] for name in names), hashlib.sha256(body).hexdigest()]
    for key in document["keys"]:
        assert (key["kty"], key["crv"]) == ("OKP", "Ed25519")
        point = base64.urlsafe_b64decode(key["x"] + "=" * (-len(key["x"]) % 4))
        try:
            Ed25519PublicKey.from_public_bytes(point).verify(
                bytes.fromhex(headers["X-Lines-Signature"]), "\n".join(lines).encode()
            )
        except InvalidSignature:
            continue
        return True
    return False


@asynccontextmanager
async def hook(world, secret: str | None = SHARED_SECRET, status: int = 204) -> AsyncIterator[tuple[str, list]]:
    """A receiver and what it gets; the world sends for real meanwhile."""
    got: list = []

    async def handler(request):
        got.append((request.headers.copy(), await request.read()))
        return web.Response(status=status)

    sender = WebhookSender(secret, allow_private=True, version="1.0.0")
    world.services = replace(world.services, sender=sender)
    async with receiver(handler) as url:
        yield url, got
    await sender.close()


def deliverer(world, **forms) -> WebhookDeliverer:
    return WebhookDeliverer(world.services, describe, Loops(), forms=forms)


async def send_due(sends: WebhookDeliverer) -> int:
    count = await sends.take()
    await sends.wait_until_idle()
    return count


async def ended(world, url, form, *, caller=None, events=()):
    changes = {"caller": caller} if caller else {}
    task = await world.submit("art/painter", webhook_url=url, webhook_choice=choice(form, *events), **changes)
    await world.services.store.cancel(task.id)
    return task


async def delivery_of(world, task) -> Delivery:
    (delivery,) = await world.services.deliveries.of_task(task.id)
    return delivery


@pytest.mark.parametrize("secret", [SHARED_SECRET, None])
async def test_a_standard_form_is_verified_by_the_secret_that_its_caller_is_given(world, secret):
    caller = Caller(new_key())
    await world.services.keys.add(caller.key, b"digest")
    async with hook(world, secret) as (url, got):
        task = await ended(world, url, "standard", caller=caller)
        assert await send_due(deliverer(world, standard=Standard())) == 1
    ((headers, body),) = got
    assert json.loads(body) == {"id": task.id.hex, "event": "end", "status": "canceled", "output": 0}
    assert headers["webhook-id"] == (await delivery_of(world, task)).message_id
    given = await webhook_secret_of(world.services.keys, caller)
    assert is_signed_by(given, headers, body)
    assert not is_signed_by(await webhook_secret_of(world.services.keys, Caller()), headers, body)
    assert is_signed_by(SHARED_SECRET, headers, body) is (secret is not None)


async def test_our_own_form_is_signed_as_ever(world):
    async with hook(world) as (url, got):
        task = await world.submit("art/painter", webhook_url=url)
        await world.services.store.cancel(task.id)
        await send_due(deliverer(world, standard=Standard()))
    ((headers, body),) = got
    assert json.loads(body)["type"] == "task.canceled"
    assert is_signed_by(SHARED_SECRET, headers, body)
    assert len(headers["webhook-signature"].split()) == 1


@in_memory
async def test_a_key_with_a_secret_of_its_own_verifies_by_that_and_by_no_other(world):
    caller = Caller(new_key())
    await world.services.keys.add(caller.key, b"digest")
    derived = await webhook_secret_of(world.services.keys, caller)
    own = "whsec_" + base64.b64encode(b"of this key alone" * 2).decode()
    await world.services.keys.rotate_webhook_secret(str(caller.key.id), own, timedelta(0))
    assert await webhook_secret_of(world.services.keys, caller) == own
    async with hook(world) as (url, got):
        await ended(world, url, "standard", caller=caller)
        await send_due(deliverer(world, standard=Standard()))
    ((headers, body),) = got
    assert is_signed_by(own, headers, body)
    assert not is_signed_by(derived, headers, body)
    assert not is_signed_by(SHARED_SECRET, headers, body)


@in_memory
async def test_while_a_secret_changes_both_verify(world):
    caller = Caller(new_key())
    await world.services.keys.add(caller.key, b"digest")
    derived = await webhook_secret_of(world.services.keys, caller)
    own = "whsec_" + base64.b64encode(b"o" * 32).decode()
    await world.services.keys.rotate_webhook_secret(str(caller.key.id), own, timedelta(days=1))
    async with hook(world) as (url, got):
        await ended(world, url, "standard", caller=caller)
        await send_due(deliverer(world, standard=Standard()))
    ((headers, body),) = got
    assert is_signed_by(own, headers, body)
    assert is_signed_by(derived, headers, body)
    await world.services.keys.remove_webhook_secret(str(caller.key.id), timedelta(days=1))
    assert await webhook_secret_of(world.services.keys, caller) == derived


async def test_a_form_with_its_own_headers_is_verified_by_the_published_keys(world):
    caller = Caller(new_key())
    await world.services.keys.add(caller.key, b"digest")
    before = await json_web_keys(world.services.keys)
    async with hook(world) as (url, got):
        await ended(world, url, "lines", caller=caller)
        await send_due(deliverer(world, lines=Lines(world.services.keys)))
    ((headers, body),) = got
    assert not [name for name in headers if name.lower().startswith("webhook-")]
    assert headers["X-Lines-User-Id"] == caller.owner
    assert is_signed_by_key(before, headers, body)
    await world.services.keys.add_message_key()
    assert is_signed_by_key(await json_web_keys(world.services.keys), headers, body)
    assert not is_signed_by_key(before, headers, body + b" ")


@pytest.mark.parametrize("events", [ALL, {WebhookEvent.START, WebhookEvent.OUTPUT}])
async def test_a_worker_tells_the_start_before_the_end(world, until, events):
    world.painter.hold = asyncio.Event()
    async with (
        hook(world) as (url, got),
        world.worker(replace(QUICK, webhook_forms={"standard": Standard()})),
    ):
        order = {"webhook_url": url, "webhook_choice": WebhookChoice("standard", frozenset(events))}
        task = await world.submit("art/painter", **order)
        await until(lambda: got)
        world.painter.hold.set()
        await world.ended(task)
        await until(lambda: len(told(got)) == 2)
    assert [event for event, _ in told(got)] == ["start", "end"]
    assert [status for _, status in told(got)] == ["running", "succeeded"]


def told(got) -> list[tuple[str, str]]:
    """Without progress, of which there may be any number."""
    messages = [json.loads(body) for _, body in got]
    return [(each["event"], each["status"]) for each in messages if each["event"] != "progress"]


async def test_the_order_holds_for_tasks_that_end_at_once_and_for_several_workers(world, until):
    options = replace(QUICK, webhook_forms={"standard": Standard()})
    async with hook(world) as (url, got), world.worker(options), world.worker(options):
        tasks = [
            await world.submit("art/painter", webhook_url=url, webhook_choice=WebhookChoice("standard", ALL))
            for _ in range(20)
        ]
        for task in tasks:
            await world.ended(task)
        await until(lambda: len(told(got)) == 40)
    by_task: dict[str, list[str]] = {}
    for _, body in got:
        message = json.loads(body)
        if message["event"] != "progress":
            by_task.setdefault(message["id"], []).append(message["event"])
    assert by_task == {task.id.hex: ["start", "end"] for task in tasks}


async def test_a_start_that_is_refused_holds_up_no_end(world):
    async with hook(world, status=500) as (url, got):
        task = await world.submit(
            "art/painter", webhook_url=url, webhook_choice=choice("standard", WebhookEvent.START, WebhookEvent.END)
        )
        await world.begun()
        await world.services.store.cancel(task.id)
        sends = deliverer(world, standard=Standard())
        assert [await send_due(sends), await send_due(sends)] == [1, 0]
    assert [json.loads(body)["event"] for _, body in got] == ["start"]


async def test_a_worker_that_dies_before_it_sends_loses_nothing(world):
    """The first one has taken it; what it holds comes back when its time is over."""
    task = await ended(world, URL, "standard")
    ((taken, _),) = await world.services.deliveries.due(10, 0.0, per_origin=8, room={})
    world.services = replace(world.services, sender=MemoryMessageSender())
    assert await send_due(deliverer(world, standard=Standard())) == 1
    (sent,) = world.services.sender.sent
    assert sent.message_id == taken.message_id
    assert (await delivery_of(world, task)).state is DeliveryState.TAKEN


async def test_a_form_that_a_worker_does_not_know_is_left_to_others(world):
    world.services = replace(world.services, sender=MemoryMessageSender())
    task = await ended(world, URL, "standard")
    await send_due(deliverer(world))
    delivery = await delivery_of(world, task)
    assert world.services.sender.sent == []
    assert (delivery.state, delivery.form, delivery.tries) == (DeliveryState.WAITING, "standard", 0)
    assert delivery.error == "this worker knows no webhooks in the form 'standard'"
    await world.services.deliveries.again(task.id, delivery.id)
    await send_due(deliverer(world, standard=Standard()))
    assert (await delivery_of(world, task)).state is DeliveryState.TAKEN


@in_memory
async def test_what_a_form_raises_is_counted_and_shown(world):
    world.services = replace(world.services, sender=MemoryMessageSender())
    task = await ended(world, URL, "standard")
    sends = deliverer(world, standard=Standard([KeyError("seed")]))
    await send_due(sends)
    delivery = await delivery_of(world, task)
    assert (delivery.tries, delivery.error) == (1, "the message could not be made: KeyError: 'seed'")
    assert sends._loops.failures == {LOOP: 1}


@in_memory
async def test_while_a_form_cannot_reach_the_database_nothing_is_counted(world):
    world.services = replace(world.services, sender=MemoryMessageSender())
    task = await ended(world, URL, "standard")
    await send_due(deliverer(world, standard=Standard([DatabaseUnavailable("away")])))
    delivery = await delivery_of(world, task)
    assert (delivery.tries, delivery.state) == (0, DeliveryState.WAITING)


@in_memory
@pytest.mark.parametrize("headers", [{"X-Id": "a\r\nHost: evil"}, {"X: y\r\nZ": "a"}, {"": "a"}, {"X-Id": "ü"}])
async def test_a_header_that_cannot_be_sent_is_refused_and_shown(world, headers):
    async with hook(world) as (url, got):
        task = await ended(world, url, "standard")
        await send_due(deliverer(world, standard=Standard(headers=headers)))
    assert got == []
    assert "cannot be sent" in (await delivery_of(world, task)).error


@in_memory
async def test_headers_of_a_form_are_added_to_the_standard_ones(world):
    async with hook(world) as (url, got):
        await ended(world, url, "standard")
        await send_due(deliverer(world, standard=Standard(headers={"Content-Type": "text/x", "X-Id": "7"})))
    ((headers, body),) = got
    assert (headers["Content-Type"], headers["X-Id"]) == ("text/x", "7")
    assert headers.getall("Content-Type") == ["text/x"]
    assert is_signed_by(SHARED_SECRET, headers, body)


@in_memory
async def test_without_a_webhook_a_choice_is_nothing(world):
    task = await world.submit("art/painter", webhook_choice=choice("standard"))
    assert task.webhook_choice is None


async def test_each_caller_has_a_secret_and_nobody_elses(world):
    keys = world.services.keys
    callers = [Caller(), Caller(new_key()), Caller(new_key())]
    for caller in callers[1:]:
        await keys.add(caller.key, uuid4().bytes)
    given = [await webhook_secret_of(keys, caller) for caller in callers]
    assert len(set(given)) == 3
    assert given == [await webhook_secret_of(keys, caller) for caller in callers]
    for secret in given:
        beginning, key = secret.split("_")
        assert (beginning, len(base64.b64decode(key, validate=True))) == ("whsec", 32)


@in_memory
async def test_answers_are_kept_as_for_any_message(world):
    world.services = replace(world.services, sender=MemoryMessageSender(Answer(500, "answered 500")))
    task = await ended(world, URL, "standard")
    await send_due(deliverer(world, standard=Standard()))
    delivery = await delivery_of(world, task)
    assert (delivery.status_code, delivery.error, delivery.tries) == (500, "answered 500", 1)
    assert world.services.sender.sent[0].secrets != SHARED
