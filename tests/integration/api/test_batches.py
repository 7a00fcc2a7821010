"""Batches over HTTP: nothing is paid for twice, and each is seen as one thing."""

import asyncio
from uuid import uuid4

import pytest

from genpulse.api.options import ApiOptions
from genpulse.domain.attempt import Failed
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from tests.integration.api.test_task_events import events_in

AWAY = Failure(FailureCode.PROVIDER_UNAVAILABLE, "away", True, Charged.NO, Actor.PROVIDER)
BLOCKED = Failure(FailureCode.MODERATION_BLOCKED, "no", False, Charged.NO, Actor.CALLER)


def order(prompt: str, **changes):
    return {"model": "art/easel", "input": {"prompt": prompt}, **changes}


async def submit(api, *orders, headers=None, **more):
    return await api.post("/v1/tasks/batch", json={"tasks": list(orders), **more}, headers=headers)


async def batch_of(api, count: int) -> dict:
    answer = await submit(api, *(order(str(number)) for number in range(count)))
    assert answer.status == 202
    return answer.json


async def collect(api, batch_id, headers=None):
    path = f"{api.url}/v1/batches/{batch_id}/events"
    async with asyncio.timeout(60), api.client.get(path, headers=headers) as response:
        assert response.status == 200, await response.text()
        return [event async for event in events_in(response) if event]


async def test_a_batch_has_an_id_and_an_address(api):
    answer = await submit(api, order("a"), order("b"))
    batch = answer.json
    assert batch["replayed"] == []
    assert {task["batch"] for task in batch["data"]} == {batch["id"]}
    assert answer.headers["Location"].endswith(f"/v1/batches/{batch['id']}")
    assert "Idempotent-Replayed" not in answer.headers
    assert (await api.submit()).json["batch"] is None

    standing = (await api.get(f"/v1/batches/{batch['id']}")).json
    assert standing["total"] == 2
    zero = {"running": 0, "succeeded": 0, "failed": 0, "canceled": 0, "deleted": 0}
    assert standing["counts"] == {"queued": 2, **zero}
    assert (standing["ended"], standing["finished_at"], standing["cost"]) == (False, None, None)
    listed = (await api.get(standing["urls"]["tasks"].removeprefix(api.url))).json["data"]
    assert {task["id"] for task in listed} == {task["id"] for task in batch["data"]}


async def test_the_header_stands_for_the_whole_batch(api):
    headers = {"Idempotency-Key": "k"}
    first = await submit(api, order("a"), order("b"), headers=headers)
    again = await submit(api, order("a"), order("b"), headers=headers)
    assert again.status == 202
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json == {**first.json, "replayed": [0, 1]}
    assert len((await api.get("/v1/tasks")).json["data"]) == 2
    for other in ((order("a"),), (order("b"), order("a")), (order("a"), order("b", priority="low"))):
        (await submit(api, *other, headers=headers)).problem(422, "idempotency_key_reuse")


async def test_each_order_may_have_a_key(api):
    first = await submit(api, order("a", idempotency_key="1"), order("b", idempotency_key="2"))
    second = await submit(
        api, order("c"), order("b", idempotency_key="2"), order("d", idempotency_key="3"), order("c")
    )
    assert second.json["replayed"] == [1]
    assert "Idempotent-Replayed" not in second.headers
    assert second.json["data"][1] == first.json["data"][1]
    assert second.json["id"] not in {None, first.json["id"]}
    assert (await api.get(f"/v1/batches/{second.json['id']}")).json["total"] == 3
    assert len((await api.get("/v1/tasks")).json["data"]) == 5


async def test_where_every_key_is_known_the_batch_is_the_earlier_one(api):
    orders = [order("a", idempotency_key="1"), order("b", idempotency_key="2")]
    first = await submit(api, *orders)
    again = await submit(api, *orders[::-1])
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (again.json["id"], again.json["replayed"]) == (first.json["id"], [0, 1])
    assert again.json["data"] == first.json["data"][::-1]
    alone = await api.submit(headers={"Idempotency-Key": "alone"})
    mixed = await submit(api, orders[0], order("a fox", idempotency_key="alone"))
    assert mixed.json["data"][1]["id"] == alone.json["id"]
    assert (mixed.json["id"], mixed.json["replayed"]) == (None, [0, 1])
    assert "Location" not in mixed.headers


async def test_a_key_with_another_order_is_refused_by_its_place(api):
    await submit(api, order("a", idempotency_key="1"))
    refused = await submit(api, order("x"), order("b", idempotency_key="1"))
    problem = refused.problem(422, "idempotency_key_reuse")
    assert [place["pointer"] for place in problem["errors"]] == ["/tasks/1/idempotency_key"]
    assert len((await api.get("/v1/tasks")).json["data"]) == 1


async def test_the_same_key_twice_in_a_batch_is_refused_by_its_place(api):
    refused = await submit(api, *(order("a", idempotency_key=key) for key in ("1", "2", "1")))
    problem = refused.problem(422, "invalid_input")
    assert [place["pointer"] for place in problem["errors"]] == ["/tasks/2/idempotency_key"]
    assert "/tasks/0/idempotency_key" in problem["errors"][0]["detail"]


