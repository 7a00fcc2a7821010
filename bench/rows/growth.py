"""The same work with an empty table of tasks, and with 5,000,000 that have ended."""

import json
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

from bench.rounds import Goal, Result, Series, ratio, taking_turns
from bench.rows.end_to_end import ours as end_to_end
from bench.stack import ORDER, Stack

ENDED = 5_000_000
BATCH = 100_000
CLAIMED = 3000
SELDOM = 5000
"""Of so many tasks one has the words and the metadata that are seldom."""
FILTERS = {
    "one provider": "provider=sandbox",
    "two models": "model=sandbox/noop&model=sandbox/image",
    "metadata, often": "metadata.customer=often",
    "metadata, seldom": "metadata.customer=seldom",
    "words, often": "text=red+fox",
    "words, seldom": "text=badger",
    "words and model": "text=badger&model=sandbox/noop",
}
LONGEST_US = 50_000.0
"""What a page may take that is found by a filter, whatever the table holds."""
_FIND = "find by"
# Ids are UUIDv7 of the last 2 days, one a millisecond.
_FILL = """
INSERT INTO tasks (id, environment, kind, provider, model, status, priority, input, metadata, outputs, attempt,
                   seq, created_at, started_at, finished_at)
SELECT (lpad(to_hex(moment), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8'
        || substr(md5(n::text), 4, 15))::uuid,
       'dev', 'any', 'sandbox', 'sandbox/noop', 'succeeded', 0,
       jsonb_build_object('prompt', 'a red fox at dawn' || CASE WHEN is_seldom THEN ', a badger' ELSE '' END),
       jsonb_build_object('customer', CASE WHEN is_seldom THEN 'seldom' ELSE 'often' END), '[]',
       1, 999, at, at + interval '1 second', at + interval '9 seconds'
FROM generate_series({first}, {last}) AS n,
     LATERAL (SELECT n % {seldom} = 0 AS is_seldom) AS said,
     LATERAL (SELECT (extract(epoch FROM now() - interval '2 days') * 1000)::bigint + n AS moment) AS made,
     LATERAL (SELECT to_timestamp(moment / 1000.0) AS at) AS stamped
"""


def measure(stack: Stack) -> Result:
    """Two databases on one server take turns; each figure is what a request or a task takes."""
    ended = int(ENDED * stack.size.share**2)
    full = _filled(stack, ended)
    series: list[Series] = []
    with stack.api() as (url,), full.api() as (full_url,):
        ours, others = _requests(stack, url), _requests(full, full_url)
        for name in ours:
            both = {f"{name}, empty": ours[name], f"{name}, {ended:,} ended": others[name]}
            series += taking_turns(both, stack.size.rounds, "µs")
    for one in (stack, full):
        with one.worker():
            one.until_idle()
    runs = {"run, empty": lambda: _run(stack), f"run, {ended:,} ended": lambda: _run(full)}
    series += taking_turns(runs, stack.size.rounds, "µs")
    goals = tuple(
        Goal(f"{empty.name.partition(',')[0]} of what it takes empty", ratio(grown, empty), 1.2, at_least=False)
        for empty, grown in zip(series[::2], series[1::2], strict=True)
        if not empty.name.startswith(_FIND)
    )
    goals += tuple(
        Goal(one.name, one.median, LONGEST_US, at_least=False, unit="µs")
        for one in series[1::2]
        if one.name.startswith(_FIND)
    )
    return Result(f"growth: {ended:,} tasks that have ended", tuple(series), goals)


def _filled(stack: Stack, ended: int) -> Stack:
    stack.execute("CREATE DATABASE full_of_tasks")
    parts = urlsplit(stack.database_url)
    full = replace(stack, database_url=urlunsplit(parts._replace(path="/full_of_tasks")))
    full.upgrade()
    for first in range(0, ended, BATCH):
        last = min(first + BATCH, ended) - 1
        full.execute("SET synchronous_commit = off;" + _FILL.format(first=first, last=last, seldom=SELDOM))
    full.execute("VACUUM ANALYZE tasks", "CHECKPOINT")
    return full


def _requests(stack: Stack, url: str) -> dict[str, Callable[[], float]]:
    """The microseconds that each takes."""
    ids = [_submitted(url) for _ in range(64)]

    def each(*urls: str, **words: object) -> Callable[[], float]:
        return lambda: 1e6 / stack.requests(*urls, **words)["per_second"]

    return {
        "submit": each(f"{url}/v1/tasks", method="POST", body=ORDER, accept=202),
        "read": each(*(f"{url}/v1/tasks/{one}" for one in ids)),
        "list": each(f"{url}/v1/tasks?limit=20"),
        "list by status": each(f"{url}/v1/tasks?limit=20&status=failed"),
        **{f"{_FIND} {name}": each(f"{url}/v1/tasks?limit=20&{query}") for name, query in FILTERS.items()},
    }


def _run(stack: Stack) -> float:
    return 1e6 / end_to_end(stack, CLAIMED, {})


def _submitted(url: str) -> str:
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(f"{url}/v1/tasks", ORDER.encode(), headers)) as answer:
        return json.load(answer)["id"]
