"""When a message is sent again, and when it is given up."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genpulse.domain.webhook_delivery import Answer, Delivery, DeliveryState, Unreadable, next_try, origin_of

START = datetime(2026, 1, 1, tzinfo=UTC)
FRESH = Delivery(UUID(int=7), UUID(int=8), "task.succeeded", "https://h", START, next_try_at=START)
AWAY = Answer(None, "no answer")
DAY_S = 24 * 3600.0


def test_its_id_is_the_receivers():
    assert FRESH.message_id == f"msg_{UUID(int=7).hex}"


@pytest.mark.parametrize(
    ("code", "taken"), [(200, True), (204, True), (299, True), (301, False), (500, False), (None, False)]
)
def test_a_success_takes_it(code, taken):
    assert Answer(code).is_taken is taken


ANY_WAIT = st.none() | st.floats() | st.integers() | st.just(10**400)


@given(st.integers(-5, 10**9), st.floats(0, 1, exclude_max=True), ANY_WAIT, st.none() | st.integers(0, 10**9))
def test_whatever_a_receiver_says_the_wait_is_between_4_seconds_and_a_day(tries, random, retry_after_s, code):
    wait_s = next_try(tries, Answer(code, "", retry_after_s), random=random)
    if code == 410:
        assert wait_s is None
    else:
        assert 4 <= wait_s <= DAY_S


@given(st.floats(0, 1, exclude_max=True))
def test_waits_grow(random):
    waits = [next_try(tries, AWAY, random=random) for tries in range(12)]
    assert waits == sorted(waits)
    assert waits[-1] <= 5 * 3600


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=40))
def test_a_day_holds_a_dozen_tries(spread):
    at, tries = 0.0, 0
    while at < DAY_S:
        at += next_try(tries, AWAY, random=spread[tries])
        tries += 1
    assert 11 <= tries <= 18


def test_a_receiver_that_says_when_is_heard():
    assert next_try(0, Answer(429, retry_after_s=600), random=0.5) == 600
    assert next_try(8, Answer(429, retry_after_s=1), random=0.5) == 14400


def test_a_receiver_that_says_gone_is_left_alone():
    assert next_try(0, Answer(410, retry_after_s=5), random=0.5) is None


@given(st.text(st.characters(codec=None)), ANY_WAIT)
def test_what_an_answer_says_can_be_kept_sent_and_shown(text, retry_after_s):
    answer = Answer(500, text, retry_after_s)
    json.loads(json.dumps(answer.error).encode())
    assert "\x00" not in answer.error
    assert "\n" not in answer.error
    assert len(answer.error.encode()) <= 1200
    assert answer.retry_after_s is None or 0 <= answer.retry_after_s <= DAY_S
    Unreadable(text).reason.encode()


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Example.COM:443/a?b=https://c.example#d", "https://example.com"),
        ("http://example.com:80", "http://example.com"),
        ("http://example.com:8080/", "http://example.com:8080"),
        ("http://example.com:443/", "http://example.com:443"),
        ("https://me:secret@example.com/hook", "https://example.com"),
        ("https://me@you@example.com/hook", "https://example.com"),
        ("https://[::1]:443/x", "https://[::1]"),
        ("http://[::1]:8080?x", "http://[::1]:8080"),
        ("nonsense", "nonsense"),
        ("", ""),
    ],
)
def test_an_origin_is_scheme_host_and_port(url, origin):
    assert origin_of(url) == origin


@given(st.text())
def test_every_text_has_an_origin_which_is_its_own(url):
    assert len(origin_of(url)) <= 500
    assert origin_of(f"https://h.example/{url}") == "https://h.example"


def test_where_it_stands():
    assert FRESH.state is DeliveryState.WAITING
    assert Delivery(FRESH.id, FRESH.task_id, "t", "u", START, delivered_at=START).state is DeliveryState.TAKEN
    assert Delivery(FRESH.id, FRESH.task_id, "t", "u", START, tries=9).state is DeliveryState.GIVEN_UP