async def test_a_key_for_the_whole_and_for_an_order_are_not_given_together(api):
    refused = await submit(api, order("x"), order("a", idempotency_key="1"), headers={"Idempotency-Key": "k"})
    problem = refused.problem(422, "invalid_input")
    assert [place["pointer"] for place in problem["errors"]] == ["/tasks/1/idempotency_key"]


@pytest.mark.parametrize("key", ["", " a", "a ", "ü", "k" * 256, 7])
async def test_a_key_that_cannot_be_one_is_refused_by_its_place(api, key):
    problem = (await submit(api, order("a"), order("b", idempotency_key=key))).problem(422, "invalid_input")
    assert [place["pointer"] for place in problem["errors"]] == ["/tasks/1/idempotency_key"]


async def test_all_orders_that_do_not_fit_are_named(api):
    problem = (await submit(api, order(7), order("a"), order("b", input={}))).problem(422, "invalid_input")
    pointers = [place["pointer"] for place in problem["errors"]]
    assert pointers == ["/tasks/0/input/prompt", "/tasks/2/input/prompt"]
    assert "2 orders" in problem["detail"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"model": "art/gone"}, "unknown_model"), ({"kind": "text-to-video"}, "unknown_kind")],
)
async def test_an_order_that_names_what_there_is_not_is_named_by_its_place(api, changes, code):
    answer = await submit(api, order("a"), order("b", **changes), order("c", **changes))
    problem = answer.problem(answer.status, code)
    assert problem["errors"] == [{"pointer": "/tasks/1", "detail": problem["detail"]}]
    alone = await api.post("/v1/tasks", json=order("b", **changes))
    assert "errors" not in alone.problem(answer.status, code)


async def test_a_dry_run_looks_at_everything_and_queues_nothing(api):
    answer = await submit(api, order("a"), order("b"), dry_run=True)
    assert (answer.status, answer.json) == (200, {"id": None, "data": [], "replayed": []})
    problem = (await submit(api, order("a"), order(7), dry_run=True)).problem(422, "invalid_input")
    assert [place["pointer"] for place in problem["errors"]] == ["/tasks/1/input/prompt"]
    assert (await api.get("/v1/tasks")).json["data"] == []
    assert (await api.get("/v1/batches")).json == {"data": [], "next_cursor": None}


async def test_a_batch_is_watched_to_its_end(api):
    batch = await batch_of(api, 3)
    watching = asyncio.create_task(collect(api, batch["id"]))
    async with api.worker():
        events = await watching
    assert (events[0].name, events[0].data["total"]) == ("batch", 3)
    assert events[-1].name == "done"
    assert events[-1].data == (await api.get(f"/v1/batches/{batch['id']}")).json
    assert events[-1].data["counts"]["succeeded"] == 3
    ends = [event.data for event in events if event.name == "end"]
    assert {task["id"] for task in ends} == {task["id"] for task in batch["data"]}
    assert all(task["outputs"] for task in ends)
    assert [event.id for event in events] == sorted(event.id for event in events)


async def test_a_stream_resumes_behind_what_was_told(api):
    batch = await batch_of(api, 4)
    for _ in range(2):
        await api.end(Failed(BLOCKED))
    path = f"{api.url}/v1/batches/{batch['id']}/events"
    async with asyncio.timeout(60), api.client.get(path) as response:
        stream = events_in(response)
        first, one, other = [await anext(stream) for _ in range(3)]
    assert [first.name, one.name, other.name] == ["batch", "end", "end"]
    for _ in range(2):
        await api.end(Failed(BLOCKED))
    resumed = await collect(api, batch["id"], {"Last-Event-ID": str(one.id)})
    ends = [event.data["id"] for event in resumed if event.name == "end"]
    assert ends[0] == other.data["id"]
    assert len(ends) == 3
    assert one.data["id"] not in ends
    assert min(event.id for event in resumed) >= one.id
    done = resumed[-1]
    assert done.name == "done"
    again = await api.get(f"/v1/batches/{batch['id']}/events", headers={"Last-Event-ID": str(done.id)})
    assert (again.status, again.body) == (204, b"")


async def test_a_task_that_runs_again_ends_again(api):
    batch = await batch_of(api, 1)
    await api.end(Failed(AWAY))
    first = await collect(api, batch["id"])
    assert (await api.post(f"/v1/batches/{batch['id']}/retry")).json["done"] == 1
    await api.end(Failed(BLOCKED))
    second = await collect(api, batch["id"], {"Last-Event-ID": str(first[-1].id)})
    assert [event.name for event in second] == ["batch", "end", "done"]
    assert second[1].data["error"]["code"] == "moderation_blocked"


async def test_a_quiet_stream_of_a_batch_is_kept_alive(serve):
    api = await serve(ApiOptions(keep_alive_s=0.05))
    batch = await batch_of(api, 1)
    async with (
        asyncio.timeout(60),
        api.client.get(f"{api.url}/v1/batches/{batch['id']}/events") as response,
    ):
        stream = events_in(response)
        assert (await anext(stream)).name == "batch"
        assert await anext(stream) is None


