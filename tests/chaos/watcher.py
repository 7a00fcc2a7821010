"""Callers who watch their tasks by Server-Sent Events and come back whenever the stream breaks."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

import aiohttp

from tests.chaos.driver import Driver

EVERY = 20
"""One of so many tasks is watched."""
_AGAIN_S = 0.5
_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=5, sock_read=30)


@dataclass
class Watched:
    """What one watcher was told: the last number, the states, and what was wrong with the numbers."""

    last: int | None = None
    states: list[str] = field(default_factory=list)
    is_done: bool = False
    wrong: list[str] = field(default_factory=list)


@dataclass
class Watchers:
    """Watch one of `EVERY` tasks from its acceptance to its end. `told` is by task."""

    driver: Driver
    told: dict[str, Watched] = field(default_factory=dict)

    async def run(self) -> None:
        """Until it is cancelled."""
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as client, asyncio.TaskGroup() as group:
            while True:
                for number, task_id in list(self.driver.ids.items()):
                    if number % EVERY == 0 and task_id not in self.told:
                        self.told[task_id] = Watched()
                        group.create_task(self._watch(client, number, task_id))
                await asyncio.sleep(0.1)

    @property
    def waiting(self) -> int:
        """How many were not told the end yet."""
        return sum(not watched.is_done for watched in self.told.values())

    async def _watch(self, client: aiohttp.ClientSession, number: int, task_id: str) -> None:
        watched, tries = self.told[task_id], 0
        while not watched.is_done:
            url = self.driver.urls[(number + tries) % len(self.driver.urls)]
            tries += 1
            with suppress(aiohttp.ClientError, OSError, TimeoutError):
                await _listen(client, f"{url}/v1/tasks/{task_id}/events", watched)
            if not watched.is_done:
                await asyncio.sleep(_AGAIN_S)


async def _listen(client: aiohttp.ClientSession, url: str, watched: Watched) -> None:
    headers = {} if watched.last is None else {"Last-Event-ID": str(watched.last)}
    async with client.get(url, headers=headers) as answer:
        if answer.status != 200:
            return
        async for event in _events(answer):
            seq = int(event["id"])
            if watched.last is not None and seq <= watched.last:
                watched.wrong.append(f"{seq} after {watched.last}")
            watched.last = seq
            if event["event"] in {"task", "done"}:
                watched.states.append(json.loads(event["data"])["status"])
            watched.is_done = event["event"] == "done"


async def _events(answer: aiohttp.ClientResponse) -> AsyncIterator[dict[str, str]]:
    event: dict[str, str] = {}
    async for raw in answer.content:
        line = raw.decode().rstrip("\r\n")
        if not line and "id" in event:
            yield event
        if not line:
            event = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            event[name] = value
