"""No-op tasks that wait when a worker starts, until the last has ended: rows, attempts and events, all kept."""

import json
import os
import subprocess
import sys
import time

from bench.meter import metered
from bench.rounds import Goal, Result, ratio, taking_turns
from bench.stack import ROOT, Stack

TASKS = 5000
_TIMES = "SELECT count(*) / extract(epoch FROM max(finished_at) - min(started_at)) FROM tasks WHERE id > '{after}'"
_STATE = """
SELECT (pg_total_relation_size('tasks') + pg_total_relation_size('attempts'))::float8 / count(*) FROM tasks
"""


def measure(stack: Stack) -> Result:
    """One worker of GenPulse, bare PgQueuer in batches of 100, and taskiq on Redis take turns."""
    count = max(int(TASKS * stack.size.share) // 1000, 1) * 1000
    costs: dict[str, float] = {}
    series = taking_turns(
        {
            "GenPulse": lambda: ours(stack, count, costs),
            "bare PgQueuer": lambda: pgqueuer(stack, count),
            "taskiq-redis": lambda: taskiq(stack, count),
        },
        stack.size.rounds,
    )
    costs["state_bytes_per_task"] = float(stack.value(_STATE))
    goals = (
        Goal("of bare PgQueuer", ratio(series[0], series[1]), 0.6),
        Goal("of taskiq-redis", ratio(series[0], series[2]), 3.0),
    )
    note = (
        f"A task costs the worker {costs['worker_cpu_us_per_task']:.0f} µs of processor time and PostgreSQL"
        f" {costs['postgres_cpu_us_per_task']:.0f} µs. Bare PgQueuer keeps a queue entry; GenPulse keeps a task,"
        " an attempt, their ends and two events besides, each behind a lease."
    )
    return Result("no-op tasks end to end, one worker", series, goals, note, costs)


def ours(stack: Stack, count: int, costs: dict[str, float]) -> float:
    """Tasks a second, by the times in their rows."""
    after = stack.value("SELECT coalesce(max(id::text), '00000000-0000-0000-0000-000000000000') FROM tasks")
    stack.fill(count)
    with stack.worker() as worker, metered(stack, worker, "worker", "task", costs) as counted:
        stack.until_idle()
        counted.append(count)
    return float(stack.value(_TIMES.format(after=after)))


def pgqueuer(stack: Stack, count: int) -> float:
    """Jobs a second."""
    url = f"{stack.database_url}"
    program = [sys.executable, "-m", "bench.peers.pgqueuer_noop"]
    for verb in ("fill", "run"):
        done = subprocess.run(
            [*program, verb, url, str(count)], capture_output=True, text=True, cwd=ROOT, check=False
        )
        if done.returncode:
            raise SystemExit(done.stderr)
    return float(json.loads(done.stdout.splitlines()[-1])["per_second"])


def taskiq(stack: Stack, count: int) -> float:
    """Jobs a second."""
    environment = {**os.environ, "GENPULSE_REDIS__URL": stack.redis_url, "COUNT": str(count)}
    fill = [sys.executable, "-m", "bench.peers.taskiq_noop", str(count)]
    subprocess.run(fill, env=environment, check=True, cwd=ROOT)
    words = ["worker", "bench.peers.taskiq_noop:broker", "--workers", "1", "--max-async-tasks", "100"]
    with stack.process("taskiq", [sys.executable, "-m", "taskiq", *words], "per_second=", environment) as child:
        time.sleep(0.1)
        return float(
            next(line for line in child.last_lines.splitlines() if "per_second=" in line).partition("=")[2]
        )
