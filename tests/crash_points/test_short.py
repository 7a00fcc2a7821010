"""The short form of `make crash-points`: statements of each scenario, with faults that take turns.

Processes that are killed close nothing: what they leave open is no fault here, and is collected here.
"""

import gc

import pytest

from tests.crash_points.lane import lanes_on
from tests.crash_points.runner import Case, Report, drawn, pairs, play_all, single_faults, surveyed
from tests.crash_points.scenarios import SCENARIOS

HALVES = 2
LANES = 3
CASES, PAIRS = 16, 4


@pytest.mark.alone
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("half", range(HALVES))
async def test_every_promise_holds_whatever_breaks_at_whichever_statement(postgres, half):
    """Half of the scenarios, for each of two cores."""
    async with lanes_on(postgres.url, LANES) as lanes:
        dry = await play_all([Case(one.name) for one in SCENARIOS[half::HALVES]], lanes, lambda _: None, tries=1)
        surveys = surveyed(sorted(dry, key=lambda result: result.case.scenario))
        assert not _told(dry), _told(dry)
        cases = [*pairs(surveys, PAIRS, seed=11), *drawn(single_faults(surveys), CASES, seed=11)]
        results = await play_all(cases, lanes, lambda _: None, tries=1)
    report = Report(surveys, [*dry, *results])
    print(report)
    gc.collect()
    assert not _told(results), _told(results)
    assert sum(result.struck > 0 for result in results) > len(results) / 2


def _told(results):
    """What is broken for sure: a machine that stands still for too long loses leases, and then tells nothing."""
    return "\n".join(f"{one.case}: {'; '.join(one.broken)}" for one in results if one.broken and one.is_sure)
