"""Predictions of Replicate's API over HTTP."""

import asyncio
from uuid import UUID

import aiohttp
import pytest

from genpulse.adapters.memory.keys.api_keys import MemoryKeys
from genpulse.domain.attempt import Failed
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.keys.api_key import Scope
from genpulse.domain.search.task_query import TaskQuery
from genpulse.domain.submission.webhook_choice import WebhookEvent
from tests.api_keys import added

API = "/replicate/v1"
PINNED = "39ed52f2a78e934b3ba6e2a89f5b1c712de7dfea535525255b1aa35c5565e08b"


async def created(served, model="art/easel", *, headers=None, **body):
    document = {"input": {"prompt": "a fox"}} | body
    return await served.post(f"{API}/models/{model}/predictions", json=document, headers=headers)


async def test_a_prediction_begins_as_starting_with_every_field(served):
    answer = await created(served)
    document = answer.json
    assert answer.status == 201
    assert {key: document[key] for key in ("model", "status", "input", "output", "logs", "error", "metrics")} == {
        "model": "art/easel",
        "status": "starting",
        "input": {"prompt": "a fox"},
        "output": None,
        "logs": "",
        "error": None,
        "metrics": {},
    }
    assert document["version"] == b"art/easel".hex()
    assert document["created_at"].endswith("Z")
    assert document["urls"]["get"] == f"{served.url}{API}/predictions/{document['id']}"
    assert document["urls"]["get"] == answer.headers["Location"]
    assert document["urls"]["cancel"] == f"{document['urls']['get']}/cancel"
    assert (await served.get(f"{API}/predictions/{document['id']}")).json == document


@pytest.mark.parametrize(
    ("version", "model"),
    [
        ("art/easel", "art/easel"),
        ("acme/flux", "acme/flux"),
        (b"art/easel".hex(), "art/easel"),
        (f"art/easel:{b'art/easel'.hex()}", "art/easel"),
        (PINNED, "acme/flux"),
        (f"acme/old:{PINNED}", "acme/flux"),
        (f"Acme/Old:{PINNED}", "acme/flux"),
    ],
)
async def test_a_version_may_be_said_in_each_way(served, version, model):
    body = {"version": version, "input": {"prompt": "a fox"}}
    answer = await served.post(f"{API}/predictions", json=body)
    assert (answer.status, answer.json["model"]) == (201, model)


@pytest.mark.parametrize("version", ["0" * 64, "zz", b"art/gone".hex(), "art/easel:0", "ff"])
async def test_an_unknown_version_is_refused_in_replicates_words(served, version):
    answer = await served.post(f"{API}/predictions", json={"version": version, "input": {}})
    assert (answer.status, answer.json["title"]) == (422, "Invalid version or not permitted")
    assert answer.json["detail"].startswith("The specified version does not exist")


async def test_an_unknown_model_is_not_found_with_near_matches(served):
    answer = await created(served, "art/eisel")
    assert answer.status == 404
    assert "art/easel" in answer.json["detail"]


async def test_a_body_without_a_version_says_what_to_do(served):
    answer = await served.post(f"{API}/predictions", json={"input": {}})
    assert (answer.status, answer.json["invalid_fields"][0]["field"]) == (422, "version")


async def test_waiting_gives_the_end(served):
    async with served.worker():
        answer = await created(served, "art/print", headers={"Prefer": "wait"})
    document = answer.json
    assert (answer.status, document["status"]) == (201, "succeeded")
    assert document["metrics"]["predict_time"] >= 0
    assert document["completed_at"]
    fetched = await served.call("GET", document["output"].removeprefix(served.url), encoded=True)
    assert (fetched.status, fetched.body) == (200, b"\x00print")


async def test_a_wait_that_runs_out_says_starting_whatever_the_task_does(served):
    served.easel.allowed.clear()
    async with served.worker():
        answer = await created(served, headers={"Prefer": "wait=1"})
        await served.easel.half_way.wait()
        document = (await served.get(f"{API}/predictions/{answer.json['id']}")).json
        served.easel.allowed.set()
        await served.ended(answer.json["id"])
    assert answer.json["status"] == "starting"
    assert document["status"] == "processing"


