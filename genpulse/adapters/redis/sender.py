"""Sends events to Redis, many at a time, without anybody waiting for it."""

import asyncio
import itertools
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeAlias, cast
from uuid import UUID

from pydantic_core import to_json
from redis.asyncio import Redis, RedisCluster
from redis.exceptions import ResponseError

from genpulse.adapters.redis.connection import AWAY, Outage
from genpulse.adapters.redis.keys import Keyspace
from genpulse.adapters.redis.script import Script
from genpulse.background.cancellations import end_tasks
from genpulse.background.loops import Loops
from genpulse.background.shared_task import shared_task
from genpulse.domain.event import TaskEvent

NAME = "events to redis"
_WAITING = 10_000
_AT_ONCE = 1_000
_AGAIN_S = 0.5
_LONGEST_PAUSE_S = 2.0
_CLOSE_S = 1.0
_PUBLISH = """
for _, event in ipairs(cjson.decode(ARGV[1])) do redis.call('PUBLISH', KEYS[1] .. event[1], event[2]) end
"""
Documents: TypeAlias = list[tuple[UUID, str]]


class EventSender:
    """A bounded buffer and one background task that empties it.

    Of one task's progress only the newest waits. What cannot be sent is dropped, and so is the oldest of more
    than 10,000 events that wait. An event of which no document can be made costs the others nothing.
    """

    def __init__(
        self,
        redis: Redis,
        outage: Outage,
        keys: Keyspace,
        document: Callable[[TaskEvent], str],
        loops: Loops,
    ) -> None:
        self._redis = redis
        self._loops = loops
        self._outage = outage
        self._keys = keys
        self._document = document
        self._is_cluster = isinstance(cast("object", redis), RedisCluster)
        self._publish = Script(redis, _PUBLISH)
        self._waiting: OrderedDict[tuple[int, int | None], TaskEvent] = OrderedDict()
        self._awake = asyncio.Event()
        self._closed = False
        self._emptied = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def put(self, event: TaskEvent) -> None:
        """Send it soon."""
        if self._closed:
            return
        slot = (event.task_id.int, event.seq if event.progress is None else None)
        self._waiting[slot] = event
        self._waiting.move_to_end(slot)
        if len(self._waiting) > _WAITING:
            self._waiting.popitem(last=False)
        self._awake.set()
        if self._task is None:
            turns = self._loops.forever(NAME, self._turn, longest_pause_s=_LONGEST_PAUSE_S)
            self._task = shared_task(turns, NAME)

    async def _turn(self) -> None:
        if not self._waiting:
            await self._awake.wait()
        self._awake.clear()
        try:
            await self._flush()
            self._outage.end("sender")
        except AWAY as error:
            self._outage.report("sender", error)
            await asyncio.sleep(_AGAIN_S)
            if not isinstance(error, ResponseError):
                self._awake.set()
        if self._closed and not self._waiting:
            self._emptied.set()

    async def _flush(self) -> None:
        if not self._waiting and self._outage:
            await self._redis.ping()
        while self._waiting:
            batch = tuple(itertools.islice(self._waiting.values(), _AT_ONCE))
            for _ in batch:
                self._waiting.popitem(last=False)
            documents = self._documents(batch)
            await (self._send_each(documents) if self._is_cluster else self._send(documents))

    def _documents(self, events: Sequence[TaskEvent]) -> Documents:
        documents = []
        for event in events:
            try:
                documents.append((event.task_id, self._document(event)))
            except Exception:  # noqa: BLE001 - one event must not take those beside it with it
                self._loops.failed(NAME)
        return documents

    async def _send(self, documents: Documents) -> None:
        """One call with one argument: packing many, and reading an answer for each, costs more than all else."""
        await self._publish(self._keys.all_events, [to_json(documents).decode()])

    async def _send_each(self, documents: Documents) -> None:
        """The channels of a script would have to lie on one node of a cluster."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            for task_id, document in documents:
                # The client forbids `publish` in a cluster's pipeline, which knows the command.
                pipeline.execute_command("PUBLISH", self._keys.events(task_id), document)
            await pipeline.execute()

    async def close(self) -> None:
        """Send what waits, as far as that goes within a second. What is put afterwards is dropped."""
        self._closed = True
        if self._task is None:
            return
        self._awake.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self._emptied.wait()
        await end_tasks(self._task)
