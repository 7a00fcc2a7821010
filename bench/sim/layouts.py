"""How an installation is laid out, and what a task costs each part of it."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Costs:
    """What one task asks of each part: seconds of one core, or bytes. Measured by the bench."""

    api_s: float
    postgres_submit_s: float
    worker_s: float
    postgres_run_s: float
    redis_s: float
    poll_s: float
    wal_bytes: float
    commits: float
    redis_commands: float
    state_bytes: float
    sync_s: float

    @classmethod
    def read(cls, path: Path) -> "Costs":
        """Of the file that `make bench` wrote.

        Raises:
            SystemExit: a row that measures one of them has not run
        """
        found: dict[str, float] = json.loads(path.read_text())["costs"] if path.exists() else {}
        try:
            return cls(
                api_s=found["api_cpu_us_per_submit"] / 1e6,
                postgres_submit_s=found["postgres_cpu_us_per_submit"] / 1e6,
                worker_s=found["worker_cpu_us_per_task"] / 1e6,
                postgres_run_s=found["postgres_cpu_us_per_task"] / 1e6,
                redis_s=(found["redis_cpu_us_per_submit"] + found["redis_cpu_us_per_task"]) / 1e6,
                poll_s=found["poll_cpu_us"] / 1e6,
                wal_bytes=found["wal_bytes_per_submit"] + found["wal_bytes_per_task"],
                commits=found["commits_per_submit"] + found["commits_per_task"],
                redis_commands=found["redis_commands_per_submit"] + found["redis_commands_per_task"],
                state_bytes=found["state_bytes_per_task"],
                sync_s=found["sync_us"] / 1e6,
            )
        except KeyError as missing:
            raise SystemExit(f"{path} has no cost {missing}; measure it: make bench") from missing


@dataclass(frozen=True, slots=True)
class Layout:
    """Processes and the cores that they share.

    `shared_cores` above 0 means one machine: api, workers and servers wait for the same cores. Otherwise every
    process has a core of its own, and PostgreSQL has `postgres_cores`. `shards` are PostgreSQL servers, each with
    all of it; `hottest` is the part of all tasks that the busiest of them gets. `wal_bytes_s` is what a disk
    takes in a second. `polls` is how often a job is asked for: six times in half a minute at
    intervals from 2 s that grow to 10 s, once where the vendor tells its end.
    """

    name: str
    apis: int
    workers: int
    postgres_cores: int
    shared_cores: int = 0
    shards: int = 1
    hottest: float = 1.0
    wal_bytes_s: float = 500e6
    polls: float = 6.0


LAYOUTS = (
    Layout("a laptop: everything on 2 cores", apis=1, workers=1, postgres_cores=2, shared_cores=2),
    Layout("one server: everything on 16 cores", apis=4, workers=6, postgres_cores=16, shared_cores=16),
    Layout("hosts apart: 8 api, 12 workers, PostgreSQL on 16 cores", apis=8, workers=12, postgres_cores=16),
    Layout("the same, and vendors that send webhooks", apis=8, workers=12, postgres_cores=16, polls=1.0),
    Layout(
        "8 shards by tenant, each like that, the busiest with a fifth of the tasks",
        apis=8,
        workers=12,
        postgres_cores=16,
        shards=8,
        polls=1.0,
        hottest=0.2,
    ),
)


def capacities(layout: Layout, costs: Costs) -> dict[str, float]:
    """Tasks a second at which each part of the busiest shard has no moment left, for all shards together."""
    worker_s = costs.worker_s + costs.poll_s * layout.polls
    postgres_s = costs.postgres_submit_s + costs.postgres_run_s
    found = {
        "api": layout.apis / costs.api_s,
        "worker": layout.workers / worker_s,
        "PostgreSQL's processor": layout.postgres_cores / postgres_s,
        "PostgreSQL's disk": layout.wal_bytes_s / costs.wal_bytes,
        "Redis": 1 / costs.redis_s,
    }
    if layout.shared_cores:
        found["the cores that all share"] = layout.shared_cores / (
            costs.api_s + postgres_s + worker_s + costs.redis_s
        )
    return {part: rate / layout.hottest for part, rate in found.items()}
