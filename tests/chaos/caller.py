"""A careful caller: it submits in its order, cancels a tenth, and sends again whatever was not answered."""

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

AT_ONCE = 60
_AGAIN_S = 0.3
_TIMEOUT = aiohttp.ClientTimeout(total=20)


@dataclass
class Caller(ABC):
    """Submits tasks to these APIs.

    `ids` holds what was accepted, by number; `answers` counts statuses; `wanted` are all numbers that it was asked
    to submit, `unwanted` those that it has canceled, as the API confirmed; `odd` are answers that nobody should
    have had.
    """

    urls: list[str]
    seed: int
    wanted: list[int] = field(default_factory=list, kw_only=True)
    unwanted: set[int] = field(default_factory=set, kw_only=True)
    ids: dict[int, str] = field(default_factory=dict, kw_only=True)
    answers: Counter[str] = field(default_factory=Counter, kw_only=True)
    odd: list[str] = field(default_factory=list, kw_only=True)

    @abstractmethod
    async def submit(self, client: aiohttp.ClientSession, number: int) -> None:
        """Have it accepted, and note its id; or note why not."""

    @abstractmethod
    def canceled_after_s(self, number: int) -> float | None:
        """Seconds from acceptance to the moment when it is not wanted any more; None for most."""

    def headers(self, number: int) -> Mapping[str, str]:
        """With which its calls are made."""
        return {}

    async def run(self, numbers: Iterable[int], pace_s: float = 0.0) -> None:
        """All of them, `pace_s` seconds apart, to the answer of the last."""
        gate = asyncio.Semaphore(AT_ONCE)
        async with self.client() as client, asyncio.TaskGroup() as group:
            for number in numbers:
                self.wanted.append(number)
                await gate.acquire()
                task = group.create_task(self.submit(client, number))
                task.add_done_callback(lambda _: gate.release())
                if (after_s := self.canceled_after_s(number)) is not None:
                    group.create_task(self._cancel(client, number, task, after_s))
                await asyncio.sleep(pace_s)

    def client(self) -> aiohttp.ClientSession:
        """Patient enough for a busy API."""
        return aiohttp.ClientSession(timeout=_TIMEOUT)

    async def _cancel(
        self, client: aiohttp.ClientSession, number: int, submitted: "asyncio.Task[None]", after_s: float
    ) -> None:
        await asyncio.wait({submitted})
        await asyncio.sleep(after_s)
        if number in self.ids:
            await self.answered(client, number, f"/v1/tasks/{self.ids[number]}/cancel", {200})
            self.unwanted.add(number)

    async def answered(
        self,
        client: aiohttp.ClientSession,
        number: int,
        path: str,
        wanted: Collection[int],
        body: Mapping[str, Any] | None = None,
        **headers: str,
    ) -> tuple[int, dict[str, Any]]:
        """Status and document, once an API answers with one of these; a 503 has to say when to try again."""
        tries = 0
        own = {**self.headers(number), **headers}
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
