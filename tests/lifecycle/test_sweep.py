"""What is tidied up even when nobody asks."""

import asyncio
from datetime import timedelta

from genpulse.domain.failure import FailureCode
from genpulse.domain.task import TaskStatus
from genpulse.lifecycle.sweep import sweep


async def test_a_queued_task_whose_deadline_passed_ends(world):
    late = await world.submit("art/painter", deadline_s=0.001)
    early = await world.submit("art/painter", deadline_s=600)
    while world.services.now() <= late.deadline_at + timedelta(milliseconds=20):
        await asyncio.sleep(0.001)
    assert await sweep(world.services) == 1
    ended = await world.services.store.get(late.id)
    assert (ended.status, ended.error.code) == (TaskStatus.FAILED, FailureCode.DEADLINE_EXCEEDED)
    assert (await world.services.store.get(early.id)).status is TaskStatus.QUEUED
