"""Every call of the client against the API itself; sync and async alike."""

import asyncio
import io
from contextlib import AsyncExitStack, aclosing
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import aiohttp
import pytest
from yarl import URL

from genpulse_client import (
    ApiRefused,
    AsyncGenPulse,
    ClientTerms,
    InvalidId,
    Order,
    TaskFailed,
    TaskFilter,
    TaskNotEnded,
)
from tests.client_flavours import FLAVOURS

EASEL = "art/easel"
FOX = {"prompt": "a fox"}


async def test_a_task_runs_from_its_order_to_its_file(api, client, tmp_path):
    seen = []
    async with api.worker():
        task = await client.generate(EASEL, FOX, metadata={"customer": "acme"}, on_event=seen.append)
    assert (task.status, task.ended, task.error, task.cost) == ("succeeded", True, None, None)
    assert (task.model, task.kind, task.priority, task.attempt) == (EASEL, "text-to-image", "normal", 1)
    assert (task.metadata, task.input) == ({"customer": "acme"}, FOX)
    assert task.created_at <= task.started_at <= task.finished_at <= datetime.now(UTC)
    assert seen[-1].task == task
    assert seen[-1].task.ended
    path = await client.download(task.outputs[0], tmp_path / "fox.txt")
    assert path.read_text() == "drawing of a fox"
    assert path.stat().st_size == task.outputs[0].size
    assert [each.name for each in tmp_path.iterdir() if each.suffix == ".part"] == []
    assert b"".join([chunk async for chunk in client.read(task.outputs[0])]) == b"drawing of a fox"


async def test_the_same_key_is_the_same_task(client):
    first = await client.submit(EASEL, FOX, idempotency_key="order 4711")
    assert (await client.submit(EASEL, FOX, idempotency_key="order 4711")).id == first.id
    assert (await client.submit(EASEL, FOX)).id != first.id
    with pytest.raises(ApiRefused) as refused:
        await client.submit(EASEL, {"prompt": "a hen"}, idempotency_key="order 4711")
    assert (refused.value.code, refused.value.status) == ("idempotency_key_reuse", 422)


async def test_options_arrive(client):
    task = await client.submit(
        "art/print",
        FOX,
        kind="text-to-video",
        priority="low",
        deadline_s=600,
        webhook_url="http://127.0.0.1:9/hook",
        retain_s=86400,
    )
    assert (task.kind, task.priority, task.retain_s) == ("text-to-video", "low", 86400)
    now = await client.submit(EASEL, FOX)
    assert (now.retain_s, now.run_at) == (None, None)
    later = datetime.now(UTC) + timedelta(days=1)
    put_off = await client.submit(EASEL, FOX, run_at=later)
    assert (put_off.run_at, put_off.waiting_for.what) == (later, "run_at")


async def test_a_refusal_names_what_does_not_fit(client):
    with pytest.raises(ApiRefused) as refused:
        await client.submit(EASEL, {"prompt": "a fox", "width": 9000})
    error = refused.value
    assert (error.status, error.code) == (422, "invalid_input")
    assert [place for place, _ in error.problems] == ["/input/width"]
    assert error.problem["title"] == "Invalid input"
    assert "/input/width: " in str(error)


async def test_half_of_a_surrogate_pair_is_refused_with_its_place_and_not_replaced(client):
    with pytest.raises(ApiRefused) as refused:
        await client.submit(EASEL, {"prompt": "a \ud83d fox"})
    assert [place for place, _ in refused.value.problems] == ["/input/prompt"]
    assert (await client.submit(EASEL, {"prompt": "a \U0001f98a fox"})).input["prompt"] == "a \U0001f98a fox"


async def test_a_task_that_fails_is_an_error_with_the_task(api, client):
    api.easel.failures = 1
    async with api.worker():
        with pytest.raises(TaskFailed) as failed:
            await client.generate(EASEL, FOX)
    assert failed.value.code == "provider_rejected"
    assert failed.value.task.status == "failed"
    error = failed.value.task.error
    assert (error.message, error.charged, error.retryable) == ("The easel fell over.", "no", False)


