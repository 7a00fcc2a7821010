"""The attempts of a task as bars."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from genpulse.console.views.timeline import WIDTH, timeline_of
from genpulse.domain.attempt import Attempt
from genpulse.domain.task import Task, TaskStatus

BEGAN = datetime(2030, 1, 1, tzinfo=UTC)
TASK = Task(uuid4(), "dev", "noop", "sandbox", "sandbox/noop", TaskStatus.RUNNING, {}, BEGAN)


def at(seconds):
    return BEGAN + timedelta(seconds=seconds)


def attempt(number, started, asked=None, finished=None):
    return Attempt(
        uuid4(),
        TASK.id,
        number,
        "sandbox",
        "sandbox/noop",
        "w",
        "gp-1",
        at(started),
        submitting_at=None if asked is None else at(asked),
        finished_at=None if finished is None else at(finished),
    )


def test_a_task_without_attempts_waits():
    timeline = timeline_of(TASK, (), at(10))
    assert (timeline.rows, timeline.waits.width, timeline.took_s) == ((), WIDTH, 10.0)


def test_each_attempt_waited_prepared_and_ran():
    first, second = timeline_of(TASK, [attempt(1, 2, 3, 4), attempt(2, 8)], at(10)).rows
    assert [(bar.what, bar.x, bar.width) for bar in first.bars] == [
        ("waited", 0, 200),
        ("prepared", 200, 100),
        ("ran", 300, 100),
    ]
    assert [(bar.what, bar.x, bar.width) for bar in second.bars] == [("waited", 400, 400), ("ran", 800, 200)]


MOMENTS = st.floats(-5, 50, allow_nan=False)


@given(
    attempts=st.lists(st.tuples(MOMENTS, st.none() | MOMENTS, st.none() | MOMENTS), max_size=6),
    now=st.floats(-5, 60, allow_nan=False),
)
def test_bars_stay_on_the_line_whatever_clocks_said(attempts, now):
    rows = [attempt(number, *moments) for number, moments in enumerate(attempts, 1)]
    timeline = timeline_of(TASK, rows, at(now))
    assert len(timeline.rows) == len(rows)
    for row in timeline.rows:
        for bar in row.bars:
            assert bar.x >= 0
            assert bar.width > 0
            assert bar.x + bar.width <= WIDTH
