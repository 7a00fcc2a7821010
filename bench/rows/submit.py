"""Durable submit over HTTP: the row and its queue entry are committed before the answer."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bench.meter import metered, sync_us
from bench.rounds import Goal, Measure, Result, ratio, taking_turns
from bench.stack import CLIENTS, ORDER, Stack, address_of

LEAN = "lean program"
_PROGRAM = [sys.executable, "-m", "bench.peers.lean_submit"]


def measure(stack: Stack, processes: int = 1, bound: float = 0.6) -> Result:
    """API processes, as many of a lean program that does the least over HTTP, and pgbench take turns."""
    costs: dict[str, float] = {}
    with stack.api(processes) as urls, _lean(stack, processes) as lean:
        addresses = [f"{url}/v1/tasks" for url in urls]
        api = stack.child("api")

        def submit() -> float:
            before = stack.value("SELECT count(*) FROM tasks")
            with metered(stack, api, "api", "submit", costs) as counted:
                figures = stack.requests(*addresses, method="POST", body=ORDER, accept=202)
                counted.append(stack.value("SELECT count(*) FROM tasks") - before)
            return figures["per_second"]

        ours, least, floor = taking_turns(
            {"GenPulse": submit, LEAN: lean, "pgbench": stack.pgbench()}, stack.size.rounds
        )
    title = f"durable submit over HTTP, {CLIENTS} connections, {processes} api"
    goals = (
        Goal("of pgbench's single-row inserts", ratio(ours, floor), bound),
        Goal("of the lean program", ratio(ours, least), None),
        Goal("the lean program, of pgbench", ratio(least, floor), None),
    )
    if processes > 1:
        return Result(title, (ours, least, floor), goals)
    note = (
        f"A request costs the api {costs['api_cpu_us_per_submit']:.0f} µs of processor time and PostgreSQL"
        f" {costs['postgres_cpu_us_per_submit']:.0f} µs. pgbench is written in C; what it sends comes by no HTTP,"
        " and asks for no key, no schema and no JSON. The lean program is the least that takes an order over HTTP:"
        " one route without a framework on the same server, whose inserts of the same moment share a statement, as"
        " ours do. It knows no key, no model, no queue, no price and no second try."
    )
    return Result(title, (ours, least, floor), goals, note, {**costs, "sync_us": sync_us(stack)})


@contextmanager
def _lean(stack: Stack, processes: int) -> Iterator[Measure]:
    with ExitStack() as running:
        addresses = []
        for _ in range(processes):
            peer = running.enter_context(stack.process("lean", _PROGRAM, "Uvicorn running"))
            addresses.append(f"{address_of(peer)}/v1/tasks")
        yield lambda: stack.requests(*addresses, method="POST", body=ORDER, accept=202)["per_second"]
