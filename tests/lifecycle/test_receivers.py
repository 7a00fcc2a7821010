"""How many seats each receiver gets."""

import pytest

from genpulse.domain.webhook_delivery import Answer
from genpulse.lifecycle.webhooks.receivers import MOST_SEATS, RESTS_S, SEATS, SILENT_IN_A_ROW, ReceiverShares

A, B = "https://a.example", "https://b.example"
SILENT = Answer(None, "no answer", silent=True)
TAKEN = Answer(204)
REFUSED = Answer(500, "answered 500")


@pytest.fixture
def clock():
    return [1000.0]


@pytest.fixture
def receivers(clock):
    return ReceiverShares(lambda: clock[0])


def test_of_whom_nothing_is_known_nothing_is_said(receivers):
    assert receivers.room() == {}
    assert not receivers.short_of_seats


def test_what_is_being_sent_takes_seats(receivers):
    for _ in range(SEATS):
        receivers.begin(A)
    assert receivers.room() == {A: 0}
    assert receivers.short_of_seats
    receivers.end(A)
    assert receivers.room() == {A: 1}
    assert not receivers.short_of_seats


def test_quick_ones_get_more_up_to_a_bound_and_slow_ones_none(receivers):
    for _ in range(100):
        receivers.note_answer(A, TAKEN, 0.1)
        receivers.note_answer(B, TAKEN, 5.0)
    assert receivers.room() == {A: MOST_SEATS}
    receivers.note_answer(A, REFUSED, 0.1)
    assert receivers.room() == {}


def test_a_silent_one_gets_a_single_seat_and_then_rests_longer_and_longer(receivers, clock):
    assert [receivers.note_answer(A, SILENT, 15) for _ in range(SILENT_IN_A_ROW - 1)] == [None] * (
        SILENT_IN_A_ROW - 1
    )
    assert receivers.room() == {A: 1}
    for rest_s in (*RESTS_S, RESTS_S[-1]):
        assert receivers.note_answer(A, SILENT, 15) == rest_s
        assert receivers.note_answer(A, SILENT, 15) is None, "one that was under way"
        assert receivers.room() == {A: 0}
        clock[0] += rest_s
        assert receivers.room() == {A: 1}


def test_any_answer_ends_it(receivers):
    for _ in range(SILENT_IN_A_ROW - 1):
        receivers.note_answer(A, SILENT, 15)
    receivers.note_answer(A, REFUSED, 1)
    assert receivers.note_answer(A, SILENT, 15) is None


def test_it_does_not_remember_the_whole_world(receivers, clock):
    for number in range(5000):
        receivers.begin(str(number))
        receivers.note_answer(str(number), TAKEN if number % 2 else SILENT, 0.1)
        receivers.end(str(number))
        if number % 100 == 0:
            receivers.room()
    assert len(receivers.room()) <= 1100
    clock[0] += 10 * RESTS_S[-1]
    receivers.begin(A)
    receivers.room()
    assert A in receivers.room()