async def test_a_last_event_id_of_a_batch_that_was_never_given_is_refused(api):
    batch = await batch_of(api, 1)
    for word in ["", "x", "-1", "9" * 19]:
        refused = await api.get(f"/v1/batches/{batch['id']}/events", headers={"Last-Event-ID": word})
        refused.problem(400, "invalid_last_event_id")


async def test_a_batch_is_canceled_as_a_whole(api):
    batch = await batch_of(api, 120)
    await api.end(Failed(BLOCKED))
    canceled = (await api.post(f"/v1/batches/{batch['id']}/cancel")).json
    assert (canceled["counts"]["canceled"], canceled["counts"]["failed"]) == (119, 1)
    assert (canceled["done"], canceled["left_out"], canceled["ended"]) == (119, [], True)
    again = (await api.post(f"/v1/batches/{batch['id']}/cancel")).json
    assert again == {**canceled, "done": 0}


async def test_those_that_can_succeed_run_again(api):
    batch = await batch_of(api, 3)
    await api.end(Failed(AWAY))
    await api.end(Failed(BLOCKED))
    assert (await api.get(f"/v1/batches/{batch['id']}")).json["retryable"] == 1
    retried = (await api.post(f"/v1/batches/{batch['id']}/retry")).json
    assert retried["done"] == 1
    assert retried["left_out"] == [{"reason": "not_retryable", "count": 1}]
    assert (retried["counts"]["queued"], retried["counts"]["failed"]) == (2, 1)


async def test_batches_are_listed_a_page_at_a_time(api):
    ids = [(await batch_of(api, 1))["id"] for _ in range(3)]
    first = (await api.get("/v1/batches?limit=2")).json
    assert [batch["id"] for batch in first["data"]] == [ids[2], ids[1]]
    second = (await api.get(f"/v1/batches?limit=2&cursor={first['next_cursor']}")).json
    assert [batch["id"] for batch in second["data"]] == [ids[0]]
    assert second["next_cursor"] is None
    (await api.get("/v1/batches?cursor=nonsense")).problem(400, "invalid_cursor")
    tasks = (await api.get("/v1/tasks?limit=2")).json["next_cursor"]
    (await api.get(f"/v1/batches?cursor={tasks}")).problem(400, "invalid_cursor")
    for query, name in (("limit=0", "limit"), ("status=queued", "status"), ("limit=1&limit=2", "limit")):
        problem = (await api.get(f"/v1/batches?{query}")).problem(422, "invalid_input")
        assert [place["parameter"] for place in problem["errors"]] == [name]


@pytest.mark.parametrize("word", ["0193a1b2-c3d4-7000-8000-000000000000", "7", "x"])
async def test_an_unknown_batch_is_said_by_every_call(api, word):
    for method, path in (("GET", ""), ("GET", "/events"), ("POST", "/cancel"), ("POST", "/retry")):
        (await api.call(method, f"/v1/batches/{word}{path}")).problem(404, "unknown_batch")


async def test_a_filter_by_batch_takes_an_id_alone(api):
    problem = (await api.get("/v1/tasks?batch=x")).problem(422, "invalid_input")
    assert [place["parameter"] for place in problem["errors"]] == ["batch"]
    assert (await api.get(f"/v1/tasks?batch={uuid4()}")).json["data"] == []


async def test_deleted_tasks_are_counted_as_such(api):
    first = (await submit(api, *(order(key, idempotency_key=key) for key in "abc"))).json
    await api.end(Failed(BLOCKED))
    for task in first["data"][:2]:
        assert (await api.call("DELETE", f"/v1/tasks/{task['id']}")).status == 204
    standing = (await api.get(f"/v1/batches/{first['id']}")).json
    assert (standing["total"], standing["counts"]["queued"], standing["counts"]["deleted"]) == (3, 1, 2)
    refused = await submit(api, order("c", idempotency_key="c"), order("a", idempotency_key="a"))
    problem = refused.problem(409, "task_deleted")
    assert [place["pointer"] for place in problem["errors"]] == ["/tasks/1/idempotency_key"]
    await api.end(Failed(BLOCKED))
    events = await collect(api, first["id"])
    assert [event.name for event in events] == ["batch", "end", "done"]


async def test_a_known_batch_of_which_tasks_were_deleted_is_refused(api):
    headers = {"Idempotency-Key": "k"}
    first = (await submit(api, order("a"), order("b"), headers=headers)).json
    for task in first["data"]:
        await api.call("DELETE", f"/v1/tasks/{task['id']}")
        again = await submit(api, order("a"), order("b"), headers=headers)
        assert first["id"] in again.problem(409, "task_deleted")["detail"]
    (await submit(api, order("a"), headers=headers)).problem(422, "idempotency_key_reuse")
    assert (await api.get("/v1/tasks")).json["data"] == []
    assert [event.name for event in await collect(api, first["id"])] == ["batch", "done"]
