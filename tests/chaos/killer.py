"""Kills one after the other, at random and by the seed."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Callable
from functools import partial

from redis.asyncio import Redis

from tests.chaos.stage import Stage


class Killer:
    """`every_s` is the mean time from one kill to the next, in seconds. `killed` counts what was done."""

    def __init__(self, stage: Stage, seed: int, every_s: float) -> None:
        self._stage = stage
        self._draw = random.Random(f"{seed}:kills")
        self._every_s = every_s
        self.killed: Counter[str] = Counter()

    async def run(self) -> None:
        """Until it is cancelled, which it heeds between two kills."""
        while True:
            await asyncio.sleep(self._every_s * self._draw.uniform(0.5, 1.5))
            name, kill = self._choose()
            await asyncio.shield(asyncio.to_thread(kill))
            self.killed[name] += 1

    def _choose(self) -> tuple[str, Callable[[], None]]:
        stage, draw = self._stage, self._draw
        api, worker = draw.randrange(len(stage.apis)), draw.randrange(len(stage.workers))
        away_s = draw.uniform(0.5, 5.0)
        choices: dict[str, tuple[int, Callable[[], None]]] = {
            "api SIGKILL": (4, partial(stage.kill_and_start_api, api)),
            "worker SIGKILL": (6, partial(stage.kill_and_start_worker, worker, signal.SIGKILL)),
            "worker SIGTERM": (3, partial(stage.kill_and_start_worker, worker, signal.SIGTERM)),
            "PostgreSQL SIGKILL": (3, partial(stage.restart, stage.postgres, away_s)),
            "Redis SIGKILL": (2, partial(stage.restart, stage.redis, away_s)),
            "Redis FLUSHALL": (2, partial(_flush, stage.redis.url)),
        }
        name = draw.choices(list(choices), [weight for weight, _ in choices.values()])[0]
        return name, choices[name][1]


def _flush(url: str) -> None:
    async def flush() -> None:
        async with Redis.from_url(url) as client:
            await client.flushall()

    asyncio.run(flush())
