"""Ten tasks of one key behind 20,000 of another, and what turns cost where there is one key, or are two."""

import time

from bench.rounds import Goal, Result, Series, ratio, taking_turns
from bench.rows.end_to_end import TASKS
from bench.stack import Stack

WAITING = 20_000
FEW = 10
CONCURRENCY = 50
LONGEST_S = 2.0
SLOW = ("sandbox/noop", '{"delay_s": 0.1}')
_OF_TWO = "'a' || (('x' || right(md5(id::text), 2))::bit(8)::int % 2)"
_OWNED = (
    "UPDATE tasks SET owner = {owner} WHERE finished_at IS NULL",
    "UPDATE queue SET owner = tasks.owner FROM tasks WHERE tasks.id = queue.task_id",
)
_PER_SECOND = (
    "SELECT count(*) / extract(epoch FROM max(finished_at) - min(started_at)) FROM tasks WHERE id > '{after}'"
)
_LAST = "SELECT coalesce(max(id::text), '00000000-0000-0000-0000-000000000000') FROM tasks"
_OTHERS = """
SELECT count(*) FROM tasks WHERE id <= '{after}'
   AND coalesce(started_at, 'infinity') > (SELECT max(started_at) FROM tasks WHERE id > '{after}')
"""
_STARTED = "SELECT count(*) FROM tasks WHERE started_at IS NOT NULL"
_LEFT = "SELECT count(*) FROM tasks WHERE id > '{after}' AND started_at IS NULL"
_WAITED = "SELECT extract(epoch FROM max(started_at) - min(created_at)) FROM tasks WHERE id > '{after}'"


def measure(stack: Stack) -> Result:
    """The few first, then whole queues of one owner and of two take turns."""
    waited_s, left = _few_behind_many(stack)
    waits = Series("until the last of ten starts", "s", (waited_s,))
    others = Series("others that wait then", "", (left,))
    count = max(int(TASKS * stack.size.share) // 1000, 1) * 1000
    runs = {"one owner": lambda: _run(stack, count, "'a'"), "two owners": lambda: _run(stack, count, _OF_TWO)}
    series = taking_turns(runs, stack.size.rounds)
    goals = (
        Goal("the last of ten starts after", waits.median, LONGEST_S, at_least=False, unit="s"),
        Goal("two owners of one", ratio(series[1], series[0]), 0.8),
    )
    note = f"{WAITING:,} tasks of 0.1 s wait, and one worker does {CONCURRENCY} at once."
    return Result("ten tasks of one key behind 20,000 of another", (waits, others, *series), goals, note)


def _few_behind_many(stack: Stack) -> tuple[float, float]:
    """Seconds from the submit of the few, which have no key, to the last start; how many others wait then."""
    waiting = max(int(WAITING * stack.size.share), 1000)
    with stack.api() as (url,):
        stack.load("fill", url, str(waiting), *SLOW)
        _own("'a'", stack)
        with stack.worker(GENPULSE_WORKER__CONCURRENCY=str(CONCURRENCY)):
            while stack.value(_STARTED) < CONCURRENCY:
                time.sleep(0.05)
            after = stack.value(_LAST)
            stack.load("fill", url, str(FEW), *SLOW)
            while stack.value(_LEFT.format(after=after)):
                time.sleep(0.05)
    waited_s, left = stack.value(_WAITED.format(after=after)), stack.value(_OTHERS.format(after=after))
    stack.execute("TRUNCATE queue", "TRUNCATE tasks CASCADE")
    return float(waited_s), float(left)


def _run(stack: Stack, count: int, owner: str) -> float:
    """Tasks a second, by the times in their rows."""
    after = stack.value(_LAST)
    stack.fill(count)
    _own(owner, stack)
    with stack.worker():
        stack.until_idle()
    return float(stack.value(_PER_SECOND.format(after=after)))


def _own(owner: str, stack: Stack) -> None:
    stack.execute(*(statement.format(owner=owner) for statement in _OWNED))
