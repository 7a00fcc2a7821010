"""Calls that are held until their request has ended."""

import asyncio
import json

from genpulse.domain.attempt import Failed
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from tests.integration.api.dialects.fal.conftest import APP


async def run(fal, path=f"/run/{APP}", **words):
    return await fal.call("POST", path, json={"prompt": "a fox"}, **words)


async def test_a_run_is_answered_with_the_output(fal):
    async with fal.api.worker():
        answer = await run(fal)
    assert (answer.status, answer.json["file"]["content_type"]) == (200, "text/plain")
    (task,) = (await fal.api.get("/v1/tasks")).json["data"]
    assert answer.headers["X-Fal-Request-Id"] == task["id"]


async def test_a_stream_has_the_output_as_its_one_event(fal):
    async with fal.api.worker():
        answer = await run(fal, f"/run/{APP}/stream")
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    head, rest = answer.body.split(b" ", 1)
    assert (head, rest[-2:], list(json.loads(rest))) == (b"data:", b"\n\n", ["file"])


async def test_what_fails_is_told_by_the_status_of_both(fal):
    for path in (f"/run/{APP}", f"/run/{APP}/stream"):
        running = asyncio.create_task(run(fal, path))
        while not (await fal.api.get("/v1/tasks?status=queued")).json["data"]:
            await asyncio.sleep(0.01)
        failure = Failure(FailureCode.MODERATION_BLOCKED, "No.", False, Charged.NO, Actor.CALLER)
        await fal.api.end(Failed(failure))
        answer = await running
        assert (answer.status, answer.json["detail"][0]["loc"]) == (422, ["body", "prompt"])


async def test_one_that_takes_too_long_goes_on_and_is_not_asked_for_again(open_door):
    fal = await open_door(wait_s=0.05)
    answer = await run(fal)
    assert (answer.status, answer.headers["X-Fal-Request-Timeout-Type"]) == (504, "user")
    request_id = answer.headers["X-Fal-Request-Id"]
    assert request_id in answer.json["detail"]
    assert (await fal.status(request_id)).json["status"] == "IN_QUEUE"


async def test_the_first_name_of_the_host_tells_old_clients_from_new_ones(fal):
    """Those know one host, and put `queue.` before it."""
    answer = await run(fal, headers={"Host": "queue.localhost"})
    assert (answer.status, answer.json["status"]) == (200, "IN_QUEUE")
    request_id = answer.json["request_id"]
    assert answer.json["status_url"] == f"http://queue.localhost/fal/queue/{APP}/requests/{request_id}/status"
    for method, path, status in (("GET", "/status", 202), ("GET", "", 400), ("PUT", "/cancel", 202)):
        assert (await fal.call(method, f"/run/{APP}/requests/{request_id}{path}")).status == status
