"""What is refused before it is queued, since it could never be done."""

from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest
import uuid_utils.compat
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from genpulse.adapters.webhooks.sender import WebhookSender
from genpulse.domain.assets.asset import Asset, Content
from genpulse.domain.errors import OutOfReach, ProviderNotConfigured
from genpulse.domain.keys.caller import WITHOUT_KEY, Caller
from genpulse.domain.task import NewTask
from genpulse.lifecycle.submission.order_references import MOST_PROBLEMS, check_references
from genpulse.lifecycle.submission.submit import Order, submit
from genpulse.lifecycle.submission.submit_batch import submit_batch
from genpulse.provider import ImageRef, Input, Model, Provider, VideoRef
from genpulse.provider.passthrough import FreeInput
from genpulse.providers.catalog import LoadedCatalogue
from tests.api_keys import new_key
from tests.queues import depth_of

ID = UUID("0197a3a6-1111-7222-8333-00000000abcf")


async def uploaded(world, owner: str = "") -> UUID:
    """An asset that is there."""
    asset_id, content = uuid_utils.compat.uuid7(), Content("assets/x", "ab" * 32, 1, "image/png")
    await world.services.store.add_asset(Asset(asset_id, content, world.services.now(), "dev", owner=owner))
    return asset_id


@pytest.fixture
def free(world):
    """The same world, with a model that takes any input."""
    model = Model("free", ("any",), FreeInput, world.painter)
    world.services = replace(world.services, catalogue=LoadedCatalogue([Provider("art", (model,))]))
    return world


def order(value) -> Order:
    return Order("art/free", value)


async def test_an_asset_that_is_there_may_be_named_in_both_notations(free):
    asset_id = await uploaded(free)
    wanted = {
        "image": f"asset:{asset_id}",
        "more": [{"mask": f"asset:{asset_id.hex.upper()}"}],
        "words": "asset: x",
    }
    assert (await submit(free.services, order(wanted))).task.input == wanted


async def test_each_place_that_names_no_asset_is_told_and_nothing_is_queued(free):
    there = await uploaded(free)
    wanted = {"a/b": f"asset:{ID}", "list": [f"asset:{there}", f"asset:{ID.hex}"], "deep": {"~": "asset:none"}}
    with pytest.raises(OutOfReach) as caught:
        await submit(free.services, order(wanted))
    told = {problem.pointer: problem.detail for problem in caught.value.problems}
    assert sorted(told) == ["/input/a~1b", "/input/deep/~0", "/input/list/1"]
    assert str(ID) in told["/input/a~1b"]
    assert "asset: and the id" in told["/input/deep/~0"]
    assert await depth_of(free.services.queue) == 0


async def test_an_asset_of_another_key_is_not_there(free):
    mine, other = new_key(), new_key()
    asset_id, nobodys = await uploaded(free, str(mine.id)), await uploaded(free)
    assert (await submit(free.services, order({"i": f"asset:{asset_id}"}), caller=Caller(mine))).task
    for key, named in ((other, asset_id), (mine, nobodys)):
        with pytest.raises(OutOfReach, match="cannot be reached"):
            await submit(free.services, order({"i": f"asset:{named}"}), caller=Caller(key))
    assert (await submit(free.services, order({"i": f"asset:{asset_id}"}))).task


async def test_one_order_of_a_batch_that_names_no_asset_keeps_all_of_them_out(free):
    asset_id = await uploaded(free)
    orders = [order({"i": f"asset:{each}"}) for each in (asset_id, ID, asset_id)]
    with pytest.raises(OutOfReach) as caught:
        await submit_batch(free.services, orders)
    assert [problem.pointer for problem in caught.value.problems] == ["/tasks/1/input/i"]
    assert await depth_of(free.services.queue) == 0


async def test_what_was_taken_before_is_told_though_its_asset_is_gone(free):
    asset_id = await uploaded(free)
    wanted = order({"i": f"asset:{asset_id}"})
    first = await submit(free.services, wanted, idempotency_key="k")
    no_assets = replace(free.services, store=_Forgetful(free.services.store))
    again = await submit(no_assets, wanted, idempotency_key="k")
    assert (again.task.id, again.replayed) == (first.task.id, True)
    with pytest.raises(OutOfReach):
        await submit(no_assets, wanted, idempotency_key="another")


PLACE = "https://media.example"


class Film(Input):
    """What to cut."""

    image: ImageRef
    clips: list[VideoRef] = Field(default_factory=list)


