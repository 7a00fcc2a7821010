"""A careful caller: it submits with idempotency keys and sends again whatever was not answered."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.chaos.behaviour import canceled_after_s, shape_of

AT_ONCE = 60
_AGAIN_S = 0.3
_TIMEOUT = aiohttp.ClientTimeout(total=20)


@dataclass
class Driver:
    """Submits tasks, and cancels a tenth of them. `webhook_url` says where the message about a number goes.

    `ids` holds what was accepted, by number; `answers` counts statuses; `wanted` are all numbers that it was asked
    to submit, `unwanted` those that it has canceled, as the API confirmed.
    """

    urls: list[str]
    webhook_url: Callable[[int], str]
    seed: int
    wanted: list[int] = field(default_factory=list)
    unwanted: set[int] = field(default_factory=set)
    ids: dict[int, str] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    double: list[int] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    async def run(self, numbers: Iterable[int], pace_s: float = 0.0) -> None:
        """All of them, `pace_s` seconds apart, to the answer of the last."""
        gate = asyncio.Semaphore(AT_ONCE)
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as client, asyncio.TaskGroup() as group:
            for number in numbers:
                self.wanted.append(number)
                await gate.acquire()
                task = group.create_task(self._submit(client, number))
                task.add_done_callback(lambda _: gate.release())
                if (after_s := canceled_after_s(self.seed, number)) is not None:
                    group.create_task(self._cancel(client, number, task, after_s))
                await asyncio.sleep(pace_s)

    async def _submit(self, client: aiohttp.ClientSession, number: int) -> None:
        body = {
            "model": str(shape_of(self.seed, number)),
            "input": {"number": number},
            "webhook_url": self.webhook_url(number),
        }
        headers = {"Idempotency-Key": f"chaos-{self.seed}-{number}"}
        document = await self._until_answered(client, number, "/v1/tasks", 202, json=body, headers=headers)
        if self.ids.setdefault(number, document["id"]) != document["id"]:
            self.double.append(number)

    async def _cancel(
        self, client: aiohttp.ClientSession, number: int, submitted: "asyncio.Task[None]", after_s: float
    ) -> None:
        await asyncio.wait({submitted})
        await asyncio.sleep(after_s)
        await self._until_answered(client, number, f"/v1/tasks/{self.ids[number]}/cancel", 200)
        self.unwanted.add(number)

    async def _until_answered(
        self, client: aiohttp.ClientSession, number: int, path: str, status: int, **body: Any
    ) -> dict[str, Any]:
        """The document, as soon as an API answers with this status; a 503 has to say when to come again."""
        tries = 0
        while True:
            url = self.urls[(number + tries) % len(self.urls)]
            tries += 1
            try:
                async with client.post(f"{url}{path}", **body) as answer:
                    document: dict[str, Any] = await answer.json()
                    self.answers[str(answer.status)] += 1
                    if answer.status == status:
                        return document
                    if answer.status != 503 or "Retry-After" not in answer.headers:
                        self.refused.append(f"{answer.status} {path}: {document}")
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
                self.answers[type(error).__name__] += 1
            await asyncio.sleep(_AGAIN_S)
