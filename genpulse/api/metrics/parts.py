"""Figures of the parts of `/readyz`."""

from functools import partial

from prometheus_client import CollectorRegistry, Gauge

from genpulse.api.component_health import look
from genpulse.ports import Services, State

_UP = {State.OK: 1.0, State.DEGRADED: 0.5, State.DOWN: 0.0}


class PartFigures:
    """How each part is, and the workers that are seen."""

    def __init__(self, registry: CollectorRegistry) -> None:
        gauge = partial(Gauge, registry=registry)
        meaning = "How a part of /readyz is: 1 when it is well, 0.5 when degraded, 0 when down."
        self._parts = gauge("genpulse_part_up", meaning, ("part",))
        self._workers = gauge("genpulse_workers", "Workers that are seen.")
        meaning = "1 for each loop of a worker that has failed within the last minute."
        self._failing = gauge("genpulse_worker_loop_failing", meaning, ("worker", "loop"))

    async def look(self, services: Services) -> None:
        """What the parts say, within the time that they have by themselves."""
        parts = await look(services)
        self._parts.clear()
        for health in parts.healths:
            self._parts.labels(health.name).set(_UP[health.state])
        self._workers.set(len(parts.workers))
        self._failing.clear()
        for worker in parts.workers:
            for loop in worker.failing:
                self._failing.labels(worker.name, loop).set(1)
