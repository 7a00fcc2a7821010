"""A careful caller: it submits with idempotency keys and sends again whatever was not answered."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

import aiohttp

AT_ONCE = 60
_AGAIN_S = 0.3
_TIMEOUT = aiohttp.ClientTimeout(total=20)


@dataclass
class Driver:
    """Submits `count` tasks. `ids` holds what was accepted, by number; `answers` counts statuses."""

    urls: list[str]
    webhook_url: str
    count: int
    ids: dict[int, str] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    double: list[int] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    async def run(self, pace_s: float = 0.0) -> None:
        """All of them, `pace_s` seconds apart."""
        gate = asyncio.Semaphore(AT_ONCE)
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as client, asyncio.TaskGroup() as group:
            for number in range(self.count):
                await gate.acquire()
                task = group.create_task(self._submit(client, number))
                task.add_done_callback(lambda _: gate.release())
                await asyncio.sleep(pace_s)

    async def _submit(self, client: aiohttp.ClientSession, number: int) -> None:
        model = "chaos/findable" if number % 2 else "chaos/blind"
        body = {"model": model, "input": {"number": number}, "webhook_url": self.webhook_url}
        headers = {"Idempotency-Key": f"chaos-{number}"}
        tries = 0
        while True:
            url = self.urls[(number + tries) % len(self.urls)]
            tries += 1
            try:
                async with client.post(f"{url}/v1/tasks", json=body, headers=headers) as answer:
                    self.answers[str(answer.status)] += 1
                    document = await answer.json()
                    if answer.status == 202:
                        self._note(number, document["id"])
                        return
                    if answer.status != 503 or "Retry-After" not in answer.headers:
                        self.refused.append(f"{answer.status}: {document}")
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
                self.answers[type(error).__name__] += 1
            await asyncio.sleep(_AGAIN_S)

    def _note(self, number: int, task_id: str) -> None:
        if self.ids.setdefault(number, task_id) != task_id:
            self.double.append(number)
