"""What all processes know of calls without an idempotency key, in Redis."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

from pydantic_core import to_json
from redis.asyncio import Redis, RedisCluster

from genpulse.adapters.redis.call_memory_script import STEPS
from genpulse.adapters.redis.connection import AWAY, Outage
from genpulse.adapters.redis.keys import Keyspace
from genpulse.adapters.redis.listener import ChannelListener
from genpulse.adapters.redis.script import Script
from genpulse.background.cancellations import cancellations, end_tasks, heed_cancellation
from genpulse.background.loops import Loops
from genpulse.background.shared_task import shared_task
from genpulse.domain.submission.repeated_calls import MOST_OF_ONE, REMEMBERED_S, CallState

NAME = "repeated calls"
ANSWER_S = 0.5
AWAY_S = 2.0
"""Seconds in which Redis is not asked again after it did not answer."""
QUIET_S = 30.0
CLOSE_S = 1.0
_AT_ONCE = 500
_MOST_WAITING = 10_000
_TAKE = "take"
_Step: TypeAlias = tuple[str, str, str, bool]


@dataclass(slots=True)
class _Waiting:
    """A step that is to be done: digest, key, what, whether the client repeats; and who waits for its answer."""

    step: _Step
    answer: "asyncio.Future[str | None] | None" = None


class RedisCalls:
    """Implements `CallMemory` for the process of this id. What comes together goes to Redis together.

    In a cluster of Redis nobody can be asked whether a process is alive: there a call that was under way in one
    that died is found by the word of its client alone.
    """

    def __init__(
        self, redis: Redis, keys: Keyspace, process: str, loops: Loops | None = None, *, answer_s: float = ANSWER_S
    ) -> None:
        """Redis counts as away where it does not answer in `answer_s` seconds."""
        self._keys = keys
        self._answer_s = answer_s
        self._process = process
        self._loops = loops or Loops()
        self._steps = Script(redis, STEPS)
        self._listener = ChannelListener(redis, Outage(), _nothing, QUIET_S, self._loops)
        self._is_cluster = isinstance(cast("object", redis), RedisCluster)
        self._channels = "" if self._is_cluster else keys.api_processes
        self._is_heard = False
        self._away_until = float("-inf")
        self._waiting: list[_Waiting] = []
        self._awake = asyncio.Event()
        self._is_idle = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def take(self, digest: str, new_key: str, *, repeats: bool) -> str | None:
        """The key of the call that this one repeats; None where Redis is away."""
        if time.monotonic() < self._away_until:
            return None
        answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._put(_Waiting((digest, new_key, _TAKE, repeats), answer))
        return await answer

    def note(self, digest: str, key: str, state: CallState) -> None:
        """Note it soon; nothing where Redis is away."""
        if time.monotonic() >= self._away_until and len(self._waiting) < _MOST_WAITING:
            self._put(_Waiting((digest, key, state.value, False)))

    def _put(self, waiting: _Waiting) -> None:
        self._waiting.append(waiting)
        self._awake.set()
        self._is_idle.clear()
        if self._task is None:
            turns = self._loops.forever(NAME, self._turn, longest_pause_s=AWAY_S)
            self._task = shared_task(turns, NAME)

    async def _turn(self) -> None:
        if not self._waiting:
            self._is_idle.set()
            await self._awake.wait()
        self._awake.clear()
        waiting, self._waiting = self._waiting[:_AT_ONCE], self._waiting[_AT_ONCE:]
        answers: Sequence[str | None] = [None] * len(waiting)
        try:
            answers = await self._done([one.step for one in waiting])
        except AWAY as error:
            logging.getLogger(__name__).debug("repeated calls are known to this process alone: %s", error)
            self._away_until = max(self._away_until, time.monotonic() + AWAY_S)
        finally:
            for one, answer in zip(waiting, answers, strict=True):
                if one.answer is not None and not one.answer.done():
                    one.answer.set_result(answer)

    async def _done(self, steps: Sequence[_Step]) -> Sequence[str]:
        """The answers. A script of a cluster may reach the keys of one digest alone."""
        before = cancellations()
        async with asyncio.timeout(self._answer_s):
            if self._channels and not self._is_heard:
                self._is_heard = True  # it listens again by itself
                await self._listener.join(f"{self._channels}{self._process}")
            if not self._is_cluster:
                answers = await self._send(self._keys.calls(""), steps)
            else:
                answers = []
                for digest, *rest in steps:
                    answers += await self._send(self._keys.calls(digest), [("", *rest)])
        heed_cancellation(before)
        return answers

    async def _send(self, name: str, steps: Sequence[Sequence[object]]) -> list[str]:
        kept_ms = round(REMEMBERED_S * 1000)
        arguments = (self._process, self._channels, kept_ms, MOST_OF_ONE, to_json(steps).decode())
        return [str(answer) for answer in await self._steps(name, arguments)]

    async def close(self) -> None:
        """Write what waits, as far as that goes within a second, and be heard no more; then nothing is asked."""
        self._away_until = float("inf")
        if self._task is not None:
            try:
                async with asyncio.timeout(CLOSE_S):
                    await self._is_idle.wait()
            except TimeoutError:
                pass
            await end_tasks(self._task)
        for left in self._waiting:
            if left.answer is not None and not left.answer.done():
                left.answer.set_result(None)
        await self._listener.close()


def _nothing(_channel: str, _text: str) -> None:
    """Nobody says anything on these channels: it is asked alone whether they are listened to."""
