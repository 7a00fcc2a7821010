"""How a batch stands, and how far its watchers were told."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from genpulse.domain.task import TaskStatus
from genpulse.domain.task_batch import EndMark, TaskBatch

BEGAN = datetime(2030, 1, 31, tzinfo=UTC)


def batch(size, **statuses):
    counts = {TaskStatus(name): count for name, count in statuses.items()}
    return TaskBatch(UUID(int=1), "dev", "", BEGAN, size, counts, last_end_at=BEGAN)


def test_a_batch_has_ended_when_no_task_lives():
    assert batch(3, succeeded=2, failed=1).finished_at == BEGAN
    assert not batch(3, succeeded=2, running=1).ended
    assert batch(3, succeeded=2, running=1).finished_at is None
    assert (batch(3, succeeded=1).removed, batch(3).ended) == (2, True)


@pytest.mark.parametrize("offset", [timedelta(), timedelta(microseconds=1), timedelta(days=3 * 365)])
@pytest.mark.parametrize("told", [0, 1, 1000])
def test_a_mark_is_known_again_by_its_number(offset, told):
    mark = EndMark(offset, told)
    assert EndMark.of(mark.number) == mark
    assert len(str(mark.number)) <= 18


def test_numbers_grow_with_the_ends():
    second, third = timedelta(seconds=1), timedelta(seconds=1, microseconds=1)
    marks = [EndMark(), EndMark(second, 1), EndMark(second, 2), EndMark(third, 3)]
    assert [mark.number for mark in marks] == sorted({mark.number for mark in marks})