async def test_a_held_call_is_answered_before_its_time_is_over(served):
    """Replicate's client for Python waits for half a second more, and gives the prediction up then."""
    loop, held_s = asyncio.get_running_loop(), []
    while not held_s or (held_s[-1] >= 2 and len(held_s) < 5):  # once more where the machine was busy
        began_at = loop.time()
        answer = await created(served, headers={"Prefer": "wait=2"})
        held_s.append(loop.time() - began_at)
        assert answer.json["status"] == "starting"
    assert 1.5 < held_s[-1] < 2


async def test_an_output_tolerates_any_authorization(served):
    _, headers = await added(served.services.keys)
    async with served.worker():
        answer = await created(served, "art/print", headers={"Prefer": "wait", **headers})
    path = answer.json["output"].removeprefix(served.url)
    for authorization in ({}, headers, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer gp_live_x"}):
        fetched = await served.call("GET", path, encoded=True, headers=authorization, allow_redirects=False)
        assert (fetched.status, fetched.body) == (200, b"\x00print")


@pytest.mark.parametrize(("count", "length"), [(1, 1), (3, 3)])
async def test_a_model_that_can_make_several_gives_a_list_always(served, count, length):
    async with served.worker():
        answer = await created(
            served, "art/press", input={"prompt": "a", "num_outputs": count}, headers={"Prefer": "wait"}
        )
    assert len(answer.json["output"]) == length


async def test_a_failure_is_told_with_its_code(served):
    served.easel.failures = 1
    async with served.worker():
        answer = await created(served, headers={"Prefer": "wait"})
    assert answer.json["status"] == "failed"
    assert answer.json["error"] == "The easel fell over. (provider_rejected)"
    assert answer.json["output"] is None


async def test_a_missed_deadline_is_canceled(served):
    answer = await created(served, headers={"Cancel-After": "1m"})
    assert answer.json["deadline"]
    late = Failure(FailureCode.DEADLINE_EXCEEDED, "Too late.", False, Charged.NO, Actor.CALLER)
    await served.end(Failed(late))
    document = (await served.get(f"{API}/predictions/{answer.json['id']}")).json
    assert (document["status"], document["error"]) == ("canceled", "Too late. (deadline_exceeded)")


async def test_canceling_gives_the_prediction(served):
    answer = await created(served)
    canceled = await served.post(f"{API}/predictions/{answer.json['id']}/cancel")
    assert (canceled.status, canceled.json["status"]) == (200, "canceled")


async def test_a_list_is_followed_page_by_page(serve, door, monkeypatch):
    monkeypatch.setattr("genpulse.dialects.replicate.predictions.calls.PAGE", 2)
    served = await serve(doors=[door])
    made = [(await created(served)).json["id"] for _ in range(5)]
    found, path = [], f"{API}/predictions"
    while path:
        page = (await served.call("GET", path, encoded=True)).json
        assert page["previous"] is None
        found += [document["id"] for document in page["results"]]
        path = page["next"] and page["next"].removeprefix(served.url)
    assert found == list(reversed(made))


async def test_tasks_of_our_own_api_are_predictions_and_the_other_way(served):
    task = (await served.submit()).json
    assert (await served.get(f"{API}/predictions/{task['id']}")).json["model"] == "art/easel"
    prediction = (await created(served)).json
    assert (await served.get(f"/v1/tasks/{prediction['id']}")).json["model"] == "art/easel"
    listed = (await served.get(f"{API}/predictions")).json["results"]
    assert {document["id"] for document in listed} == {task["id"], prediction["id"]}


async def test_what_is_another_keys_is_not_there(served):
    keys: MemoryKeys = served.services.keys
    (_, mine), (_, other) = await added(keys), await added(keys)
    prediction = (await created(served, headers=mine)).json
    path = f"{API}/predictions/{prediction['id']}"
    for method, end in (("GET", ""), ("POST", "/cancel"), ("GET", "/stream")):
        assert (await served.call(method, path + end, headers=other)).status == 404
    assert (await served.get(f"{API}/predictions", headers=other)).json["results"] == []


async def test_scopes_hold(served):
    _, reader = await added(served.services.keys, scopes=frozenset({Scope.READ}))
    assert (await created(served, headers=reader)).status == 403
    assert (await served.get(f"{API}/predictions", headers=reader)).status == 200
    assert (await served.call("QUERY", f"{API}/models", data=b"easel", headers=reader)).status == 200
    assert (await served.get(f"{API}/predictions")).json["title"] == "Unauthenticated"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"input": {"prompt": 5}}, "input.prompt"),
        ({"input": {}}, "input.prompt"),
        ({"input": "fox"}, "input"),
        ({"input": {"prompt": "a"}, "webhook": "ftp://x"}, "webhook"),
        ({"input": {"prompt": "a"}, "webhook_events_filter": ["often"]}, "webhook_events_filter.0"),
    ],
)
async def test_what_does_not_fit_is_named(served, body, field):
    answer = await served.post(f"{API}/models/art/easel/predictions", json=body)
    assert answer.status == 422
    assert [found["field"] for found in answer.json["invalid_fields"]] == [field]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff"])
