"""When a call that failed is sent again."""

import pytest

from genpulse_client.errors import ApiRefused, ApiUnreachable, UnexpectedAnswer
from genpulse_client.order import Order
from genpulse_client.request import Request, submit
from genpulse_client.retry import Retries, RetryLimits

GET, ONCE = Request("GET", "/"), Request("POST", "/", repeatable=False)
SUBMIT = submit(Order("a/b", {}))
REFUSED, BROKEN = (ApiUnreachable("http://x", "why", sent=sent) for sent in (False, True))


def busy(status, after=None):
    return ApiRefused("no", code="x", status=status, retry_after_s=after)


class Clock:
    seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.mark.parametrize(
    ("request_", "error", "again"),
    [
        (GET, REFUSED, False),
        (SUBMIT, REFUSED, True),
        (GET, BROKEN, True),
        (SUBMIT, BROKEN, True),
        (ONCE, BROKEN, False),
        (ONCE, busy(429), True),
        (ONCE, busy(503), False),
        (GET, busy(503), True),
        (GET, busy(502), True),
        (GET, busy(504), True),
        (GET, busy(500), False),
        (GET, busy(402, 5.0), False),
        (GET, busy(404), False),
        (GET, UnexpectedAnswer("html"), False),
    ],
)
def test_what_may_be_sent_again_is(request_, error, again):
    assert (Retries(request_, RetryLimits()).pause_s(error) is not None) is again


def test_pauses_grow_and_end():
    clock = Clock()
    retries = Retries(SUBMIT, RetryLimits(unreachable_s=30), now=clock)
    pauses = []
    while (pause := retries.pause_s(REFUSED)) is not None:
        pauses.append(pause)
        clock.seconds += pause
    assert pauses[0] < 0.5 < 4 < max(pauses) < 10
    assert 15 < clock.seconds <= 30
    retries.begin_anew()
    assert retries.pause_s(BROKEN) < 0.5


def test_what_the_api_asks_for_is_kept_to_within_the_limit():
    clock = Clock()
    retries = Retries(GET, RetryLimits(busy_s=10), now=clock)
    assert retries.pause_s(busy(429, 7.0)) == 7.0
    clock.seconds = 7.0
    assert retries.pause_s(busy(503, 7.0)) is None
    assert retries.pause_s(busy(503, 2.0)) == 2.0
    assert Retries(GET, RetryLimits(busy_s=0)).pause_s(busy(429, 0.0)) is None
