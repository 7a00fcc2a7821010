"""The short form of the money suite: the same shops, routes and budgets, and two incidents instead of a storm."""

import pytest

from tests.chaos.command import text_of
from tests.chaos.money.bought_tasks import BOUGHT_TASKS
from tests.chaos.plan import Plan
from tests.chaos.run import run
from tests.chaos.schedule import Blow, Incident, Strike, When

LEASE_S = 2.0
SCRIPT = (
    Incident(1.5, Strike(Blow.WORKER_KILL, (0,), 0.0), When.SOON, 0.3, Strike(Blow.API_KILL, (0,), 0.0)),
    Incident(3.0, Strike(Blow.POSTGRES_BACKENDS, (), 0.0), When.SOON, 0.1, Strike(Blow.WORKER_KILL, (0,), 0.0)),
)


@pytest.mark.timeout(900)
async def test_the_ledger_is_what_the_shops_took(guard):
    lines = []
    plan = Plan(
        tasks=60,
        seed=142,
        every_s=1.0,
        workers=1,
        apis=1,
        pace_s=0.1,
        ends_within_s=120,
        lease_s=LEASE_S,
        script=SCRIPT,
        clocks=False,
    )
    report = await run(BOUGHT_TASKS, plan, guard, lines.append)
    said = "\n".join([*lines, text_of(report)])
    assert report.holds, said
    assert report.incidents.total() == len(SCRIPT)
    refused = next(line for line in report.audit.figures if line.startswith("Refused: "))
    assert "key_limit_exceeded" in refused, said
