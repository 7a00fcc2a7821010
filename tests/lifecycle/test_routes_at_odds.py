"""Orders with several models whose kinds, files and prices are at odds, and moments at which a route is left."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from itertools import permutations
from uuid import uuid4

import pytest

from genpulse.domain.errors import BadInput, OutOfReach, ProviderUnavailable, UnknownCallback, UnknownKind
from genpulse.domain.kind import ANY
from genpulse.domain.task import TaskStatus
from genpulse.lifecycle.cancel import cancel
from genpulse.lifecycle.provider_callback import receive_callback
from genpulse.lifecycle.routing import reroute as rerouting
from genpulse.lifecycle.routing.reroute import reroute
from genpulse.lifecycle.submission.submit import Order, submit
from genpulse.lifecycle.upload import upload
from genpulse.provider import AudioRef, Callback, ImageRef, Input, Model, Provider
from genpulse.providers.catalog import LoadedCatalogue
from tests.lifecycle.conftest import QUICK, Shop
from tests.lifecycle.routed import KIND, ask, held_up, open_shops, run

SEVERAL = ("image-to-image", KIND)
KINDS = {"free": (ANY, *SEVERAL), "anything": (ANY,), "one": (KIND,), "several": SEVERAL}


class Words(Input, extra="allow"):
    prompt: str = "x"


class Photo(Input):
    image: ImageRef


class Film(Input):
    start_image: ImageRef


class Song(Input):
    image_url: AudioRef


@pytest.fixture
def shops(world):
    return open_shops(world)


async def picture():
    yield b"\x89PNG\r\n\x1a\n" + bytes(30)


def sells(world, **models):
    """Providers of these names, each with a model `m` of those kinds and that input."""
    made = [Provider(name, (Model("m", kinds, takes, Shop()),)) for name, (kinds, takes) in models.items()]
    world.services = replace(world.services, catalogue=LoadedCatalogue(made))


@pytest.mark.parametrize("names", [two for size in (1, 2, 3) for two in permutations(KINDS, size)], ids="-".join)
@pytest.mark.parametrize("kind", [None, KIND])
async def test_the_kind_is_one_that_all_models_do_whichever_comes_first(world, names, kind):
    sells(world, **{name: (kinds, Words) for name, kinds in KINDS.items()})
    order = Order(tuple(f"{name}/m" for name in names), {"prompt": "x"}, kind=kind)
    if kind is None and "several" in names and "one" not in names:
        with pytest.raises(BadInput, match="several kinds"):
            await submit(world.services, order)
        return
    task = (await submit(world.services, order)).task
    assert task.kind == (kind or (KIND if "one" in names else ANY))


async def test_models_without_a_common_kind_are_refused(world):
    sells(world, one=((KIND,), Words), two=(("text-to-video",), Words))
    with pytest.raises(UnknownKind, match="two/m"):
        await submit(world.services, Order(("one/m", "two/m"), {"prompt": "x"}))


@pytest.mark.parametrize("models", [*permutations(("photo/m", "film/m", "song/m"), 2)], ids="-".join)
async def test_a_file_has_to_fit_each_model_under_whatever_name(world, models):
    sells(world, photo=((KIND,), Photo), film=((KIND,), Film), song=((KIND,), Song))
    asset = await upload(world.services, picture(), limit_bytes=1 << 20)
    order = Order(models, {"input_image": f"asset:{asset.id}"})
    if "song/m" in models:
        with pytest.raises(OutOfReach) as refused:
            await submit(world.services, order)
        assert [problem.pointer for problem in refused.value.problems] == ["/input/input_image"]
        assert "takes audio" in refused.value.problems[0].detail
    else:
        assert (await submit(world.services, order)).task.route.targets[1].model == models[1]


@pytest.mark.parametrize(("refusals", "usd"), [(0, "0.02"), (1, "0.05"), (2, "0.01")])
async def test_a_task_that_has_ended_counts_with_the_model_that_made_it(world, shops, refusals, usd):
    for shop in shops[:refusals]:
        shop.errors = [ProviderUnavailable("down")]
    ended = await run(world, await ask(world))
    assert (ended.cost.amount_usd, ended.cost.estimated) == (Decimal(usd), True)
    assert await world.services.store.spent_usd() == Decimal(usd)


async def test_a_task_that_is_canceled_at_a_hop_stays_where_it_was(world, shops):
    shops[0].hold, shops[0].errors = asyncio.Event(), [ProviderUnavailable("down")]
    task = await ask(world)
    async with world.worker(replace(QUICK, concurrency=1)):
        async with asyncio.timeout(60):
            while not shops[0].sold:
                await asyncio.sleep(0.01)
        await cancel(world.services, task.id)
        shops[0].hold.set()
        ended = await world.ended(task)
    assert (ended.status, ended.provider, ended.model) == (TaskStatus.CANCELED, "one", "one/a")
    assert ended.route == task.route
    assert [shop.sold for shop in shops] == [1, 0, 0]


@pytest.mark.parametrize("gone", [("two",), ("three",), ("two", "three")], ids="+".join)
async def test_no_task_goes_to_a_model_that_is_not_there_any_more(world, shops, gone):
    task = await ask(world)
    whole = world.services.catalogue
    left = [whole.provider(name) for name in whole.providers() if name not in gone]
    world.services = replace(world.services, catalogue=LoadedCatalogue(left))
    shops[0].errors = [ProviderUnavailable("down")]
    ended = await run(world, task)
    expected = next((name for name in ("two", "three") if name not in gone), "one")
    assert (ended.status, ended.provider) == (TaskStatus.SUCCEEDED, expected)


async def test_tasks_that_can_go_nowhere_do_not_stand_in_the_way_of_others(world, shops, monkeypatch):
    monkeypatch.setattr(rerouting, "AT_ONCE", 3)
    await held_up(world, "one", "two")
    for _ in range(4):
        await ask(world, ("one/a", "two/b"))
        await ask(world, ("three/c", "one/a"))
    last = await ask(world, ("one/a", "two/b", "three/c"))
    assert await reroute(world.services, ["one"]) == 1
    assert (await world.services.store.get(last.id)).model == "three/c"


async def test_the_vendor_that_was_left_may_call_back_late(world, shops):
    shops[0].errors = [ProviderUnavailable("down")]
    ended = await run(world, await ask(world))
    token = ended.id.hex + uuid4().hex
    await receive_callback(world.services, "one", token, Callback({}, b""))
    for stranger in ("three", "four"):
        with pytest.raises(UnknownCallback):
            await receive_callback(world.services, stranger, token, Callback({}, b""))
