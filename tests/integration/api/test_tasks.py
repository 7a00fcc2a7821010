"""Submitting tasks, looking at them, changing their course."""

import asyncio
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from genpulse.api.options import ApiOptions
from genpulse.domain.money.spending import Spending
from genpulse.domain.task import NewTask
from genpulse.provider import Model, Provider
from genpulse.providers.catalog import LoadedCatalogue
from tests.integration.api.conftest import Easel, Sketch

FIELDS = {
    *("id", "kind", "provider", "model", "status", "progress", "input", "outputs", "error", "attempt"),
    *("warnings", "last_error", "waiting_for", "next_try_at", "cancel_requested_at", "failures"),
    *("priority", "metadata", "key", "retain_s", "batch", "cost", "environment", "created_at", "started_at"),
    *("finished_at", "urls", "run_at", "depends_on", "route", "result"),
}


async def test_a_submitted_task_is_accepted_and_can_be_looked_at(api):
    accepted = await api.submit(
        kind="text-to-image",
        priority="high",
        metadata={"order": "1042"},
        deadline_s=600,
        webhook_url="https://a.example/x",
    )
    task = accepted.json
    assert accepted.status == 202
    assert accepted.headers["Content-Type"] == "application/json"
    assert accepted.headers["Location"] == task["urls"]["self"] == f"{api.url}/v1/tasks/{task['id']}"
    assert set(task) == FIELDS
    assert UUID(task["id"]).version == 7
    assert (task["status"], task["priority"], task["environment"]) == ("queued", "high", "dev")
    assert (task["provider"], task["model"], task["kind"]) == ("art", "art/easel", "text-to-image")
    assert task["metadata"] == {"order": "1042"}
    assert task["input"] == {"prompt": "a fox"}
    assert task["created_at"].endswith("Z")
    assert task["waiting_for"] == {"what": "worker", "since": task["created_at"]}
    assert [task[name] for name in ("last_error", "next_try_at", "cancel_requested_at", "failures")] == [
        None
    ] * 3 + [0]
    assert task["urls"]["events"].partition("?")[0] == f"{api.url}/v1/tasks/{task['id']}/events"
    assert (await api.get(f"/v1/tasks/{task['id']}")).json == task


async def test_a_task_runs_to_its_end_and_its_output_can_be_fetched(api):
    async with api.worker():
        task = await api.ended((await api.submit()).json["id"])
    assert (task["status"], task["progress"], task["attempt"]) == ("succeeded", 1.0, 1)
    assert task["finished_at"].endswith("Z")
    [output] = task["outputs"]
    facts = {"media_type", "bytes", "sha256", "width", "height", "duration_s"}
    assert set(output) == {"id", "url", "thumbnail_url", *facts}
    assert output["url"].partition("?")[0] == f"{api.url}/v1/assets/{output['id']}/content"
    fetched = await api.get(output["url"].removeprefix(api.url))
    assert fetched.body == b"drawing of a fox"


async def test_a_failed_task_says_why_and_runs_again_when_asked(api):
    api.easel.failures = 1
    async with api.worker():
        failed = await api.ended((await api.submit()).json["id"])
        assert failed["error"] == {
            "code": "provider_rejected",
            "message": "The easel fell over.",
            "retryable": False,
            "charged": "no",
            "who_must_act": "operator",
        }
        again = await api.post(f"/v1/tasks/{failed['id']}/retry")
        assert (again.status, again.json["status"], again.json["error"]) == (202, "queued", None)
        assert again.headers["Location"] == failed["urls"]["self"]
        ended = await api.ended(failed["id"])
    assert (ended["status"], ended["attempt"]) == ("succeeded", 2)


async def test_only_a_failed_task_runs_again(api):
    task = (await api.submit()).json
    refused = await api.post(f"/v1/tasks/{task['id']}/retry")
    assert "queued" in refused.problem(409, "not_retryable")["detail"]


async def test_a_queued_task_is_canceled_at_once_and_an_ended_one_stays_as_it_is(api):
    task = (await api.submit()).json
    canceled = await api.post(f"/v1/tasks/{task['id']}/cancel")
    assert (canceled.status, canceled.json["status"]) == (200, "canceled")
    assert (await api.post(f"/v1/tasks/{task['id']}/cancel")).json == canceled.json


async def test_a_running_task_is_canceled_by_its_worker(api):
    api.easel.allowed.clear()
    async with api.worker():
        task = (await api.submit()).json
        async with asyncio.timeout(60):
            await api.easel.half_way.wait()
        asked = await api.post(f"/v1/tasks/{task['id']}/cancel")
        assert (asked.status, asked.json["status"]) == (200, "running")
        assert (await api.ended(task["id"]))["status"] == "canceled"


