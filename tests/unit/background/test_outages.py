"""What a process says while a service is away."""

import logging

import pytest

from genpulse.background.outages import AGAIN_S, Outages
from genpulse.domain.errors import DatabaseUnavailable, StorageUnavailable

AWAY = DatabaseUnavailable("PostgreSQL does not answer.")


@pytest.fixture
def clock():
    return [0.0]


@pytest.fixture
def outages(clock, caplog):
    caplog.set_level(logging.INFO)
    return Outages(lambda: clock[0])


def test_one_line_at_its_begin_one_a_minute_one_at_its_end(outages, clock, caplog):
    parts = [f"part {number}" for number in range(9)]
    for second in range(150):
        clock[0] = float(second)
        for part in parts:
            outages.report(part, AWAY)
    for part in parts:
        outages.end(part)
    assert caplog.messages == [
        "part 0 has to wait: PostgreSQL does not answer.",
        "for 60 s now part 0, part 1, part 2 and 6 more have to wait: PostgreSQL does not answer.",
        "for 120 s now part 0, part 1, part 2 and 6 more have to wait: PostgreSQL does not answer.",
        "after 149 s nothing has to wait any more",
    ]


def test_two_services_are_two_outages(outages, caplog):
    outages.report("the claim", AWAY)
    outages.report("an output", StorageUnavailable("The storage does not answer."))
    outages.end("the claim")
    outages.end("the claim")
    outages.end("an output")
    assert len(caplog.messages) == 4


def test_the_next_outage_is_told_anew(outages, clock, caplog):
    for _ in range(2):
        outages.report("the claim", AWAY)
        outages.end("the claim")
        clock[0] += AGAIN_S / 10
    assert caplog.messages == 2 * [caplog.messages[0], "after 0 s nothing has to wait any more"]
