"""200 clients that ask ten times a second where their task stands, as fal's client does it."""

import json
import os
import subprocess
import sys
import urllib.request

from bench.rounds import Goal, Result, Series
from bench.stack import ORDER, ROOT, Stack, address_of, cpu_s

CLIENTS, PER_S, SECONDS = 200, 10, 10
PLACES = {
    "fal's status": "/fal/queue/sandbox/noop/requests/{id}/status?logs=true",
    "our own task": "/v1/tasks/{id}",
}
READ = (
    "SELECT coalesce(sum(idx_tup_fetch + seq_tup_read), 0)::float FROM pg_stat_user_tables WHERE relname = 'tasks'"
)
"""Rows of tasks that were read. What a connection has done is added when it has been idle for a moment."""
SETTLED_S = 2.0
IDLE = "without I/O"


def measure(stack: Stack) -> Result:
    """One api process; the tasks make progress, and a task is asked for by one client.

    What the machine itself lets pass at this rate is told by the same polls of a route that does nothing.
    """
    clients = max(int(CLIENTS * stack.size.share), 20)
    seconds = max(SECONDS * stack.size.share, 2)
    found: dict[str, list[dict[str, float]]] = {name: [] for name in (*PLACES, IDLE)}
    without = [sys.executable, "-m", "bench.peers.no_io"]
    with stack.api() as (url,), stack.process("no_io", without, "Uvicorn running") as peer:
        peer_url = address_of(peer)
        stack.load("fill", url, str(clients), "sandbox/noop")
        ids = json.loads(stack.value(f"SELECT json_agg(id) FROM (SELECT id FROM tasks LIMIT {clients}) AS few"))
        for _ in range(min(stack.size.rounds, 3)):
            for name, place in PLACES.items():
                found[name].append(_polled(stack, url, [place.format(id=each) for each in ids], ids, seconds))
            found[IDLE].append(_polled(stack, peer_url, _peer_paths(peer_url, clients), [], seconds))
    idle = found[IDLE]
    ours, door = found["our own task"], found["fal's status"]
    series = (
        Series("fal's status, p50", "ms", tuple(one["p50_ms"] for one in door)),
        Series("fal's status, p99", "ms", tuple(one["p99_ms"] for one in door)),
        Series("our own task, p99", "ms", tuple(one["p99_ms"] for one in ours)),
        Series("the same without I/O, p99", "ms", tuple(one["p99_ms"] for one in idle)),
        Series("rows read a second, fal's status", "/s", tuple(one["reads_per_s"] for one in door)),
        Series("rows read a second, our own task", "/s", tuple(one["reads_per_s"] for one in ours)),
        Series("processor time of the api for a poll, fal's status", "µs", tuple(one["cpu_us"] for one in door)),
        Series("processor time of the api for a poll, our own task", "µs", tuple(one["cpu_us"] for one in ours)),
    )
    goals = (
        Goal("fal's status, p99", series[1].median, 50, at_least=False, unit="ms"),
        Goal("of the p99 of a route without I/O", series[1].median / series[3].median, None, at_least=False),
        Goal("rows read a second for each client of fal's", series[4].median / clients, 1.0, at_least=False),
        Goal("of the processor time of our own task", series[6].median / series[7].median, 1.3, at_least=False),
    )
    return Result(f"{clients:,} clients that poll {PER_S} times a second, one api process", series, goals)


def _polled(stack: Stack, url: str, paths: list[str], ids: list[str], seconds: float) -> dict[str, float]:
    api = stack.child("api")
    before, began_s = _rows_read(stack), cpu_s(api)
    words = [sys.executable, "-m", "bench.load.polls", url, str(PER_S), str(seconds), *paths]
    environment = {**os.environ, **stack.environment, "TASK_IDS": ",".join(ids)}
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)
    if done.returncode:
        raise SystemExit(f"bench.load.polls failed:\n{done.stderr}")
    figures: dict[str, float] = json.loads(done.stdout)
    spent_s = cpu_s(api) - began_s
    first = len(paths)
    again = max(_rows_read(stack) - before - first, 0.0)
    answers = figures["answers"]
    return {
        **figures,
        "reads_per_s": again / (answers / figures["per_second"]),
        "cpu_us": spent_s / (answers + first) * 1e6,
    }


def _peer_paths(url: str, count: int) -> list[str]:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/v1/tasks", ORDER.encode(), headers)
    with urllib.request.urlopen(request) as answer:
        task_id = json.load(answer)["id"]
    return [f"/v1/tasks/{task_id}"] * count


def _rows_read(stack: Stack) -> float:
    stack.value(f"SELECT pg_sleep({SETTLED_S})")
    count: float = stack.value(READ)
    return count
