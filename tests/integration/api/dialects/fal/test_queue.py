"""fal's queue: submit, status, result, cancel."""

import asyncio

import pytest

from genpulse.domain.attempt import Failed
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.task import Priority
from genpulse.lifecycle.sweep import sweep
from tests.api_keys import added
from tests.integration.api.dialects.fal.conftest import ALIAS, APP

UNKNOWN = "0198c4a5-1111-7000-8000-000000000000"


async def test_a_request_goes_from_the_queue_to_its_output(fal):
    fal.api.easel.allowed.clear()
    answer = await fal.submit()
    assert answer.status == 200
    queued = answer.json
    base = f"{fal.api.url}/fal/queue/{APP}/requests/{queued['request_id']}"
    assert queued["status"] == "IN_QUEUE"
    assert queued["queue_position"] == 0
    assert (queued["response_url"], queued["status_url"], queued["cancel_url"]) == (
        base,
        f"{base}/status",
        f"{base}/cancel",
    )
    assert answer.headers["X-Fal-Request-Id"] == queued["request_id"]
    waiting = await fal.status(queued["request_id"])
    assert (waiting.status, waiting.json["status"], waiting.json["queue_position"]) == (202, "IN_QUEUE", 0)
    early = await fal.result(queued["request_id"])
    assert (early.status, early.json["detail"]) == (400, "Request is still in progress")
    async with fal.api.worker():
        await fal.api.easel.half_way.wait()
        running = await fal.status(queued["request_id"], query="?logs=True")
        assert (running.status, running.json["status"]) == (202, "IN_PROGRESS")
        fal.api.easel.allowed.set()
        done = await fal.completed(queued["request_id"])
    assert done["metrics"]["inference_time"] >= 0
    assert (done["error"], done["error_type"]) == (None, None)
    (line,) = done["logs"]
    assert (line["message"], line["level"], line["source"]) == ("half of it", "INFO", "USER")
    result = await fal.result(queued["request_id"])
    assert (result.status, result.headers["X-Fal-Request-Id"]) == (200, queued["request_id"])
    (file,) = [result.json["file"]]
    async with fal.api.client.get(file["url"], headers={"Authorization": "Key of_somebody"}) as content:
        assert (content.status, await content.read()) == (200, b"drawing of a fox")
    assert file["file_size"] == len(b"drawing of a fox")


async def test_status_has_every_field_that_clients_read_unguarded(fal):
    """`queue_position` in the queue and `logs` after it, also where nobody asked for logs."""
    fal.api.easel.allowed.clear()
    request_id = (await fal.submit()).json["request_id"]
    assert "queue_position" in (await fal.status(request_id)).json
    async with fal.api.worker():
        await fal.api.easel.half_way.wait()
        for query in ("", "?logs=false", "?logs=0"):
            document = (await fal.status(request_id, query=query)).json
            assert (document["status"], document["logs"]) == ("IN_PROGRESS", None)
        fal.api.easel.allowed.set()
        await fal.completed(request_id)
    assert (await fal.status(request_id)).json["logs"] is None


@pytest.mark.parametrize("app", [ALIAS, "fal-ai/flux", "workflows/fal-ai/flux", "any/thing/at/all"])
async def test_a_request_is_asked_for_under_any_path_of_its_app(fal, app):
    request_id = (await fal.submit(ALIAS)).json["request_id"]
    document = (await fal.status(request_id, app)).json
    owner_and_alias = "/".join(app.split("/")[: 3 if app.startswith("workflows") else 2])
    assert document["status_url"].endswith(f"/fal/queue/{owner_and_alias}/requests/{request_id}/status")
    assert (await fal.call("GET", f"/queue/{app}/requests/{request_id}/response")).status == 400
    assert (await fal.cancel(request_id, app)).status == 202


async def test_an_alias_is_found_in_any_case_and_by_its_number(open_door):
    fal = await open_door(aliases={"110602490/lora": APP, ALIAS: APP})
    for app in ("110602490-lora", "FAL-AI/Flux/dev"):
        assert (await fal.submit(app)).status == 200


