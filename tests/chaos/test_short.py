"""The short form of the chaos suite."""

import pytest

from tests.chaos.__main__ import text_of
from tests.chaos.run import Plan, run


@pytest.mark.xdist_group("processes")
@pytest.mark.timeout(300)
async def test_nothing_is_lost_and_nothing_paid_twice(guard):
    lines = []
    report = await run(Plan(tasks=150, seed=11, kill_every_s=2.5, workers=2, pace_s=0.06), guard, lines.append)
    assert report.holds, "\n".join([*lines, text_of(report)])
    assert report.killed.total() >= 3
