"""The short form: one promotion after a crash while a few hundred tasks run and are submitted."""

import pytest

from tests.chaos.command import text_of
from tests.chaos.failover.command import BACK_S, failed_over, plan_of

TASKS = 300


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["crash", "redis"])
async def test_a_failover_loses_nothing(guard, kind):
    lines = []
    report, outage = await failed_over(kind, plan_of(kind, TASKS, 11), guard, lines.append)
    assert report.holds, "\n".join([*lines, text_of(report)])
    # How fast is for `make chaos` to say; here it is a bound that a busy machine keeps as well.
    assert outage.back_s < 6 * BACK_S, str(outage)