async def test_an_unknown_task_is_not_found(api):
    for call in ["", "/cancel", "/retry", "/events", "/deliveries"]:
        for task_id in ["0197a3a6-0000-7000-8000-000000000000", "nonsense", "%00", "a" * 36]:
            method = "POST" if call in {"/cancel", "/retry"} else "GET"
            refused = await api.call(method, f"/v1/tasks/{task_id}{call}")
            refused.problem(404, "unknown_task")


async def test_a_known_task_has_no_deliveries_yet(api):
    task = (await api.submit()).json
    assert (await api.get(f"/v1/tasks/{task['id']}/deliveries")).json == {"data": []}


async def test_the_same_idempotency_key_and_body_give_the_same_task(api):
    first = await api.submit(headers={"Idempotency-Key": "order 1042"})
    again = await api.submit(headers={"Idempotency-Key": "order 1042"})
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (again.status, again.json["id"]) == (202, first.json["id"])
    assert len((await api.get("/v1/tasks")).json["data"]) == 1


async def test_the_same_idempotency_key_with_another_body_is_refused(api):
    await api.submit(headers={"Idempotency-Key": "k"})
    refused = await api.submit(headers={"Idempotency-Key": "k"}, priority="low")
    refused.problem(422, "idempotency_key_reuse")


async def test_an_idempotency_key_that_cannot_be_one_is_refused(api):
    for key in ["", "k" * 256, "schl\u00fcssel"]:
        refused = await api.submit(headers={"Idempotency-Key": key})
        refused.problem(400, "invalid_idempotency_key")


async def test_a_second_idempotency_key_is_refused(api):
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    (await api.submit(headers=headers)).problem(400, "invalid_idempotency_key")


async def test_waiting_answers_with_the_end(api):
    async with api.worker():
        ended = await api.submit(headers={"Prefer": "respond-async, wait=10; x=y"})
    assert (ended.status, ended.json["status"]) == (200, "succeeded")
    assert ended.headers["Preference-Applied"] == "wait=10"


async def test_waiting_ends_with_its_seconds(api):
    accepted = await api.submit(headers={"Prefer": "wait=1"})
    assert (accepted.status, accepted.json["status"]) == (202, "queued")


async def test_waiting_answers_202_when_the_server_stops(api):
    waiting = asyncio.create_task(api.submit(headers={"Prefer": "wait=60"}))
    async with asyncio.timeout(60):
        while not (await api.get("/v1/tasks")).json["data"]:
            await asyncio.sleep(0.01)
        api.app.state.context.stopping.set()
        assert (await waiting).status == 202


async def test_a_task_that_was_committed_is_accepted_whatever_happens_while_waiting(api):
    waiting = asyncio.create_task(api.submit(headers={"Prefer": "wait=60"}))
    async with asyncio.timeout(60):
        while not (await api.get("/v1/tasks")).json["data"]:
            await asyncio.sleep(0.01)
        api.store.away = True
        accepted = await waiting
    assert (accepted.status, accepted.json["status"]) == (202, "queued")


async def test_a_wait_that_is_not_from_1_to_60_is_refused(api):
    for wait in ["0", "61", "-1", "1.5", "soon", "", "1" * 5000]:
        (await api.submit(headers={"Prefer": f"wait={wait}"})).problem(400, "invalid_prefer")


async def test_other_preferences_are_left_alone(api):
    for said in (
        'return=minimal, handling="strict"',
        'note="a,wait=999"',
        r'note="\",wait=999"',
        'note="a,wait=999',
        ",",
    ):
        assert (await api.submit(headers={"Prefer": said})).status == 202
    answer = await api.submit(headers={"Prefer": 'note="a, b" , wait=1'})
    assert answer.headers["Preference-Applied"] == "wait=1"


async def test_a_batch_is_accepted_in_its_order(api):
    tasks = [{"model": "art/easel", "input": {"prompt": str(number)}} for number in range(30)]
    accepted = await api.post("/v1/tasks/batch", json={"tasks": tasks})
    assert accepted.status == 202
    assert [task["input"]["prompt"] for task in accepted.json["data"]] == [str(n) for n in range(30)]


async def test_a_batch_is_all_or_nothing_and_says_where_it_does_not_fit(api):
    good, bad = (
        {"model": "art/easel", "input": {"prompt": "x"}},
        {"model": "art/easel", "input": {"width": 0}},
    )
    refused = await api.post("/v1/tasks/batch", json={"tasks": [good, bad]})
    pointers = {error["pointer"] for error in refused.problem(422, "invalid_input")["errors"]}
    assert pointers == {"/tasks/1/input/prompt", "/tasks/1/input/width"}
    assert (await api.get("/v1/tasks")).json["data"] == []


