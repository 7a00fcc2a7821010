"""What a piece of work costs each part: processor time, bytes of WAL, commits and commands of Redis."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass

import psutil
import redis

from bench.stack import Stack, cpu_s

_WRITES = 300
# Only transactions that write get a number.
_WRITTEN = "SELECT ARRAY[pg_current_wal_lsn() - '0/0', pg_snapshot_xmax(pg_current_snapshot())::text::numeric]"


@dataclass(frozen=True, slots=True)
class _Reading:
    process_s: float
    postgres_s: float
    redis_s: float
    wal_bytes: float
    commits: float
    redis_commands: float


@contextmanager
def metered(
    stack: Stack, process: psutil.Process, name: str, work: str, costs: dict[str, float]
) -> Iterator[list[int]]:
    """Put what one unit of the work within costs into `costs`; the list takes how many units there were.

    The process stays on its own afterwards: it has to be alive at the end.
    """
    counted: list[int] = []
    before = _reading(stack, process)
    yield counted
    after = _reading(stack, process)
    spent = [(now - then) / sum(counted) for now, then in zip(astuple(after), astuple(before), strict=True)]
    costs |= {
        f"{name}_cpu_us_per_{work}": spent[0] * 1e6,
        f"postgres_cpu_us_per_{work}": spent[1] * 1e6,
        f"redis_cpu_us_per_{work}": spent[2] * 1e6,
        f"wal_bytes_per_{work}": spent[3],
        f"commits_per_{work}": spent[4],
        f"redis_commands_per_{work}": spent[5],
    }


def _reading(stack: Stack, process: psutil.Process) -> _Reading:
    wal, commits = stack.value(_WRITTEN)
    with redis.Redis.from_url(stack.redis_url) as client:
        commands = client.info("stats")["total_commands_processed"]
    return _Reading(
        cpu_s(process), cpu_s(stack.postgres), cpu_s(stack.redis), float(wal), float(commits), float(commands)
    )


def sync_us(stack: Stack) -> float:
    """What it takes to write 8 kB and to wait for the disk, where PostgreSQL's data lie. Microseconds."""
    path = stack.home / "sync"
    block = os.urandom(8192)
    with path.open("wb", buffering=0) as file:
        began = time.perf_counter()
        for _ in range(_WRITES):
            file.write(block)
            os.fdatasync(file.fileno())
        took = time.perf_counter() - began
    path.unlink()
    return took / _WRITES * 1e6
