"""Vendors tell that a job has changed."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from genpulse.domain.errors import CallbackRefused, UnknownCallback
from genpulse.domain.task import TaskStatus
from genpulse.lifecycle.provider_callback import receive_callback
from genpulse.provider import Callback, PollInterval

NOTICE = Callback({"signature": "good"}, b'{"status": "failed"}')


@pytest.fixture
async def running(world, until):
    """A task whose job is polled once an hour, and the token that its vendor was given."""
    world.services = replace(world.services, callback_base_url="https://hooks.example/")
    world.studio.poll_interval = PollInterval(3600, 1, 3600)
    world.studio.finished = False
    task = await world.submit("art/studio")
    async with world.worker():
        await until(lambda: bool(world.studio.callbacks))
        (url,) = world.studio.callbacks
        prefix, _, token = url.rpartition("/")
        assert prefix == "https://hooks.example/hooks/art"
        yield task, token


async def ended_by_notices(world, task, token):
    """The task once it has ended; notices are repeated, since its worker may not have listened yet."""
    async with asyncio.timeout(60):
        while not (await world.services.store.get(task.id)).status.ended:
            await receive_callback(world.services, "art", token, NOTICE)
            await asyncio.sleep(0.1)
    return await world.ended(task)


async def test_a_notice_ends_a_task_long_before_the_next_poll(world, running):
    task, token = running
    world.studio.finished = True
    assert (await ended_by_notices(world, task, token)).status is TaskStatus.SUCCEEDED


async def test_what_a_notice_says_is_not_believed(world, running):
    task, token = running
    await receive_callback(world.services, "art", token, NOTICE)
    assert (await world.services.store.get(task.id)).status is TaskStatus.RUNNING
    world.studio.finished = True
    assert (await ended_by_notices(world, task, token)).status is TaskStatus.SUCCEEDED
    await receive_callback(world.services, "art", token, NOTICE)


async def test_a_notice_with_a_bad_signature_is_refused(world, running):
    _, token = running
    world.studio.signature = "better"
    with pytest.raises(CallbackRefused, match="not signed as art signs"):
        await receive_callback(world.services, "art", token, NOTICE)


async def test_addresses_that_were_never_given_are_unknown(world, running):
    task, token = running
    wrong = ["", "nonsense", token[:-1], uuid4().hex * 2, task.id.hex + uuid4().hex, token + "0"]
    for guess in wrong:
        with pytest.raises(UnknownCallback):
            await receive_callback(world.services, "art", guess, NOTICE)
    with pytest.raises(UnknownCallback):
        await receive_callback(world.services, "other", token, NOTICE)


async def test_without_an_address_vendors_are_told_none(world):
    async with world.worker():
        await world.ended(await world.submit("art/studio"))
    assert world.studio.callbacks == [None]


async def test_the_address_is_good_for_the_attempts_that_take_the_job_up(world, until):
    """The vendor tells where it was told to when the job was ordered, whoever polls it now."""
    world.services = replace(world.services, callback_base_url="https://hooks.example/")
    world.studio.poll_interval = PollInterval(3600, 1, 3600)
    world.studio.finished = False
    task = await world.submit("art/studio")
    async with world.worker():
        await until(lambda: bool(world.studio.callbacks))
    async with world.worker():
        await wait_until_attempt(world, task, 2)
        world.studio.finished = True
        token = world.studio.callbacks[0].rpartition("/")[2]
        assert (await ended_by_notices(world, task, token)).status is TaskStatus.SUCCEEDED
    assert world.studio.submits == 1


async def wait_until_attempt(world, task, number):
    async with asyncio.timeout(60):
        while (await world.services.store.get(task.id)).attempt < number:
            await asyncio.sleep(0.01)


async def test_with_no_order_open_there_is_nothing_to_hear(world):
    """After the end that is no error, whatever the address and the signature; before the first one it is."""
    task = await world.submit("art/studio")
    world.studio.signature = "better"
    with pytest.raises(UnknownCallback):
        await receive_callback(world.services, "art", task.id.hex + uuid4().hex, NOTICE)
    async with world.worker():
        await world.ended(task)
    await receive_callback(world.services, "art", task.id.hex + uuid4().hex, NOTICE)
    with pytest.raises(UnknownCallback):
        await receive_callback(world.services, "other", task.id.hex + uuid4().hex, NOTICE)


class Unread:
    """A store whose log of attempts is too long to be read for every notice."""

    def __init__(self, store):
        self._store = store

    def __getattr__(self, name):
        assert name != "attempts", "the log of attempts is read"
        return getattr(self._store, name)


async def test_a_notice_costs_the_same_however_many_attempts_there_were(world, running):
    task, token = running
    world.studio.finished = True
    await receive_callback(replace(world.services, store=Unread(world.services.store)), "art", token, NOTICE)
    assert (await ended_by_notices(world, task, token)).status is TaskStatus.SUCCEEDED
