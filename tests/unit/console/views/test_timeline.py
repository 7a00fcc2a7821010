"""The attempts of a task as bars."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genpulse.console.views.timeline import WIDTH, timeline_of
from genpulse.domain.attempt import Attempt, AttemptStatus
from genpulse.domain.attempt_times import AttemptTimes
from genpulse.domain.task import Task, TaskStatus

BEGAN = datetime(2030, 1, 1, tzinfo=UTC)
TASK = Task(uuid4(), "dev", "noop", "sandbox", "sandbox/noop", TaskStatus.RUNNING, {}, BEGAN)


def at(seconds):
    return BEGAN + timedelta(seconds=seconds)


def attempt(number, started, asked=None, finished=None, *, times=None, job_id=None):
    return Attempt(
        uuid4(),
        TASK.id,
        number,
        "sandbox",
        "sandbox/noop",
        "w",
        "gp-1",
        at(started),
        AttemptStatus.RUNNING if finished is None else AttemptStatus.FAILED,
        submitting_at=None if asked is None else at(asked),
        job_id=job_id,
        finished_at=None if finished is None else at(finished),
        times=times,
    )


def test_a_task_without_attempts_waits():
    timeline = timeline_of(TASK, (), at(10))
    assert (timeline.rows, timeline.waits.width, timeline.took_s) == ((), WIDTH, 10.0)


def test_of_a_lost_attempt_and_of_one_that_runs_it_is_shown_what_is_known():
    first, second = timeline_of(TASK, [attempt(1, 2, 3, 4), attempt(2, 8)], at(10)).rows
    assert [(bar.what, bar.x, bar.width) for bar in first.bars] == [
        ("waited", 0, 200),
        ("prepared", 200, 100),
        ("unknown", 300, 100),
    ]
    assert [(bar.what, bar.x, bar.width) for bar in second.bars] == [("waited", 400, 400), ("running", 800, 200)]


ALL = AttemptTimes(1000, 2000, 5000, 5000, 6000, 8000, polls=4)
STEPS = ("prepared", "submitted", "polled", "collected", "stored")


def steps(asked, times, job_id=None):
    """What an attempt did, which began after 1 s and ended after 9, with the seconds of each step."""
    (row,) = timeline_of(TASK, [attempt(1, 1, asked, 10, times=times, job_id=job_id)], at(10)).rows
    (waited, *bars) = row.bars
    assert (waited.what, waited.took_s) == ("waited", 1.0)
    assert sum(bar.took_s for bar in bars) == 9.0
    return {bar.what: bar.took_s for bar in bars}


@pytest.mark.parametrize(
    ("asked", "times", "job_id", "found"),
    [
        pytest.param(
            1.5, ALL, "j", dict(zip(STEPS, (0.5, 0.5, 4, 1, 3), strict=True)), id="a job from end to end"
        ),
        pytest.param(None, ALL, "j", {"submitted": 1, "polled": 4, "collected": 1, "stored": 3}, id="found again"),
        pytest.param(
            None,
            AttemptTimes(None, 0, 5000, 5000, 6000, 8000, 4),
            "j",
            {"polled": 5, "collected": 1, "stored": 3},
            id="taken up",
        ),
        pytest.param(
            1.5,
            AttemptTimes(None, None, None, 5000, 6000, 8000),
            None,
            {"prepared": 0.5, "submitted": 4.5, "collected": 1, "stored": 3},
            id="one answer",
        ),
        pytest.param(
            None,
            AttemptTimes(None, None, None, 5000, 6000, 8000),
            None,
            {"ran": 5, "collected": 1, "stored": 3},
            id="worked here",
        ),
        pytest.param(1.5, AttemptTimes(), None, {"prepared": 0.5, "submitted": 8.5}, id="refused"),
        pytest.param(
            1.5, AttemptTimes(1000), "j", {"prepared": 0.5, "submitted": 0.5, "polled": 8}, id="never answered"
        ),
        pytest.param(
            1.5,
            AttemptTimes(1000, 2000, 5000, None, None, None, 4),
            "j",
            {"prepared": 0.5, "submitted": 0.5, "polled": 8},
            id="the job failed",
        ),
        pytest.param(
            1.5,
            AttemptTimes(1000, 2000, 5000, 5000, None, None, 4),
            "j",
            {"prepared": 0.5, "submitted": 0.5, "polled": 4, "collected": 4},
            id="nothing came",
        ),
        pytest.param(
            1.5,
            AttemptTimes(1000, 2000, 5000, 5000, 6000, None, 4),
            "j",
            {"prepared": 0.5, "submitted": 0.5, "polled": 4, "collected": 1, "stored": 3},
            id="not stored",
        ),
        pytest.param(None, AttemptTimes(), "j", {"polled": 9}, id="taken up and interrupted"),
        pytest.param(None, AttemptTimes(), None, {"ran": 9}, id="never asked"),
        pytest.param(1.5, None, "j", {"prepared": 0.5, "unknown": 8.5}, id="its worker was lost"),
        pytest.param(None, None, None, {"unknown": 9}, id="from before times were kept"),
    ],
)
def test_each_step_of_an_attempt_is_a_bar(asked, times, job_id, found):
    assert steps(asked, times, job_id) == found


MOMENTS = st.floats(-5, 50, allow_nan=False)
AFTER_MS = st.none() | st.integers(0, 60_000)
TIMES = st.none() | st.builds(AttemptTimes, *[AFTER_MS] * 6, st.integers(0, 9))


@given(
    attempts=st.lists(
        st.tuples(MOMENTS, st.none() | MOMENTS, st.none() | MOMENTS, TIMES, st.none() | st.just("j")), max_size=6
    ),
    now=st.floats(-5, 60, allow_nan=False),
)
def test_bars_stay_on_the_line_whatever_clocks_said(attempts, now):
    rows = [
        attempt(number, *moments, times=times, job_id=job_id)
        for number, (*moments, times, job_id) in enumerate(attempts, 1)
    ]
    timeline = timeline_of(TASK, rows, at(now))
    assert len(timeline.rows) == len(rows)
    for row in timeline.rows:
        for bar in row.bars:
            assert bar.x >= 0
            assert bar.width > 0
            assert bar.x + bar.width <= WIDTH
