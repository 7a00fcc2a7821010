"""The guard of request bodies: how large one may be, and how slowly it may arrive."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from starlette.types import Message, Receive, Scope

from genpulse.api.errors import BodyTooSlow
from genpulse.api.requests.lean_request import headers_of
from genpulse.api.requests.paths import inner_path
from genpulse.api.server.arrived_body import has_arrived
from genpulse.background.cancel_handles import CancelHandle
from genpulse.domain.errors import ContentTooLarge

LEAST_BYTES_PER_S = 1024
_WITHOUT_BODY = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class BodyGuard:
    """Guards the bodies of all requests but GET and HEAD.

    A body may have `limit_bytes`; `path_limits` gives other limits to single paths, and `granted` to requests that
    have a limit of their own (None: they have not). A client is waited for `idle_s` seconds in a row, and in total
    for `idle_s` and one second for each KiB that it has sent.
    """

    limit_bytes: int
    idle_s: float
    path_limits: Mapping[str, int] = field(default_factory=dict)
    granted: Callable[[Scope], int | None] = lambda _scope: None

    def guarded(self, scope: Scope, receive: Receive) -> Receive:
        """The `receive` of the request, which raises `ContentTooLarge` and `BodyTooSlow`.

        Raises `ContentTooLarge` at once where the length is announced.
        """
        if scope["method"] in _WITHOUT_BODY:
            return receive
        limit_bytes = self.granted(scope)
        if limit_bytes is None:
            limit_bytes = self.path_limits.get(inner_path(scope), self.limit_bytes)
        limited = _within_limit(scope, receive, limit_bytes)
        return limited if has_arrived(scope) else _Timed(limited, self.idle_s)


def _within_limit(scope: Scope, receive: Receive, limit_bytes: int) -> Receive:
    announced = headers_of(scope).get("content-length") or ""
    if not announced.isdecimal():
        return _counting(receive, limit_bytes)
    if int(announced[:20]) > limit_bytes:
        raise ContentTooLarge(limit_bytes)
    # The server reads no more of a body than was announced.
    return receive


def _counting(receive: Receive, limit_bytes: int) -> Receive:
    read_bytes = 0

    async def count() -> Message:
        nonlocal read_bytes
        message = await receive()
        if message["type"] == "http.request":
            read_bytes += len(message.get("body", b""))
            if read_bytes > limit_bytes:
                raise ContentTooLarge(limit_bytes)
        return message

    return count


class _Timed:
    """A `receive` that raises `BodyTooSlow`."""

    __slots__ = ("_ended", "_idle_s", "_left_s", "_receive")

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
        handle = CancelHandle()
        timer = asyncio.get_running_loop().call_later(max(min(self._idle_s, self._left_s), 0.0), handle)
        try:
            with handle:
                message = await self._receive()
        finally:
            timer.cancel()
        if message is None:
            raise BodyTooSlow(self._idle_s)
        self._left_s += len(message.get("body", b"")) / LEAST_BYTES_PER_S - (time.monotonic() - began)
        self._ended = not message.get("more_body", False)
        return message
