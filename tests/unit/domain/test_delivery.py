"""When a message is sent again, and when it is given up."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genpulse.domain.delivery import Answer, Delivery, DeliveryState, next_try

START = datetime(2026, 1, 1, tzinfo=UTC)
FRESH = Delivery(UUID(int=7), UUID(int=8), "task.succeeded", "https://h", START, next_try_at=START)
AWAY = Answer(None, "no answer")


def tried(tries):
    return Delivery(UUID(int=7), UUID(int=8), "task.succeeded", "https://h", START, tries=tries, next_try_at=START)


def test_its_id_is_the_receivers():
    assert FRESH.message_id == f"msg_{UUID(int=7).hex}"


@pytest.mark.parametrize(
    ("code", "taken"), [(200, True), (204, True), (299, True), (301, False), (500, False), (None, False)]
)
def test_a_success_takes_it(code, taken):
    assert Answer(code).is_taken is taken


@given(st.integers(0, 60), st.floats(0, 1, exclude_max=True))
def test_waits_grow_and_stay_within_their_spread(tries, random):
    at = next_try(tried(tries), AWAY, now=START, random=random)
    assert at is not None
    assert timedelta(seconds=4) <= at - START <= timedelta(hours=5)


def test_a_whole_day_of_tries():
    now, tries = START, 0
    while at := next_try(tried(tries), AWAY, now=now, random=0.5):
        assert at > now
        now, tries = at, tries + 1
    assert 12 <= tries <= 16
    assert timedelta(hours=18) < now - START <= timedelta(hours=24)


def test_a_receiver_that_says_when_is_heard():
    at = next_try(FRESH, Answer(429, retry_after_s=600), now=START, random=0.5)
    assert at == START + timedelta(seconds=600)


def test_a_receiver_that_says_gone_is_left_alone():
    assert next_try(FRESH, Answer(410), now=START, random=0.5) is None


def test_where_it_stands():
    assert FRESH.state is DeliveryState.WAITING
    assert Delivery(FRESH.id, FRESH.task_id, "t", "u", START, delivered_at=START).state is DeliveryState.TAKEN
    assert Delivery(FRESH.id, FRESH.task_id, "t", "u", START, tries=9).state is DeliveryState.GIVEN_UP
