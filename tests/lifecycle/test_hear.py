"""Vendors tell that a job has changed."""

from dataclasses import replace
from uuid import uuid4

import pytest

from genpulse.domain.errors import NoticeRefused, UnknownHook
from genpulse.domain.task import TaskStatus
from genpulse.lifecycle.hear import hear
from genpulse.provider import Notice, PollInterval

NOTICE = Notice({"signature": "good"}, b'{"status": "failed"}')


@pytest.fixture
async def running(world, until):
    """A task whose job is polled once an hour, and the token that its vendor was given."""
    world.services = replace(world.services, hooks_url="https://hooks.example/")
    world.studio.poll_interval = PollInterval(3600, 1, 3600)
    world.studio.finished = False
    task = await world.submit("art/studio")
    async with world.worker():
        await until(lambda: bool(world.studio.callbacks))
        (url,) = world.studio.callbacks
        prefix, _, token = url.rpartition("/")
        assert prefix == "https://hooks.example/hooks/art"
        yield task, token


async def test_a_notice_ends_a_task_long_before_the_next_poll(world, running):
    task, token = running
    world.studio.finished = True
    await hear(world.services, "art", token, NOTICE)
    assert (await world.ended(task)).status is TaskStatus.SUCCEEDED


async def test_what_a_notice_says_is_not_believed(world, running):
    task, token = running
    await hear(world.services, "art", token, NOTICE)
    assert (await world.services.store.get(task.id)).status is TaskStatus.RUNNING
    world.studio.finished = True
    await hear(world.services, "art", token, NOTICE)
    assert (await world.ended(task)).status is TaskStatus.SUCCEEDED
    await hear(world.services, "art", token, NOTICE)


async def test_a_notice_with_a_bad_signature_is_refused(world, running):
    _, token = running
    world.studio.signature = "better"
    with pytest.raises(NoticeRefused, match="not signed as art signs"):
        await hear(world.services, "art", token, NOTICE)


async def test_addresses_that_were_never_given_are_unknown(world, running):
    task, token = running
    wrong = ["", "nonsense", token[:-1], uuid4().hex * 2, task.id.hex + uuid4().hex, token + "0"]
    for guess in wrong:
        with pytest.raises(UnknownHook):
            await hear(world.services, "art", guess, NOTICE)
    with pytest.raises(UnknownHook):
        await hear(world.services, "other", token, NOTICE)


async def test_without_an_address_vendors_are_told_none(world):
    async with world.worker():
        await world.ended(await world.submit("art/studio"))
    assert world.studio.callbacks == [None]
