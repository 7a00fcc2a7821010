"""Durable submit over HTTP: the row and its queue entry are committed before the answer."""

from bench.meter import metered, sync_us
from bench.rounds import Goal, Result, ratio, taking_turns
from bench.stack import CLIENTS, ORDER, Stack


def measure(stack: Stack, processes: int = 1, bound: float = 0.6) -> Result:
    """One API process and pgbench take turns."""
    costs: dict[str, float] = {}
    with stack.api(processes) as urls:
        addresses = [f"{url}/v1/tasks" for url in urls]
        api = stack.child("api")

        def submit() -> float:
            before = stack.value("SELECT count(*) FROM tasks")
            with metered(stack, api, "api", "submit", costs) as counted:
                figures = stack.requests(*addresses, method="POST", body=ORDER, accept=202)
                counted.append(stack.value("SELECT count(*) FROM tasks") - before)
            return figures["per_second"]

        ours, floor = taking_turns({"GenPulse": submit, "pgbench": stack.pgbench()}, stack.size.rounds)
    title = f"durable submit over HTTP, {CLIENTS} connections, {processes} api"
    goals = (Goal("of pgbench's single-row inserts", ratio(ours, floor), bound),)
    if processes > 1:
        return Result(title, (ours, floor), goals)
    note = (
        f"A request costs the api {costs['api_cpu_us_per_submit']:.0f} µs of processor time (an empty ASGI"
        f" application takes 30 to 40 of them) and PostgreSQL {costs['postgres_cpu_us_per_submit']:.0f} µs."
        " pgbench is written in C and asks for no key, no schema and no JSON."
    )
    return Result(title, (ours, floor), goals, note, {**costs, "sync_us": sync_us(stack)})
