"""What an engine made, and what cannot be kept of it."""

import pytest

from genpulse.domain.errors import OutputUnavailable
from genpulse.domain.failure import Charged, FailureCode
from genpulse.domain.task import TaskStatus
from genpulse.domain.warning import WarningCode
from genpulse.lifecycle.attempt.outputs.received import ReceivedOutput, ReceivedResult
from genpulse.lifecycle.attempt.outputs.storing import store_result
from genpulse.provider import Output, Result
from tests.lifecycle.test_prune import begun_at


@pytest.mark.parametrize(
    ("model", "charged"),
    [("art/painter", Charged.NO), ("art/shop", Charged.YES), ("art/studio", Charged.YES)],
)
async def test_a_file_that_does_not_exist_is_told_at_once(world, tmp_path, model, charged):
    await world.submit(model, kind="text-to-video" if model == "art/studio" else "text-to-image")
    async with world.run(await world.begun()) as run:
        with pytest.raises(OutputUnavailable, match=r"'fox\.png' cannot be read: No such file") as raised:
            await store_result(run, ReceivedResult((ReceivedOutput(tmp_path / "fox.png"),)))
    assert raised.value.charged is charged
    assert str(tmp_path) not in str(raised.value)


async def test_one_that_cannot_be_kept_costs_its_neighbours_nothing(world, tmp_path):
    begun = await begun_at(world)
    async with world.run(begun) as run:
        ended = await store_result(run, ReceivedResult((ReceivedOutput(tmp_path, 0), ReceivedOutput(b"one", 1))))
    assert [await world.content(asset) for asset in ended.outputs] == [b"one"]
    ((warning),) = ended.warnings
    assert (warning.code, warning.index) == (WarningCode.OUTPUT_MISSING, 0)
    assert "a folder" in warning.message


async def test_all_outputs_become_assets_in_order(world, tmp_path):
    begun = await begun_at(world)
    (tmp_path / "two").write_bytes(b"two")
    async with world.run(begun) as run:
        ended = await store_result(
            run, ReceivedResult((ReceivedOutput(b"one", 0), ReceivedOutput(tmp_path / "two", 1)))
        )
    assets = ended.outputs
    assert [await world.content(asset) for asset in assets] == [b"one", b"two"]
    assert {asset.task_id for asset in assets} == {begun.task.id}


@pytest.mark.parametrize(("model", "kind"), [("art/painter", None), ("art/shop", "text-to-image")])
async def test_a_task_whose_engine_names_a_file_that_is_not_there_ends(world, tmp_path, model, kind):
    """It was running for ever."""
    engine = world.services.catalogue.model(model).engine

    async def made(*_call):
        return Result((Output(tmp_path / "not-there.png"),))

    engine.run = engine.generate = made
    async with world.worker():
        ended = await world.ended(await world.submit(model, kind=kind))
    assert ended.status is TaskStatus.FAILED
    assert ended.error.code is FailureCode.OUTPUT_UNAVAILABLE
    assert "'not-there.png' cannot be read" in ended.error.message
