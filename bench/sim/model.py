"""Tasks on their way through api, PostgreSQL, worker and Redis: queues before cores and before a disk."""

import random
import statistics
from collections.abc import Generator
from dataclasses import dataclass, field

import simpy

from bench.sim.layouts import Costs, Layout

TASKS = 30_000
WARM_UP = 0.3


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rate of arrival led to. Seconds are those that GenPulse adds to a task, without the vendor's."""

    arrived_per_s: float
    ended_per_s: float
    p50_s: float
    p99_s: float


@dataclass(slots=True)
class _Disk:
    """Commits that wait while the disk is written are written together by the next write."""

    environment: simpy.Environment
    sync_s: float
    bytes_s: float
    waiting: list[tuple[float, simpy.Event]] = field(default_factory=list)
    is_writing: bool = False

    def commit(self, size: float) -> simpy.Event:
        done = self.environment.event()
        self.waiting.append((size, done))
        if not self.is_writing:
            self.is_writing = True
            self.environment.process(self._write())
        return done

    def _write(self) -> Generator[simpy.Event, None, None]:
        while self.waiting:
            batch, self.waiting = self.waiting, []
            yield self.environment.timeout(max(self.sync_s, sum(size for size, _ in batch) / self.bytes_s))
            for _, done in batch:
                done.succeed()
        self.is_writing = False


class Installation:
    """The parts of one shard."""

    def __init__(self, layout: Layout, costs: Costs, seed: int = 1) -> None:
        self.environment = simpy.Environment()
        self._costs = costs
        self._polls = layout.polls
        self._random = random.Random(seed)
        self._api = simpy.Resource(self.environment, layout.apis)
        self._workers = simpy.Resource(self.environment, layout.workers)
        self._postgres = simpy.Resource(self.environment, layout.postgres_cores)
        self._redis = simpy.Resource(self.environment, 1)
        self._cores = simpy.Resource(self.environment, layout.shared_cores) if layout.shared_cores else None
        self._disk = _Disk(self.environment, costs.sync_s, layout.wal_bytes_s)
        self.times: list[tuple[float, float]] = []

    def arrive(self, per_s: float, tasks: int) -> Generator[simpy.Event, None, None]:
        """Tasks of people who do not know of each other."""
        for _ in range(tasks):
            yield self.environment.timeout(self._random.expovariate(per_s))
            self.environment.process(self._task())

    def _task(self) -> Generator[simpy.Event, None, None]:
        costs, began = self._costs, self.environment.now
        yield from self._work(self._api, costs.api_s)
        yield from self._work(self._postgres, costs.postgres_submit_s)
        yield self._disk.commit(costs.wal_bytes / 2)
        yield from self._work(self._workers, costs.worker_s + costs.poll_s * self._polls)
        yield from self._work(self._postgres, costs.postgres_run_s)
        yield self._disk.commit(costs.wal_bytes / 2)
        yield from self._work(self._redis, costs.redis_s)
        self.times.append((self.environment.now, self.environment.now - began))

    def _work(self, part: simpy.Resource, cost_s: float) -> Generator[simpy.Event, None, None]:
        """A turn at the part, then a core where those are shared. Turns last as long as they like to, on average
        the cost."""
        with part.request() as turn:
            yield turn
            if self._cores is None:
                yield self.environment.timeout(self._random.expovariate(1 / cost_s))
                return
            with self._cores.request() as core:
                yield core
                yield self.environment.timeout(self._random.expovariate(1 / cost_s))


def outcome(layout: Layout, costs: Costs, per_s: float, tasks: int = TASKS) -> Outcome:
    """Let tasks arrive at the busiest shard at its part of this rate."""
    installation = Installation(layout, costs)
    installation.environment.process(installation.arrive(per_s * layout.hottest, tasks))
    installation.environment.run()
    counted = sorted(installation.times)[int(tasks * WARM_UP) :]
    took = sorted(seconds for _, seconds in counted)
    ended_per_s = (len(counted) - 1) / (counted[-1][0] - counted[0][0]) / layout.hottest
    return Outcome(per_s, ended_per_s, statistics.median(took), took[int(len(took) * 0.99)])