async def test_a_batch_has_1_to_1000_tasks(api):
    for count in [0, 1001]:
        tasks = [{"model": "art/easel", "input": {"prompt": "x"}}] * count
        refused = await api.post("/v1/tasks/batch", json={"tasks": tasks})
        assert refused.problem(422, "invalid_input")["errors"][0]["pointer"] == "/tasks"


async def test_addresses_are_public_where_that_is_known(serve):
    api = await serve(ApiOptions(public_url="https://media.example/genpulse/"))
    task = (await api.submit()).json
    assert task["urls"]["self"] == f"https://media.example/genpulse/v1/tasks/{task['id']}"


def vendor(easel=None):
    """A catalogue of one provider that costs money: 0.30 USD a print."""
    price = Decimal("0.30")
    model = Model("print", ("text-to-image",), Sketch, easel or Easel(), price=lambda _sketch: price)
    return LoadedCatalogue([Provider("vendor", (model,), paid=True)])


PRINT = {"model": "vendor/print", "input": {"prompt": "a fox"}}


async def test_what_is_over_the_budget_of_the_day_is_refused_until_midnight(serve):
    spending = Spending(daily_usd=Decimal("0.50"), place="development")
    api = await serve(catalogue=vendor(), spending=spending)
    key = {"Idempotency-Key": "k"}
    first = await api.post("/v1/tasks", json=PRINT, headers=key)
    answer = await api.post("/v1/tasks", json=PRINT)
    detail = answer.problem(402, "budget_exceeded")["detail"]
    assert "costs 0.30 USD, and 0.30 of today's 0.50 USD" in detail
    assert "00:00 UTC" in detail
    assert "GENPULSE_BUDGET__DAILY_USD" in detail
    now = datetime.now(UTC)
    midnight = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
    assert int(answer.headers["Retry-After"]) == pytest.approx((midnight - now).total_seconds(), abs=30)
    batch = {"tasks": [PRINT]}
    (await api.post("/v1/tasks/batch", json=batch)).problem(402, "budget_exceeded")
    again = await api.post("/v1/tasks", json=PRINT, headers=key)
    assert (again.status, again.json["id"]) == (202, first.json["id"])
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len((await api.get("/v1/tasks")).json["data"]) == 1


async def test_what_may_not_cost_money_here_is_refused_and_says_what_allows_it(serve):
    api = await serve(catalogue=vendor(), spending=Spending(paid=False, place="development"))
    problem = (await api.post("/v1/tasks", json=PRINT)).problem(403, "paid_provider_refused")
    assert "GENPULSE_PROVIDERS__VENDOR__PAID=true" in problem["detail"]
    assert "development" in problem["detail"]
    (await api.post("/v1/tasks/batch", json={"tasks": [PRINT]})).problem(403, "paid_provider_refused")
    assert (await api.get("/v1/tasks")).json["data"] == []


async def test_a_retry_is_refused_as_a_new_task_would_be(serve):
    spending = Spending(daily_usd=Decimal("0.30"), place="development")
    api = await serve(catalogue=vendor(Easel(failures=1)), spending=spending)
    task = (await api.post("/v1/tasks", json=PRINT)).json
    async with api.worker():
        assert (await api.ended(task["id"]))["status"] == "failed"
    assert (await api.post("/v1/tasks", json=PRINT)).status == 202
    answer = await api.post(f"/v1/tasks/{task['id']}/retry")
    answer.problem(402, "budget_exceeded")
    assert int(answer.headers["Retry-After"]) > 0


async def test_nobody_waits_longer_than_the_installation_lets_them(serve):
    api = await serve(ApiOptions(longest_wait_s=1))
    accepted = await api.submit(headers={"Prefer": "wait=60"})
    assert (accepted.status, accepted.json["status"]) == (202, "queued")
    assert accepted.headers["Preference-Applied"] == "wait=1"


@pytest.mark.parametrize(
    ("changes", "fingerprint"),
    [
        ({}, "e5f55b3b6f7322c794d227356edf3ae693b69d38b7233180620ad5ce6720de23"),
        (
            {"deadline_s": 60, "priority": "low", "metadata": {"b": "2", "a": "1"}},
            "e95fabd6dcb24aeab4aadc4b4feb99dcb6a2996fa6dae192bd8d5a54b790fce2",
        ),
    ],
    ids=["least", "more"],
)
async def test_a_body_has_the_fingerprint_that_existing_databases_hold(api, changes, fingerprint):
    task_id = (await api.submit(headers={"Idempotency-Key": "k"}, **changes)).json["id"]
    stored = NewTask(UUID(task_id), "dev", "any", "art", "any", {}, idempotency_key="k", fingerprint=fingerprint)
    earlier = await api.store.earlier(stored)
    assert earlier is not None
    assert str(earlier.task.id) == task_id
