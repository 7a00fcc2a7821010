"""Leases that nobody could renew."""

import pytest

from genpulse.adapters.queue.outage import Outage
from genpulse.domain.errors import DatabaseUnavailable


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def ask(outage: Outage, *, away: bool = False) -> None:
    with outage.watched():
        if away:
            raise DatabaseUnavailable("away")


def test_without_an_outage_nothing_is_forgiven():
    clock = Clock()
    outage = Outage(clock)
    clock.now += 60
    ask(outage)
    assert outage.forgiven_s(15) == 0


def test_the_length_of_an_outage_is_forgiven_for_as_long_as_a_lease():
    clock = Clock()
    outage = Outage(clock)
    ask(outage)
    clock.now += 10
    with pytest.raises(DatabaseUnavailable):
        ask(outage, away=True)
    clock.now += 20
    assert outage.forgiven_s(15) == 30
    ask(outage)
    assert outage.forgiven_s(15) == 30
    clock.now += 15
    ask(outage)
    assert outage.forgiven_s(15) == 0