async def test_a_failed_task_is_waited_for_and_run_again(api, client):
    api.easel.failures = 1
    task = await client.submit(EASEL, FOX)
    async with api.worker():
        assert (await client.wait(task)).status == "failed"
        again = await client.retry(task)
        assert (again.id, again.status) == (task.id, "queued")
        assert (await client.wait(task.id)).status == "succeeded"
        with pytest.raises(ApiRefused) as refused:
            await client.retry(task.id)
    assert (refused.value.code, refused.value.status) == ("not_retryable", 409)


async def test_progress_is_watched(api, client):
    api.easel.allowed.clear()
    task = await client.submit(EASEL, FOX)
    events = []
    async with AsyncExitStack() as work, aclosing(client.watch(task)) as watched:
        async for event in watched:
            if not events:
                await work.enter_async_context(api.worker())
            events.append(event)
            if event.progress == 0.5:
                api.easel.allowed.set()
    assert "half of it" in [event.message for event in events]
    assert [event.task.status for event in events if event.task][-1] == "succeeded"
    ids = [int(event.id) for event in events]
    assert ids == sorted(ids)
    later = [event async for event in client.watch(task.id, last_event_id=events[-2].id)]
    assert [event.id for event in later] == [events[-1].id]
    ended = [event async for event in client.watch(task.id, last_event_id=events[-1].id)]
    assert [event.task.status for event in ended] == ["succeeded"]


async def test_a_wait_has_an_end(client):
    task = await client.submit(EASEL, FOX)
    with pytest.raises(TaskNotEnded) as late:
        await client.wait(task, timeout_s=0.5)
    assert (late.value.task_id, late.value.code) == (task.id, "not_ended")
    assert (await client.get(task.id)).status == "queued"
    with pytest.raises(TaskNotEnded):
        await client.generate(EASEL, FOX, timeout_s=0)


async def test_a_canceled_task_is_no_success(client):
    task = await client.submit(EASEL, FOX)
    assert (await client.cancel(task)).status == "canceled"
    assert (await client.wait(task)).status == "canceled"
    assert (await client.cancel(task.id)).cancel_requested_at is not None


async def test_a_batch_is_submitted_in_its_order(client):
    orders = [Order(EASEL, {"prompt": str(number)}, priority="high") for number in range(5)]
    tasks = await client.submit_batch(orders)
    assert [task.input["prompt"] for task in tasks] == list("01234")
    with pytest.raises(ApiRefused) as refused:
        await client.submit_batch([*orders, Order(EASEL, {})])
    assert [place for place, _ in refused.value.problems] == ["/tasks/5/input/prompt"]


async def test_a_batch_is_seen_as_one_thing(api, client):
    orders = [Order(EASEL, {"prompt": str(number)}, idempotency_key=f"row {number}") for number in range(3)]
    await client.check_batch(orders)
    assert [batch async for batch in client.batches()] == []
    tasks = await client.submit_batch(orders)
    assert await client.submit_batch(orders) == tasks
    batch = await client.batch(tasks[0].batch)
    assert (batch.total, batch.counts["queued"], batch.ended, batch.cost_usd) == (3, 3, False, None)
    assert abs(batch.created_at - tasks[0].created_at) < timedelta(seconds=60)
    async with api.worker(), aclosing(client.watch_batch(batch)) as events:
        seen = [event async for event in events]
    assert {event.task.id for event in seen if event.task} == {task.id for task in tasks}
    assert (seen[-1].is_last, seen[-1].batch) == (True, await client.batch(batch.id))
    assert seen[-1].batch.finished_at is not None
    async with aclosing(client.watch_batch(batch.id, last_event_id=seen[-1].id)) as events:
        assert [event.is_last for event in [event async for event in events]] == [True]


async def test_a_batch_is_canceled_and_run_again(client):
    tasks = await client.submit_batch([Order(EASEL, FOX)] * 3)
    canceled = await client.cancel_batch(tasks[0].batch)
    assert (canceled.done, canceled.counts["canceled"], canceled.left_out) == (3, 3, {})
    assert (await client.retry_batch(canceled)).done == 0
    assert [batch.id async for batch in client.batches(limit=1)] == [canceled.id]
    with pytest.raises(ApiRefused) as refused:
        await client.batch(tasks[0].id)
    assert refused.value.code == "unknown_batch"


