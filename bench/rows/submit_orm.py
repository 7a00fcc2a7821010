"""The same submit through a FastAPI handler with a SQLAlchemy ORM session: what most services do."""

import sys

from bench.rounds import Goal, Result, ratio, taking_turns
from bench.stack import CLIENTS, ORDER, Stack, address_of


def measure(stack: Stack) -> Result:
    """One process each, the same columns, one commit a request."""
    program = [sys.executable, "-m", "bench.peers.orm_service"]
    with stack.api() as (url,), stack.process("orm", program, "Uvicorn running") as peer:
        peer_url = address_of(peer)

        def submit(base: str):
            return lambda: stack.requests(f"{base}/v1/tasks", method="POST", body=ORDER, accept=202)["per_second"]

        series = taking_turns(
            {"GenPulse": submit(url), "FastAPI + ORM session": submit(peer_url)}, stack.size.rounds
        )
    title = f"the same work through FastAPI and an ORM session, {CLIENTS} connections"
    return Result(title, series, (Goal("of the ORM handler", ratio(*series), 8.0),))
