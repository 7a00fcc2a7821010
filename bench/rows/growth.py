"""The same work with an empty table of tasks, and with 5,000,000 that have ended."""

import json
import time
import urllib.request

from bench.rounds import Goal, Result, Series
from bench.rows.end_to_end import ours as end_to_end
from bench.stack import ORDER, Stack

ENDED = 5_000_000
BATCH = 100_000
CLAIMED = 3000
# Ids are UUIDv7 of the last 60 days, one a millisecond.
_FILL = """
INSERT INTO tasks (id, environment, kind, provider, model, status, priority, input, metadata, outputs, attempt,
                   seq, created_at, started_at, finished_at)
SELECT (lpad(to_hex(moment), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8'
        || substr(md5(n::text), 4, 15))::uuid,
       'dev', 'any', 'sandbox', 'sandbox/noop', 'succeeded', 20, '{{"prompt": "a red fox at dawn"}}', '{{}}', '[]',
       1, 999, at, at + interval '1 second', at + interval '9 seconds'
FROM generate_series({first}, {last}) AS n,
     LATERAL (SELECT (extract(epoch FROM now() - interval '60 days') * 1000)::bigint + n AS moment) AS made,
     LATERAL (SELECT to_timestamp(moment / 1000.0) AS at) AS stamped
"""


def measure(stack: Stack) -> Result:
    """Before and after; each figure is what a request or a task takes."""
    ended = int(ENDED * stack.size.share**2)
    before = _costs(stack)
    for first in range(0, ended, BATCH):
        last = min(first + BATCH, ended) - 1
        stack.execute("SET synchronous_commit = off;" + _FILL.format(first=first, last=last))
    stack.execute("VACUUM ANALYZE tasks", "CHECKPOINT")
    after = _costs(stack)
    series, goals = [], []
    for name, figures in before.items():
        series += [
            Series(f"{name}, empty", "µs", tuple(figures)),
            Series(f"{name}, {ended:,} ended", "µs", tuple(after[name])),
        ]
        goals.append(
            Goal(f"{name} of what it takes empty", series[-1].median / series[-2].median, 1.2, at_least=False)
        )
    return Result(f"growth: {ended:,} tasks that have ended", tuple(series), tuple(goals))


def _costs(stack: Stack) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"submit": [], "read": [], "list": [], "list by status": [], "run": []}
    with stack.api() as (url,):
        ids = [_submitted(url) for _ in range(64)]
        for _ in range(min(stack.size.rounds, 3)):
            submit = stack.requests(f"{url}/v1/tasks", method="POST", body=ORDER, accept=202)
            found["submit"].append(1e6 / submit["per_second"])
            found["read"].append(1e6 / stack.requests(*(f"{url}/v1/tasks/{one}" for one in ids))["per_second"])
            found["list"].append(1e6 / stack.requests(f"{url}/v1/tasks?limit=20")["per_second"])
            listed = stack.requests(f"{url}/v1/tasks?limit=20&status=failed")
            found["list by status"].append(1e6 / listed["per_second"])
    with stack.worker():
        stack.until_idle()
    for _ in range(min(stack.size.rounds, 3)):
        found["run"].append(1e6 / end_to_end(stack, CLAIMED, {}))
        time.sleep(1)
    return found


def _submitted(url: str) -> str:
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(f"{url}/v1/tasks", ORDER.encode(), headers)) as answer:
        return json.load(answer)["id"]
