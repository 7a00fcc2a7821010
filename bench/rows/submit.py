"""Durable submit over HTTP: the row and its queue entry are committed before the answer."""

from bench.rounds import Goal, Result, ratio, taking_turns
from bench.stack import CLIENTS, ORDER, Stack


def measure(stack: Stack, processes: int = 1, bound: float = 0.6) -> Result:
    """One API process and pgbench take turns."""
    with stack.api(processes) as urls:
        addresses = [f"{url}/v1/tasks" for url in urls]

        def submit() -> float:
            return stack.requests(*addresses, method="POST", body=ORDER, accept=202)["per_second"]

        ours, floor = taking_turns({"GenPulse": submit, "pgbench": stack.pgbench()}, stack.size.rounds)
    title = f"durable submit over HTTP, {CLIENTS} connections, {processes} api"
    return Result(title, (ours, floor), (Goal("of pgbench's single-row inserts", ratio(ours, floor), bound),))