async def test_all_pages_are_listed_as_they_are_needed(api, client):
    ids = [task.id for task in await client.submit_batch([Order(EASEL, FOX)] * 205)]
    assert [task.id async for task in client.list()] == ids[::-1]
    assert [task.id async for task in client.list(limit=101)] == ids[:-102:-1]
    assert [task.id async for task in client.list(limit=0)] == []
    async with aclosing(client.list()) as tasks:
        assert (await anext(tasks)).id == ids[-1]


async def test_tasks_are_filtered(api, client):
    api.easel.failures = 1
    async with api.worker():
        failed = await client.wait(await client.submit(EASEL, FOX))
    await client.submit(EASEL, FOX)
    assert [task.id async for task in client.list(code="provider_rejected")] == [failed.id]
    assert [task.id async for task in client.list(status="failed", provider="art")] == [failed.id]
    assert [task.id async for task in client.list(id_prefix=failed.id)] == [failed.id]
    assert [task async for task in client.list(code="timeout")] == []
    with pytest.raises(ApiRefused, match=r"^The query does not fit: status: "):
        await anext(client.list(status=""))


@pytest.mark.parametrize("kind", ["path", "bytes", "file"])
async def test_a_file_is_brought(client, tmp_path, kind):
    content = b"a few words, " * 50_000
    (tmp_path / "words.txt").write_bytes(content)
    sources = {"path": tmp_path / "words.txt", "bytes": content, "file": io.BytesIO(content)}
    asset = await client.upload(sources[kind])
    assert (asset.size, asset.reference) == (len(content), f"asset:{asset.id}")
    assert b"".join([chunk async for chunk in client.read(asset)]) == content


async def test_a_file_that_is_not_there_is_not_sent(client, tmp_path):
    with pytest.raises(FileNotFoundError):
        await client.upload(tmp_path / "nothing.png")


async def test_an_address_for_a_file_is_made(client):
    plain = await client.create_upload()
    assert (plain.method, plain.media_type) == ("PUT", "*/*")
    upload = await client.create_upload(max_bytes=100, media_type="text/*", expires_in_s=60)
    assert (upload.max_bytes, upload.reference) == (100, f"asset:{upload.asset_id}")
    assert timedelta() < upload.expires_at - datetime.now(UTC) <= timedelta(seconds=60)
    assert upload.url not in repr(upload)
    async with aiohttp.ClientSession() as page, page.put(URL(upload.url, encoded=True), data=b"words") as answer:
        assert (answer.status, (await answer.json())["id"]) == (201, upload.asset_id)
    with pytest.raises(ApiRefused, match="/media_type"):
        await client.create_upload(media_type="images")


async def test_a_client_token_is_made_used_and_revoked(client, api):
    terms = ClientTerms(
        models=EASEL, max_tasks=1, max_usd=Decimal("0.50"), expires_in_s=60, metadata={"customer": "u-17"}
    )
    token = await client.create_client_token(terms)
    assert (token.models, token.max_tasks, token.max_usd, token.tasks) == ((EASEL,), 1, Decimal("0.50"), ())
    assert timedelta() < token.expires_at - datetime.now(UTC) <= timedelta(seconds=60)
    assert token.token not in repr(token)
    async with AsyncGenPulse(api.url, token.token) as page:
        task = await page.submit(EASEL, {"prompt": "a fox"})
        assert task.metadata == {"customer": "u-17"}
        with pytest.raises(ApiRefused) as refused:
            await page.submit(EASEL, {"prompt": "a fox"})
        assert refused.value.code == "client_token_used_up"
    seen = await client.client_token(token)
    assert (seen.used_tasks, seen.used_usd, seen.token) == (1, 0, None)
    assert [one.id for one in await client.client_tokens()] == [token.id]
    await client.revoke_client_token(token)
    assert await client.client_tokens() == ()
    assert (await client.client_token(token.id)).revoked_at
    watching = await client.create_client_token(ClientTerms(tasks=[task.id], may_cancel=False))
    assert watching.tasks == (task.id,)
    with pytest.raises(ApiRefused, match="/uploads/media_type"):
        await client.create_client_token(ClientTerms(models=[EASEL], max_files=1, media_type="images"))


async def test_models_are_listed(client):
    models = await client.models()
    assert [model.id for model in models] == [EASEL, "art/print"]
    model = await client.model(EASEL)
    assert (model.title, model.kinds, model.paid) == ("Easel", ("text-to-image",), False)
    assert model.input_schema["properties"]["width"]["maximum"] == 2048
    assert [provider["name"] for provider in await client.providers()] == ["art"]
    with pytest.raises(ApiRefused, match="art/chisel"):
        await client.model("art/chisel")


