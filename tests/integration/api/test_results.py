"""What a provider answered, wherever a task is shown."""

import json
from uuid import UUID

import pytest
import uuid_utils.compat

from genpulse import config
from genpulse.cli.worker.process import describer, links_at_hand
from genpulse.domain.assets.asset import Asset
from genpulse.domain.attempt import Succeeded
from genpulse.domain.result.answer import OutputPlace
from genpulse.domain.result.kept_answer import kept_shortened, kept_whole
from genpulse_client import AsyncGenPulse
from tests.integration.api.test_task_events import collect

P = OutputPlace(0)


async def ended(api, answer, **changes):
    """The task, which made one picture, with this answer."""
    await api.submit(**changes)
    content = await api.storage.keep(b"\x89PNG a picture")
    asset = Asset(uuid_utils.compat.uuid7(), content, api.services.now(), "dev")
    ids = {0: asset.id}
    kept = kept_whole(answer, ids) or kept_shortened(answer, ids)
    warnings = (kept.warning,) if kept.warning else ()
    task = await api.end(Succeeded((asset,), warnings=warnings, result=kept.result))
    return str(task.id), str(asset.id)


def reference(asset_id, shown):
    """The reference in a result that was shown, whose address is checked."""
    assert set(shown) == {"$asset", "url"}
    assert shown["$asset"] == asset_id
    return shown["url"]


async def test_it_is_shown_with_the_addresses_of_its_files(either):
    task_id, asset_id = await ended(
        either, {"zz": 1e22, "images": [{"url": P, "width": 8}, None], "$asset": "mine"}
    )
    task = (await either.get(f"/v1/tasks/{task_id}")).json
    result = task["result"]
    assert list(result) == ["zz", "images", "$$asset"]
    assert (result["zz"], result["$$asset"]) == (1e22, "mine")
    assert (result["images"][0]["width"], result["images"][1]) == (8, None)
    url = reference(asset_id, result["images"][0]["url"])
    assert url.partition("?")[0] == task["outputs"][0]["url"].partition("?")[0]
    async with either.client.get(url) as answer:
        assert (answer.status, await answer.read()) == (200, b"\x89PNG a picture")


@pytest.mark.parametrize(
    "answer", [P, [P], {"image": P}, {"images": [{"url": P, "content_type": "image/png", "width": 1}]}]
)
async def test_where_it_is_files_alone_it_is_null(either, answer):
    task_id, _ = await ended(either, answer)
    assert (await either.get(f"/v1/tasks/{task_id}")).json["result"] is None


async def test_before_the_end_and_without_an_answer_it_is_null(either):
    submitted = (await either.submit()).json
    assert submitted["result"] is None
    await either.end(Succeeded(()))
    assert (await either.get(f"/v1/tasks/{submitted['id']}")).json["result"] is None


async def test_lists_leave_it_out_where_there_is_one(either):
    await either.submit()
    await either.end(Succeeded(()))
    task_id, _ = await ended(either, {"seed": 7})
    shown, plain = (await either.get("/v1/tasks")).json["data"]
    assert "result" not in shown
    assert plain["result"] is None
    task = (await either.get(f"/v1/tasks/{task_id}")).json
    assert shown == {name: value for name, value in task.items() if name != "result"}
    found = (await either.get(f"/v1/tasks?ids={task_id}")).json["data"]
    assert found == [shown]


async def test_batches_leave_it_out_where_they_are_repeated(either):
    order = {"model": "art/easel", "input": {"prompt": "x"}, "idempotency_key": "k"}
    batch = {"tasks": [order, {**order, "idempotency_key": "l"}]}
    first = (await either.post("/v1/tasks/batch", json=batch)).json["data"]
    assert [task["result"] for task in first] == [None, None]
    kept = kept_whole({"seed": 7}, {})
    await either.end(Succeeded((), result=kept.result))
    again = (await either.post("/v1/tasks/batch", json=batch)).json["data"]
    assert sorted("result" in task for task in again) == [False, True]


async def test_a_repeated_submit_and_the_stream_show_it(either):
    headers = {"Idempotency-Key": "k"}
    task_id, _ = await ended(either, {"seed": 7, "image": P}, headers=headers)
    again = await either.submit(headers=headers)
    assert (again.json["id"], again.json["result"]["seed"]) == (task_id, 7)
    _, events = await collect(either, task_id)
    assert (events[-1].name, events[-1].data["result"]["seed"]) == ("done", 7)


async def test_a_receiver_of_webhooks_is_told(either, tmp_path):
    task_id, asset_id = await ended(either, {"seed": 7, "image": P})
    describe = describer(links_at_hand(config.load(tmp_path, {"ENV": "dev"}, require=()), either.services))
    told = await describe(await either.services.store.get(UUID(task_id)))
    assert told["result"]["seed"] == 7
    reference(asset_id, told["result"]["image"])
    json.dumps(told)


async def test_an_asset_that_was_deleted_keeps_its_address_which_is_ours(either):
    task_id, asset_id = await ended(either, {"seed": 7, "image": P})
    assert (await either.call("DELETE", f"/v1/assets/{asset_id}")).status == 204
    task = (await either.get(f"/v1/tasks/{task_id}")).json
    url = reference(asset_id, task["result"]["image"])
    assert url.startswith(f"{either.url}/v1/assets/{asset_id}/content")
    assert (await either.client.get(url)).status in {404, 410}


async def test_one_that_was_too_large_says_so(either):
    task_id, _ = await ended(either, {"text": "x" * 10**6, "deep": [[[[P]]]], "odd": [10**400, "\0\ud800"]})
    task = (await either.get(f"/v1/tasks/{task_id}")).json
    assert [warning["code"] for warning in task["warnings"]] == ["truncated"]
    assert task["result"]["odd"] == [None, "\ufffd\ufffd"]


async def test_the_client_and_the_commands_show_it(api, genpulse):
    task_id, asset_id = await ended(api, {"seed": 7, "words": "a \x1b[31mfox", "image": P})
    async with AsyncGenPulse(api.url) as client:
        task = await client.get(task_id)
        assert task.result["seed"] == 7
        assert reference(asset_id, task.result["image"]) == task.outputs[0].url
        (listed,) = [one async for one in client.list()]
        assert listed.result is None
    code, out, _ = await genpulse(api, "tasks", "show", task_id)
    assert code == 0
    assert '"seed": 7' in out
    assert "\x1b" not in out
    _, out, _ = await genpulse(api, "tasks", "show", task_id, "--json")
    assert json.loads(out)["result"]["seed"] == 7
