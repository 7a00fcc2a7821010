"""After the storm: are all seats of the limited account there again, and do rude receivers delay the others?"""

import asyncio
from dataclasses import dataclass

from tests.chaos.behaviour import CALM, CALM_S
from tests.chaos.driver import Driver
from tests.chaos.receiver import Receiver
from tests.chaos.stage import Stage, until_up

ORDERS = 24
SILENT = 60
POLITE = 20
"""As many messages to a receiver that never answers are due when the polite ones' become due."""


@dataclass(frozen=True)
class Calm:
    """What was submitted in the calm, by number."""

    narrow: tuple[int, ...]
    silent: tuple[int, ...]
    polite: tuple[int, ...]

    @classmethod
    def plan(cls, *, rude: bool, size: float) -> "Calm":
        """Odd numbers are for the limited account, even ones are made here. `size` is a share of the whole."""
        silent = round(SILENT * size) if rude else 0
        return cls(
            tuple(CALM + 1 + 2 * index for index in range(round(ORDERS * size))),
            tuple(CALM + 2 * index for index in range(silent)),
            tuple(CALM + 2 * (silent + index) for index in range(round(POLITE * size))),
        )

    @property
    def numbers(self) -> tuple[int, ...]:
        """All of them, in the order in which they are submitted."""
        return (*self.silent, *self.narrow, *self.polite)

    @property
    def ideal_s(self) -> float:
        """How long four seats take for the limited account's orders at least."""
        return len(self.narrow) * CALM_S / 4


async def look(stage: Stage, driver: Driver, receiver: Receiver, calm: Calm) -> None:
    """Submit everything, and wait until the messages about all but the silent are there."""
    receiver.is_calm = True
    await until_up([f"{url}/readyz" for url in stage.urls])
    await driver.run(calm.numbers)
    awaited = [driver.ids[number] for number in (*calm.narrow, *calm.polite)]
    while not all(task_id in receiver.came_at for task_id in awaited):
        await asyncio.sleep(0.2)
