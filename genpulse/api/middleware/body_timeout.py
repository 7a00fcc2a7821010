"""Middleware that limits how slowly a request body may arrive."""

import asyncio
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from genpulse.api.errors import BodyTooSlow
from genpulse.api.server.shutdown import CancelHandle

LEAST_BYTES_PER_S = 1024


class BodyTimeout:
    """ASGI middleware that raises `BodyTooSlow` for a client that holds a connection and sends next to nothing.

    A client is waited for `idle_s` seconds in a row at most, and all in all for as long and for the time that its
    bytes take at 1 KiB a second.
    """

    def __init__(self, app: ASGIApp, idle_s: float) -> None:
        self._app = app
        self._idle_s = idle_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, timing its body."""
        timed = scope["type"] == "http" and scope["method"] not in {"GET", "HEAD"}
        await self._app(scope, paced(receive, self._idle_s) if timed else receive, send)


def paced(receive: Receive, idle_s: float) -> Receive:
    """The same body, whose pauses raise `BodyTooSlow`."""
    return _Timed(receive, idle_s)


class _Timed:
    def __init__(self, receive: Receive, idle_s: float) -> None:
        self._receive = receive
        self._idle_s = idle_s
        self._left_s = idle_s
        self._ended = False

    async def __call__(self) -> Message:
        if self._ended:
            return await self._receive()
        began = time.monotonic()
        message: Message | None = None
        ending = CancelHandle()
        timer = asyncio.get_running_loop().call_later(max(min(self._idle_s, self._left_s), 0.0), ending)
        try:
            with ending:
                message = await self._receive()
        finally:
            timer.cancel()
        if message is None:
            raise BodyTooSlow(self._idle_s)
        self._left_s += len(message.get("body", b"")) / LEAST_BYTES_PER_S - (time.monotonic() - began)
        self._ended = not message.get("more_body", False)
        return message
