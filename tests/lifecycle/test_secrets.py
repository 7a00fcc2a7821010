"""By which secrets messages about tasks are signed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from genpulse.adapters.memory.keys.api_keys import MemoryKeys
from genpulse.adapters.memory.queue.task_queue import MemoryTaskQueue
from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.adapters.memory.webhooks.sender import MemoryMessageSender
from genpulse.background.loops import Loops
from genpulse.domain.errors import DatabaseUnavailable, SealedSecret
from genpulse.domain.keys.caller import Caller
from genpulse.domain.keys.webhook_secret import SHARED, SigningSecrets
from genpulse.lifecycle.submission.submit import Order, submit
from genpulse.lifecycle.webhooks.delivery import WebhookDeliverer
from genpulse.lifecycle.webhooks.secrets import KNOWN_S, WebhookSecrets
from tests.api_keys import new_key

URL = "https://receiver.example.com/hook"
DAY = timedelta(days=1)


async def describe(task):
    return {"id": str(task.id)}


class Sealed(MemoryKeys):
    """Whose secrets nobody can open, until they are."""

    def __init__(self, store, error):
        super().__init__(store)
        self.error = error

    async def webhook_secrets(self, key_id):
        if self.error is not None:
            raise self.error
        return await super().webhook_secrets(key_id)


async def sent_for(world, *keys):
    """The secrets of a message about a task of each."""
    for key in keys:
        made = await submit(
            world.services, Order("art/painter", {"prompt": "a fox"}, webhook_url=URL), caller=Caller(key)
        )
        await world.services.store.cancel(made.task.id)
    sends = WebhookDeliverer(world.services, describe, Loops())
    await sends.take()
    await sends.wait_until_idle()
    return [sent.secrets for sent in world.services.sender.sent]


@pytest.mark.parametrize("rows", ["memory"], indirect=True)
async def test_each_key_signs_for_its_own_tasks(world):
    world.services = replace(world.services, sender=MemoryMessageSender())
    keys, mine, plain = world.services.keys, new_key(), new_key(name="plain")
    await keys.add(mine, b"mine", "whsec_QQ==")
    await keys.add(plain, b"plain")
    sent = await sent_for(world, mine, plain, None)
    assert sent.count(SHARED) == 2
    assert sent.count(SigningSecrets(("whsec_QQ==",), shared=False)) == 1


@pytest.mark.parametrize("rows", ["memory"], indirect=True)
@pytest.mark.parametrize("error", [SealedSecret(uuid4(), has_key=True), DatabaseUnavailable("away")])
async def test_no_message_goes_out_by_another_secret_than_its_own(world, error):
    keys = Sealed(world.services.keys._store, error)
    world.services = replace(world.services, sender=MemoryMessageSender(), keys=keys)
    key = new_key()
    await keys.add(key, b"digest", "whsec_QQ==")
    assert await sent_for(world, key) == []
    keys.error = None
    world.services.deliveries._clock = lambda: datetime.now(UTC) + timedelta(minutes=5)
    assert await sent_for(world) == [SigningSecrets(("whsec_QQ==",), shared=False)]


async def test_a_secret_is_remembered_for_some_seconds():
    now, keys, key = [0.0], MemoryKeys(MemoryTaskStore(MemoryTaskQueue())), new_key()
    await keys.add(key, b"digest", "whsec_QQ==")
    secrets = WebhookSecrets(keys, clock=lambda: now[0])
    assert [await secrets.of(owner) for owner in ("", "nobody", str(uuid4()))] == [SHARED] * 3
    assert (await secrets.of(str(key.id))).own == ("whsec_QQ==",)
    await keys.rotate_webhook_secret(str(key.id), "whsec_Qg==", DAY)
    now[0] = KNOWN_S - 0.1
    assert (await secrets.of(str(key.id))).own == ("whsec_QQ==",)
    now[0] = KNOWN_S
    assert (await secrets.of(str(key.id))).own == ("whsec_Qg==", "whsec_QQ==")
