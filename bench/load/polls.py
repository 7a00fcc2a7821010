"""Asks at fixed times: `python -m bench.load.polls URL PER_S SECONDS PATH …`.

Each path is a client's, with a connection of its own. While they ask, progress of the tasks in `TASK_IDS` (with
commas) goes to Redis as a worker sends it. Prints the milliseconds from when it was time to ask to the answer, and
how many answers came.
"""

import asyncio
import json
import os
import sys
import time
from urllib.parse import urlsplit
from uuid import UUID

import uvloop

from genpulse import config
from genpulse.adapters.redis.connection import open_redis
from genpulse.adapters.redis.events import RedisEventBus
from genpulse.adapters.redis.keys import Keyspace
from genpulse.domain.event import TaskEvent

EVENTS_PER_S = 200
TAKEN = (b"HTTP/1.1 200", b"HTTP/1.1 202")


class Client(asyncio.Protocol):
    """One connection, and one answer at a time."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[bytes] | None = None
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        if len(body) >= length:
            self._received = b""
            self.answer.set_result(head)

    async def ask(self, request: bytes) -> bytes:
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self.answer


async def main(url: str, per_s: float, seconds: float, paths: list[str]) -> None:
    parts, waits, refused = urlsplit(url), [], []
    loop = asyncio.get_running_loop()

    async def poll(number: int, path: str) -> None:
        request = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
        _, client = await loop.create_connection(Client, parts.hostname, parts.port)
        await client.ask(request)
        first = began + number / len(paths) / per_s
        for turn in range(int(seconds * per_s)):
            due = first + turn / per_s
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            head = await client.ask(request)
            waits.append(time.perf_counter() - due)
            if not head.startswith(TAKEN):
                refused.append(head)
        client.transport.close()

    began = time.perf_counter() + 0.5
    telling = asyncio.create_task(tell_progress())
    await asyncio.gather(*(poll(number, path) for number, path in enumerate(paths)))
    telling.cancel()
    if refused:
        raise SystemExit(f"{len(refused)} were refused, such as {refused[0]!r}")
    waits.sort()
    took = time.perf_counter() - began
    figures = {"p50_ms": waits[len(waits) // 2] * 1e3, "p99_ms": waits[int(len(waits) * 0.99)] * 1e3}
    print(json.dumps({**figures, "answers": len(waits), "per_second": len(waits) / took}))


async def tell_progress() -> None:
    task_ids = [UUID(word) for word in os.environ.get("TASK_IDS", "").split(",") if word]
    if not task_ids:
        return
    settings = config.load(require=())
    keys = Keyspace(settings.key_prefix)
    redis = open_redis(settings.redis.url.get_secret_value(), keys.prefix)
    async with RedisEventBus(redis, keys) as bus:
        began = time.perf_counter()
        for number in range(1 << 30):
            await asyncio.sleep(max(began + number / EVENTS_PER_S - time.perf_counter(), 0))
            bus.publish(TaskEvent(task_ids[number % len(task_ids)], number + 2, 0.5, f"step {number}"))


uvloop.run(main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), sys.argv[4:]))