@pytest.mark.parametrize("word", ["x?limit=1", "x#y", "100%", "%2e%2e", "a b", "ä"])
async def test_what_is_no_id_is_a_name_all_the_same_and_leads_nowhere_else(client, word):
    for call in (client.get, client.cancel, client.retry, client.model, client.wait):
        with pytest.raises(ApiRefused) as refused:
            await call(word)
        assert refused.value.status == 404
        assert f"{word!r}" in str(refused.value)


async def test_what_is_deleted_is_there_no_more(client):
    task = await client.submit(EASEL, FOX)
    words = await client.upload(b"a few words")
    await client.delete(task)
    await client.delete_asset(words.id)
    for gone in (client.get(task.id), client.delete_asset(task.id)):
        with pytest.raises(ApiRefused) as refused:
            await gone
        assert refused.value.status == 404
    with pytest.raises(ApiRefused) as refused:
        assert [chunk async for chunk in client.read(words)] == []
    assert refused.value.status == 404


@pytest.mark.parametrize("word", ["", ".", "..", "../models", "a/../b", "a/"])
async def test_a_name_that_would_be_a_step_of_a_path_is_asked_of_nobody(client, word):
    for call in (client.get, client.cancel, client.retry, client.model, client.wait, client.delete):
        with pytest.raises(InvalidId, match="is no id"):
            await call(word)


async def test_a_submit_waits_until_the_database_is_back(api, client):
    api.store.away = True

    async def come_back():
        await asyncio.sleep(0.3)
        api.store.away = False

    back = asyncio.create_task(come_back())
    task = await client.submit(EASEL, FOX)
    await back
    assert (await client.get(task.id)).status == "queued"


async def test_it_works_without_with_and_after_it_was_closed(api):
    for flavour in FLAVOURS.values():
        client = flavour(api.url)
        assert await client.models()
        await client.aclose()
        assert await client.models()
        await client.aclose()


async def test_moments_of_a_filter_are_sent_with_their_zone(client):
    task = await client.submit(EASEL, FOX)
    day = timedelta(days=1)
    found = client.list(created_after=datetime.now(UTC) - day, created_before=datetime.now() + day)  # noqa: DTZ005
    assert [each.id async for each in found] == [task.id]
    assert [each async for each in client.list(created_before=datetime.now(UTC) - day)] == []


async def test_tasks_are_found_by_several_values_of_several_fields(client):
    one = await client.submit(EASEL, FOX, metadata={"customer": "acme"})
    two = await client.submit(EASEL, {"prompt": "a hen"}, metadata={"customer": "beta"})
    found = client.list(metadata={"customer": ["acme", "beta"]}, status=["queued", "failed"], model=EASEL)
    assert [each.id async for each in found] == [two.id, one.id]
    assert [each.id async for each in client.list(text="hen", ids=[one.id, two.id])] == [two.id]


async def test_an_action_on_many_is_counted_and_then_done(client):
    task = await client.submit(EASEL, FOX, metadata={"customer": "acme"})
    wanted = TaskFilter(metadata={"customer": "acme"}, created_after=datetime.now(UTC) - timedelta(days=1))
    counted = await client.act("cancel", wanted)
    assert (counted.count, counted.done, counted.left_out) == (1, None, {})
    done = await client.act("cancel", wanted, confirm=counted.confirm)
    assert (done.count, done.done, done.confirm) == (None, 1, None)
    assert (await client.get(task.id)).status == "canceled"
    assert await client.attempts(task) == ()
    assert await client.ledger(task) == ()
    assert await client.deliveries(task) == ()
    with pytest.raises(ApiRefused):
        await client.act("cancel", TaskFilter())


async def test_usage_has_a_row_for_each_group(client):
    await client.submit(EASEL, FOX, metadata={"customer": "acme"})
    usage = await client.usage(
        since=datetime.now(UTC) - timedelta(days=1), group_by=["model", "metadata.customer"]
    )
    assert [(row["model"], row["metadata"], row["count"]) for row in usage.rows] == [
        (EASEL, {"customer": "acme"}, 1)
    ]
