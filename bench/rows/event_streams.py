"""5,000 open event streams in one API process."""

import json
import subprocess
import sys

from bench.rounds import Goal, Result, Series
from bench.stack import ROOT, Stack

STREAMS, TASKS = 5000, 1000


def measure(stack: Stack) -> Result:
    """Five streams a task; progress is published 200 times a second."""
    streams, tasks = max(int(STREAMS * stack.size.share), 100), max(int(TASKS * stack.size.share), 20)
    p50, p99, bytes_each, received = [], [], [], []
    with stack.api() as (url,):
        stack.load("fill", url, str(tasks), "sandbox/noop")
        api = stack.child("api")
        ids = json.loads(stack.value(f"SELECT json_agg(id) FROM (SELECT id FROM tasks LIMIT {tasks}) AS few"))
        for _ in range(min(stack.size.rounds, 3)):
            before = api.memory_info().rss
            words = [sys.executable, "-m", "bench.load.events", url, str(streams), *ids]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            with subprocess.Popen(words, cwd=ROOT, env=stack.environment, **pipes) as load:
                if load.stdout.readline().strip() != "watching":
                    raise SystemExit("the watchers did not come up")
                bytes_each.append((api.memory_info().rss - before) / streams / 1e3)
                load.stdin.write("go\n")
                load.stdin.flush()
                figures = json.loads(load.stdout.readline())
            p50.append(figures["p50_ms"])
            p99.append(figures["p99_ms"])
            received.append(figures["received"])
    series = (
        Series("publish → received, p50", "ms", tuple(p50)),
        Series("publish → received, p99", "ms", tuple(p99)),
        Series("memory of a stream, first round", "kB", tuple(bytes_each[:1])),
        Series("received of what was published", "", tuple(received)),
    )
    goals = (
        Goal("publish → received, p99", series[1].median, 10, at_least=False, unit="ms"),
        Goal("memory of a stream", series[2].median, 16, at_least=False, unit="kB"),
        Goal("of the events received", min(received), 1.0),
    )
    return Result(f"{streams:,} event streams in one api process", series, goals)