@pytest.fixture
def cutter(world):
    """The same world, with a model that takes pictures and videos."""
    model = Model("cutter", ("image-to-video",), Film, world.painter)
    catalogue = LoadedCatalogue([Provider("art", (model, *(one for _, one in world.services.catalogue.models())))])
    world.services = replace(world.services, catalogue=catalogue, api_url=PLACE)
    return world


async def refused(services, wanted, **changes):
    with pytest.raises(OutOfReach) as caught:
        await submit(services, Order("art/cutter", wanted), **changes)
    return {problem.pointer: problem.detail for problem in caught.value.problems}


async def test_a_file_of_another_medium_is_refused_with_what_it_is(cutter):
    picture = await uploaded(cutter)
    address = f"{PLACE}/v1/assets/{picture}/content?expires=1&signature=x"
    wanted = {"image": address, "clips": [f"asset:{picture}", "https://example.com/a.mp4"]}
    told = await refused(cutter.services, wanted)
    assert told == {"/input/clips/0": f"asset:{picture} is image/png, and this field takes video"}
    told = await refused(cutter.services, {"image": "https://example.com/a.png", "clips": [address]})
    assert told == {"/input/clips/0": f"{address} is image/png, and this field takes video"}
    assert (await submit(cutter.services, Order("art/cutter", {"image": address}))).task.input == {
        "image": address
    }


async def test_our_own_address_is_looked_up_like_the_id(cutter):
    mine, other = new_key(), new_key()
    address = f"{PLACE}/v1/assets/{await uploaded(cutter, str(mine.id))}/content"
    assert await submit(cutter.services, Order("art/cutter", {"image": address}), caller=Caller(mine))
    assert (
        "there is no" in (await refused(cutter.services, {"image": address}, caller=Caller(other)))["/input/image"]
    )
    nowhere = f"http://elsewhere.example/v1/assets/{ID}/content"
    assert "address of an asset elsewhere" in (await refused(cutter.services, {"image": nowhere}))["/input/image"]


async def test_an_output_of_a_task_has_to_be_there_and_to_fit(cutter):
    async with cutter.worker():
        drawing = {"prompt": "<svg xmlns='http://www.w3.org/2000/svg'></svg>"}
        made = await cutter.ended(await cutter.submit("art/painter", input=drawing))
    waits = await cutter.submit("art/painter")
    assert await submit(cutter.services, Order("art/cutter", {"image": f"task:{made.id}"}))
    told = await refused(
        cutter.services,
        {"image": f"task:{made.id}#1", "clips": [f"task:{made.id}", f"task:{ID}", f"task:{waits.id}"]},
    )
    assert "has 1 outputs; #0 is the first" in told["/input/image"]
    assert told["/input/clips/0"] == f"task:{made.id} is image/svg+xml, and this field takes video"
    assert "there is no task:" in told["/input/clips/1"]
    assert "/input/clips/2" not in told
    told = await refused(cutter.services, {"image": f"task:{made.id}"}, caller=Caller(new_key()))
    assert "never was there for this API key" in told["/input/image"]


async def test_an_output_of_a_task_in_any_input_is_looked_up(free):
    wanted = {"image": f"task:{ID}", "prompt": "task: draw a fox"}
    with pytest.raises(OutOfReach) as caught:
        await submit(free.services, order(wanted))
    assert [problem.pointer for problem in caught.value.problems] == ["/input/image"]


class _Forgetful:
    """A store whose assets are gone."""

    def __init__(self, store) -> None:
        self._store = store

    def __getattr__(self, name):
        return getattr(self._store, name)

    async def owners_of_assets(self, asset_ids):
        return {}


@dataclass
class Nowhere:
    """Services without anything that could be reached."""

    asked: list[UUID] = field(default_factory=list)
    api_url: str = "https://media.example"

    async def owners_of_assets(self, asset_ids):
        self.asked += asset_ids
        return {}

    def refusal(self, url):
        return None

    @property
    def store(self):
        return self

    sender = store


