"""Receivers of webhooks that break the rules of HTTP, or of good manners, each in its own way."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
_PIECE_S = 0.2


class Manner(StrEnum):
    """How a receiver answers."""

    SILENT = "silent"
    DRIPPING = "dripping"
    ENDLESS = "endless"
    BROKEN_CHUNKS = "broken-chunks"
    ODD_REASON = "odd-reason"
    ODD_DATE = "odd-date"
    ABSURD_WAIT = "absurd-wait"
    NOT_HTTP = "not-http"


TAKES = frozenset({Manner.DRIPPING, Manner.ENDLESS, Manner.BROKEN_CHUNKS})
"""These say 200: the message has been taken, however the body goes on."""

_AT_ONCE = {
    Manner.ODD_REASON: b"HTTP/1.1 500 no \xff\xfe\r\nContent-Length: 0\r\n\r\n",
    Manner.ODD_DATE: (
        b"HTTP/1.1 503 Later\r\nRetry-After: Mon, 01 Jan 2030 00:00:00 +99999999999999999999\r\n"
        b"Content-Length: 0\r\n\r\n"
    ),
    Manner.ABSURD_WAIT: b"HTTP/1.1 429 Later\r\nRetry-After: 99999999999999999999999\r\nContent-Length: 0\r\n\r\n",
    Manner.NOT_HTTP: b"\xff\xfe\x00\x01 no HTTP at all\n\n",
}


@dataclass
class Rude:
    """`tries` counts requests by manner."""

    tries: Counter[str] = field(default_factory=Counter)
    origin: str = ""

    def url(self, manner: Manner) -> str:
        """Where one with this manner listens."""
        return f"{self.origin}/{manner}"

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, asyncio.IncompleteReadError, ValueError):
                head = await reader.readuntil(b"\r\n\r\n")
                manner = Manner(head.split(b" ", 2)[1].decode().strip("/"))
                self.tries[manner] += 1
                await self._behave(manner, writer)
        finally:
            writer.close()

    async def _behave(self, manner: Manner, writer: asyncio.StreamWriter) -> None:
        if manner in _AT_ONCE:
            writer.write(_AT_ONCE[manner])
            await writer.drain()
        elif manner is Manner.SILENT:
            await asyncio.sleep(600)
        else:
            await _send_body(manner, writer)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Rude"]:
        """Listen, for as long as the body runs."""
        tasks: set[asyncio.Task[None]] = set()

        def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(self._answer(reader, writer))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        self.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for task in list(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.sleep(0.1)  # so that what was closed is gone before the loop is


async def _send_body(manner: Manner, writer: asyncio.StreamWriter) -> None:
    kind = b"Content-Length: 1000000" if manner is Manner.DRIPPING else b"Transfer-Encoding: chunked"
    writer.write(_HEAD + kind + b"\r\n\r\n")
    await writer.drain()
    await asyncio.sleep(_PIECE_S)
    if manner is Manner.BROKEN_CHUNKS:
        writer.write(b"5\r\nhello\r\nzz\xff\r\n")
        await writer.drain()
        return
    while True:
        writer.write(b"." if manner is Manner.DRIPPING else b"400\r\n" + b"." * 1024 + b"\r\n")
        await writer.drain()
        await asyncio.sleep(_PIECE_S)
