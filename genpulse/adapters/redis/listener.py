"""Listens to channels of Redis, all of them over one connection."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, cast

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import ResponseError

from genpulse.adapters.redis.connection import AWAY, Outage
from genpulse.background.cancellations import end_tasks
from genpulse.background.loops import Loops
from genpulse.background.shared_task import shared_task

NAME = "events from redis"
_CONFIRM_S = 1.0
_AGAIN_S = 0.5
_LONGEST_PAUSE_S = 2.0


class ChannelListener:
    """Hands every message to `deliver(channel, text)`; connects again, and listens again, after an outage.

    When nothing came for `quiet_s` seconds Redis is asked whether it is still there, and has as long to answer.

    One background task does all the talking, so that whoever joins or leaves, or is canceled meanwhile, never
    disturbs the connection that the others share. A `deliver` that raises costs that one message.
    """

    def __init__(
        self,
        redis: Redis,
        outage: Outage,
        deliver: Callable[[str, str], None],
        quiet_s: float,
        loops: Loops,
    ) -> None:
        self._redis = redis
        self._loops = loops
        self._outage = outage
        self._deliver = deliver
        self._quiet_s = quiet_s
        self._channels: dict[str, asyncio.Event] = {}
        self._requested: set[str] = set()
        self._confirmed: set[str] = set()
        self._changed = asyncio.Event()
        self._closed = False
        self._task: asyncio.Task[None] | None = None

    async def join(self, channel: str) -> None:
        """Listen to the channel; returns once Redis has confirmed it, or after a second without an answer."""
        if self._closed:
            return
        confirmation = self._channels.setdefault(channel, asyncio.Event())
        if channel in self._confirmed:
            confirmation.set()
        self._changed.set()
        if self._task is None:
            turns = self._loops.forever(NAME, self._turn, longest_pause_s=_LONGEST_PAUSE_S)
            self._task = shared_task(turns, NAME)
        with suppress(TimeoutError):
            async with asyncio.timeout(_CONFIRM_S):
                await confirmation.wait()

    def leave(self, channel: str) -> None:
        """Listen to the channel no more."""
        self._channels.pop(channel, None)
        self._changed.set()

    async def _turn(self) -> None:
        try:
            async with self._redis.pubsub() as pubsub:
                await self._converse(pubsub)
        except AWAY as error:
            self._outage.report("listener", error)
            await asyncio.sleep(_AGAIN_S)

    async def _converse(self, pubsub: PubSub) -> None:
        """Subscribe and receive until the connection is lost; raises what it was lost by."""
        await pubsub.ping()
        self._forget()
        tasks = [asyncio.create_task(self._subscribe(pubsub)), asyncio.create_task(self._receive(pubsub))]
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            self._forget()
            await end_tasks(*tasks)

    def _forget(self) -> None:
        """A connection begins or has ended: nothing is asked on it."""
        self._requested.clear()
        self._confirmed.clear()
        for confirmation in self._channels.values():
            confirmation.clear()
        self._changed.set()

    async def _subscribe(self, pubsub: PubSub) -> None:
        """Subscribe to the channels that are listened to, and unsubscribe from the others.

        A subscription is given up only after it was confirmed, so that a confirmation always belongs to the
        last time that a channel was asked for.
        """
        while True:
            await self._changed.wait()
            self._changed.clear()
            if new := self._channels.keys() - self._requested:
                self._requested |= new
                await pubsub.subscribe(*new)
            if old := self._confirmed - self._channels.keys():
                self._requested -= old
                self._confirmed -= old
                await pubsub.unsubscribe(*old)

    async def _receive(self, pubsub: PubSub) -> None:
        while True:
            message = await self._next(pubsub)
            if message is None:
                await pubsub.ping()
                message = await self._next(pubsub)
            if message is None:
                raise ConnectionLost(f"no answer within {self._quiet_s:g} s")
            self._handle(message["type"], message["channel"], message["data"])
            if self._outage and self._channels.keys() <= self._confirmed:
                self._outage.end("listener")

    async def _next(self, pubsub: PubSub) -> Mapping[str, Any] | None:
        """None when nothing came in time. A Redis that cannot save refuses even a ping, and still tells events."""
        try:
            return cast("Mapping[str, Any] | None", await pubsub.get_message(timeout=self._quiet_s))
        except ResponseError as error:
            if not str(error).startswith("MISCONF"):
                raise
            return {"type": "pong", "channel": "", "data": ""}

    def _handle(self, kind: str, channel: str, data: object) -> None:
        if kind == "message":
            self._hand_over(channel, str(data))
        elif kind == "subscribe":
            self._confirmed.add(channel)
            if channel in self._channels:
                self._channels[channel].set()
            else:
                self._changed.set()

    def _hand_over(self, channel: str, text: str) -> None:
        try:
            self._deliver(channel, text)
        except Exception:  # noqa: BLE001 - one message must not end the conversation of all watchers
            self._loops.failed(NAME)

    async def close(self) -> None:
        """Stop listening."""
        self._closed = True
        if self._task is not None:
            await end_tasks(self._task)
