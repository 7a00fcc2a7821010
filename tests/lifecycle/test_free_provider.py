"""A provider that costs nothing: whatever becomes of a task, it was free of charge."""

from dataclasses import replace

import pytest

from genpulse.domain.errors import MayBeCharged, ProviderUnavailable, UnknownOutcome
from genpulse.domain.failure import Charged, FailureCode
from genpulse.domain.task import TaskStatus
from genpulse.lifecycle.budgets.check import is_free
from genpulse.lifecycle.cancel import cancel
from genpulse.lifecycle.retry import retry
from genpulse.provider import Progress
from genpulse.providers.catalog import LoadedCatalogue


@pytest.fixture
def free(world):
    plug_in = world.services.catalogue.provider("art")
    world.services = replace(world.services, catalogue=LoadedCatalogue([replace(plug_in, paid=False)]))
    return world


async def ended(world, model="art/shop", **order):
    async with world.worker():
        return await world.ended(await world.submit(model, kind="text-to-video", **order))


@pytest.mark.parametrize("error", [UnknownOutcome("lost"), OSError("broken"), RuntimeError("a mistake")])
async def test_an_answer_that_got_lost_was_free_and_is_not_asked_for_again(free, error):
    free.shop.errors = [error]
    failed = await ended(free)
    assert (failed.error.code, failed.error.charged) == (FailureCode.UNKNOWN_OUTCOME, Charged.NO)
    assert free.shop.sold == 1
    (attempt,) = await free.services.store.attempts(failed.id)
    assert attempt.error.charged is Charged.NO


async def test_a_retry_of_it_is_not_refused(free):
    free.shop.errors = [UnknownOutcome("lost")]
    failed = await ended(free)
    async with free.worker():
        again = await free.ended(await retry(free.services, failed.id))
    assert again.status is TaskStatus.SUCCEEDED
    assert free.shop.sold == 2


async def test_a_retry_is_refused_where_it_may_be_paid_for_twice(world):
    world.shop.errors = [UnknownOutcome("lost")]
    failed = await ended(world)
    assert failed.error.charged is Charged.MAYBE
    with pytest.raises(MayBeCharged):
        await retry(world.services, failed.id)


async def test_a_failed_job_is_ordered_again_although_its_plug_in_is_not_sure_of_the_charge(free):
    free.studio.failures = [Progress(failed=ProviderUnavailable("overloaded", charged=Charged.MAYBE))]
    done = await ended(free, "art/studio")
    assert done.status is TaskStatus.SUCCEEDED
    assert free.studio.submits == 2


async def test_a_canceled_task_whose_order_goes_on_says_nothing_of_a_charge(free):
    task = await free.submit("art/shop", kind="text-to-image")
    begun = await free.begun()
    await free.services.store.journal_order(begun.lease)
    await cancel(free.services, task.id)
    async with free.worker():
        canceled = await free.ended(task)
    assert canceled.status is TaskStatus.CANCELED
    assert canceled.error.charged is Charged.NO
    assert "charged" not in canceled.error.message


def test_nobody_knows_of_a_provider_that_is_gone_that_it_was_free(free):
    assert is_free(free.services, "art")
    assert not is_free(free.services, "gone")
