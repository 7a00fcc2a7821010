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

from genpulse.adapters.redis.connection import RedisProbe, open_redis
from genpulse.adapters.redis.events import RedisEventBus
from genpulse.adapters.redis.key_guard import ForeignKey
from genpulse.adapters.redis.keys import Keyspace
from genpulse.adapters.redis.presence import RedisPresence
from genpulse.adapters.redis.provider_gate import RedisGate
from genpulse.dev.processes.child import Child, Command, Guard
from genpulse.dev.processes.ports import LOOPBACK, free_port
from genpulse.dev.servers.binaries import redis_binary
from genpulse.domain.event import TaskEvent
from genpulse.domain.provider_account.gate import CircuitPolicy, Limits
from genpulse.domain.provider_account.rate import Rate
from genpulse.ports import State, WorkerPresence

DEV = Keyspace("dev:")
WORKER = WorkerPresence("w", "host", 1, 16, 0, ("sandbox",))
UP_S = 60.0
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
        answer_s=60,
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


async def answers(url: str) -> State:
    async with open_redis(url, "dev:") as client:
        return (await RedisProbe(client, DEV)()).state


@contextmanager
def guarded_pair(folder: Path, guard: Guard, *lines: str) -> Iterator[int]:
    """A server with a password, and a Sentinel with these lines before it; the body gets the Sentinel's port."""
    with (
        server(folder / "one", guard, f"requirepass {PASSWORD}") as one,
        server(
            folder / "sentinel",
            guard,
            f"sentinel monitor main {LOOPBACK} {one} 1",
            f"sentinel auth-pass main {PASSWORD}",
            *lines,
            sentinel=True,
        ) as port,
    ):
        yield port


@pytest.mark.parametrize("lines", [(), (f"requirepass {PASSWORD}",)], ids=["no password", "the same password"])
async def test_a_sentinel_needs_no_word_in_the_url(tmp_path: Path, guard: Guard, lines: tuple[str, ...]) -> None:
    with guarded_pair(tmp_path, guard, *lines) as port:
        assert await answers(f"redis+sentinel://:{PASSWORD}@{LOOPBACK}:{port}/main/0") is State.OK
        assert await answers(f"redis+sentinel://:wrong@{LOOPBACK}:{port}/main/0") is State.DEGRADED


async def test_a_sentinel_with_a_login_of_its_own(tmp_path: Path, guard: Guard) -> None:
    lines = ("user watcher on >other ~* &* +@all", "requirepass another")
    with guarded_pair(tmp_path, guard, *lines) as port:
        url = f"redis+sentinel://:{PASSWORD}@{LOOPBACK}:{port}/main/0"
        assert await answers(url) is State.DEGRADED
        assert await answers(f"{url}?sentinel_password=another") is State.OK
        assert await answers(f"{url}?sentinel_username=watcher&sentinel_password=other") is State.OK
        assert await answers(f"{url}?sentinel_username=watcher&sentinel_password=wrong") is State.DEGRADED


@pytest.mark.parametrize(("scheme", "tls"), [("redis", False), ("rediss", True)])
async def test_a_sentinel_is_spoken_to_as_the_server_is(scheme: str, tls: bool) -> None:
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.read(1)
        if not heard.done():
            heard.set_result(first)
        writer.close()

    async with await asyncio.start_server(hear, LOOPBACK, 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        await answers(f"{scheme}+sentinel://{LOOPBACK}:{port}/main/0")
        assert (await heard == b"\x16") is tls, "a TLS handshake begins with 22"


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
