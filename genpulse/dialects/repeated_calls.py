"""Calls that a client repeats by itself, without an idempotency key.

Clients of OpenAI and fal post again when an answer does not reach them. Such a call gets the task of the one
before when the client says that it repeats (and the one before is no more than ten minutes old), or when the
answer to the one before was not written out whole. Two calls that are meant stay two tasks, at the same moment,
too. An Idempotency-Key of the client's own goes before all of that.

Who remembers what, and how long it lasts:

| what | where | survives |
|---|---|---|
| calls of all processes of the API (`CallMemory`), with what became of their answers | Redis | `kill -9` of one |
| the same of this process, for when Redis is away | memory | nothing |
| the keys of tasks, which hold the digest of their call and its time | PostgreSQL | both |

PostgreSQL is asked when a client says that it repeats and Redis does not know of what: of several processes each
knows its own calls alone, and another one may have made the task.
A key is committed with its task, in the same statement: nothing more is written for it, and a task is never made
twice under one key.

What cannot be known:

- which of two equal calls that were answered is the one that a client repeats: the newest is taken. There are as
  many tasks as were meant, but one of them may answer twice.
- that an equal call is meant as another one which comes between a lost answer and its repetition: it gets the
  lost task, and if the repetition says that it is one, both do.
- whether an answer that was written out whole has arrived. A client that does not say that it repeats then gets a
  second task.
- that a call was repeated whose first try never came here, or was refused before its body was read by another
  process: where an equal one was answered within the ten minutes before, it gets the task of that.
- without Redis, or once it has lost what it knew: what became of the calls of other processes. A client's word is
  then all there is, and a call that was refused or lost before may get the task of an equal one.
- a call whose first try is still on its way to PostgreSQL in a process that has died, or that cannot be asked
  because Redis is away: a second task may be made while the first commit happens after all.
"""

import asyncio
import hashlib
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from genpulse.api.context import caller_of, context_in
from genpulse.api.requests import headers as request_headers
from genpulse.api.requests.lean_request import headers_of
from genpulse.api.server.written_answer import when_unread
from genpulse.domain.errors import Refused
from genpulse.domain.submission.repeated_calls import REMEMBERED_S, CallState, KnownCalls
from genpulse.ports import Services

_SEEN = "genpulse.repeated"
"""Key in the scope of a request whose body was read: what becomes of it is known by its digest."""
_MOST_REFUSED = 10_000


@dataclass(frozen=True, slots=True)
class _Call:
    """A call for `digest`, under way under an idempotency key. `is_new`: no other call had that before."""

    digest: str
    key: str
    is_new: bool = True


