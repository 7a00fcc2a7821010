"""Submits steadily while others look: `python -m bench.load.watched API_URL LIVE_URL WATCHERS RATE SECONDS`.

Each watcher is a connection of its own to a stream of the console. Prints the milliseconds of a submit, and how
many pieces of streams came to each watcher.
"""

import asyncio
import json
import sys
import time
from contextlib import suppress
from urllib.parse import urlsplit

import aiohttp
import uvloop

ORDER = b'{"model": "sandbox/noop", "input": {}}'
AT_ONCE = 50


class Watcher(asyncio.Protocol):
    """One stream, of which nothing is kept."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self.begun = asyncio.get_running_loop().create_future()
        self.pieces = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        transport.write(self._request)

    def data_received(self, _data: bytes) -> None:
        self.pieces += 1
        if not self.begun.done():
            self.begun.set_result(None)


async def watch(url: str, limit: asyncio.Semaphore) -> Watcher:
    parts = urlsplit(url)
    request = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept: text/event-stream\r\n\r\n".encode()
    async with limit:
        _, watcher = await asyncio.get_running_loop().create_connection(
            lambda: Watcher(request), parts.hostname, parts.port
        )
        await watcher.begun
    return watcher


async def submit(url: str, rate: float, seconds: float) -> list[float]:
    """How long each took."""
    took: list[float] = []

    async def one(session: aiohttp.ClientSession) -> None:
        began = time.perf_counter()
        headers = {"Content-Type": "application/json"}
        async with session.post(f"{url}/v1/tasks", data=ORDER, headers=headers) as answer:
            await answer.read()
            answer.raise_for_status()
        took.append(time.perf_counter() - began)

    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as requests:
        began = time.perf_counter()
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(began + number / rate - time.perf_counter(), 0))
            requests.create_task(one(session))
    return sorted(took)


async def main(url: str, live: str, count: int, rate: float, seconds: float) -> None:
    limit = asyncio.Semaphore(AT_ONCE)
    watchers = await asyncio.gather(*(watch(live, limit) for _ in range(count)))
    before = sum(watcher.pieces for watcher in watchers)
    took = await submit(url, rate, seconds)
    pieces = sum(watcher.pieces for watcher in watchers) - before
    for watcher in watchers:
        with suppress(OSError):
            watcher.transport.abort()
    p50, p99 = (took[int(len(took) * share)] * 1e3 for share in (0.5, 0.99))
    print(json.dumps({"p50_ms": p50, "p99_ms": p99, "pieces": pieces / max(count, 1)}))


uvloop.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5])))
