"""A task that takes the output of another one, from submit to its end."""

from dataclasses import replace

import pytest

from genpulse.domain.errors import OutOfReach
from genpulse.domain.failure import Charged, FailureCode
from genpulse.domain.task import TaskStatus
from genpulse.lifecycle.removal.deletion import delete_asset, delete_task
from genpulse.lifecycle.removal.erase import erase
from genpulse.lifecycle.retry import retry
from genpulse.lifecycle.submission.submit import Order, submit
from genpulse.provider import Call, ImageRef, Input, Local, Model, Output, Provider, Report, Result, VideoRef
from genpulse.providers.catalog import LoadedCatalogue

SVG = "<svg xmlns='http://www.w3.org/2000/svg'></svg>"


class Picture(Input):
    image: ImageRef | None = None
    video: VideoRef | None = None


class Triptych(Local[Picture]):
    """Makes three pictures."""

    async def run(self, call: Call[Picture], report: Report) -> Result:
        return Result(tuple(Output(SVG.replace("<svg ", f"<svg id='{number}' ").encode()) for number in range(3)))


class Copy(Local[Picture]):
    """Gives back its input."""

    async def run(self, call: Call[Picture], report: Report) -> Result:
        file = await call.attachments.fetch(call.input.image or call.input.video or "")
        return Result((Output(b"copy of " + file.path.read_bytes()),))


@pytest.fixture
def copier(world):
    model = Model("copy", ("image-to-image",), Picture, Copy())
    triptych = Model("triptych", ("text-to-image",), Picture, Triptych())
    film = Model("film", ("image-to-video",), Picture, world.studio)
    models = tuple(one for _, one in world.services.catalogue.models())
    provider = Provider("art", (model, film, triptych, *models), paid=True)
    world.services = replace(world.services, catalogue=LoadedCatalogue([provider]))
    return world


async def chained(world, source, field="image", model="art/copy"):
    return (await submit(world.services, Order(model, {field: f"task:{source.id}"}))).task


async def test_a_task_takes_the_output_of_another_one_when_it_is_there(copier):
    source = await copier.submit("art/painter", input={"prompt": SVG})
    task = await chained(copier, source)
    assert (task.depends_on, task.awaits_sources) == ((source.id,), True)
    async with copier.worker():
        ended = await copier.ended(task)
    assert ended.status is TaskStatus.SUCCEEDED, ended.error
    assert await copier.content(ended.outputs[0]) == f"copy of {SVG}".encode()


async def test_a_source_that_is_canceled_is_named_by_the_task_that_fails_with_it(copier):
    source = await copier.submit("art/painter")
    task = await chained(copier, source)
    await copier.services.store.cancel(source.id)
    async with copier.worker():
        ended = await copier.ended(task)
    assert (ended.error.code, ended.error.charged) == (FailureCode.INVALID_INPUT, Charged.NO)
    assert f"the task {source.id}, which is canceled. It cannot run again" in ended.error.message


async def test_a_source_that_fails_is_run_again_and_then_the_task(copier):
    source = await copier.submit("art/painter", deadline_s=-1.0, input={"prompt": SVG})
    task = await chained(copier, source)
    await copier.services.store.expire()
    async with copier.worker():
        failed = await copier.ended(task)
        assert f"{source.id}, which is failed (deadline_exceeded:" in failed.error.message
        await retry(copier.services, source.id)
        await copier.services.store.retry(task.id)
        ended = await copier.ended(await copier.services.store.get(task.id))
    assert ended.status is TaskStatus.SUCCEEDED, ended.error


@pytest.mark.parametrize("knows_job", [True, False])
async def test_what_is_paid_for_is_collected_although_a_source_was_deleted_meanwhile(copier, knows_job):
    source = await copier.submit("art/painter", input={"prompt": SVG})
    async with copier.worker():
        await copier.ended(source)
    task = await chained(copier, source, model="art/film")
    begun = await copier.begun()
    await copier.services.store.journal_order(begun.lease)
    copier.studio.jobs[begun.attempt.client_reference] = "job-of-the-lost"
    if knows_job:
        await copier.services.store.journal_job(begun.lease, "job-of-the-lost")
    await delete_task(copier.services, source.id, None)
    await erase(copier.services, settled_s=0)
    async with copier.worker():
        ended = await copier.ended(task)
    assert ended.status is TaskStatus.SUCCEEDED, ended.error
    assert await copier.content(ended.outputs[0]) == b"made by job-of-the-lost"
    assert copier.studio.submits == 0


async def test_no_other_output_takes_the_place_of_one_that_was_deleted(copier):
    async with copier.worker():
        source = await copier.ended((await submit(copier.services, Order("art/triptych", {}))).task)
    orders = [Order("art/copy", {"image": f"task:{source.id}#{number}"}) for number in (1, 0)]
    task, first = [(await submit(copier.services, order)).task for order in orders]
    await delete_asset(copier.services, source.outputs[0].id, None)
    with pytest.raises(OutOfReach) as caught:
        await submit(copier.services, orders[0])
    assert "may be one of two files" in caught.value.problems[0].detail
    async with copier.worker():
        ended, first = await copier.ended(task), await copier.ended(first)
    assert (ended.error.code, ended.error.charged) == (FailureCode.INVALID_INPUT, Charged.NO)
    assert f"task:{source.id}#1, and that may be one of two files" in ended.error.message
    assert b"id='1'" in await copier.content(first.outputs[0])


async def test_an_output_before_the_one_that_was_deleted_stays_where_it_is(copier):
    async with copier.worker():
        source = await copier.ended((await submit(copier.services, Order("art/triptych", {}))).task)
        await delete_asset(copier.services, source.outputs[2].id, None)
        order = Order("art/copy", {"image": f"task:{source.id}#1"})
        ended = await copier.ended((await submit(copier.services, order)).task)
    assert b"id='1'" in await copier.content(ended.outputs[0])


async def test_a_source_that_was_deleted_is_named_before_a_vendor_is_asked(copier):
    source = await copier.submit("art/painter")
    task = await chained(copier, source, model="art/film")
    await delete_task(copier.services, source.id, None)
    async with copier.worker():
        ended = await copier.ended(task)
    assert (ended.error.code, ended.error.charged) == (FailureCode.INVALID_INPUT, Charged.NO)
    assert str(source.id) in ended.error.message
    assert copier.studio.submits == 0


async def test_an_output_of_another_medium_is_refused_before_the_engine_is_asked(copier):
    source = await copier.submit("art/painter", input={"prompt": SVG})
    task = await chained(copier, source, "video")
    async with copier.worker():
        ended = await copier.ended(task)
    assert ended.error.code is FailureCode.INVALID_INPUT
    assert ended.error.message == f"task:{source.id} is image/svg+xml, and the model takes video."


async def test_a_source_that_has_no_output_any_more_is_refused_at_submit(copier):
    source = await copier.submit("art/painter")
    await copier.services.store.cancel(source.id)
    with pytest.raises(OutOfReach) as caught:
        await chained(copier, source)
    assert "is canceled, and has no outputs" in caught.value.problems[0].detail
