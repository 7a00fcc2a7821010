"""A caller with several keys, who takes no for an answer."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import aiohttp

from tests.chaos.caller import Caller
from tests.chaos.money.market import Owner, canceled_after_s, model_of, owner_of

_NO = {402: "budget_exceeded", 429: "key_limit_exceeded"}
"""What an order is refused with that does not fit into a budget."""


@dataclass
class Buyer(Caller):
    """`refused` holds what was refused for a budget, by number; `retried` counts what was said to `again`."""

    keys: Mapping[Owner, Mapping[str, str]]
    refused: dict[int, str] = field(default_factory=dict)
    retried: Counter[str] = field(default_factory=Counter)

    def canceled_after_s(self, number: int) -> float | None:
        return canceled_after_s(self.seed, number)

    def headers(self, number: int) -> Mapping[str, str]:
        return self.keys[owner_of(self.seed, number)]

    async def submit(self, client: aiohttp.ClientSession, number: int) -> None:
        body = {"model": model_of(self.seed, number), "input": {"number": number}}
        name = {"Idempotency-Key": f"money-{self.seed}-{number}"}
        status, document = await self.answered(client, number, "/v1/tasks", {202, *_NO}, body, **name)
        if status == 202:
            self.ids[number] = document["id"]
            return
        self.refused[number] = document.get("code", "")
        if document.get("code") != _NO[status]:
            self.odd.append(f"{number}: {status} {document}")

    async def again(self, ids: Iterable[str]) -> None:
        """Run tasks that failed once more, where their budget allows it."""
        numbers = {task_id: number for number, task_id in self.ids.items()}
        async with self.client() as client:
            for task_id in ids:
                path, wanted = f"/v1/tasks/{task_id}/retry", {202, *_NO, 409}
                status, _ = await self.answered(client, numbers[task_id], path, wanted)
                self.retried[str(status)] += 1
