"""A service of FastAPI, a SQLAlchemy session and Celery with the same no-op tasks: what a team would have else."""

import sys
import time

from bench.rounds import Goal, Result, ratio, taking_turns
from bench.rows.end_to_end import TASKS
from bench.rows.end_to_end import ours as end_to_end
from bench.stack import ORDER, Stack, address_of

_LEFT = "SELECT EXISTS (SELECT 1 FROM usual_tasks WHERE finished_at IS NULL)"
_RATE = """
SELECT count(*) / extract(epoch FROM max(finished_at) - min(started_at))
FROM usual_tasks WHERE created_at > '{after}'
"""


def measure(stack: Stack) -> Result:
    """Submits and runs, one process each; Celery's worker has its usual two children."""
    program = [sys.executable, "-m", "bench.peers.celery_service"]
    with stack.api() as (url,), stack.process("usual", program, "Uvicorn running") as peer:
        peer_url = address_of(peer)

        def submit(base: str):
            return lambda: stack.requests(f"{base}/v1/tasks", method="POST", body=ORDER, accept=202)["per_second"]

        def work() -> float:
            return _worked_off(stack, peer_url)

        submits = taking_turns(
            {"GenPulse submits": submit(url), "usual submits": submit(peer_url)}, stack.size.rounds
        )
        with stack.worker():
            stack.until_idle()
        count = max(int(TASKS * stack.size.share), 1000)
        runs = taking_turns(
            {"GenPulse runs": lambda: end_to_end(stack, count, {}), "usual runs": work}, min(stack.size.rounds, 3)
        )
    goals = (
        Goal("of its submits", ratio(*submits), None),
        Goal("of its tasks end to end", ratio(*runs), None),
    )
    return Result("a service of FastAPI, a SQLAlchemy session and Celery", (*submits, *runs), goals)


def _worked_off(stack: Stack, url: str) -> float:
    """Tasks a second: those that wait are worked off by a new worker."""
    after = stack.value("SELECT coalesce(max(created_at), 'epoch') FROM usual_tasks WHERE finished_at IS NOT NULL")
    stack.requests(f"{url}/v1/tasks", method="POST", body=ORDER, accept=202)
    words = ["-m", "celery", "-A", "bench.peers.celery_service:queue", "worker", "--concurrency", "2"]
    with stack.process("celery", [sys.executable, *words], "[queues]"):
        while stack.value(_LEFT):
            time.sleep(0.2)
    return float(stack.value(_RATE.format(after=after)))
