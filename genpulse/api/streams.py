"""Responses that are sent piece by piece, for as long as somebody listens."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from prometheus_client import Gauge
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from genpulse.api.shutdown import first_of


class Stream(Response):
    """Sends chunks until there are no more or the client is gone; raises what the chunks raise."""

    def __init__(
        self,
        chunks: AsyncGenerator[bytes, None],
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
    ) -> None:
        super().__init__(None, status, headers, media_type)
        if "Content-Length" not in (headers or {}):
            del self.headers["Content-Length"]
        self._chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Send the head, the chunks, and the end."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await self._send_chunks(receive, send)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_chunks(self, receive: Receive, send: Send) -> None:
        await first_of(self._send_all(send), _gone(receive))

    async def _send_all(self, send: Send) -> None:
        async with aclosing(self._chunks) as chunks:
            async for chunk in chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})


class EventStream(Stream):
    """Server-Sent Events: ends when the server stops, too, and is counted while it is open."""

    def __init__(self, frames: AsyncGenerator[bytes, None], stopping: asyncio.Event, watchers: Gauge) -> None:
        headers = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
        super().__init__(frames, 200, headers, "text/event-stream")
        self._stopping = stopping
        self._watchers = watchers

    async def _send_chunks(self, receive: Receive, send: Send) -> None:
        with self._watchers.track_inprogress():
            await first_of(self._send_all(send), _gone(receive), self._stopping.wait())


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
