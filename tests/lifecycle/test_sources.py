"""A task that takes the output of another one, from submit to its end."""

from dataclasses import replace

import pytest

from genpulse.domain.errors import OutOfReach
from genpulse.domain.failure import Charged, FailureCode
from genpulse.domain.task import TaskStatus
from genpulse.lifecycle.retry import retry
from genpulse.lifecycle.submission.submit import Order, submit
from genpulse.provider import Call, ImageRef, Input, Local, Model, Output, Provider, Report, Result, VideoRef
from genpulse.providers.catalog import LoadedCatalogue

SVG = "<svg xmlns='http://www.w3.org/2000/svg'></svg>"


class Picture(Input):
    image: ImageRef | None = None
    video: VideoRef | None = None


class Copy(Local[Picture]):
    """Gives back its input."""

    async def run(self, call: Call[Picture], report: Report) -> Result:
        file = await call.attachments.fetch(call.input.image or call.input.video or "")
        return Result((Output(b"copy of " + file.path.read_bytes()),))


@pytest.fixture
def copier(world):
    model = Model("copy", ("image-to-image",), Picture, Copy())
    models = tuple(one for _, one in world.services.catalogue.models())
    world.services = replace(world.services, catalogue=LoadedCatalogue([Provider("art", (model, *models))]))
    return world


async def chained(world, source, field="image"):
    return (await submit(world.services, Order("art/copy", {field: f"task:{source.id}"}))).task


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
    assert f"the task {source.id}, which is canceled" in ended.error.message


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
