"""What a provider answered, in both stores."""

import asyncio
from decimal import Decimal
from functools import partial
from uuid import uuid4

import pytest
import uuid_utils.compat
from hypothesis import given, settings

from genpulse.domain.assets.asset import Asset, Content, key_of
from genpulse.domain.attempt import Failed, RetryLater, Succeeded
from genpulse.domain.errors import ModerationBlocked, ProviderUnavailable
from genpulse.domain.money.cost import Cost
from genpulse.domain.result.answer import OutputPlace
from genpulse.domain.result.kept_answer import LIMIT_BYTES, kept_shortened, kept_whole
from genpulse.domain.result.shown_result import result_with
from genpulse.domain.result.task_result import TaskResult
from genpulse.domain.search.task_query import TaskFilter, TaskQuery
from tests.answers import ASSET_IDS, answers, as_shown
from tests.contract.conftest import new_task, now
from tests.drawn import examples

ODD = TaskResult('{"zz":1e+22,"a":-0.0,"big":123456789012345678901234567890,"words":"ü \\\\ \\" 🦊 \\u2028"}')


def asset(asset_id, task_id=None):
    sha256 = "cd" * 32
    return Asset(asset_id, Content(key_of(sha256, now()), sha256, 5, "image/png"), now(), "dev", task_id)


def _place_of(places, asset_id, found):
    assert found is not None
    assert found.id == asset_id
    return places[asset_id]


async def test_a_result_is_read_as_it_was_written(backend):
    begun = await backend.begun()
    task = await backend.ended(begun.lease, Succeeded((), result=ODD))
    assert task.result == ODD
    assert (await backend.store.get(task.id)).result == ODD


async def test_a_task_without_a_result_has_none(backend):
    begun = await backend.begun()
    assert (await backend.ended(begun.lease, Succeeded(()))).result is None


async def test_ends_with_and_without_a_result_and_a_cost_are_written_together(backend):
    outcomes = [
        Succeeded((), result=TaskResult("1")),
        Succeeded(()),
        Failed(ModerationBlocked("no").failure),
        Succeeded((), Cost(Decimal("0.5")), result=TaskResult("[2]")),
        RetryLater(ProviderUnavailable("down").failure, 60.0),
    ]
    begun = [await backend.begun() for _ in outcomes]
    await asyncio.gather(*(backend.end(one.lease, outcome) for one, outcome in zip(begun, outcomes, strict=True)))
    tasks = [await backend.store.get(one.task.id) for one in begun]
    assert [task.result and task.result.text for task in tasks] == ["1", None, None, "[2]", None]


@pytest.mark.parametrize("priced", [True, False])
async def test_a_result_of_the_largest_size_is_kept_whole(backend, priced):
    begun = await backend.begun(**({"price_usd": Decimal("0.1")} if priced else {}))
    text = f'"{"🦊" * ((LIMIT_BYTES - 2) // 4)}"'
    assert (await backend.ended(begun.lease, Succeeded((), result=TaskResult(text)))).result.text == text


async def test_pages_of_tasks_do_without_results(backend):
    begun = await backend.begun()
    await backend.ended(begun.lease, Succeeded((), result=ODD))
    for query in (TaskQuery(20), TaskQuery(20, filter=TaskFilter(ids=(begun.task.id,)))):
        (found,) = await backend.store.find(query)
        assert (found.result, found.has_unread_result) == (None, True)


async def test_a_repeated_submit_shows_the_result(backend):
    begun = await backend.begun(idempotency_key="k", fingerprint="f")
    await backend.ended(begun.lease, Succeeded((), result=ODD))
    again = new_task(idempotency_key="k", fingerprint="f")
    assert (await backend.store.submit(again)).task.result == ODD
    assert (await backend.store.earlier(again)).task.result == ODD


async def test_a_message_tells_the_result(backend):
    begun = await backend.begun(webhook_url="https://receiver.example/")
    await backend.ended(begun.lease, Succeeded((), result=ODD))
    ((_, told),) = await backend.deliveries.due(10, 60, per_origin=10, room={})
    assert told.result == ODD


@pytest.mark.hypothesis
async def test_whatever_is_answered_comes_out_of_the_store(backend):
    drawn: list = []

    @settings(max_examples=examples(60), deadline=None, database=None)
    @given(answers())
    def draw(answer):
        drawn.append(answer)

    draw()
    deep = "x"
    for _ in range(1_200):
        deep = [{"a": deep}]
    odd = [deep, [0] * 10**6, {"text": "y\0" * 10**6}, [float("nan"), float("inf"), 10**400]]
    for answer in (*drawn, *odd):
        begun = await backend.begun()
        ids = {number: uuid_utils.compat.uuid7() for number in ASSET_IDS}
        kept = kept_whole(answer, ids) or kept_shortened(answer, ids)
        outputs = tuple(asset(asset_id, begun.task.id) for asset_id in ids.values())
        task = await backend.ended(begun.lease, Succeeded(outputs, result=kept.result))
        assert task.result == kept.result
        if kept.warning is None:
            places = {asset_id: place for place, asset_id in ids.items()}
            shown = result_with(task, partial(_place_of, places))
            assert shown == as_shown(answer, lambda asset_id: [*ASSET_IDS.values()].index(asset_id))


async def test_of_an_asset_that_is_gone_the_id_is_left(backend):
    begun = await backend.begun()
    gone = uuid4()
    result = kept_whole({"image": None, "files": [OutputPlace(0)]}, {0: gone}).result
    task = await backend.ended(begun.lease, Succeeded((), result=result))
    assert result_with(task, lambda asset_id, found: [str(asset_id), found]) == {
        "image": None,
        "files": [[str(gone), None]],
    }


async def test_many_large_results_that_come_together_are_all_kept(backend):
    large = TaskResult(f'"{"x" * (LIMIT_BYTES - 2)}"')
    begun = [await backend.begun() for _ in range(40)]
    outcomes = [Succeeded((), result=large if place % 4 else None) for place in range(40)]
    numbers = await asyncio.gather(*map(backend.end, (one.lease for one in begun), outcomes))
    tasks = [await backend.store.get(one.task.id) for one in begun]
    assert [task.result for task in tasks] == [outcome.result for outcome in outcomes]
    assert [task.seq for task in tasks] == numbers
