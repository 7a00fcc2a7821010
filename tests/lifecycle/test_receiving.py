"""What a vendor made, on its way into a bucket."""

from dataclasses import replace
from decimal import Decimal

import pytest

from genpulse.adapters.storage.bucket import PART
from genpulse.domain.assets.asset import Buffered, Spooled, Staged
from genpulse.domain.money.cost import Cost
from genpulse.lifecycle.attempt.outputs.receiving import OutputReceiver
from genpulse.lifecycle.attempt.outputs.storing import store_result
from genpulse.provider import Output, Result
from tests.fakes.odd_store import OddStore
from tests.integration.storage.test_odd_stores import opened
from tests.lifecycle.test_prune import begun_at

LONG = b"long " * (PART // 4)


class Fetched:
    """Begins anew each time, as what is fetched by an address does."""

    def __init__(self, content, breaks=0):
        self.content = content
        self.breaks = breaks
        self.reads = 0

    def __aiter__(self):
        self.reads += 1
        return self._chunks()

    async def _chunks(self):
        yield self.content[:PART]
        if self.breaks:
            self.breaks -= 1
            raise ConnectionResetError("gone")
        yield self.content[PART:]


@pytest.fixture
async def store():
    async with OddStore().running() as odd:
        yield odd


@pytest.fixture
async def world(world, store, tmp_path):
    storage = opened(store, tmp_path / "spool")
    world.services = replace(world.services, storage=storage)
    yield world
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    await storage.close()


def stored(store):
    return [body for path, body in store.objects.items() if path != "/bucket/probe"]


def made(content):
    return Result((Output(content),), Cost(Decimal(1)))


async def received(world, run, content):
    result = await OutputReceiver(run).receive(made(content))
    return result, await store_result(run, result)


@pytest.mark.parametrize(("content", "kind"), [(LONG, Staged), (b"short", Buffered)])
async def test_what_begins_anew_goes_through_memory_alone(world, store, content, kind):
    async with world.run(await begun_at(world)) as run:
        result, ended = await received(world, run, Fetched(content))
        assert isinstance(result.outputs[0].content, kind)
    assert stored(store) == [content]
    assert await world.content(ended.outputs[0]) == content


async def test_what_is_read_once_waits_on_the_disk(world, store):
    """Where the storage breaks off in the middle, nobody could make it again."""

    async def once():
        yield LONG

    async with world.run(await begun_at(world)) as run:
        result, _ = await received(world, run, once())
        assert isinstance(result.outputs[0].content, Spooled)
    assert stored(store) == [LONG]


async def test_what_breaks_off_is_read_again(world, store):
    content = Fetched(LONG, breaks=1)
    async with world.run(await begun_at(world)) as run:
        receiver = OutputReceiver(run)
        with pytest.raises(ConnectionResetError):
            await receiver.receive(made(content))
        result = await receiver.receive(made(content))
        await store_result(run, result)
    assert (stored(store), store.uploads) == ([LONG], {})


async def test_while_the_storage_is_away_it_waits_on_the_disk(world, store):
    content = Fetched(LONG)
    store.refusals["PUT"] = store.refusals["POST"] = (403, "AccessDenied")
    async with world.run(await begun_at(world)) as run:
        result = await OutputReceiver(run).receive(made(content))
        assert isinstance(result.outputs[0].content, Spooled)
        assert content.reads == 2
        store.refusals.clear()
        await store_result(run, result)
    assert stored(store) == [LONG]


async def test_what_was_received_and_is_not_wanted_any_more_is_gone(world, store):
    async with world.run(await begun_at(world)) as run:
        await OutputReceiver(run).receive(made(Fetched(LONG)))
        assert stored(store) == [LONG]
    assert stored(store) == []


async def test_the_same_of_two_tasks_is_kept_once(world, store):
    """Once the first of them has ended."""
    for _ in range(2):
        async with world.run(await begun_at(world)) as run:
            _, ended = await received(world, run, Fetched(LONG))
            await world.services.store.add_asset(ended.outputs[0])
    assert stored(store) == [LONG]
