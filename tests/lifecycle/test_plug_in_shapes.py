"""Whatever shape the calls of a plug-in have, its attempts end, pay once and drop no paid answer."""

import random

import pytest

from tests.lifecycle.shaped_run import drawn_case, play_all

FEW, MANY = 300, 1_500


@pytest.mark.parametrize(
    ("seed", "count"), [(1, FEW), *(pytest.param(seed, MANY, marks=pytest.mark.slow) for seed in range(2, 8))]
)
async def test_attempts_end_pay_once_and_keep_what_they_paid_for(tmp_path, seed, count):
    chance = random.Random(seed)
    faults = await play_all((drawn_case(chance) for _ in range(count)), tmp_path)
    assert not faults, "\n".join(f"{case}\n  {found}" for case, found in faults.items())
