"""The status of a task, over HTTP, beside the same route without a database behind it."""

import json
import sys
import urllib.request

from bench.rounds import Goal, Result, ratio, taking_turns
from bench.stack import CLIENTS, ORDER, Stack, address_of

TASKS = 64


def measure(stack: Stack) -> Result:
    """Many tasks, each connection reading another one."""
    without = [sys.executable, "-m", "bench.peers.no_io"]
    with stack.api() as (url,), stack.process("no_io", without, "Uvicorn running") as peer:
        peer_url = address_of(peer)
        series = taking_turns(
            {"GenPulse": _reading(stack, url), "the same without I/O": _reading(stack, peer_url)},
            stack.size.rounds,
        )
    ours, peer_series = series
    goal = Goal("of the same route without I/O", ratio(ours, peer_series), 0.7)
    return Result(f"status read, {CLIENTS} connections", series, (goal,))


def _reading(stack: Stack, url: str):
    addresses = [f"{url}/v1/tasks/{_submit(url)}" for _ in range(TASKS)]
    return lambda: stack.requests(*addresses)["per_second"]


def _submit(url: str) -> str:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/v1/tasks", ORDER.encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["id"]
