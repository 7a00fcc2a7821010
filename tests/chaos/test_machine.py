"""The machine itself: a storm can be had again, a clock can be wrong, and the books can be counted."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

from tests.chaos.behaviour import canceled_after_s, expected_end, is_taken_in_silence, odd_of, shape_of
from tests.chaos.books import Books, Fate, Order, most_at_once
from tests.chaos.odd import ODD
from tests.chaos.schedule import ROUND, Blow, Terms, When, storm
from tests.chaos.shape import Shape

TERMS = Terms(every_s=3.0, lease_s=5.0, workers=4, apis=2)


def test_a_seed_gives_the_same_storm_again():
    assert list(islice(storm(5, TERMS), 200)) == list(islice(storm(5, TERMS), 200))
    assert list(islice(storm(5, TERMS), 200)) != list(islice(storm(6, TERMS), 200))


def test_each_blow_falls_alone_and_some_in_a_take_over():
    incidents = list(islice(storm(1, TERMS), 2 * ROUND))
    assert {one.first.blow for one in incidents if one.second is None} == set(Blow)
    in_take_over = [one for one in incidents if one.when is When.IN_TAKE_OVER]
    assert all(not set(one.first.victims) & set(one.second.victims) for one in in_take_over)
    assert {one.second.blow for one in in_take_over} >= {Blow.WORKER_KILL, Blow.POSTGRES_KILL}


@pytest.mark.parametrize("ahead_s", [3600, -900, 120 * 86_400])
def test_a_process_can_have_a_wrong_clock(ahead_s):
    code = "from datetime import UTC, datetime; import time; print(datetime.now(UTC).timestamp(), time.time())"
    environment = {
        "PATH": os.defpath,
        "PYTHONPATH": str(Path(__file__).parent / "clock"),
        "CHAOS_CLOCK_S": str(ahead_s),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    for told in map(float, done.stdout.split()):
        assert abs(told - datetime.now(UTC).timestamp() - ahead_s) < 60


def test_a_tenth_of_the_tasks_is_canceled_and_every_shape_is_there():
    numbers = range(5_000)
    canceled = sum(canceled_after_s(7, number) is not None for number in numbers)
    assert 400 < canceled < 600
    assert {shape_of(7, number) for number in numbers} == set(Shape)


def test_an_order_taken_in_silence_is_unknown_where_nobody_can_look_it_up():
    silent = [number for number in range(5_000) if is_taken_in_silence(7, number)]
    for number in silent:
        findable = shape_of(7, number).can_find
        assert expected_end(7, number) == ("succeeded" if findable else "unknown_outcome")


def test_a_third_of_the_tasks_meets_an_odd_answer_and_each_answer_is_met():
    met = [odd for number in range(3_000) if (odd := odd_of(7, number)) is not None]
    assert 900 < len(met) < 1_100
    assert {str(odd.oddity) for odd in met} == set(ODD)


def test_the_books_tell_what_became_of_an_order():
    orders = [Order(str(at), "task", 1, Shape.BLIND, "reference", at, at + 2.0) for at in (0.0, 1.0, 2.0, 5.0)]
    assert most_at_once(orders) == 2
    assert orders[3].fate(6.0) is Fate.RUNNING
    orders[3].stopped_at = 6.0
    assert [order.fate(6.0) for order in orders] == [Fate.FINISHED] * 3 + [Fate.STOPPED]
    books = Books(6.0, tuple(orders), {"task": 1})
    assert Books.of(books.document(), Order) == books
