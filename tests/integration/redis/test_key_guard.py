"""What does not belong to this environment does not get through to the wire."""

import pytest

from genpulse.adapters.redis.connection import open_redis
from genpulse.adapters.redis.key_guard import ForeignKey, check


@pytest.mark.parametrize(
    "command",
    [
        ("PING",),
        ("CLIENT SETINFO", "LIB-NAME", "x"),
        ("SET", "dev:a", "test:b"),
        ("GET", b"dev:a"),
        ("MGET", "dev:a", "dev:b"),
        ("PUBLISH", "dev:events:1", "prod:x"),
        ("SUBSCRIBE", "dev:a", "dev:b"),
        ("EVALSHA", "abc", 2, "dev:a", "dev:b", "argument"),
    ],
)
def test_what_gets_through(command):
    check("dev:", command)


@pytest.mark.parametrize(
    "command",
    [
        ("SET", "test:a", "1"),
        ("GET", b"prod:a"),
        ("GET", "devious"),
        ("MGET", "dev:a", "test:b"),
        ("PUBLISH", "prod:events:1", "x"),
        ("SUBSCRIBE", "dev:a", "prod:a"),
        ("EVALSHA", "abc", 2, "dev:a", "prod:b"),
        ("KEYS", "dev:*"),
        ("FLUSHALL",),
        ("SCAN", 0),
        ("set", "prod:a", "1"),
    ],
)
def test_what_does_not(command):
    with pytest.raises(ForeignKey):
        check("dev:", command)


async def test_the_client_refuses_it_before_it_is_sent(redis_url, client):
    async with open_redis(redis_url, "dev:") as guarded:
        await guarded.set("dev:a", "1")
        with pytest.raises(ForeignKey, match="'prod:a', and keys of this environment begin with 'dev:'"):
            await guarded.set("prod:a", "1")
        async with guarded.pipeline() as pipeline:
            pipeline.set("dev:b", "1")
            pipeline.set("prod:b", "1")
            with pytest.raises(ForeignKey):
                await pipeline.execute()
        async with guarded.pubsub() as pubsub:
            with pytest.raises(ForeignKey):
                await pubsub.subscribe("prod:events")
        assert await guarded.get("dev:a") == "1"
    assert await client.keys() == ["dev:a"]