async def test_canceling(fal):
    request_id = (await fal.submit()).json["request_id"]
    answer = await fal.cancel(request_id)
    assert (answer.status, answer.json) == (202, {"status": "CANCELLATION_REQUESTED"})
    done = await fal.completed(request_id)
    assert (done["error_type"], bool(done["error"])) == ("client_cancelled", True)
    assert (await fal.cancel(request_id)).status == 202
    result = await fal.result(request_id)
    assert (result.status, result.json["error_type"]) == (499, "client_cancelled")
    ended = (await fal.submit()).json["request_id"]
    async with fal.api.worker():
        await fal.completed(ended)
    answer = await fal.cancel(ended)
    assert (answer.status, answer.json["status"]) == (400, "ALREADY_COMPLETED")
    answer = await fal.cancel(UNKNOWN)
    assert (answer.status, answer.json["status"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        (FailureCode.INVALID_INPUT, 422, "value_error"),
        (FailureCode.MODERATION_BLOCKED, 422, "content_policy_violation"),
        (FailureCode.PROVIDER_REJECTED, 400, "downstream_service_error"),
        (FailureCode.PROVIDER_UNAVAILABLE, 500, "downstream_service_unavailable"),
        (FailureCode.RATE_LIMITED, 500, "downstream_service_unavailable"),
        (FailureCode.QUOTA_EXHAUSTED, 500, "internal_server_error"),
        (FailureCode.AUTHENTICATION_FAILED, 500, "internal_server_error"),
        (FailureCode.TIMEOUT, 500, "generation_timeout"),
        (FailureCode.DEADLINE_EXCEEDED, 504, "request_timeout"),
        (FailureCode.BUDGET_EXCEEDED, 403, "budget_exceeded"),
        (FailureCode.PAID_PROVIDER_REFUSED, 403, "paid_provider_refused"),
        (FailureCode.UNKNOWN_OUTCOME, 500, "internal_server_error"),
        (FailureCode.OUTPUT_UNAVAILABLE, 500, "internal_server_error"),
        (FailureCode.INTERNAL, 500, "internal_server_error"),
        (FailureCode.WORKER_LOST, 500, "internal_server_error"),
        (FailureCode.FOREIGN_ENVIRONMENT, 500, "internal_server_error"),
    ],
)
async def test_a_request_that_failed_is_completed_and_fails_where_its_result_is(fal, code, status, kind):
    request_id = (await fal.submit()).json["request_id"]
    failure = Failure(code, "It went wrong.", False, Charged.NO, Actor.NOBODY)
    await fal.api.end(Failed(failure))
    told = (await fal.status(request_id)).json
    assert (told["status"], told["error"], told["error_type"]) == ("COMPLETED", "It went wrong.", kind)
    answer = await fal.result(request_id)
    assert (answer.status, answer.headers["X-Fal-Error-Type"]) == (status, kind)
    detail = answer.json["detail"]
    assert (detail if isinstance(detail, str) else detail[0]["msg"]) == "It went wrong."
    assert status not in {408, 409, 429, 502, 503}, "clients would ask again"
    if status == 504:
        assert answer.headers["X-Fal-Request-Timeout-Type"] == "user"


def test_every_code_of_failures_is_told(request):
    (mark,) = [
        mark
        for mark in test_a_request_that_failed_is_completed_and_fails_where_its_result_is.pytestmark
        if mark.name == "parametrize"
    ]
    assert {case[0] for case in mark.args[1]} == set(FailureCode)


@pytest.mark.parametrize(
    ("word", "priority"), [("normal", Priority.NORMAL), ("low", Priority.LOW), (None, Priority.NORMAL)]
)
async def test_priorities(fal, word, priority):
    headers = {"X-Fal-Queue-Priority": word} if word else {}
    request_id = (await fal.submit(headers=headers)).json["request_id"]
    assert (await fal.api.get(f"/v1/tasks/{request_id}")).json["priority"] == priority.word


async def test_a_request_of_another_key_is_not_found(fal):
    _, ours = await added(fal.api.services.keys)
    _, theirs = await added(fal.api.services.keys)
    request_id = (await fal.as_caller(ours).submit()).json["request_id"]
    assert (await fal.as_caller(ours).status(request_id)).status == 202
    for answer in (
        await fal.as_caller(theirs).status(request_id),
        await fal.as_caller(theirs).result(request_id),
        await fal.as_caller(theirs).cancel(request_id),
        await fal.as_caller(theirs).call("GET", f"/queue/{APP}/requests/{request_id}/status/stream"),
    ):
        assert answer.status == 404, answer.body
    assert (await fal.as_caller(ours).status(request_id)).json["status"] == "IN_QUEUE"


async def test_a_task_that_came_by_our_own_api_is_read_and_canceled_here(fal):
    task = (await fal.api.submit()).json
    assert (await fal.status(task["id"])).json["status"] == "IN_QUEUE"
    assert (await fal.cancel(task["id"])).status == 202
    assert (await fal.api.get(f"/v1/tasks/{task['id']}")).json["status"] == "canceled"
    listed = (await fal.api.get("/v1/tasks")).json["data"]
    assert [each["id"] for each in listed] == [task["id"]]


async def test_where_it_stands_is_told_while_the_database_is_away(fal):
    request_id = (await fal.submit()).json["request_id"]
    assert (await fal.status(request_id)).status == 202
    fal.api.store.away = True
    for _ in range(3):
        assert (await fal.status(request_id)).json["status"] == "IN_QUEUE"
    unknown = await fal.status(UNKNOWN)
    assert (unknown.status, unknown.headers["Retry-After"]) == (503, "5")


async def test_a_request_that_does_not_begin_in_time_is_given_up(fal):
    request_id = (await fal.submit(headers={"X-Fal-Request-Timeout": "0.001"})).json["request_id"]
    async with asyncio.timeout(60):
        while not await sweep(fal.api.services):
            await asyncio.sleep(0.01)
    assert (await fal.completed(request_id))["error_type"] == "request_timeout"
    answer = await fal.result(request_id)
    assert (answer.status, answer.headers["X-Fal-Request-Timeout-Type"]) == (504, "user")
    assert answer.json["error_type"] == "request_timeout"
