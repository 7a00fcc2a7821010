"""Sends events to Redis, many at a time, without anybody waiting for it."""

import asyncio
import itertools
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import cast

from pydantic_core import to_json
from redis.asyncio import Redis, RedisCluster
from redis.exceptions import ResponseError

from genpulse.adapters.redis.connection import AWAY, Outage, end_tasks
from genpulse.adapters.redis.keys import Keyspace
from genpulse.domain.event import TaskEvent

_WAITING = 10_000
_AT_ONCE = 1_000
_AGAIN_S = 0.5
_CLOSE_S = 1.0
_PUBLISH = """
for _, event in ipairs(cjson.decode(ARGV[1])) do redis.call('PUBLISH', KEYS[1] .. event[1], event[2]) end
"""


class EventSender:
    """A bounded buffer and one background task that empties it.

    Of one task's progress only the newest waits. What cannot be sent is dropped, and so is the oldest of more
    than 10,000 events that wait.
    """

    def __init__(
        self, client: Redis, outage: Outage, keys: Keyspace, document: Callable[[TaskEvent], str]
    ) -> None:
        self._client = client
        self._outage = outage
        self._keys = keys
        self._document = document
        self._is_cluster = isinstance(cast("object", client), RedisCluster)
        self._publish = client.register_script(_PUBLISH)
        self._waiting: OrderedDict[tuple[int, int | None], TaskEvent] = OrderedDict()
        self._awake = asyncio.Event()
        self._closed = False
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
            self._task = asyncio.create_task(self._run(), name="events to redis")

    async def _run(self) -> None:
        while self._waiting or not self._closed:
            await self._awake.wait()
            self._awake.clear()
            try:
                await self._flush()
                self._outage.end("sender")
            except AWAY as error:
                self._outage.notice("sender", error)
                await asyncio.sleep(_AGAIN_S)
                if not isinstance(error, ResponseError):
                    self._awake.set()

    async def _flush(self) -> None:
        if not self._waiting and self._outage:
            await self._client.ping()
        while self._waiting:
            batch = tuple(itertools.islice(self._waiting.values(), _AT_ONCE))
            for _ in batch:
                self._waiting.popitem(last=False)
            await (self._send_each(batch) if self._is_cluster else self._send(batch))

    async def _send(self, events: Sequence[TaskEvent]) -> None:
        """One call with one argument: packing many, and reading an answer for each, costs more than all else."""
        told = to_json([(event.task_id, self._document(event)) for event in events])
        await self._publish(keys=[self._keys.all_events], args=[told])

    async def _send_each(self, events: Sequence[TaskEvent]) -> None:
        """The channels of a script would have to lie on one node of a cluster."""
        async with self._client.pipeline(transaction=False) as pipeline:
            for event in events:
                # The client forbids `publish` in a cluster's pipeline, which knows the command.
                pipeline.execute_command("PUBLISH", self._keys.events(event.task_id), self._document(event))
            await pipeline.execute()

    async def close(self) -> None:
        """Send what waits, as far as that goes within a second. What is put afterwards is dropped."""
        self._closed = True
        if self._task is None:
            return
        self._awake.set()
        await asyncio.wait({self._task}, timeout=_CLOSE_S)
        await end_tasks(self._task)
