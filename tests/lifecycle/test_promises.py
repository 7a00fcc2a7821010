"""What `docs/explanation/durability.md` promises, and what it does not, where nothing else shows it."""

import asyncio
from dataclasses import replace

import pytest

from genpulse.background.loops import Loops
from genpulse.domain.attempt import AttemptStatus
from genpulse.domain.errors import DatabaseUnavailable, ProviderRejected
from genpulse.domain.failure import Charged, FailureCode
from genpulse.domain.provider_account.bounds import Bounds
from genpulse.domain.task import TaskStatus
from genpulse.lifecycle.cancel import cancel
from genpulse.lifecycle.retry import retry
from genpulse.ports import TaskStore
from genpulse.provider import Model, Provider
from genpulse.providers.catalog import LoadedCatalogue
from tests.lifecycle.conftest import Words


class Wire:
    """A store behind a bad line: the first calls of `name` fail with `error`, after they were done or before."""

    def __init__(self, store: TaskStore, name: str, error: Exception, *, done: bool, times: int = 1) -> None:
        self._store = store
        self._name = name
        self._error = error
        self._done = done
        self.left = times

    def __getattr__(self, name: str):
        call = getattr(self._store, name)
        return self._broken(call) if name == self._name else call

    def _broken(self, call):
        async def broken(*arguments, **named):
            if not self.left:
                return await call(*arguments, **named)
            self.left -= 1
            if self._done:
                await call(*arguments, **named)
            raise self._error

        return broken


def behind(world, wire):
    world.services = replace(world.services, store=wire)
    return wire


LOST = DatabaseUnavailable("the answer was lost")


@pytest.mark.parametrize("name", ["claim_resumed", "claim", "journal_order", "journal_job"])
async def test_an_answer_of_the_store_that_is_lost_is_asked_for_again(world, name):
    wire = behind(world, Wire(world.services.store, name, LOST, done=True))
    async with world.worker():
        ended = await world.ended(await world.submit("art/studio"))
    assert ended.status is TaskStatus.SUCCEEDED
    assert (world.studio.submits, wire.left) == (1, 0)
    assert [one.status for one in await world.services.store.attempts(ended.id)] == [AttemptStatus.SUCCEEDED]


@pytest.mark.parametrize("name", ["journal_job", "finish"])
async def test_a_mistake_of_ours_between_order_and_end_is_tried_again(world, name):
    wire = behind(world, Wire(world.services.store, name, KeyError("a mistake"), done=False, times=2))
    async with world.worker():
        ended = await world.ended(await world.submit("art/studio"))
    assert ended.status is TaskStatus.SUCCEEDED
    assert (world.studio.submits, wire.left) == (1, 0)
    assert sum(world.services.loops.failures.values()) == 2
    world.services = replace(world.services, loops=Loops())


async def test_a_question_that_is_refused_for_good_leaves_the_order_to_a_retry(world):
    world.studio.can_find = world.studio.can_cancel = False
    world.services = replace(world.services, bounds=Bounds(refused_s=0.1))
    world.studio.poll_errors = [ProviderRejected("not like this") for _ in range(200)]
    async with world.worker():
        failed = await world.ended(await world.submit("art/studio"))
        world.studio.poll_errors.clear()
        assert failed.error.code is FailureCode.UNKNOWN_OUTCOME
        assert (failed.error.charged, failed.order.job_id) == (Charged.MAYBE, "job-1")
        ended = await world.ended(await retry(world.services, failed.id))
    assert ended.status is TaskStatus.SUCCEEDED
    assert world.studio.submits == 1


async def test_a_task_with_an_order_whose_model_is_gone_is_not_called_free_of_charge(world):
    task = await world.submit("art/studio")
    begun = await world.begun()
    await world.services.store.journal_order(begun.lease)
    left = Provider("art", (Model("painter", ("text-to-image",), Words, world.painter),), paid=True)
    world.services = replace(world.services, catalogue=LoadedCatalogue([left]))
    async with world.worker():
        failed = await world.ended(task)
    assert failed.error.code is FailureCode.PROVIDER_REJECTED
    assert failed.error.charged is Charged.MAYBE
    assert failed.order is not None


async def test_a_cancel_of_an_order_that_nobody_can_ask_about_says_what_it_may_have_cost(world):
    task = await world.submit("art/shop", kind="text-to-image")
    begun = await world.begun()
    await world.services.store.journal_order(begun.lease)
    await cancel(world.services, task.id)
    async with world.worker():
        ended = await world.ended(task)
    assert ended.status is TaskStatus.CANCELED
    assert (ended.error.code, ended.error.charged) == (FailureCode.UNKNOWN_OUTCOME, Charged.MAYBE)
    assert ended.order is not None
    assert world.shop.sold == 0


async def test_what_has_begun_before_its_deadline_to_begin_may_take_its_time(world, until):
    world.studio.finished = False
    async with world.worker():
        task = await world.submit("art/studio", deadline_s=2, deadline_is_for_start=True)
        await until(lambda: world.studio.submits == 1)
        await asyncio.sleep(2.2)
        world.studio.finished = True
        ended = await world.ended(task)
    assert ended.status is TaskStatus.SUCCEEDED


async def test_a_request_that_is_answered_after_the_deadline_is_kept(world, until):
    world.shop.hold = asyncio.Event()
    async with world.worker():
        task = await world.submit("art/shop", kind="text-to-image", deadline_s=3)
        await until(lambda: world.shop.sold == 1)
        await asyncio.sleep(3.2)
        world.shop.hold.set()
        ended = await world.ended(task)
    assert ended.status is TaskStatus.SUCCEEDED
