"""Calls that a client repeats by itself, without an idempotency key.

Clients of OpenAI and fal post again when an answer does not reach them. Such a call gets the task of the one
before when the client says that it repeats, or when the answer to the one before was not written out whole. Two
calls that are meant stay two tasks.
"""

import asyncio
import hashlib
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from genpulse.api.context import caller_of
from genpulse.api.requests import headers as request_headers
from genpulse.api.server.written_answer import when_unread
from genpulse.domain.errors import Refused

REMEMBERED_S = 600.0
"""Seconds after which a call counts as a new one."""
MOST_REMEMBERED = 20_000


@dataclass(slots=True)
class _Call:
    """A call that made a task under `key`. `is_lost`: its answer did not reach the client."""

    key: str
    began_at_s: float
    is_lost: bool = False

    def lose(self) -> None:
        """Its answer did not reach the client."""
        self.is_lost = True


class RepeatedCalls:
    """The calls of the last ten minutes, by what was asked. `clock` counts seconds and never jumps."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._calls: dict[bytes, _Call] = {}

    async def answer(
        self,
        request: Request,
        body: bytes,
        handle: Callable[[str], Awaitable[Response]],
        *,
        says_repeated: bool = False,
    ) -> Response:
        """The answer that `handle` gives under the idempotency key of this call.

        `body` is the request in a form that is the same each time. Raises what `handle` raises.
        """
        given = request_headers.idempotency_key(request.headers)
        if given is not None:
            return await handle(given)
        call = self._call(_digest(request, body), says_repeated=says_repeated)
        when_unread(request.scope, call.lose)  # at once: the next call may be here before this one is told
        try:
            response = await handle(call.key)
        except Refused:
            raise
        except (ClientDisconnect, asyncio.CancelledError, Exception):
            call.is_lost = True
            raise
        return _Watched(response, call)

    def _call(self, digest: bytes, *, says_repeated: bool) -> _Call:
        now, before = self._clock(), self._calls.pop(digest, None)
        is_fresh = before is not None and now - before.began_at_s <= REMEMBERED_S
        if before is not None and is_fresh and (says_repeated or before.is_lost):
            call = before
            call.is_lost = False
        else:
            call = _Call(f"door-{uuid.uuid4().hex}", now)
        self._calls[digest] = call
        while len(self._calls) > MOST_REMEMBERED:
            del self._calls[next(iter(self._calls))]
        return call


class _Watched(Response):
    """A response that notes whether it was written out whole, and read."""

    background = None

    def __init__(self, response: Response, call: _Call) -> None:
        self._response = response
        self._call = call
        self.status_code = response.status_code
        self.raw_headers = response.raw_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        self._call.is_lost = True
        await self._response(scope, receive, send)
        self._call.is_lost = False
        when_unread(scope, self._call.lose)


def _digest(request: Request, body: bytes) -> bytes:
    """Of who asks for what, and where."""
    whole = hashlib.sha256()
    for part in (caller_of(request).owner.encode(), request.scope["path"].encode(), body):
        whole.update(len(part).to_bytes(8) + part)
    return whole.digest()
