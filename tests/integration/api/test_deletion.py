"""Deleting tasks and assets over HTTP."""

import asyncio
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest

from genpulse.domain.keys.api_key import KeyLimits, Scope
from genpulse.lifecycle.removal.erase import erase
from tests.api_keys import added
from tests.integration.api.conftest import rows_on

PROMPT = {"prompt": "a very private fox"}


async def made(api, **options):
    async with api.worker():
        return (await api.submit(headers={"Prefer": "wait=20", **options.pop("headers", {})}, **options)).json


async def erased(api):
    return await erase(api.services, settled_s=0)


async def test_a_task_is_gone_for_everybody_from_the_answer_on(either):
    task = await made(either)
    answer = await either.call("DELETE", f"/v1/tasks/{task['id']}")
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers.get("Content-Type") is None
    path = f"/v1/tasks/{task['id']}"
    for shown in (path, f"{path}/events", f"{path}/deliveries"):
        (await either.get(shown)).problem(404, "unknown_task")
    for verb in ("cancel", "retry"):
        (await either.post(f"{path}/{verb}")).problem(404, "unknown_task")
    assert (await either.get("/v1/tasks")).json["data"] == []
    await refuse_output(either, task)
    assert (await either.call("DELETE", path)).status == 204
    assert (await erased(either)).objects == 1
    assert (await either.call("DELETE", path)).status == 204
    await refuse_output(either, task)


async def refuse_output(api, task):
    (output,) = task["outputs"]
    path = f"/v1/assets/{output['id']}"
    for shown in (path, f"{path}/content", urlsplit(output["url"])._replace(scheme="", netloc="").geturl()):
        (await api.get(shown)).problem(404, "unknown_asset")


@pytest.mark.parametrize("task_id", ["01a22867-c67d-7718-9c7d-4cc355460566", "x", "batch"])
async def test_what_is_no_task_is_refused(api, task_id):
    answer = await api.call("DELETE", f"/v1/tasks/{task_id}")
    if task_id == "batch":
        assert answer.status == 405
        assert answer.headers["Allow"] == "POST"
    else:
        answer.problem(404, "unknown_task")


async def test_the_methods_of_a_task_and_an_asset_are_told(api):
    answer = await api.call("PUT", f"/v1/tasks/{uuid4()}")
    assert set(answer.headers["Allow"].split(", ")) == {"DELETE", "GET", "HEAD"}
    answer = await api.call("PUT", f"/v1/assets/{uuid4()}")
    assert set(answer.headers["Allow"].split(", ")) == {"DELETE", "GET", "HEAD"}


async def test_a_key_deletes_its_own_alone(either):
    (_, own), (_, other) = [await added(either.services.keys) for _ in range(2)]
    _, admin = await added(either.services.keys, scopes=frozenset({Scope.ADMIN}))
    _, reader = await added(either.services.keys, scopes=frozenset({Scope.READ}))
    task = await made(either, headers=own)
    path = f"/v1/tasks/{task['id']}"
    (await either.call("DELETE", path, headers=reader)).problem(403, "insufficient_scope")
    (await either.call("DELETE", path, headers=other)).problem(404, "unknown_task")
    asset = f"/v1/assets/{task['outputs'][0]['id']}"
    (await either.call("DELETE", asset, headers=other)).problem(404, "unknown_asset")
    assert (await either.call("DELETE", path, headers=admin)).status == 204
    (await either.call("DELETE", path, headers=other)).problem(404, "unknown_task")
    assert (await either.call("DELETE", path, headers=own)).status == 204


async def test_the_idempotency_key_of_a_deleted_task_does_not_pay_again(either):
    key = {"Idempotency-Key": "order-1"}
    task = await made(either, headers=key)
    await either.call("DELETE", f"/v1/tasks/{task['id']}")
    (await either.submit(headers=key)).problem(409, "task_deleted")
    await erased(either)
    (await either.submit(headers=key)).problem(409, "task_deleted")


async def test_an_output_that_was_deleted_is_a_warning(either):
    task = await made(either)
    asset = task["outputs"][0]["id"]
    assert (await either.call("DELETE", f"/v1/assets/{asset}")).status == 204
    shown = (await either.get(f"/v1/tasks/{task['id']}")).json
    assert (shown["status"], shown["outputs"]) == ("succeeded", [])
    assert [(one["code"], one["index"]) for one in shown["warnings"]] == [("output_missing", 0)]
    (await either.get(f"/v1/assets/{asset}")).problem(404, "unknown_asset")
    assert (await either.call("DELETE", f"/v1/assets/{asset}")).status == 204
    await erased(either)
    (await either.call("DELETE", f"/v1/assets/{asset}")).problem(404, "unknown_asset")


