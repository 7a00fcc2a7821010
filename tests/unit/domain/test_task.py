"""The states of a task and the moves between them."""

import pytest

from genpulse.domain.event import SPAN, seq_at_begin, seq_at_end
from genpulse.domain.task import ENDED, LEGAL_MOVES, Priority, TaskStatus


def test_only_a_failed_task_can_leave_its_end():
    ways_out = {(old, new) for old in ENDED for new in TaskStatus if new in LEGAL_MOVES[old]}
    assert ways_out == {(TaskStatus.FAILED, TaskStatus.QUEUED)}


@pytest.mark.parametrize("status", TaskStatus)
def test_every_state_is_reached_or_is_the_first(status):
    assert status is TaskStatus.QUEUED or any(status in ways for ways in LEGAL_MOVES.values())


def test_ended_says_the_same_as_the_set():
    assert {status for status in TaskStatus if status.ended} == ENDED


def test_priorities_are_ordered_and_have_words():
    assert Priority.HIGH > Priority.NORMAL > Priority.LOW
    assert [priority.word for priority in Priority] == ["high", "normal", "low"]


def test_the_events_of_a_later_attempt_have_higher_numbers():
    first = seq_at_begin(0)
    assert first == SPAN
    assert first < first + 1000 < seq_at_end(first) < seq_at_begin(seq_at_end(first))
