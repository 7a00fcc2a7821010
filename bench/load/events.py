"""Watches tasks and publishes their progress: `python -m bench.load.events API_URL WATCHERS TASK_ID …`.

Each watcher is a connection of its own. Progress goes to Redis as a worker sends it, 200 times a second. Says when
all are watching, waits for a line, and prints the milliseconds from publishing to receiving.
"""

import asyncio
import json
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

RATE, SECONDS, AT_ONCE = 200, 10, 200


class Watcher(asyncio.Protocol):
    """One stream. Progress carries the time at which it was published, as its message."""

    def __init__(self, request: bytes, waits: list[float]) -> None:
        self._request = request
        self._waits = waits
        self.begun = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        if not self.begun.done():
            self.begun.set_result(None)
        for line in data.split(b"\n"):
            if line.startswith(b"data:") and b'"message":"at ' in line:
                self._waits.append(now - float(json.loads(line[5:])["message"][3:]))


async def main(url: str, count: int, task_ids: list[str]) -> None:
    parts, waits, watchers = urlsplit(url), [], []
    limit = asyncio.Semaphore(AT_ONCE)

    async def watch(number: int) -> None:
        path = f"/v1/tasks/{task_ids[number % len(task_ids)]}/events"
        request = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept: text/event-stream\r\n\r\n".encode()
        async with limit:
            _, watcher = await asyncio.get_running_loop().create_connection(
                lambda: Watcher(request, waits), parts.hostname, parts.port
            )
            await watcher.begun
        watchers.append(watcher)

    await asyncio.gather(*(watch(number) for number in range(count)))
    print("watching", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    settings = config.load(require=())
    keys = Keyspace(settings.key_prefix)
    redis = open_redis(settings.redis.url.get_secret_value(), keys.prefix)
    async with RedisEventBus(redis, keys) as bus:
        began = time.perf_counter()
        for number in range(RATE * SECONDS):
            await asyncio.sleep(max(began + number / RATE - time.perf_counter(), 0))
            task_id = UUID(task_ids[number * 7 % len(task_ids)])
            bus.publish(TaskEvent(task_id, number + 2, 0.5, f"at {time.perf_counter()!r}"))
        await asyncio.sleep(1)
    await redis.aclose()
    expected = RATE * SECONDS * count / len(task_ids)
    waits.sort()
    print(
        json.dumps(
            {
                "p50_ms": waits[len(waits) // 2] * 1e3,
                "p99_ms": waits[int(len(waits) * 0.99)] * 1e3,
                "received": len(waits) / expected,
            }
        ),
        flush=True,
    )
    for watcher in watchers:
        watcher.transport.abort()


uvloop.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
