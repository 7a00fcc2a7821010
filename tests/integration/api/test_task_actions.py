"""One action on all tasks that fit a filter: first counted, then confirmed."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from genpulse.api.auth.action_tokens import ActionSigner, ActionToken
from genpulse.api.errors import ConfirmExpired
from genpulse.api.schemas.tasks.actions import CONFIRM_LENGTH
from genpulse.domain.attempt import Failed
from genpulse.domain.errors import AuthenticationFailed, ProviderRejected, ProviderUnavailable, UnknownOutcome
from genpulse.domain.keys.api_key import Scope
from genpulse.domain.keys.caller import WITHOUT_KEY
from genpulse.domain.search.task_query import TaskQuery
from genpulse.lifecycle import bulk_actions
from genpulse.lifecycle.bulk_actions import BulkAction, Selection
from tests.api_keys import added
from tests.integration.api.conftest import charging

URL = "/v1/tasks/actions"
DOWN = ProviderUnavailable("down").failure


@pytest.fixture
def catalogue_of(catalogue_of):
    """Of a provider that charges."""
    return charging(catalogue_of)


async def asked(api, action, wanted=None, headers=None, **more):
    return await api.post(URL, json={"action": action, "filter": wanted or {}, **more}, headers=headers)


async def counted(api, *arguments, **more):
    answer = await asked(api, *arguments, **more)
    assert answer.status == 200, answer.body
    assert answer.json["done"] is None
    return answer.json


async def done(api, *arguments, **more):
    answer = await asked(api, *arguments, **more)
    assert answer.status == 200, answer.body
    assert answer.json["count"] is None
    return answer.json


async def statuses(api):
    return [task["status"] for task in (await api.get("/v1/tasks?limit=100")).json["data"]]


def reasons(answer):
    return {left_out["reason"]: left_out["count"] for left_out in answer["left_out"]}


async def submitted(api, count, **changes):
    return [(await api.submit(**changes)).json["id"] for _ in range(count)]


async def test_what_waits_is_counted_and_then_canceled(either):
    await submitted(either, 2, metadata={"customer": "acme"})
    await submitted(either, 1)
    wanted = {"metadata": {"customer": "acme"}}
    first = await counted(either, "cancel", wanted)
    assert (first["count"], first["statuses"], first["left_out"]) == (2, {"queued": 2}, [])
    assert await statuses(either) == ["queued"] * 3
    later = await submitted(either, 1, metadata={"customer": "acme"})
    second = await done(either, "cancel", wanted, confirm=first["confirm"])
    assert (second["done"], second["confirm"]) == (2, None)
    assert await statuses(either) == ["queued", "queued", "canceled", "canceled"]
    again = await done(either, "cancel", wanted, confirm=first["confirm"])
    assert again["done"] == 0
    assert (await either.get(f"/v1/tasks/{later[0]}")).json["status"] == "queued"
    third = await counted(either, "cancel", wanted)
    assert (third["count"], reasons(third)) == (1, {"ended": 2})


async def test_what_failed_is_run_again_unless_it_would_fail_again(either):
    await submitted(either, 4)
    for failure in (DOWN, ProviderRejected("no").failure, UnknownOutcome("lost").failure):
        await either.end(Failed(failure))
    first = await counted(either, "retry", all=True)
    assert (first["count"], first["statuses"]) == (1, {"failed": 1})
    assert reasons(first) == {"not_retryable": 1, "unknown_outcome": 1, "not_failed": 1}
    second = await done(either, "retry", all=True, confirm=first["confirm"])
    assert second["done"] == 1
    assert sorted(await statuses(either)) == ["failed", "failed", "queued", "queued"]
    named = {"code": ["provider_rejected", "unknown_outcome"]}
    third = await counted(either, "retry", named)
    assert third["count"] == 2
    assert (await done(either, "retry", named, confirm=third["confirm"]))["done"] == 2


async def test_a_token_that_is_sent_again_runs_nothing_twice(either):
    await submitted(either, 1)
    await either.end(Failed(DOWN))
    confirm = (await counted(either, "retry", {"status": "failed"}))["confirm"]
    assert (await done(either, "retry", {"status": "failed"}, confirm=confirm))["done"] == 1
    await either.end(Failed(DOWN))
    again = await done(either, "retry", {"status": "failed"}, confirm=confirm)
    assert (again["done"], reasons(again)) == (0, {"changed_since": 1})
    assert await statuses(either) == ["failed"]


async def test_a_task_that_was_asked_for_again_is_not_canceled_by_an_old_token(either):
    (task,) = await submitted(either, 1)
    confirm = (await counted(either, "cancel", {"ids": [task]}))["confirm"]
    await either.end(Failed(DOWN))
    await either.post(f"/v1/tasks/{task}/retry")
    again = await done(either, "cancel", {"ids": [task]}, confirm=confirm)
    assert (again["done"], reasons(again)) == (0, {"changed_since": 1})


async def test_an_order_that_nobody_can_be_asked_about_is_left_out(either):
    await submitted(either, 1, model="art/print", kind="text-to-image")
    await either.end(Failed(UnknownOutcome("lost").failure), ordered=True)
    answer = await counted(either, "retry", {"code": "unknown_outcome"})
    assert (answer["count"], reasons(answer), answer["confirm"]) == (0, {"may_be_charged": 1}, None)


async def test_many_are_done_in_chunks_that_go_on_where_they_were(either):
    await submitted(either, 3)
    services, as_of = either.services, await either.services.store.now()
    await submitted(either, 1)
    selection = Selection(BulkAction.CANCEL, TaskQuery().filter, as_of)
    progress = await bulk_actions.act(services, selection, None, caller=WITHOUT_KEY, goes_on=lambda: False)
    assert (progress.done, progress.next_before) == (3, None)
    assert sorted(await statuses(either)) == ["canceled"] * 3 + ["queued"]


async def test_a_call_that_comes_to_no_end_says_how_to_go_on(serve):
    api = await serve()
    for _ in range(2):
        tasks = [{"model": "art/easel", "input": {"prompt": "x"}}] * 80
        await api.post("/v1/tasks/batch", json={"tasks": tasks})
    context = api.app.state.context
    api.app.state.context = replace(context, options=replace(context.options, longest_wait_s=0))
    confirm, total, calls = (await counted(api, "cancel", all=True))["confirm"], 0, 0
    while confirm is not None:
        answer = await done(api, "cancel", all=True, confirm=confirm)
        confirm, total, calls = answer["confirm"], total + answer["done"], calls + 1
    assert (total, calls) == (160, 2)


async def test_money_is_told_exactly(either):
    prices = (Decimal("0.1"), Decimal("0.2"), None)
    for task_id, price in zip(await submitted(either, 3), prices, strict=True):
        await either.end(Failed(DOWN))
        await priced(either, task_id, price)
    answer = await counted(either, "retry", {"status": "failed"})
    assert (answer["price_usd"], answer["unpriced"], answer["cost_usd"]) == ("0.3", 1, "0")
    assert (await counted(either, "cancel", all=True))["price_usd"] is None


async def priced(api, task_id, price):
    store = api.services.store
    if store is api.store:
        task = next(task for task in store.all_tasks() if str(task.id) == task_id)
        store._tasks[task.id] = replace(task, price_usd=price)
    else:
        await store._pool.execute("UPDATE tasks SET price_usd = $2 WHERE id = $1::uuid", task_id, price)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"action": "cancel"}, "/filter"),
        ({"action": "cancel", "filter": {}}, "/filter"),
        ({"action": "cancel", "filter": {}, "all": False}, "/filter"),
        ({"action": "cancel", "filter": {"metadata": {}}}, "/filter"),
        ({"action": "cancel", "filter": {"status": []}}, "/filter/status"),
        ({"action": "cancel", "filter": {"status": ["done"]}}, "/filter/status/0"),
        ({"action": "cancel", "filter": {"state": "queued"}}, "/filter/state"),
        ({"action": "cancel", "filter": {"metadata": {"": "x"}}}, "/filter/metadata/"),
        ({"action": "cancel", "filter": {"metadata": {"a": 1}}}, "/filter/metadata/a/0"),
        ({"action": "cancel", "filter": {"text": "--"}}, "/filter/text/0"),
        ({"action": "cancel", "filter": {"key": "nobody"}}, "/filter/key"),
        ({"action": "cancel", "filter": {"created_after": 5}}, "/filter/created_after"),
        ({"action": "cancel", "filter": {"limit": 5}}, "/filter/limit"),
        ({"action": "paint", "all": True}, "/action"),
        ({"action": "cancel", "all": "true"}, "/all"),
        ({"action": "cancel", "all": True, "confirm": ""}, "/confirm"),
        ({"filter": {"status": "queued"}}, "/action"),
    ],
)
async def test_a_body_that_does_not_fit_is_refused_by_its_place(api, body, pointer):
    problem = (await api.post(URL, json=body)).problem(422, "invalid_input")
    assert problem["errors"][0]["pointer"] == pointer


async def test_a_token_is_good_for_what_it_was_given_for_alone(api):
    await submitted(api, 2)
    confirm = (await counted(api, "cancel", {"status": "queued"}))["confirm"]
    flipped = confirm[:-2] + ("A" if confirm[-2] != "A" else "B") + confirm[-1]
    for wrong in (flipped, confirm[:-1], "x", "\u00e4", confirm[::-1]):
        (await asked(api, "cancel", {"status": "queued"}, confirm=wrong)).problem(422, "invalid_confirm")
    (await asked(api, "retry", {"status": "queued"}, confirm=confirm)).problem(422, "invalid_confirm")
    (await asked(api, "cancel", {"kind": "noop"}, confirm=confirm)).problem(422, "invalid_confirm")
    (await asked(api, "cancel", all=True, confirm=confirm)).problem(422, "invalid_confirm")
    _, headers = await added(api.services.keys, scopes=frozenset({Scope.ADMIN}))
    (await asked(api, "cancel", {"status": "queued"}, headers, confirm=confirm)).problem(422, "invalid_confirm")
    assert (await counted(api, "cancel", {"status": "queued"}, headers))["count"] == 2


@pytest.mark.parametrize("places", [(), (UUID(int=5),), (None, UUID(int=7)), (UUID(int=9), UUID(int=7))])
def test_a_token_runs_out(places):
    now = datetime(2027, 1, 15, 8, 0, 0, 123456, UTC)
    signer, token = ActionSigner(b"secret"), ActionToken(now, int(now.timestamp()) + 900, *places)
    text = signer.write(token, b"this")
    assert len(text) <= CONFIRM_LENGTH or len(places) > 1, "the API asks for no more"
    assert signer.read(text, b"this", now.timestamp()) == token
    with pytest.raises(ConfirmExpired):
        signer.read(text, b"this", now.timestamp() + 900)


async def test_a_key_acts_on_its_own_tasks_alone(either):
    _, own = await added(either.services.keys, name="shop")
    _, other = await added(either.services.keys, name="lab")
    _, reader = await added(either.services.keys, scopes=frozenset({Scope.READ}))
    ids = [(await either.submit(headers=headers)).json["id"] for headers in (own, other)]
    (await asked(either, "cancel", {"ids": ids}, reader)).problem(403, "insufficient_scope")
    (await asked(either, "cancel", {"key": "lab"}, own)).problem(403, "insufficient_scope")
    first = await counted(either, "cancel", {"ids": ids}, own)
    assert first["count"] == 1
    assert (await done(either, "cancel", {"ids": ids}, own, confirm=first["confirm"]))["done"] == 1
    assert (await either.get(f"/v1/tasks/{ids[1]}", headers=other)).json["status"] == "queued"
    assert (await counted(either, "cancel", headers=own, all=True))["count"] == 0


async def test_the_address_takes_no_other_method(api):
    answer = await api.get(URL)
    answer.problem(405, "method_not_allowed")
    assert answer.headers["Allow"] == "POST"


async def test_a_failure_that_an_operator_has_mended_is_run_again_when_it_is_named(api):
    await submitted(api, 1)
    await api.end(Failed(AuthenticationFailed("bad key").failure))
    assert (await counted(api, "retry", {"status": "failed"}))["count"] == 0
    assert (await counted(api, "retry", {"code": "authentication_failed"}))["count"] == 1


async def test_many_are_deleted(either):
    _, own = await added(either.services.keys, name="shop")
    _, other = await added(either.services.keys, name="lab")
    wanted = {"metadata": {"customer": "acme"}}
    for headers in (own, own, other):
        await either.submit(headers=headers, **wanted)
    kept = (await either.submit(headers=own)).json["id"]
    await either.end(Failed(DOWN))
    first = await counted(either, "delete", wanted, own)
    assert (first["count"], first["statuses"], first["left_out"]) == (2, {"failed": 1, "queued": 1}, [])
    assert (await done(either, "delete", wanted, own, confirm=first["confirm"]))["done"] == 2
    assert [task["id"] for task in (await either.get("/v1/tasks", headers=own)).json["data"]] == [kept]
    assert len((await either.get("/v1/tasks", headers=other)).json["data"]) == 1
    assert (await done(either, "delete", wanted, own, confirm=first["confirm"]))["done"] == 0
    assert (await counted(either, "delete", wanted, own))["count"] == 0
    (usage,) = (await either.get("/v1/usage", headers=own)).json["data"]
    assert usage["count"] == 3
