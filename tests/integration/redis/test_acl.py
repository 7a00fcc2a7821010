"""The user that `genpulse env acl` prints runs all of it."""

from uuid import uuid4

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError

from genpulse.adapters.redis.connection import RedisProbe, open_redis
from genpulse.adapters.redis.events import RedisEventBus
from genpulse.adapters.redis.key_guard import ForeignKey
from genpulse.adapters.redis.keys import Keyspace
from genpulse.adapters.redis.presence import RedisPresence
from genpulse.adapters.redis.provider_gate_script import GateScript
from genpulse.domain.errors import ModerationBlocked, ProviderUnavailable, RateLimited
from genpulse.domain.event import TaskEvent
from genpulse.domain.provider_account.gate import CircuitPolicy
from genpulse.domain.provider_account.rate import Rate
from genpulse.environment.acl import PLACEHOLDER, acl_rule
from genpulse.environment.table import ENVIRONMENTS
from genpulse.ports import State, WorkerPresence

WORKER = WorkerPresence("w", "host", 1, 16, 0, ("sandbox",))


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda environment: environment.name)
async def test_the_user_of_an_environment_runs_it_all(own_server, environment):
    async with Redis.from_url(own_server.url) as admin:
        await admin.execute_command(*acl_rule(environment, user="runner").replace(PLACEHOLDER, "secret").split())
        await admin.script_flush()
    url = f"redis://runner:secret@{own_server.url.rpartition('@')[2]}"
    keys = Keyspace(environment.key_prefix)
    async with open_redis(url, keys.prefix) as client:
        assert (await RedisProbe(client, keys)()).state is State.OK
        await every_operation(GateScript(client), keys.gate("vendor"))
        presence = RedisPresence(client, keys)
        await presence.beat(WORKER, 60)
        assert await presence.workers() == (WORKER,)
        task_id = uuid4()
        async with RedisEventBus(client, keys) as bus, bus.subscribe(task_id) as subscription:
            bus.publish(TaskEvent(task_id, 1))
            assert await subscription.next(5) == TaskEvent(task_id, 1)
        with pytest.raises(ForeignKey):
            await client.get("other:anything")


@pytest.mark.parametrize(
    "command",
    [
        "SCRIPT FLUSH",
        "FUNCTION FLUSH",
        "FUNCTION LIST",
        "PUBSUB CHANNELS",
        "FLUSHALL",
        "KEYS *",
        "SCAN 0",
        "DBSIZE",
    ],
)
async def test_the_user_can_neither_take_from_others_nor_hear_of_them(own_server, command):
    async with Redis.from_url(own_server.url) as admin:
        rule = acl_rule(ENVIRONMENTS[0], user="runner").replace(PLACEHOLDER, "secret")
        await admin.execute_command(*rule.split())
    async with Redis.from_url(f"redis://runner:secret@{own_server.url.rpartition('@')[2]}") as client:
        with pytest.raises(NoPermissionError):
            await client.execute_command(*command.split())


async def every_operation(script: GateScript, key: str) -> None:
    rate, policy = Rate.parse("5/s"), CircuitPolicy()
    await script.look(key)
    await script.admit(key, rate, 1)
    await script.give_back(key, rate, 1)
    await script.succeeded(key, None)
    for error in (ProviderUnavailable("502"), RateLimited("429", retry_after_s=1), ModerationBlocked("no")):
        await script.failed(key, error.failure, policy, 1.0)
