"""Responses that are sent piece by piece, for as long as somebody listens."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Generic, TypeVar

from prometheus_client import Gauge
from pydantic import BaseModel
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from genpulse.api.requests.lean_request import forget
from genpulse.background.cancel_handles import CancelHandles
from genpulse.background.first import first_of
from genpulse.domain.errors import Unavailable

T = TypeVar("T")

KEEP_ALIVE = b": keep-alive\n\n"
RECONNECT_MS = 1000

_log = logging.getLogger(__name__)

_EVENT_HEADERS = [
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
    (b"content-type", b"text/event-stream; charset=utf-8"),
]


def event_bytes(number: int, name: str, data: BaseModel) -> bytes:
    """One event as it is sent."""
    return f"id: {number}\nevent: {name}\ndata: {data.model_dump_json()}\n\n".encode()


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
        await first_of(self._send_all(send), until_gone(receive))
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_all(self, send: Send) -> None:
        async with aclosing(self._chunks) as chunks:
            async for chunk in chunks:
                await send(_chunk(chunk))


class EventStream(Response, Generic[T]):
    """Server-Sent Events: ends when the server stops, too, and is counted while it is open.

    It breaks off while the database is away; the client then resumes it. There are thousands of these, so each is
    one coroutine, what it watches, and one task that hears the client leave.
    """

    status_code = 200
    background = None

    def __init__(
        self,
        updates: AsyncGenerator[T, None],
        frame: Callable[[T], bytes],
        cancel_handles: CancelHandles,
        watchers: Gauge,
    ) -> None:
        self.raw_headers = _EVENT_HEADERS
        self._updates = updates
        self._frame = frame
        self._cancel_handles = cancel_handles
        self._watchers = watchers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head, a frame for each update, and the end."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        forget(scope)
        handle = self._cancel_handles.new()
        leave = asyncio.create_task(until_gone(receive))
        leave.add_done_callback(handle)
        self._watchers.inc()
        try:
            with handle:
                await send(_chunk(b"retry: %d\n\n" % RECONNECT_MS))
                async for update in self._updates:
                    await send(_chunk(self._frame(update)))
                    del update  # it may be long until the next
        except Unavailable as error:
            _log.warning("an event stream breaks off, %s: %s", scope["path"], error)
        finally:
            self._watchers.dec()
            leave.cancel()
            self._cancel_handles.discard(handle)
            await self._updates.aclose()
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _chunk(body: bytes) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": True}


async def until_gone(receive: Receive) -> None:
    """Take what comes until the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
