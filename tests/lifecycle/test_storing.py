"""What an engine made, and what cannot be kept of it."""

import pytest

from genpulse.domain.errors import OutputUnavailable
from genpulse.domain.failure import Charged, FailureCode
from genpulse.domain.task import TaskStatus
from genpulse.domain.warning import WarningCode
from genpulse.lifecycle.attempt.outputs.received import ReceivedOutput, ReceivedResult
from genpulse.lifecycle.attempt.outputs.storing import store_result
from genpulse.provider import Output, OutputPlace, Result
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


async def test_in_the_answer_each_file_becomes_its_asset_and_a_missing_one_null(world, tmp_path):
    begun = await begun_at(world)
    outputs = (ReceivedOutput(b"one", 0), ReceivedOutput(tmp_path, 1), ReceivedOutput(b"three", 2))
    answer = {"seed": 7, "images": [OutputPlace(number) for number in (2, 0, 1, 2)], "$asset": "theirs"}
    async with world.run(begun) as run:
        ended = await store_result(run, ReceivedResult(outputs, answer=answer))
    first, third = (str(asset.id) for asset in ended.outputs)
    assert ended.result.value_with(str) == {"seed": 7, "images": [third, first, None, third], "$asset": "theirs"}
    assert [warning.code for warning in ended.warnings] == [WarningCode.OUTPUT_MISSING]


async def test_an_answer_that_is_too_large_is_kept_shortened_and_costs_no_file(world):
    begun = await begun_at(world)
    answer = {"file": OutputPlace(0), "words": "x" * 10**6}
    async with world.run(begun) as run:
        ended = await store_result(run, ReceivedResult((ReceivedOutput(b"one"),), answer=answer))
    assert ended.result.value_with(str)["file"] == str(ended.outputs[0].id)
    assert [warning.code for warning in ended.warnings] == [WarningCode.TRUNCATED]


@pytest.mark.parametrize("answer", [None, {"seed": 7, "film": OutputPlace(0), "lost": OutputPlace(4)}])
@pytest.mark.parametrize("model", ["art/painter", "art/shop", "art/studio"])
async def test_whatever_the_shape_of_an_engine_its_answer_is_kept(world, model, answer):
    engine = world.services.catalogue.model(model).engine
    content = b"\x89PNG\r\n\x1a\n a picture"

    async def made(*_call):
        return Result((Output(content),), answer=answer)

    engine.run = engine.generate = engine.collect = made
    async with world.worker():
        kind = "text-to-video" if model == "art/studio" else "text-to-image"
        ended = await world.ended(await world.submit(model, kind=kind))
    assert ended.status is TaskStatus.SUCCEEDED, ended.error
    if answer is None:
        assert ended.result is None
    else:
        shown = ended.result.value_with(str)
        assert shown == {"seed": 7, "film": str(ended.outputs[0].id), "lost": None}
