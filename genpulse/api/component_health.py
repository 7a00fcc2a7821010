"""Health of every component, for `/readyz` and Prometheus."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from genpulse.background.loops import Loops
from genpulse.ports import Health, Presence, Probe, Services, State, WorkerPresence

PART_S = 1.8
"""Seconds that a part has for its answer. Probes give up before that by themselves, and know better why."""

LOOPS = "loops"
WORKERS = "workers"


@dataclass(frozen=True, slots=True)
class Parts:
    """The health of each part, and the live workers."""

    healths: tuple[Health, ...]
    workers: tuple[WorkerPresence, ...]

    @property
    def ready(self) -> bool:
        """Nothing that is needed is down."""
        return all(health.state is not State.DOWN for health in self.healths)


async def look(services: Services) -> Parts:
    """Look at all parts at once, for less than 2 seconds. Never raises."""
    workers_task = asyncio.create_task(_workers(services.presence))
    healths = await asyncio.gather(*(_health_of(probe) for probe in services.probes))
    workers = await workers_task
    return Parts((*healths, of_loops(services.loops), of_workers(workers)), workers)


async def _health_of(probe: Probe) -> Health:
    try:
        async with asyncio.timeout(PART_S):
            return await probe()
    except TimeoutError:
        return Health(_name(probe), State.DOWN, f"gave no answer within {PART_S:g} s")


def _name(probe: Probe) -> str:
    owner = getattr(probe, "__self__", probe)
    return type(owner).__name__.removesuffix("Probe").lower()


async def _workers(presence: Presence) -> tuple[WorkerPresence, ...]:
    try:
        async with asyncio.timeout(PART_S):
            return await presence.workers()
    except TimeoutError:
        return ()


def of_loops(loops: Loops) -> Health:
    """The background loops of this process: degraded when one has failed within the last minute."""
    if failing := loops.failing:
        return Health(LOOPS, State.DEGRADED, f"failed within the last minute, see the log: {', '.join(failing)}")
    return Health(LOOPS, State.OK)


def of_workers(workers: Sequence[WorkerPresence]) -> Health:
    """The workers, as far as they are seen: degraded when a loop of one has failed within its last minute."""
    failing = [f"{worker.host}:{worker.pid} ({', '.join(worker.failing)})" for worker in workers if worker.failing]
    if failing:
        return Health(WORKERS, State.DEGRADED, f"loops failed within the last minute: {'; '.join(failing)}")
    return Health(WORKERS, State.OK, f"{len(workers)} seen" if workers else "none is seen")
