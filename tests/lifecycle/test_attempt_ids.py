"""Ids of attempts are made for as much as there is room for; what a claim leaves over serves the next one."""

from dataclasses import replace

import pytest

from genpulse.domain.attempt import Worker
from genpulse.domain.errors import DatabaseUnavailable
from genpulse.lifecycle.claim import claim_within_limits
from genpulse.worker.claiming import Claimer
from tests.lifecycle.conftest import QUICK

ROOM = 10


@pytest.fixture
async def counted(world):
    made = []

    def new_id():
        made.append(uuid7())
        return made[-1]

    uuid7 = world.services.new_id
    worker = Worker(uuid7(), "w", 60.0)
    await world.services.store.renew(worker, world.services.now())
    services = replace(world.services, new_id=new_id)
    return made, Claimer(services, replace(QUICK, batch=ROOM), worker, services.loops)


async def claim(claimer):
    answer = await claimer._ask(claim_within_limits, ("art",), ROOM)
    claimer.running.begin(answer.runs)
    return [run.attempt.id for run in answer.runs]


async def test_a_worker_that_finds_nothing_makes_no_more_ids(counted):
    made, claimer = counted
    for _ in range(5):
        assert await claim(claimer) == []
    assert len(made) <= 2 * ROOM


async def test_no_id_is_used_twice(world, counted):
    made, claimer = counted
    used = []
    for count in (0, 3, 1, 0, 4):
        for _ in range(count):
            await world.submit("art/painter")
        used += await claim(claimer)
    assert len(used) == len(set(used)) == 8
    assert set(used) <= set(made)
    await claimer.running.drain(grace_s=QUICK.grace_s, stop_s=QUICK.stop_s)


async def test_ids_of_a_claim_without_an_answer_are_not_used_again(counted):
    made, claimer = counted

    async def lost(_self, _worker, _providers, _ids):
        raise DatabaseUnavailable("gone")

    whole = claimer._services.store
    broken = type("Broken", (), dict.fromkeys(("claim", "claim_any", "claim_resumed"), lost))()
    claimer._services = replace(claimer._services, store=broken)
    with pytest.raises(DatabaseUnavailable):
        await claim(claimer)
    unheard = set(made)
    claimer._services = replace(claimer._services, store=whole)
    await claim(claimer)
    assert unheard.isdisjoint(claimer._ids._spare)
