"""A caller of tasks of each shape, who says where the message about each goes."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp

from tests.chaos.behaviour import canceled_after_s, shape_of
from tests.chaos.caller import Caller


@dataclass
class Driver(Caller):
    """`webhook_url` says where the message about a number goes. `double` was accepted twice, as two tasks."""

    webhook_url: Callable[[int], str]
    double: list[int] = field(default_factory=list)
    accepted_at: list[float] = field(default_factory=list)

    def canceled_after_s(self, number: int) -> float | None:
        return canceled_after_s(self.seed, number)

    async def submit(self, client: aiohttp.ClientSession, number: int) -> None:
        body = {
            "model": str(shape_of(self.seed, number)),
            "input": {"number": number},
            "webhook_url": self.webhook_url(number),
        }
        name = {"Idempotency-Key": f"chaos-{self.seed}-{number}"}
        _, document = await self.answered(client, number, "/v1/tasks", {202}, body, **name)
        self.accepted_at.append(time.time())
        if self.ids.setdefault(number, document["id"]) != document["id"]:
            self.double.append(number)
