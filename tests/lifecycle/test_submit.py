"""From an order to a queued task."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from genpulse.domain.errors import BadInput, IdempotencyKeyReuse, UnknownKind, UnknownModel
from genpulse.domain.keys.caller import Caller
from genpulse.domain.task import NewTask, Priority, TaskStatus
from genpulse.lifecycle.submission.submit import Order, submit
from genpulse.lifecycle.submission.submit_batch import submit_batch
from genpulse.provider import Model, Provider
from genpulse.provider.passthrough import FreeInput
from genpulse.providers.catalog import LoadedCatalogue
from tests.api_keys import new_key
from tests.queues import depth_of

ORDER = Order("art/painter", {"prompt": "a fox"})
FULL_ORDER = Order(
    "art/free",
    {"prompt": "Füchse", "sizes": [1, 2.5, 1e22, True, None], "b": {"z": 1, "a": ""}},
    kind="text-to-image",
    priority=Priority.HIGH,
    webhook_url="https://example.org/hook",
    deadline_s=60.0,
    metadata={"order": "1042", "a": "é"},
)


async def test_a_task_is_queued_with_everything_that_was_asked_for(world):
    order = replace(ORDER, metadata={"job": "7"}, deadline_s=60, webhook_url="https://example.org/hook")
    submitted = await submit(world.services, order)
    task = await world.services.store.get(submitted.task.id)
    assert task.status is TaskStatus.QUEUED
    assert (task.kind, task.provider, task.model) == ("text-to-image", "art", "art/painter")
    assert (task.metadata, task.webhook_url) == ({"job": "7"}, "https://example.org/hook")
    assert (task.deadline_at - task.created_at).total_seconds() == 60
    assert task.environment == "dev"
    assert await depth_of(world.services.queue) == 1


async def test_the_same_key_and_body_give_the_same_task(world):
    first = await submit(world.services, ORDER, idempotency_key="k")
    again = await submit(world.services, ORDER, idempotency_key="k")
    assert again.replayed
    assert not first.replayed
    assert again.task.id == first.task.id
    assert await depth_of(world.services.queue) == 1


@pytest.mark.parametrize(
    ("order", "fingerprint"),
    [
        (ORDER, "3cfcd02209a0d186c85df6d501d31b2e14323a2cc6cdee7cb9ecc4fb5c86e64d"),
        (FULL_ORDER, "e03b7c67f7685a68b0f3cca0320377a2d0808e74f343f7845d9b1b3267c4a3de"),
    ],
    ids=["least", "full"],
)
async def test_a_fingerprint_is_the_one_that_existing_databases_hold(world, order, fingerprint):
    model = Model("free", ("text-to-image",), FreeInput, world.painter)
    (painter,) = (model for _, model in world.services.catalogue.models() if model.name == "painter")
    world.services = replace(world.services, catalogue=LoadedCatalogue([Provider("art", (model, painter))]))
    submitted = await submit(world.services, order, idempotency_key="k")
    stored = NewTask(
        world.services.new_id(), "dev", "any", "art", "any", {}, idempotency_key="k", fingerprint=fingerprint
    )
    earlier = await world.services.store.earlier(stored)
    assert earlier is not None
    assert earlier.task.id == submitted.task.id


async def test_another_time_is_another_order(world):
    run_at = datetime.now(UTC) + timedelta(days=1)
    first = await submit(world.services, replace(ORDER, run_at=run_at), idempotency_key="k")
    same = replace(ORDER, run_at=run_at.astimezone(UTC))
    assert (await submit(world.services, same, idempotency_key="k")).task == first.task
    for other in (ORDER, replace(ORDER, run_at=run_at + timedelta(seconds=1))):
        with pytest.raises(IdempotencyKeyReuse):
            await submit(world.services, other, idempotency_key="k")


async def test_the_same_key_with_another_body_is_refused(world):
    await submit(world.services, ORDER, idempotency_key="k")
    with pytest.raises(IdempotencyKeyReuse):
        await submit(world.services, replace(ORDER, input={"prompt": "a crow"}), idempotency_key="k")


async def test_keys_of_two_owners_do_not_meet(world):
    one = await submit(world.services, ORDER, idempotency_key="k", caller=Caller(new_key()))
    two = await submit(world.services, ORDER, idempotency_key="k", caller=Caller(new_key()))
    assert one.task.id != two.task.id


async def test_an_unknown_model_is_refused_with_near_ones(world):
    with pytest.raises(UnknownModel) as caught:
        await submit(world.services, replace(ORDER, model="art/paintr"))
    assert "art/painter" in caught.value.near


async def test_a_kind_that_the_model_does_not_do_is_refused(world):
    with pytest.raises(UnknownKind, match="text-to-image"):
        await submit(world.services, replace(ORDER, kind="text-to-speech"))


async def test_a_model_of_several_kinds_asks_which_one(world):
    with pytest.raises(BadInput) as caught:
        await submit(world.services, replace(ORDER, model="art/shop"))
    assert [problem.pointer for problem in caught.value.problems] == ["/kind"]


async def test_input_that_does_not_fit_is_refused_with_its_places(world):
    with pytest.raises(BadInput) as caught:
        await submit(world.services, replace(ORDER, input={"prompt": 7, "a/b": 1}))
    assert {problem.pointer for problem in caught.value.problems} == {"/input/prompt", "/input/a~1b"}


async def test_a_batch_is_all_or_nothing(world):
    with pytest.raises(BadInput) as caught:
        await submit_batch(world.services, [ORDER, replace(ORDER, input={"prompt": 7})])
    assert [problem.pointer for problem in caught.value.problems] == ["/tasks/1/input/prompt"]
    assert await depth_of(world.services.queue) == 0
    assert len((await submit_batch(world.services, [ORDER] * 3)).tasks) == 3
    assert await depth_of(world.services.queue) == 3
