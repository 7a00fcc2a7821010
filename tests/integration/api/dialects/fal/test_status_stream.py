"""The status of a request as Server-Sent Events."""

import asyncio
import json

from tests.integration.api.dialects.fal.conftest import APP


async def documents(fal, request_id, query="?logs=1", seen=None):
    seen = [] if seen is None else seen
    url = f"{fal.api.url}/fal/queue/{APP}/requests/{request_id}/status/stream{query}"
    async with asyncio.timeout(60), fal.api.client.get(url) as response:
        assert response.headers["X-Fal-Request-Id"] == request_id
        async for line in response.content:
            if line.startswith(b"data: "):
                seen.append(json.loads(line[6:]))
    return seen


async def test_it_tells_each_change_and_ends_with_the_request(fal):
    fal.api.easel.allowed.clear()
    request_id = (await fal.submit()).json["request_id"]
    seen = []
    streaming = asyncio.create_task(documents(fal, request_id, seen=seen))
    while not seen:
        await asyncio.sleep(0.01)
    assert (seen[0]["status"], seen[0]["queue_position"]) == ("IN_QUEUE", 0)
    async with fal.api.worker():
        while not any(each.get("logs") for each in seen):
            await asyncio.sleep(0.01)
        fal.api.easel.allowed.set()
        await streaming
    assert [each["status"] for each in seen if each["status"] != "IN_PROGRESS"] == ["IN_QUEUE", "COMPLETED"]
    assert [line["message"] for each in seen for line in each.get("logs") or ()] == ["half of it"]


async def test_of_one_that_has_ended_it_tells_that_alone(fal):
    request_id = (await fal.submit()).json["request_id"]
    await fal.cancel(request_id)
    (document,) = await documents(fal, request_id, query="")
    assert (document["status"], document["logs"], document["error_type"]) == (
        "COMPLETED",
        None,
        "client_cancelled",
    )
