"""The short form of the chaos suite: the same machine, and three incidents instead of a storm."""

import pytest

from tests.chaos.command import text_of
from tests.chaos.plan import Plan
from tests.chaos.run import run
from tests.chaos.schedule import Blow, Incident, Strike, When
from tests.chaos.told_tasks import TOLD_TASKS

LEASE_S = 2.0
SCRIPT = (
    Incident(
        1.5,
        Strike(Blow.WORKER_KILL, (0,), 0.0),
        When.IN_TAKE_OVER,
        0.01,
        Strike(Blow.WORKER_KILL, (1,), 0.0),
    ),
    Incident(
        5.0,
        Strike(Blow.POSTGRES_KILL, (), 1.5 * LEASE_S),
        When.AT_ONCE,
        0.0,
        Strike(Blow.WORKER_KILL, (0,), LEASE_S),
    ),
    Incident(
        6.0,
        Strike(Blow.POSTGRES_READ_ONLY, (), 1.0),
        When.SOON,
        0.3,
        Strike(Blow.WORKER_TERM, (1,), 0.0),
    ),
)


@pytest.mark.timeout(900)
async def test_nothing_is_lost_and_nothing_paid_twice(guard):
    lines = []
    plan = Plan(
        tasks=80,
        seed=11,
        every_s=1.0,
        workers=2,
        apis=1,
        pace_s=0.1,
        ends_within_s=120,
        lease_s=LEASE_S,
        calm=0.3,
        script=SCRIPT,
    )
    report = await run(TOLD_TASKS, plan, guard, lines.append)
    assert report.holds, "\n".join([*lines, text_of(report)])
    assert report.incidents.total() == len(SCRIPT)
