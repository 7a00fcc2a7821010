"""The console over 1,000,000 tasks that have ended, and 200 who look at it while tasks are submitted."""

import time
import urllib.request
from collections.abc import Callable

from bench.rounds import Goal, Result, Series, ratio, taking_turns
from bench.stack import Stack

ENDED = 1_000_000
BATCH = 100_000
DAYS = 29
WATCHERS, RATE = 200, 500
PAGES = {
    "Now": "",
    "Tasks": "/tasks",
    "Tasks that failed": "/tasks?status=failed",
    "Tasks by words": "/tasks?text=badger",
    "Gallery": "/gallery",
    "Models": "/models",
    "Webhooks": "/webhooks",
    "Usage by day": "/usage",
    "Usage by model": "/usage?group_by=model",
    "Log": "/log",
}
LONGEST_MS = 50.0
_SUMS_LAST_S = 300.0
_FIRST_VIEW_KB = 150.0
_ACCEPTED = ("", "/static/console.css", "/static/console.js", "/static/favicon-dev.svg")
# Ids are UUIDv7 of the last days; each 50th has failed, and each has reserved and settled its price.
# No trigger notes now what ended long ago.
_FILL = """
WITH made AS (
INSERT INTO tasks (id, environment, owner, kind, provider, model, status, priority, input, metadata, outputs,
                   error, cost, price_usd, attempt, seq, created_at, started_at, finished_at)
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8'
        || substr(md5(n::text), 4, 15))::uuid,
       'dev', 'owner-' || n % 5, 'any', 'p' || n % 4, 'p' || n % 4 || '/m' || n % 12,
       CASE WHEN n % 50 = 0 THEN 'failed' ELSE 'succeeded' END, 0,
       jsonb_build_object('prompt', 'a red fox at dawn' || CASE WHEN n % 5000 = 0 THEN ', a badger' ELSE '' END),
       '{{}}', '[]',
       CASE WHEN n % 50 = 0 THEN
            '{{"code": "provider_unavailable", "message": "away", "retryable": true, "charged": "no",
               "who_must_act": "nobody", "retry_after_s": null}}'::jsonb END,
       '{{"amount_usd": "0.04", "estimated": false}}', 0.04, 1, 999, at, at + interval '1 second',
       at + interval '9 seconds'
FROM generate_series({first}, {last}) AS n,
     LATERAL (SELECT now() - interval '{days} days' * (1 - n::float8 / {count}) - interval '10 s' AS at) AS made
RETURNING *)
INSERT INTO ledger (task_id, attempt, kind, amount_usd, provider, model, owner, environment, day, source)
SELECT id, 1, entry, 0.04, provider, model, owner, environment, (created_at AT TIME ZONE 'utc')::date, 'price'
FROM made, unnest(ARRAY['reserved', 'settled']) AS entry
"""


def measure(stack: Stack) -> Result:
    """Milliseconds of a page, of one who asks; then what a submit takes while nobody and while many look."""
    ended = int(ENDED * stack.size.share**2)
    for first in range(0, ended, BATCH):
        last = min(first + BATCH, ended) - 1
        stack.execute(
            "SET synchronous_commit = off; SET session_replication_role = replica;"
            + _FILL.format(first=first, last=last, days=DAYS, count=ended)
        )
    stack.execute("VACUUM ANALYZE tasks", "VACUUM ANALYZE ledger", "CHECKPOINT")
    with stack.api() as (url,):
        unsummed = taking_turns({"Usage by day, without sums": _page(f"{url}/console/usage")}, 1, "ms")
        with stack.worker(**_KEPT):
            _wait_for_sums(stack)
        pages = taking_turns({name: _page(f"{url}/console{path}") for name, path in PAGES.items()}, 5, "ms")
        sizes = tuple(Series(f"first view of {name}", "kB", (_kilobytes(url, PAGES[name]),)) for name in _FIRST)
        submits = _watched(stack, url)
    goals = (
        *(Goal(one.name, one.median, LONGEST_MS, at_least=False, unit="ms") for one in pages),
        *(Goal(one.name, one.median, _FIRST_VIEW_KB, at_least=False, unit="kB") for one in sizes),
        Goal(f"p99 of a submit while {WATCHERS} look", ratio(*submits[::-1]), 1.2, at_least=False),
    )
    return Result(f"console: {ended:,} tasks that have ended", (*unsummed, *pages, *sizes, *submits), goals)


_FIRST = ("Now", "Tasks")
_KEPT = {"GENPULSE_RETENTION__TASKS_DAYS": "365"}


def _page(address: str) -> Callable[[], float]:
    def measure() -> float:
        begin = time.perf_counter()
        _fetch(address)
        return (time.perf_counter() - begin) * 1e3

    return measure


def _fetch(address: str) -> int:
    with urllib.request.urlopen(address) as answer:
        return len(answer.read())


def _kilobytes(url: str, path: str) -> float:
    return sum(_fetch(f"{url}/console{part if part else path}") for part in _ACCEPTED) / 1e3


def _wait_for_sums(stack: Stack) -> None:
    """Until all hours that are over for long are closed, and no entry is left."""
    deadline = time.monotonic() + _SUMS_LAST_S
    while stack.value(_UNSUMMED):
        if time.monotonic() > deadline:
            raise SystemExit("sums of usage were not kept")
        time.sleep(0.5)


_UNSUMMED = """
SELECT EXISTS (SELECT FROM ledger WHERE transaction >= coalesce((SELECT transaction FROM ledger_mark), 0))
    OR (SELECT coalesce(min(hour) > (SELECT min(created_at) FROM tasks), true) FROM usage_hours)
"""


def _watched(stack: Stack, url: str) -> tuple[Series, Series]:
    """The 99th hundredth of submits, without and with those who look."""
    watchers = max(int(WATCHERS * stack.size.share), 20)
    seconds = str(max(stack.size.seconds * 2, 2.0))

    def p99_ms(count: int) -> float:
        found = stack.load("watched", url, f"{url}/console/live/now", str(count), str(RATE), seconds)
        if count and not found["pieces"]:
            raise SystemExit("those who look were shown nothing")
        return found["p99_ms"]

    alone, watched = taking_turns(
        {
            f"submit at {RATE}/s, p99, nobody looks": lambda: p99_ms(0),
            f"submit at {RATE}/s, p99, {watchers} look": lambda: p99_ms(watchers),
        },
        stack.size.rounds,
        "ms",
    )
    return alone, watched
