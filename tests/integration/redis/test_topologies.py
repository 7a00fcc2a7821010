"""The bus and presence on a real cluster, and behind a real Sentinel that fails over."""

import asyncio
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import pytest
from redis.asyncio import Redis as Client
from redis.exceptions import ResponseError

from genpulse.adapters.redis.connection import open_redis
from genpulse.adapters.redis.events import RedisEventBus
from genpulse.adapters.redis.gate import RedisGate
from genpulse.adapters.redis.guard import ForeignKey
from genpulse.adapters.redis.keys import Keyspace
from genpulse.adapters.redis.presence import RedisPresence
from genpulse.dev.binaries import redis_binary
from genpulse.dev.child import Child, Command, Guard
from genpulse.dev.ports import LOOPBACK, free_port
from genpulse.domain.event import TaskEvent
from genpulse.domain.gate import CircuitPolicy, Limits
from genpulse.domain.rate import Rate
from genpulse.ports import WorkerPresence

DEV = Keyspace("dev:")
WORKER = WorkerPresence("w", "host", 1, 16, 0, ("sandbox",))
UP_S = 20.0
PASSWORD = secrets.token_hex(8)


@contextmanager
def server(folder: Path, guard: Guard, *lines: str, sentinel: bool = False) -> Iterator[int]:
    """A server with these lines of configuration; the body gets its port."""
    folder.mkdir()
    port = free_port()
    common = (f"port {port}", f"bind {LOOPBACK}", f"dir {folder}", "save ''", "protected-mode no")
    file = folder / "server.conf"
    file.write_text("\n".join([*(common[:3] if sentinel else common), *lines]) + "\n")
    program = [str(redis_binary().program), str(file), *(["--sentinel"] if sentinel else [])]
    child = Child(Command(folder.name, program, {}, folder), guard, lambda _name, _line: None)
    try:
        wait_for(port, child)
        yield port
    finally:
        child.stop(patience_s=2)


def wait_for(port: int, child: Child) -> None:
    deadline = time.monotonic() + UP_S
    while True:
        with suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1):
            return
        assert time.monotonic() < deadline, child.last_lines
        time.sleep(0.05)


async def eventually(holds) -> None:
    deadline = time.monotonic() + UP_S
    while not await holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


async def works(client: Client) -> None:
    """An event arrives, a worker is seen, and a rate holds for two who share it."""
    task_id = uuid4()
    async with RedisEventBus(client, DEV) as bus, bus.subscribe(task_id) as subscription:
        bus.publish(TaskEvent(task_id, 1))
        assert await subscription.next(5) == TaskEvent(task_id, 1)
    presence = RedisPresence(client, DEV)
    await presence.beat(WORKER, 60)
    assert await presence.workers() == (WORKER,)
    vendor = f"vendor_{uuid4().hex}"
    first, second = (gate_on(client, vendor) for _ in range(2))
    assert (await first.admit(vendor, 1)).granted == 1
    assert (await second.admit(vendor, 1)).granted == 0


def gate_on(client: Client, vendor: str) -> RedisGate:
    async def one() -> int:
        return 1

    return RedisGate(
        client,
        DEV,
        guarded=(),
        limits={vendor: Limits(rate=Rate.parse("1/min"))},
        policy=CircuitPolicy(),
        workers=one,
        random=lambda: 1.0,
    )


async def test_a_cluster(tmp_path: Path, guard: Guard) -> None:
    lines = ("cluster-enabled yes", f"cluster-port {free_port()}", f"requirepass {PASSWORD}")
    with server(tmp_path / "cluster", guard, *lines) as port:
        async with Client(port=port, password=PASSWORD, decode_responses=True) as admin:
            await admin.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)

            async def ready() -> bool:
                return "cluster_state:ok" in str(await admin.execute_command("CLUSTER", "INFO"))

            await eventually(ready)
            async with open_redis(f"redis+cluster://:{PASSWORD}@{LOOPBACK}:{port}", "dev:") as client:
                await works(client)
                with pytest.raises(ForeignKey):
                    await client.set("prod:a", "1")
            assert all(str(key).startswith("dev:") for key in await admin.keys())


async def test_a_primary_behind_a_sentinel_and_its_successor(tmp_path: Path, guard: Guard) -> None:
    with (
        server(tmp_path / "one", guard) as one,
        server(tmp_path / "two", guard, f"replicaof {LOOPBACK} {one}") as two,
        server(
            tmp_path / "sentinel",
            guard,
            f"sentinel monitor main {LOOPBACK} {one} 1",
            "sentinel down-after-milliseconds main 500",
            "sentinel failover-timeout main 2000",
            sentinel=True,
        ) as watching,
    ):
        async with (
            Client(port=watching, decode_responses=True) as sentinel,
            open_redis(f"redis+sentinel://{LOOPBACK}:{watching}/main/0", "dev:") as client,
        ):

            async def knows_the_replica() -> bool:
                return bool(await sentinel.execute_command("SENTINEL", "REPLICAS", "main"))

            await eventually(knows_the_replica)
            await works(client)
            with pytest.raises(ForeignKey):
                await client.set("prod:a", "1")

            async def failing_over() -> bool:
                try:
                    await sentinel.execute_command("SENTINEL", "FAILOVER", "main")
                except ResponseError:
                    return False
                return True

            await eventually(failing_over)

            async def moved() -> bool:
                masters = await sentinel.sentinel_masters()
                return int(masters["main"]["port"]) == two

            await eventually(moved)
            async with Client(port=two, decode_responses=True) as successor:

                async def is_primary() -> bool:
                    return (await successor.info("replication"))["role"] == "master"

                await eventually(is_primary)
                async with open_redis(f"redis+sentinel://{LOOPBACK}:{watching}/main/0", "dev:") as fresh:
                    await works(fresh)
                assert await successor.keys("dev:*")
