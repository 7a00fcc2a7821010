"""Providers with few seats: a task that goes on elsewhere leaves its seat to the next."""

from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from genpulse.domain.errors import ProviderUnavailable
from tests.lifecycle.conftest import QUICK, memory_rows, opened_world, postgresql_rows
from tests.lifecycle.routed import ask, open_shops

SEATS = {"one": 1, "two": 1}
NOBODY_LOOKS = replace(QUICK, look_again_s=3600.0, lease_s=30.0)
"""A seat that is not freed keeps the others waiting for ever."""


@pytest.fixture(params=["memory", "postgresql"])
async def world(request, tmp_path):
    async with AsyncExitStack() as stack:
        if request.param == "memory":
            rows = await stack.enter_async_context(memory_rows(SEATS))
        else:
            url, pools = (request.getfixturevalue(name) for name in ("migrated_url", "pools"))
            pool = await stack.enter_async_context(pools.lent(3, "dev"))
            rows = await stack.enter_async_context(postgresql_rows(url, pool, SEATS))
        yield await stack.enter_async_context(opened_world(rows, tmp_path))


@pytest.mark.parametrize("refusals", [0, 3, 6])
async def test_a_hop_frees_the_seat_that_was_left_and_takes_the_next(world, refusals):
    shops = open_shops(world)
    shops[0].errors = [ProviderUnavailable("down")] * refusals
    world.gate._policy = replace(world.gate._policy, failures=100)
    async with world.worker(NOBODY_LOOKS), world.worker(NOBODY_LOOKS):
        tasks = [await ask(world, ("one/a", "two/b")) for _ in range(6)]
        ended = [await world.ended(task) for task in tasks]
    assert sorted(task.provider for task in ended) == ["one"] * (6 - refusals) + ["two"] * refusals
    assert [shop.sold for shop in shops] == [6, refusals, 0]