async def test_bodies_that_are_none_are_the_callers_fault(served, body):
    headers = {"Content-Type": "application/json"}
    answer = await served.post(f"{API}/predictions", data=body, headers=headers)
    assert 400 <= answer.status < 500
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("body", "events"),
    [
        ({}, {WebhookEvent.OUTPUT, WebhookEvent.END}),
        ({"webhook_events_filter": ["start", "logs"]}, {WebhookEvent.START, WebhookEvent.PROGRESS}),
        ({"webhook_events_filter": []}, set()),
    ],
)
async def test_webhooks_are_chosen_by_their_events(served, body, events):
    answer = await created(served, webhook="https://example.com/hook", **body)
    task = await served.store.get(UUID(answer.json["id"]))
    assert (task.webhook_choice.form, task.webhook_choice.events) == ("replicate", events)


async def test_the_old_name_of_a_webhook_is_told_the_end_alone(served):
    answer = await created(served, webhook_completed="https://example.com/hook")
    task = await served.store.get(UUID(answer.json["id"]))
    assert task.webhook_url == "https://example.com/hook"
    assert task.webhook_choice.events == {WebhookEvent.END}


async def test_a_client_that_says_that_it_repeats_gets_the_same_task(served):
    first = (await created(served, headers={"X-Stainless-Retry-Count": "0"})).json["id"]
    last = (await created(served, headers={"X-Stainless-Retry-Count": "0"})).json["id"]
    assert first != last
    again = await created(served, headers={"X-Stainless-Retry-Count": "1"})
    assert again.json["id"] == last


@pytest.mark.parametrize("headers", [{}, {"Prefer": "wait=1"}, {"User-Agent": "replicate-javascript/1.4.0"}])
async def test_an_idempotency_key_goes_before_all(served, headers):
    with_key = {"Idempotency-Key": "order-1", **headers}
    first, second = [(await created(served, headers=with_key)).json["id"] for _ in range(2)]
    assert first == second
    first, second = [(await created(served, headers=headers)).json["id"] for _ in range(2)]
    assert first != second
    other = await created(served, headers=with_key, input={"prompt": "a hen"})
    assert (other.status, other.json["code"]) == (422, "idempotency_key_reuse")


async def test_a_held_call_whose_connection_broke_is_taken_up_again(served):
    connections = served.server.server_state.connections
    async with aiohttp.ClientSession() as client:
        before = len(connections)
        url, body = f"{served.url}{API}/models/art/easel/predictions", {"input": {"prompt": "a fox"}}
        lost = asyncio.create_task(client.post(url, json=body, headers={"Prefer": "wait"}))
        while not (made := await served.store.find(TaskQuery())):
            await asyncio.sleep(0.01)
        lost.cancel()
        await asyncio.gather(lost, return_exceptions=True)
    while len(connections) > before:
        await asyncio.sleep(0.01)
    again = await created(served, headers={"Prefer": "wait=1"})
    assert again.json["id"] == str(made[0].id)