_TEXTS = st.one_of(st.text(max_size=8), st.just("asset:"), st.just(f"asset:{ID}"), st.just(f"words asset:{ID}"))
_VALUES = st.recursive(
    st.one_of(_TEXTS, st.none(), st.integers()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


def _texts(value):
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
    else:
        yield value


@given(st.dictionaries(st.text(max_size=3), _VALUES, max_size=4))
async def test_every_reference_is_found_wherever_it_stands(document):
    named = [text for text in _texts(document) if isinstance(text, str) and text in {"asset:", f"asset:{ID}"}]
    nowhere = Nowhere()
    try:
        await check_references(nowhere, WITHOUT_KEY, {"": NewTask(ID, "dev", "any", "art", "art/free", document)})
        problems = []
    except OutOfReach as error:
        problems = error.problems
    assert len(problems) == len(named)
    assert nowhere.asked == ([ID] if f"asset:{ID}" in named else [])


async def test_an_input_of_nothing_but_references_is_told_in_few_words():
    document = {"k" * 256: [f"asset:{ID}"] * 9_000}
    for _ in range(150):
        document = {"d" * 256: document}
    task = NewTask(ID, "dev", "any", "art", "art/free", document)
    with pytest.raises(OutOfReach) as caught:
        await check_references(Nowhere(), WITHOUT_KEY, {"": task})
    assert len(caught.value.problems) == MOST_PROBLEMS
    assert max(len(problem.pointer) for problem in caught.value.problems) <= 210


@pytest.mark.parametrize(
    ("provider", "variable"),
    [
        (Provider("art", (), configured=False), "GENPULSE_PROVIDERS__ART__API_KEY"),
        (Provider("art", (), configured=False, needs=("base_url",)), "GENPULSE_PROVIDERS__ART__BASE_URL"),
    ],
    ids=["key", "address"],
)
async def test_a_provider_that_is_not_set_up_takes_no_task_until_it_is(world, provider, variable):
    (painter,) = (model for _, model in world.services.catalogue.models() if model.name == "painter")
    wanted = Order("art/painter", {"prompt": "a fox"})
    ended = await world.submit("art/painter")
    first = await submit(world.services, wanted, idempotency_key="k")
    lacking = replace(world.services, catalogue=LoadedCatalogue([replace(provider, models=(painter,))]))
    for act in (submit(lacking, wanted), submit_batch(lacking, [wanted])):
        with pytest.raises(ProviderNotConfigured, match=variable):
            await act
    assert (await submit(lacking, wanted, idempotency_key="k")).task.id == first.task.id
    assert await depth_of(world.services.queue) == 2
    assert ended.id != first.task.id


async def test_a_provider_with_defaults_to_go_on_with_takes_tasks(world):
    (painter,) = (model for _, model in world.services.catalogue.models() if model.name == "painter")
    catalogue = LoadedCatalogue([Provider("art", (painter,), configured=False, needs=())])
    assert (await submit(replace(world.services, catalogue=catalogue), Order("art/painter", {"prompt": "x"}))).task


PRIVATE = [
    "http://127.0.0.1/",
    "http://10.0.0.7:8080/x",
    "http://169.254.169.254/latest",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b:1::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[fe80::1%25eth0]/",
    "http://[fec0::1]/",
    "http://user:word@127.0.0.1/",
    "http://127.1/",
    "http://0/",
    "http://0177.0.0.1/",
    "http://0x7f.1/",
    "http://2130706433/",
    "http://127.0.0.1./",
    "http://localhost/",
    "https://LocalHost.:8443/",
    "http://a.localhost/",
    "http://%31%32%37.0.0.1/",
    "http://100.64.0.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
]


@pytest.fixture
async def guarded():
    sender = WebhookSender(None, allow_private=False, version="1")
    yield sender
    await sender.close()


@pytest.mark.parametrize("url", PRIVATE)
async def test_a_webhook_to_a_private_address_is_refused_in_every_disguise(guarded, url):
    assert guarded.refusal(url)


@pytest.mark.parametrize(
    "url",
    ["https://example.com/", "http://192.0.2.7.example/", "https://8.8.8.8:8443/x", "http://[2606:4700::1111]/"],
)
async def test_a_public_one_is_taken_and_no_name_is_asked_for(guarded, url):
    assert guarded.refusal(url) is None


async def test_where_private_addresses_are_allowed_they_are_taken(world):
    sender = WebhookSender(None, allow_private=True, version="1")
    assert [sender.refusal(url) for url in ("http://127.0.0.1:9/", "http://localhost/")] == [None, None]
    await sender.close()


async def test_the_place_of_a_webhook_that_is_never_sent_is_told(world, guarded):
    services = replace(world.services, sender=guarded)
    wanted = Order("art/painter", {"prompt": "x"}, webhook_url="http://169.254.169.254/")
    with pytest.raises(OutOfReach) as caught:
        await submit(services, wanted)
    with pytest.raises(OutOfReach) as in_batch:
        await submit_batch(services, [Order("art/painter", {"prompt": "x"}), wanted])
    (problem,) = caught.value.problems
    assert problem.pointer == "/webhook_url"
    assert "not a public address" in problem.detail
    assert "webhooks.allow_private" in problem.detail
    assert [each.pointer for each in in_batch.value.problems] == ["/tasks/1/webhook_url"]
    assert await depth_of(world.services.queue) == 0
