"""A careful caller with several keys: it sends again whatever was not answered, and takes no for an answer."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.chaos.money.market import Owner, canceled_after_s, model_of, owner_of

AT_ONCE = 30
_AGAIN_S = 0.6
_TIMEOUT = aiohttp.ClientTimeout(total=20)
_NO = {402: "budget_exceeded", 429: "key_limit_exceeded"}
"""What an order is refused with that does not fit into a budget."""


@dataclass
class Buyer:
    """Submits tasks, and cancels a tenth of them.

    `ids` holds what was accepted and `refused` what was refused for a budget, by number; `odd` are answers that
    nobody should have had. `retried` counts what was said to `again`.
    """

    urls: list[str]
    headers: Mapping[Owner, Mapping[str, str]]
    seed: int
    ids: dict[int, str] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    retried: Counter[int] = field(default_factory=Counter)
    odd: list[str] = field(default_factory=list)

    async def run(self, numbers: Iterable[int], pace_s: float) -> None:
        """All of them, `pace_s` seconds apart, to the answer of the last."""
        gate = asyncio.Semaphore(AT_ONCE)
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as client, asyncio.TaskGroup() as group:
            for number in numbers:
                await gate.acquire()
                task = group.create_task(self._submit(client, number))
                task.add_done_callback(lambda _: gate.release())
                if (after_s := canceled_after_s(self.seed, number)) is not None:
                    group.create_task(self._cancel(client, number, task, after_s))
                await asyncio.sleep(pace_s)

    async def again(self, ids: Iterable[str]) -> None:
        """Run tasks that failed once more, where their budget allows it."""
        numbers = {task_id: number for number, task_id in self.ids.items()}
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as client:
            for task_id in ids:
                path, wanted = f"/v1/tasks/{task_id}/retry", {202, *_NO, 409}
                status, _ = await self._answered(client, numbers[task_id], path, wanted, {}, None)
                self.retried[status] += 1

    async def _submit(self, client: aiohttp.ClientSession, number: int) -> None:
        body = {"model": model_of(self.seed, number), "input": {"number": number}}
        name = {"Idempotency-Key": f"money-{self.seed}-{number}"}
        status, document = await self._answered(client, number, "/v1/tasks", {202, *_NO}, name, body)
        if status == 202:
            self.ids[number] = document["id"]
            return
        self.refused[number] = document.get("code", "")
        if document.get("code") != _NO[status]:
            self.odd.append(f"{number}: {status} {document}")

    async def _cancel(
        self, client: aiohttp.ClientSession, number: int, submitted: "asyncio.Task[None]", after_s: float
    ) -> None:
        await asyncio.wait({submitted})
        await asyncio.sleep(after_s)
        if number in self.ids:
            await self._answered(client, number, f"/v1/tasks/{self.ids[number]}/cancel", {200}, {}, None)

    async def _answered(
        self,
        client: aiohttp.ClientSession,
        number: int,
        path: str,
        wanted: set[int],
        headers: Mapping[str, str],
        body: Mapping[str, Any] | None,
    ) -> tuple[int, dict[str, Any]]:
        """Status and document, as soon as an API answers with one of these."""
        own = {**self.headers[owner_of(self.seed, number)], **headers}
        tries = 0
        while True:
            url = self.urls[(number + tries) % len(self.urls)]
            tries += 1
            try:
                async with client.post(f"{url}{path}", json=body, headers=own) as answer:
                    document: dict[str, Any] = await answer.json()
                    self.answers[str(answer.status)] += 1
                    if answer.status in wanted:
                        return answer.status, document
                    if answer.status != 503 or "Retry-After" not in answer.headers:
                        self.odd.append(f"{number}: {answer.status} {path} {document}")
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
                self.answers[type(error).__name__] += 1
            await asyncio.sleep(_AGAIN_S)
