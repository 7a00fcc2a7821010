"""From the request that submits a task to the start of its attempt, at 100 a second."""

import json
import statistics
import subprocess
import sys

from bench.rounds import Goal, Result, Series, ratio
from bench.stack import ROOT, Stack

RATE = 100


def measure(stack: Stack) -> Result:
    """GenPulse over HTTP, and bare PgQueuer from its call that queues, take turns."""
    found: dict[str, list[float]] = {
        "GenPulse p50": [],
        "PgQueuer p50": [],
        "GenPulse p99": [],
        "PgQueuer p99": [],
    }
    with stack.api() as (url,), stack.worker():
        _ours(stack, url)
        for _ in range(stack.size.rounds):
            for name, waits in (("GenPulse", _ours(stack, url)), ("PgQueuer", _theirs(stack))):
                found[f"{name} p50"].append(statistics.median(waits) * 1e3)
                found[f"{name} p99"].append(waits[int(len(waits) * 0.99)] * 1e3)
    series = {name: Series(name, "ms", tuple(figures)) for name, figures in found.items()}
    goals = (
        Goal("p50 of bare PgQueuer's", ratio(series["GenPulse p50"], series["PgQueuer p50"]), 2.0, at_least=False),
        Goal("p99 of bare PgQueuer's", ratio(series["GenPulse p99"], series["PgQueuer p99"]), 1.5, at_least=False),
    )
    note = "Ours begins when the HTTP request is sent and ends when the worker begins the attempt."
    return Result(f"submit → started at {RATE}/s", tuple(series.values()), goals, note)


def _ours(stack: Stack, url: str) -> list[float]:
    sent = stack.load("steady", url, str(RATE), str(stack.size.seconds * 2))
    stack.until_idle()
    started = json.loads(stack.value("SELECT json_object_agg(id, extract(epoch FROM started_at)) FROM tasks"))
    return sorted(started[task_id] - sent_at for task_id, sent_at in sent.items())


def _theirs(stack: Stack) -> list[float]:
    program = [sys.executable, "-m", "bench.peers.pgqueuer_latency", stack.database_url]
    done = subprocess.run(
        [*program, str(RATE), str(stack.size.seconds * 2)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return sorted(json.loads(done.stdout.splitlines()[-1]))
