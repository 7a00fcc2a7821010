"""What a watcher of a batch is told after a break."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from genpulse.domain.task_batch import EndMark, TaskBatch, TaskEnd
from genpulse.lifecycle.watch_batch import OVERLAP, Told

BEGAN = datetime(2030, 1, 31, tzinfo=UTC)
BATCH = TaskBatch(UUID(int=1), "dev", "", BEGAN, 4)


def ends(*seconds):
    return [TaskEnd(BEGAN + timedelta(seconds=each), UUID(int=number)) for number, each in enumerate(seconds)]


def untold(found, mark):
    told = Told.after(BATCH, found, mark)
    return [end.task_id.int for end in found if not told.has(end)]


def test_nothing_comes_again_where_nothing_has_come_between():
    found = ends(100, 100, 100, 200)
    assert untold(found, EndMark(timedelta(seconds=100), 2)) == [2, 3]
    assert untold(found, EndMark(timedelta(seconds=200), 4)) == []
    assert untold(found, EndMark()) == [0, 1, 2, 3]


def test_an_end_that_was_committed_late_comes_and_with_it_those_of_the_last_seconds():
    found = ends(0, 100, 110, 120)
    assert untold(found, EndMark(timedelta(seconds=120), 3)) == [1, 2, 3]
    long_ago = OVERLAP.total_seconds() + 121
    assert untold(ends(0, 1, long_ago, long_ago + 1), EndMark(timedelta(seconds=long_ago), 2)) == [2, 3]


def test_a_task_that_ran_again_ends_again():
    told = Told.after(BATCH, ends(1, 2), EndMark(timedelta(seconds=2), 2))
    again = TaskEnd(BEGAN + timedelta(seconds=9), UUID(int=0))
    assert not told.has(again)
    told.add(again)
    assert told.has(again)
    assert told.mark == EndMark(timedelta(seconds=9), 2)
