"""Sends one request over and over: `python -m bench.load.http URL --connections 64 --seconds 4 [--body TEXT]`.

A client library costs more than the server that is measured (aiohttp's: 170 µs a request), and both share two
processors here; so this speaks to sockets itself and parses answers with httptools. Prints JSON: answers a second,
and latencies in milliseconds.
"""

import argparse
import asyncio
import json
import statistics
import time
from urllib.parse import urlsplit

import httptools
import uvloop


class Connection(asyncio.Protocol):
    """One connection that sends the next request as soon as it has the answer to the last."""

    def __init__(self, requests: list[bytes], until: float, accepted: frozenset[int]) -> None:
        self._requests = requests
        self._until = until
        self._accepted = accepted
        self._turn = 0
        self._sent_at = 0.0
        self.latencies: list[float] = []
        self.wrong: list[int] = []
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._parser = httptools.HttpResponseParser(self)
        self._send()

    def _send(self) -> None:
        self._sent_at = time.perf_counter()
        self._transport.write(self._requests[self._turn % len(self._requests)])
        self._turn += 1

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        now = time.perf_counter()
        self.latencies.append(now - self._sent_at)
        if self._parser.get_status_code() not in self._accepted:
            self.wrong.append(self._parser.get_status_code())
        if now < self._until:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(error)


def request(method: str, url: str, body: bytes) -> bytes:
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    head = f"{method} {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"{head}\r\n".encode() + body


async def run(wanted: argparse.Namespace) -> dict[str, float]:
    urls = wanted.url
    requests = [request(wanted.method, url, wanted.body.encode()) for url in urls]
    loop, accepted = asyncio.get_running_loop(), frozenset(wanted.accept)
    began = time.perf_counter()
    connections = []
    for number in range(wanted.connections):
        turn = requests[number % len(requests) :] + requests[: number % len(requests)]
        parts = urlsplit(urls[number % len(urls)])
        own = turn if wanted.spread else turn[:1]
        _, connection = await loop.create_connection(
            lambda own=own: Connection(own, began + wanted.seconds, accepted), parts.hostname, parts.port
        )
        connections.append(connection)
    await asyncio.gather(*(connection.ended for connection in connections))
    took = time.perf_counter() - began
    latencies = sorted(latency for connection in connections for latency in connection.latencies)
    wrong = [status for connection in connections for status in connection.wrong]
    if wrong:
        raise SystemExit(f"{len(wrong)} answers of {len(latencies)} were not {sorted(accepted)}: {set(wrong)}")
    return {
        "per_second": len(latencies) / took,
        "p50_ms": statistics.median(latencies) * 1e3,
        "p99_ms": latencies[int(len(latencies) * 0.99)] * 1e3,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url", nargs="+", help="connections take turns; with --spread each asks all of them")
    parser.add_argument("--method", default="GET")
    parser.add_argument("--body", default="")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--accept", type=int, nargs="+", default=[200])
    parser.add_argument("--spread", action="store_true")
    print(json.dumps(uvloop.run(run(parser.parse_args()))))


if __name__ == "__main__":
    main()
