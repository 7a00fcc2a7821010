"""Strikes what a storm says, incident over incident, and lets some workers live for seconds only."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Coroutine, Iterable
from typing import Any

from tests.chaos.blows import Blows
from tests.chaos.observer import TakeOvers
from tests.chaos.schedule import Incident, When
from tests.chaos.slot import Slot
from tests.chaos.stage import Stage

AT_ONCE = 2
"""So many incidents may overlap."""
TAKE_OVER_LEASES = 3
"""After so many leases without a take-over the second blow falls nevertheless."""
LIVES_S = (1.0, 20.0)


class Killer:
    """Await `run()`; it ends when the storm does, or when it is cancelled, and what was begun is undone.

    `done` counts incidents by name, `waited_in_vain` second blows that met no take-over, `mayflies` workers that
    reached the end of their days.
    """

    def __init__(self, stage: Stage, seed: int, storm: Iterable[Incident], lease_s: float) -> None:
        self.blows = Blows(stage)
        self.take_overs = TakeOvers(stage.postgres.url)
        self._stage = stage
        self._seed = seed
        self._storm = storm
        self._patience_s = TAKE_OVER_LEASES * lease_s
        self._going = asyncio.Semaphore(AT_ONCE)
        self.done: Counter[str] = Counter()
        self.waited_in_vain = 0
        self.mayflies = 0

    async def run(self, *, mayflies: bool) -> None:
        """Strike. With `mayflies` the later half of the workers live for seconds only."""
        beside = [asyncio.create_task(self.take_overs.listen())]
        if mayflies:
            places = range(len(self._stage.places) // 2, len(self._stage.places))
            beside += [asyncio.create_task(self._live_and_die(index)) for index in places]
        try:
            async with asyncio.TaskGroup() as group:
                for incident in self._storm:
                    await asyncio.sleep(incident.pause_s)
                    await self._going.acquire()
                    group.create_task(self._happen(incident))
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    async def _happen(self, incident: Incident) -> None:
        try:
            await _to_its_end(self._both(incident))
        finally:
            self._going.release()
        self.done[incident.name] += 1

    async def _both(self, incident: Incident) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.blows.strike(incident.first))
            if incident.second is None:
                return
            if incident.when is When.IN_TAKE_OVER and not await self.take_overs.next(self._patience_s):
                self.waited_in_vain += 1
            if incident.when is not When.AT_ONCE:
                await asyncio.sleep(incident.after_s)
            await self.blows.strike(incident.second)

    async def _live_and_die(self, index: int) -> None:
        slot, draw = self._stage.places[index], random.Random(f"{self._seed}:lives:{index}")
        while True:
            await asyncio.sleep(draw.uniform(*LIVES_S))
            await _to_its_end(self._end_of_days(slot, draw.choice((signal.SIGKILL, signal.SIGTERM))))

    async def _end_of_days(self, slot: Slot, how: signal.Signals) -> None:
        async with slot.lock:
            await slot.end(how)
        self.mayflies += 1


async def _to_its_end(doing: Coroutine[Any, Any, None]) -> None:
    """What was begun is undone before a cancellation is heeded."""
    task = asyncio.ensure_future(doing)
    try:
        await asyncio.shield(task)
    finally:
        await asyncio.wait({task})