async def test_an_upload_that_a_task_waits_with_is_refused_by_its_name(either):
    upload = (await either.upload(b"photo")).json["id"]
    task = (await either.submit(input={"prompt": f"asset:{upload}"})).json
    problem = (await either.call("DELETE", f"/v1/assets/{upload}")).problem(409, "asset_in_use")
    assert task["id"] in problem["detail"]
    await either.call("DELETE", f"/v1/tasks/{task['id']}")
    assert (await either.call("DELETE", f"/v1/assets/{upload}")).status == 204
    assert (await erased(either)).objects == 1


async def test_a_stream_ends_when_its_task_is_deleted(api):
    api.easel.allowed.clear()
    async with api.worker():
        task = (await api.submit()).json
        stream = asyncio.create_task(api.get(f"/v1/tasks/{task['id']}/events"))
        await api.easel.half_way.wait()
        await api.call("DELETE", f"/v1/tasks/{task['id']}")
        async with asyncio.timeout(60):
            answer = await stream
        api.easel.allowed.set()
    assert answer.status == 200
    assert b"event: done" not in answer.body


async def test_whoever_waits_for_a_task_that_is_deleted_gets_it_as_it_was(api):
    api.easel.allowed.clear()
    async with api.worker():
        submit = asyncio.create_task(api.submit(headers={"Prefer": "wait=20"}))
        await api.easel.half_way.wait()
        (task,) = (await api.get("/v1/tasks")).json["data"]
        await api.call("DELETE", f"/v1/tasks/{task['id']}")
        async with asyncio.timeout(60):
            answer = await submit
        api.easel.allowed.set()
    assert answer.status == 202
    assert answer.json["id"] == task["id"]


async def test_the_shortest_retention_counts(either):
    _, own = await added(either.services.keys, limits=KeyLimits(retain_s=600))
    for asked, kept in ((None, 600), (60, 60), (6000, 600)):
        changes = {} if asked is None else {"retain_s": asked}
        assert (await either.submit(headers=own, **changes)).json["retain_s"] == kept


async def test_a_whole_number_may_be_written_with_a_point(api):
    assert (await api.submit(retain_s=60.0)).json["retain_s"] == 60


@pytest.mark.parametrize("retain_s", [-1, 1.5, "60", True, 10**12])
async def test_a_retention_that_cannot_be_meant_is_refused(api, retain_s):
    problem = (await api.submit(retain_s=retain_s)).problem(422, "invalid_input")
    assert problem["errors"][0]["pointer"] == "/retain_s"


async def test_nothing_of_the_content_is_kept(api_on_rows):
    api, pool = api_on_rows
    upload = (await api.upload(b"photo")).json["id"]
    body = {
        "input": PROMPT | {"width": 70},
        "metadata": {"customer": "private"},
        "webhook_url": "https://private.example/",
    }
    task = await made(api, headers={"Idempotency-Key": "private-key"}, **body)
    await api.call("DELETE", f"/v1/tasks/{task['id']}")
    await api.call("DELETE", f"/v1/assets/{upload}")
    await erased(api)
    tables = [
        row["name"]
        for row in await pool.fetch(
            "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'"
        )
    ]
    for table in tables:
        for row in await pool.fetch(f'SELECT to_jsonb(t)::text AS text FROM "{table}" AS t'):
            assert "private" not in row["text"], table
            assert table in {"tombstones", "doomed_objects"} or task["id"] not in row["text"], (table, row["text"])
    stone = await pool.fetchrow("SELECT * FROM tombstones")
    assert (stone["id"], stone["status"], stone["reason"]) == (UUID(task["id"]), "succeeded", "request")
    assert (stone["attempts"], stone["assets"], stone["bytes"]) == (1, 1, task["outputs"][0]["bytes"])


@pytest.fixture
async def api_on_rows(serve, migrated_url, pools):
    async with rows_on(migrated_url, pools) as changes:
        yield await serve(**changes), changes["store"]._pool
