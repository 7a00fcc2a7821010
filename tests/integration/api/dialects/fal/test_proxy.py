"""What the JavaScript client sends through one address."""

import pytest

from tests.api_keys import added
from tests.integration.api.dialects.fal.conftest import APP


async def through(fal, method, target, **words):
    headers = {"x-fal-target-url": target} if target is not None else {}
    return await fal.call(method, "/proxy", headers=headers, **words)


@pytest.mark.parametrize("domain", ["fal.run", "fal.example.org"])
async def test_calls_of_the_queue(fal, domain):
    queue = f"https://queue.{domain}/{APP}"
    answer = await through(fal, "POST", f"{queue}?fal_webhook=https://example.org/h", json={"prompt": "a"})
    request_id = answer.json["request_id"]
    assert answer.headers["X-Fal-Request-Id"] == request_id
    one = f"{queue}/requests/{request_id}"
    status = await through(fal, "GET", f"{one}/status?logs=1")
    assert (status.status, status.json["status"]) == (202, "IN_QUEUE")
    assert (await through(fal, "PUT", f"{one}/cancel")).status == 202
    assert (await through(fal, "GET", one)).status == 499
    stream = await through(fal, "GET", f"{one}/status/stream?logs=1")
    assert b"COMPLETED" in stream.body
    assert stream.headers["X-Fal-Request-Id"] == request_id
    assert (await fal.api.get(f"/v1/tasks/{request_id}")).status == 200


async def test_runs_and_streams(fal):
    async with fal.api.worker():
        ran = await through(fal, "POST", f"https://fal.run/{APP}", json={"prompt": "a"})
        streamed = await through(fal, "POST", f"https://fal.run/{APP}/stream", json={"prompt": "b"})
    assert list(ran.json) == ["file"]
    assert streamed.body.startswith(b"data: ")


async def test_uploads(fal):
    target = "https://rest.fal.ai/storage/upload/initiate?storage_type=fal-cdn-v3"
    answer = await through(fal, "POST", target, json={"content_type": "image/png", "file_name": "a.png"})
    assert set(answer.json) == {"upload_url", "file_url"}


@pytest.mark.parametrize(
    "target",
    [None, "", "nonsense", "ftp://fal.run/a/b", "https://", "https://fal.run/", "http://[", "//fal.run/a"],
)
async def test_a_target_that_leads_nowhere(fal, target):
    answer = await through(fal, "POST", target, json={})
    assert (answer.status, answer.json["error_type"]) == (400, "bad_request")


async def test_what_there_is_not_behind_it(fal):
    assert (await through(fal, "GET", "https://rest.fal.ai/proxy")).status == 404
    assert (await through(fal, "DELETE", f"https://queue.fal.run/{APP}")).status == 405
    assert (await through(fal, "GET", f"https://queue.fal.run/{APP}/requests/x/status")).status == 404


async def test_what_a_key_may_not_it_may_not_by_the_proxy(fal):
    _, key = await added(fal.api.services.keys)
    caller = fal.as_caller(key)
    request_id = (await caller.submit()).json["request_id"]
    one = f"https://queue.fal.run/{APP}/requests/{request_id}/status"
    assert (await through(fal, "GET", one)).status == 401
    assert (await through(caller, "GET", one)).status == 202
    _, other = await added(fal.api.services.keys)
    assert (await through(fal.as_caller(other), "GET", one)).status == 404
