"""A vendor whose jobs take a while: `python -m bench.load.vendor SECONDS`.

GET /figures tells how it was asked, and GET /progress how many jobs and polls there are.

It speaks to sockets itself and parses with httptools, so that it costs less than what is measured.
"""

import asyncio
import itertools
import json
import sys
import time

import httptools
import uvloop

LASTS_S = float(sys.argv[1])


class Books:
    """When each job was begun, and when it was asked for."""

    def __init__(self) -> None:
        self.begun: dict[str, float] = {}
        self.polls: dict[str, list[float]] = {}
        self.asked = self.ended = 0

    def answer(self, method: str, path: str) -> dict[str, object]:
        now = time.monotonic()
        if method == "POST":
            job_id = f"j{len(self.begun)}"
            self.begun[job_id] = now
            self.polls[job_id] = []
            return {"id": job_id}
        if path == "/progress":
            return {"jobs": len(self.begun), "polls": self.asked, "ended": self.ended}
        if path == "/figures":
            return {"jobs": len(self.begun), "polls": sum(map(len, self.polls.values())), "gaps": self._gaps()}
        job_id = path.rpartition("/")[2]
        self.polls[job_id].append(now)
        self.asked += 1
        is_done = now - self.begun[job_id] >= LASTS_S
        self.ended += is_done
        return {"status": "done" if is_done else "working"}

    def _gaps(self) -> list[float]:
        """Between the polls of a job, in seconds, a sample of 100,000 at most."""
        gaps = [later - sooner for asked in self.polls.values() for sooner, later in itertools.pairwise(asked)]
        return [round(gap, 3) for gap in sorted(gaps)[:: max(len(gaps) // 100_000, 1)]]


class Exchange(asyncio.Protocol):
    """One connection."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._path = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)

    def on_url(self, url: bytes) -> None:
        self._path += url

    def on_message_complete(self) -> None:
        method = self._parser.get_method().decode()
        body = json.dumps(self._books.answer(method, self._path.decode())).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self._transport.write(head % len(body) + body)
        self._path = b""

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)


async def main() -> None:
    books = Books()
    server = await asyncio.get_running_loop().create_server(lambda: Exchange(books), "127.0.0.1", 0, backlog=4096)
    print(f"listening at http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


uvloop.run(main())