class RepeatedCalls:
    """The calls of the last ten minutes, by what was asked. `clock` counts seconds and never jumps."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known = KnownCalls()
        self._refused: Counter[bytes] = Counter()

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
        request.scope[_SEEN] = True
        given = request_headers.idempotency_key(request.headers)
        if given is not None:
            return await handle(given)
        call = await self._call(request, body, says_repeated=says_repeated)
        services = context_in(request.scope).services
        end = _End(lambda state: self._note(services, call, state))
        when_unread(request.scope, end.lose)  # at once: the next call may be here before this one is told
        try:
            response = await handle(call.key)
        except Refused:
            end.note(CallState.REFUSED if call.is_new else CallState.LOST)
            raise
        except (ClientDisconnect, asyncio.CancelledError, Exception):
            end.lose()
            raise
        return _Watched(response, end)

    def refused_unread(self, scope: Scope) -> None:
        """A request was refused whose client may send it again, before its body was read.

        What repeats it is no repetition of a call that was answered.
        """
        if _SEEN not in scope:
            if len(self._refused) >= _MOST_REFUSED:
                self._refused.clear()
            self._refused[_outside(scope)] += 1

    async def _call(self, request: Request, body: bytes, *, says_repeated: bool) -> _Call:
        services, owner = context_in(request.scope).services, caller_of(request).owner
        digest = _digest(owner, request.scope["path"], body)
        repeats = says_repeated and not self._was_refused(request.scope)
        new_key = _key(digest, time.time(), os.urandom(5).hex())
        key = await services.calls.take(digest, new_key, repeats=repeats) if services.calls else None
        if repeats and key in {None, new_key}:
            ours = self._ours(digest, repeats=True) if key is None else self._known.unanswered(digest)
            key = await self._repeated(services, owner, digest, ours) or new_key
            self._note(services, _Call(digest, key), CallState.OPEN)
        elif key is None:
            key = self._ours(digest, repeats=False) or new_key
        self._known.note(digest, key, CallState.OPEN, self._clock())
        return _Call(digest, key, key == new_key)

    def _ours(self, digest: str, *, repeats: bool) -> str | None:
        return self._known.take(digest, self._clock(), repeats=repeats)

    async def _repeated(self, services: Services, owner: str, digest: str, ours: str | None) -> str | None:
        """The key of the call that one repeats of which this process knows `ours`, and other ones may know more.

        Where ours has made no task, a newer one may be its repetition, which another process has taken.
        """
        newest_key = services.store.newest_key
        newest = await newest_key(owner, _key(digest, time.time() - REMEMBERED_S, ""), _key(digest, None, ""))
        if ours is None or newest is None:
            return ours or newest
        if _time_in(newest) < _time_in(ours) or self._known.has(digest, newest):
            return ours
        has_task = await newest_key(owner, ours[:-1], f"{ours}g") == ours
        return ours if has_task else newest

    def _was_refused(self, scope: Scope) -> bool:
        outside = _outside(scope) if self._refused else b""
        if self._refused[outside] <= 0:
            return False
        self._refused[outside] -= 1
        self._refused += Counter()  # forgets those of which none is left
        return True

    def _note(self, services: Services, call: _Call, state: CallState) -> None:
        self._known.note(call.digest, call.key, state, self._clock())
        if services.calls is not None:
            services.calls.note(call.digest, call.key, state)


class _End:
    """How a try of a call ended. What is lost is told once: another one may have taken it up since."""

    def __init__(self, note: Callable[[CallState], None]) -> None:
        self._tell = note
        self._is_lost = False

    def note(self, state: CallState) -> None:
        """It has come so far."""
        if not self._is_lost:
            self._is_lost = state is CallState.LOST
            self._tell(state)

    def lose(self) -> None:
        """Its answer did not reach the client."""
        self.note(CallState.LOST)


class _Watched(Response):
    """A response that notes whether it was written out whole, and read as far as the connection tells."""

    background = None

    def __init__(self, response: Response, end: _End) -> None:
        self._response = response
        self._end = end
        self.status_code = response.status_code
        self.raw_headers = response.raw_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        state = CallState.LOST
        try:
            await self._response(scope, receive, send)
            state = CallState.ANSWERED
        finally:
            self._end.note(state)


def _key(digest: str, at_s: float | None, rest: str) -> str:
    """An idempotency key. Keys of one digest are ordered by time; without one it is behind all of them."""
    return f"door-{digest}-{'g' if at_s is None else format(int(at_s * 1000), '012x')}{rest}"


def _time_in(key: str) -> str:
    """When the call of an idempotency key came, which orders as the times do."""
    return key.rpartition("-")[2][:12]


def _digest(owner: str, path: str, body: bytes) -> str:
    """Of who asks for what, and where."""
    whole = hashlib.sha256()
    for part in (owner.encode(), path.encode("utf-8", "surrogatepass"), body):
        whole.update(len(part).to_bytes(8) + part)
    return whole.hexdigest()[:32]


def _outside(scope: Scope) -> bytes:
    """What can be told of a request whose body was not read."""
    headers = headers_of(scope)
    words = (headers.get("authorization"), headers.get("content-length"), scope["method"], scope["path"])
    return hashlib.sha256(repr(words).encode("utf-8", "surrogatepass")).digest()
