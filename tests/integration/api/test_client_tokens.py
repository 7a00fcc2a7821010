"""Client tokens: what a page may do by one, and what it may not."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from genpulse.api.options import ApiOptions
from genpulse.domain.errors import DatabaseUnavailable
from genpulse.domain.keys.api_key import KeyLimits, Scope
from genpulse.domain.money.allowance import Allowance
from genpulse.domain.provider_account.rate import Rate
from genpulse.domain.task import Priority
from genpulse.provider import Model, Provider
from genpulse.providers.catalog import LoadedCatalogue
from tests.api_keys import added
from tests.integration.api.conftest import KEY_PREFIXES, Easel, Print, Sketch

PAGE = {"Origin": "https://app.example.com"}


async def minted(api, headers, **wanted):
    """A client token as it is shown to who made it, and the headers of a call with it."""
    wanted = wanted if "tasks" in wanted else {"models": ["art/easel"], **wanted}
    answer = await api.post("/v1/client_tokens", json=wanted, headers=headers)
    assert answer.status == 201, answer.body
    return answer.json, {"Authorization": f"Bearer {answer.json['token']}"}


def path_of(api, url):
    return url.removeprefix(api.url)


@pytest.fixture
async def mine(either):
    """The headers of a key, on each of the two stores."""
    return (await added(either.services.keys))[1]


async def test_a_page_submits_watches_and_fetches_what_was_made(either, mine):
    shown, page = await minted(either, mine, max_tasks=2, max_usd="0.20", expires_in_s=600)
    assert shown["token"].startswith("gpct_dev_")
    assert shown["usage"] == {"tasks": 0, "usd": "0", "files": 0}
    async with either.worker():
        task = (await either.submit(headers=page | {"Prefer": "wait=20"})).json
    assert task["status"] == "succeeded"
    stream = await either.get(path_of(either, task["urls"]["events"]), encoded=True)
    assert b"event: done" in stream.body
    assert (await either.get(f"/v1/tasks/{task['id']}", headers=page)).json["id"] == task["id"]
    output = task["outputs"][0]
    assert (await either.get(path_of(either, output["url"]), encoded=True)).body == b"drawing of a fox"
    assert (await either.get(f"/v1/assets/{output['id']}/content", headers=page)).body == b"drawing of a fox"
    assert (await either.post(f"/v1/tasks/{task['id']}/cancel", headers=page)).status == 200
    seen = (await either.get(f"/v1/client_tokens/{shown['id']}", headers=page)).json
    assert seen["usage"]["tasks"] == 1
    assert "token" not in seen
    assert (await either.get(f"/v1/tasks/{task['id']}", headers=mine)).json["id"] == task["id"]


async def test_it_opens_no_other_task_and_no_other_file(either, mine):
    async with either.worker():
        of_key = (await either.submit(headers=mine | {"Prefer": "wait=20"})).json
        _, page = await minted(either, mine)
        _, other = await minted(either, mine)
        task = (await either.submit(headers=page | {"Prefer": "wait=20"})).json
    for whose, headers in ((of_key, page), (task, other)):
        for path in (f"/v1/tasks/{whose['id']}", f"/v1/tasks/{whose['id']}/events"):
            (await either.get(path, headers=headers)).problem(404, "unknown_task")
        (await either.post(f"/v1/tasks/{whose['id']}/cancel", headers=headers)).problem(404, "unknown_task")
        asset = whose["outputs"][0]["id"]
        for path in (f"/v1/assets/{asset}", f"/v1/assets/{asset}/content"):
            (await either.get(path, headers=headers)).problem(404, "unknown_asset")


@pytest.mark.parametrize(
    ("order", "place"),
    [
        ({"model": "art/print"}, "/model"),
        ({"model": ["art/easel", "art/print"]}, "/model"),
        ({"input": {"prompt": "a fox", "width": 128}}, "/input/width"),
        ({"input": {"prompt": "a fox", "other": 1}}, "/input/other"),
        ({"metadata": {"customer": "u-18"}}, "/metadata"),
        ({"webhook_url": "https://evil.example.com/"}, "/webhook_url"),
        ({"run_at": "2030-01-31T12:00:00Z"}, "/run_at"),
        ({"retain_s": 5}, "/retain_s"),
        ({"priority": "high"}, "/priority"),
    ],
)
async def test_a_page_says_no_more_than_it_may(api, order, place):
    _, mine = await added(api.services.keys)
    terms = {"input": {"width": 64}, "input_fields": ["prompt"], "metadata": {"customer": "u-17"}}
    _, page = await minted(api, mine, **terms)
    problem = (await api.submit(headers=page, **order)).problem(403, "outside_client_token")
    assert [error["pointer"] for error in problem["errors"]] == [place]


async def test_what_the_token_says_stands_in_each_task(api):
    _, mine = await added(api.services.keys, limits=KeyLimits(limit_by="customer"))
    terms = {
        "input": {"width": 128},
        "metadata": {"customer": "u-17"},
        "webhook_url": "https://example.com/hook",
        "max_tasks": 5,
    }
    _, page = await minted(api, mine, **terms)
    body = {"input": {"prompt": "a fox"}}
    task = (await api.post("/v1/tasks", json=body, headers=page)).json
    assert task["model"] == "art/easel"
    assert task["input"] == {"prompt": "a fox", "width": 128}
    assert task["metadata"] == {"customer": "u-17"}
    kept = await api.services.store.get(UUID(task["id"]))
    assert kept.webhook_url == "https://example.com/hook"
    same = await api.submit(headers=page, input={"prompt": "a", "width": 128}, metadata={"customer": "u-17"})
    assert same.status == 202


async def test_it_is_good_for_so_many_tasks_however_many_come_at_once(either, mine):
    shown, page = await minted(either, mine, max_tasks=5)
    answers = await asyncio.gather(*(either.submit(headers=page) for _ in range(40)))
    assert sorted(answer.status for answer in answers) == [202] * 5 + [403] * 35
    refused = next(answer for answer in answers if answer.status == 403)
    problem = refused.problem(403, "client_token_used_up")
    assert (problem["limit"]["scope"], problem["limit"]["limit"]) == ("client_token", "5")
    assert "Retry-After" not in refused.headers
    usage = (await either.get(f"/v1/client_tokens/{shown['id']}", headers=mine)).json["usage"]
    assert usage["tasks"] == 5


async def test_money_is_held_too_and_a_model_of_unknown_price_is_refused(serve):
    priced = Model("easel", ("text-to-image",), Sketch, Easel(), price=lambda _: Decimal("0.04"))
    unknown = Model("print", ("text-to-image",), Sketch, Print())
    catalogue = LoadedCatalogue([Provider("art", (priced, unknown), paid=True)])
    api = await serve(catalogue=catalogue)
    _, mine = await added(api.services.keys)
    _, page = await minted(api, mine, models=["art/easel", "art/print"], max_tasks=100, max_usd="0.10")
    answers = await asyncio.gather(*(api.submit(headers=page) for _ in range(10)))
    assert sorted(answer.status for answer in answers) == [202, 202] + [403] * 8
    (await api.submit("art/print", headers=page)).problem(403, "outside_client_token")
    _, page = await minted(api, mine, models=["art/print"])
    assert (await api.submit("art/print", headers=page)).status == 202


async def test_the_limits_of_its_key_hold(api):
    limits = KeyLimits(daily_tasks=3, limit_by="customer", customer=Allowance(daily_tasks=2))
    _, mine = await added(api.services.keys, limits=limits)
    _, page = await minted(api, mine, metadata={"customer": "a"}, max_tasks=100)
    assert [(await api.submit(headers=page)).status for _ in range(2)] == [202, 202]
    (await api.submit(headers=page)).problem(429, "customer_limit_exceeded")
    _, page = await minted(api, mine, metadata={"customer": "b"}, max_tasks=100)
    assert (await api.submit(headers=page)).status == 202
    (await api.submit(headers=page)).problem(429, "key_limit_exceeded")


async def test_the_rate_and_the_priority_of_its_key_hold(api):
    limits = KeyLimits(rate=Rate.parse("3/min"), max_priority=Priority.LOW)
    _, mine = await added(api.services.keys, limits=limits)
    _, page = await minted(api, mine, max_tasks=100)
    (await api.submit(headers=page, priority="normal")).problem(403, "priority_not_allowed")
    assert (await api.submit(headers=page)).json["priority"] == "low"
    limited = await api.submit(headers=page)
    limited.problem(429, "rate_limited")
    assert limited.headers["RateLimit-Policy"] == '"key";q=3;w=60'


async def test_it_dies_with_its_key(api):
    key, mine = await added(api.services.keys)
    _, page = await minted(api, mine, max_tasks=100)
    task = (await api.submit(headers=page)).json
    await api.services.keys.revoke(str(key.id), datetime.now(UTC))
    forget(api)
    (await api.submit(headers=page)).problem(401, "authentication_required")
    (await api.get(path_of(api, task["urls"]["events"]), encoded=True)).problem(401, "authentication_required")


async def test_a_revoked_one_is_refused_and_so_are_its_addresses(either, mine):
    shown, page = await minted(either, mine)
    task = (await either.submit(headers=page)).json
    for _ in range(2):
        assert (await either.call("DELETE", f"/v1/client_tokens/{shown['id']}", headers=mine)).status == 204
    forget(either)
    (await either.get(f"/v1/tasks/{task['id']}", headers=page)).problem(401, "authentication_required")
    events = path_of(either, task["urls"]["events"])
    (await either.get(events, encoded=True)).problem(401, "authentication_required")
    assert (await either.get("/v1/client_tokens", headers=mine)).json["data"] == []
    assert (await either.get(f"/v1/client_tokens/{shown['id']}", headers=mine)).json["revoked_at"]


def forget(api):
    """As if ten seconds had passed."""
    authenticator = api.app.state.context.authenticator
    authenticator._remembered.clear()
    authenticator.client_tokens._remembered.clear()


async def test_it_runs_out_and_so_do_its_addresses_to_the_second(serve):
    ahead = [timedelta()]
    api = await serve(now=lambda: datetime.now(UTC) + ahead[0])
    _, mine = await added(api.services.keys)
    shown, page = await minted(api, mine, expires_in_s=60)
    task = (await api.submit(headers=page)).json
    query = task["urls"]["events"].partition("?")[2]
    moment = datetime.fromisoformat(shown["expires_at"]).timestamp()
    assert f"expires={int(moment)}" in query
    ahead[0] = timedelta(seconds=61)
    (await api.get(f"/v1/tasks/{task['id']}", headers=page)).problem(401, "client_token_expired")
    (await api.get(path_of(api, task["urls"]["events"]), encoded=True)).problem(403, "expired_url")


async def test_it_lasts_no_longer_than_its_key(api):
    until = datetime.now(UTC) + timedelta(seconds=100)
    _, mine = await added(api.services.keys, expires_at=until)
    shown, _ = await minted(api, mine, expires_in_s=3600)
    assert datetime.fromisoformat(shown["expires_at"]) == until


async def test_the_address_of_events_is_good_for_its_token_alone(api):
    _, mine = await added(api.services.keys)
    first, page = await minted(api, mine)
    second, _ = await minted(api, mine)
    task = (await api.submit(headers=page)).json
    events = path_of(api, task["urls"]["events"])
    assert f"client_token={first['id']}" in events
    for changed in (
        events.replace(first["id"], second["id"]),
        events.replace(f"client_token={first['id']}&", ""),
        events.replace(first["id"], "x"),
        events.replace("expires=1", "expires=2"),
    ):
        (await api.get(changed, encoded=True)).problem(403, "invalid_signature")
    shown = (await api.get(f"/v1/tasks/{task['id']}", headers=mine)).json
    assert "client_token" not in shown["urls"]["events"]


async def test_one_for_tasks_watches_those_and_submits_none(either, mine):
    task, other = (await either.submit(headers=mine)).json, (await either.submit(headers=mine)).json
    _, page = await minted(either, mine, tasks=[task["id"]])
    assert (await either.get(f"/v1/tasks/{task['id']}", headers=page)).json["id"] == task["id"]
    (await either.get(f"/v1/tasks/{other['id']}", headers=page)).problem(404, "unknown_task")
    (await either.submit(headers=page)).problem(403, "outside_client_token")
    _, looking = await minted(either, mine, tasks=[task["id"]], may_cancel=False)
    refused = await either.post(f"/v1/tasks/{task['id']}/cancel", headers=looking)
    refused.problem(403, "outside_client_token")
    canceled = await either.post(f"/v1/tasks/{task['id']}/cancel", headers=page)
    assert canceled.json["status"] == "canceled"
    (await either.post(f"/v1/tasks/{task['id']}/retry", headers=page)).problem(403, "outside_client_token")
    (await either.call("DELETE", f"/v1/tasks/{task['id']}", headers=page)).problem(403, "outside_client_token")


async def test_it_looks_at_its_own_models_alone(api):
    _, mine = await added(api.services.keys)
    _, page = await minted(api, mine)
    assert (await api.get("/v1/models/art/easel", headers=page)).json["id"] == "art/easel"
    for path in ("/v1/models/art/print", "/v1/models", "/v1/models/art/easel/x", "/v1/models/"):
        (await api.get(path, headers=page)).problem(403, "outside_client_token")
    task = (await api.submit(headers=mine)).json["id"]
    _, looking = await minted(api, mine, tasks=[task])
    (await api.get("/v1/models/art/easel", headers=looking)).problem(403, "outside_client_token")


async def test_files_are_brought_by_it_as_many_as_it_says_and_named_by_nobody_else(either, mine):
    _, page = await minted(either, mine, max_tasks=9, uploads={"max_files": 2, "max_bytes": 100})
    _, other = await minted(either, mine, max_tasks=9, uploads={"max_files": 1})
    ids = []
    for _ in range(2):
        upload = (await either.post("/v1/upload_urls", headers=page)).json
        assert upload["max_bytes"] == 100
        ids.append(upload["asset_id"])
        brought = await either.call("PUT", path_of(either, upload["url"]), data=b"words", encoded=True)
        assert brought.status == 201, brought.body
    (await either.post("/v1/upload_urls", headers=page)).problem(403, "client_token_used_up")
    (await either.post("/v1/upload_urls", headers=other, json={"max_bytes": 30_000_000})).problem(
        403, "outside_client_token"
    )
    assert (await either.get(f"/v1/assets/{ids[0]}", headers=page)).status == 200
    (await either.get(f"/v1/assets/{ids[0]}", headers=other)).problem(404, "unknown_asset")
    named = {"input": {"prompt": f"asset:{ids[0]}"}}
    assert (await either.submit(headers=page, **named)).status == 202
    (await either.submit(headers=other, **named)).problem(422, "invalid_input")
    _, none = await minted(either, mine)
    (await either.post("/v1/upload_urls", headers=none)).problem(403, "outside_client_token")
    (await either.call("POST", "/v1/uploads", headers=page)).problem(403, "outside_client_token")


async def test_an_input_names_no_file_of_the_key_but_what_the_token_fixes(either, mine):
    async with either.worker():
        of_key = (await either.submit(headers=mine | {"Prefer": "wait=20"})).json
    asset, task = f"asset:{of_key['outputs'][0]['id']}", f"task:{of_key['id']}"
    _, page = await minted(either, mine, max_tasks=9)
    for text in (asset, task, of_key["outputs"][0]["url"].partition("?")[0]):
        answer = await either.submit(headers=page, input={"prompt": text})
        if text.startswith("http"):  # it is no text of ours where nobody knows our own address
            assert answer.status == 202
            continue
        answer.problem(422, "invalid_input")
    _, page = await minted(either, mine, input={"prompt": asset})
    assert (await either.post("/v1/tasks", json={"input": {}}, headers=page)).status == 202
    async with either.worker():
        _, page = await minted(either, mine, max_tasks=9)
        own = (await either.submit(headers=page | {"Prefer": "wait=20"})).json
        named = await either.submit(headers=page, input={"prompt": f"task:{own['id']}"})
        assert named.status == 202, named.body


async def test_an_idempotency_key_meets_none_of_the_keys_own(either, mine):
    known = {"Idempotency-Key": "order-1042"}
    of_key = (await either.submit(headers=mine | known)).json
    _, page = await minted(either, mine)
    first = await either.submit(headers=page | known)
    assert first.json["id"] != of_key["id"]
    again = await either.submit(headers=page | known)
    assert (again.json["id"], again.headers["Idempotent-Replayed"]) == (first.json["id"], "true")
    (await either.submit(headers=page | known, input={"prompt": "b"})).problem(422, "idempotency_key_reuse")


@pytest.mark.parametrize(
    ("wanted", "place"),
    [
        ({}, "/models"),
        ({"tasks": ["00000000-0000-7000-8000-000000000000"], "models": ["art/easel"]}, "/models"),
        ({"tasks": ["00000000-0000-7000-8000-000000000000"]}, "/tasks/0"),
        ({"tasks": ["00000000-0000-7000-8000-000000000000"], "max_tasks": 3}, "/max_tasks"),
        ({"models": ["art/easel", "art/none"]}, "/models/1"),
        ({"models": []}, "/models"),
        ({"models": ["art/easel"], "max_tasks": 0}, "/max_tasks"),
        ({"models": ["art/easel"], "max_usd": "-1"}, "/max_usd"),
        ({"models": ["art/easel"], "expires_in_s": 3601}, "/expires_in_s"),
        ({"models": ["art/easel"], "expires_in_s": 9}, "/expires_in_s"),
        ({"models": ["art/easel"], "webhook_url": "ftp://x"}, "/webhook_url"),
        ({"models": ["art/easel"], "uploads": {"max_files": 0}}, "/uploads/max_files"),
        ({"models": ["art/easel"], "scopes": ["admin"]}, "/scopes"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_its_place(api, wanted, place):
    _, mine = await added(api.services.keys)
    problem = (await api.post("/v1/client_tokens", json=wanted, headers=mine)).problem(422, "invalid_input")
    assert place in [error["pointer"] for error in problem["errors"]]


async def test_a_customer_has_to_be_named_where_the_key_limits_them(api):
    _, mine = await added(api.services.keys, limits=KeyLimits(limit_by="customer"))
    refused = await api.post("/v1/client_tokens", json={"models": ["art/easel"]}, headers=mine)
    refused.problem(422, "customer_missing")


async def test_it_is_made_by_keys_that_may_write_and_not_by_another_token(api):
    _, reader = await added(api.services.keys, scopes=frozenset({Scope.READ}))
    body = {"models": ["art/easel"]}
    (await api.post("/v1/client_tokens", json=body, headers=reader)).problem(403, "insufficient_scope")
    _, mine = await added(api.services.keys)
    shown, page = await minted(api, mine)
    (await api.post("/v1/client_tokens", json=body, headers=page)).problem(403, "outside_client_token")
    (await api.get("/v1/client_tokens", headers=page)).problem(403, "outside_client_token")
    deleted = await api.call("DELETE", f"/v1/client_tokens/{shown['id']}", headers=page)
    deleted.problem(403, "outside_client_token")


async def test_what_its_key_may_not_it_may_not(api):
    _, writer = await added(api.services.keys, scopes=frozenset({Scope.WRITE}))
    _, page = await minted(api, writer)
    task = (await api.submit(headers=page)).json
    assert "signature" not in task["urls"]["events"]
    (await api.get(f"/v1/tasks/{task['id']}", headers=page)).problem(403, "insufficient_scope")


async def test_a_token_of_an_admin_sees_no_more_than_another(api):
    _, admin = await added(api.services.keys, scopes=frozenset({Scope.ADMIN}))
    task = (await api.submit(headers=admin)).json
    _, page = await minted(api, admin)
    (await api.get(f"/v1/tasks/{task['id']}", headers=page)).problem(404, "unknown_task")
    (await api.get("/v1/tasks", headers=page)).problem(403, "outside_client_token")
    (await api.get("/v1/keys", headers=page)).problem(403, "outside_client_token")


async def test_without_keys_it_holds_as_well(either):
    _, page = await minted(either, None, max_tasks=1)
    task = (await either.submit(headers=page)).json
    assert (await either.get(f"/v1/tasks/{task['id']}", headers=page)).status == 200
    (await either.submit(headers=page)).problem(403, "client_token_used_up")
    other = (await either.submit()).json
    (await either.get(f"/v1/tasks/{other['id']}", headers=page)).problem(404, "unknown_task")
    (await either.get("/v1/tasks", headers=page)).problem(403, "outside_client_token")
    await added(either.services.keys)
    forget(either)
    either.app.state.context.authenticator._has_keys_until_s = 0
    (await either.get(f"/v1/tasks/{task['id']}", headers=page)).problem(401, "authentication_required")


async def test_unknown_ones_and_those_of_other_environments_are_told(api):
    await added(api.services.keys)
    for word, status, code in (
        ("gpct_dev_nobody", 401, "authentication_required"),
        ("gpct_live_x", 403, "foreign_environment"),
        ("gpct_", 401, "authentication_required"),
    ):
        answer = await api.get("/v1/tasks", headers={"Authorization": f"Bearer {word}"})
        answer.problem(status, code)


async def test_what_was_known_of_it_holds_while_postgresql_is_away(serve):
    api = await serve()
    _, mine = await added(api.services.keys)
    _, page = await minted(api, mine, max_tasks=5)
    task = (await api.submit(headers=page)).json
    tokens = api.app.state.context.authenticator.client_tokens
    tokens._remembered = {name: replace(one, until_s=0.0) for name, one in tokens._remembered.items()}

    async def away(_digest):
        raise DatabaseUnavailable("PostgreSQL does not answer.")

    api.services.keys.client_tokens.find = away
    assert (await api.get(f"/v1/tasks/{task['id']}", headers=page)).status == 200
    other = {"Authorization": "Bearer gpct_dev_other"}
    (await api.get(f"/v1/tasks/{task['id']}", headers=other)).problem(503, "database_unavailable")


async def test_pages_of_other_origins_use_it(serve):
    options = ApiOptions(cors_origins=frozenset({PAGE["Origin"]}), api_key_prefixes=KEY_PREFIXES)
    api = await serve(options)
    _, mine = await added(api.services.keys)
    _, page = await minted(api, mine)
    asks = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    assert (await api.call("OPTIONS", "/v1/tasks", headers=PAGE | asks)).status == 204
    answer = await api.submit(headers=page | PAGE)
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE["Origin"]
    refused = await api.get("/v1/tasks", headers=page | PAGE)
    assert refused.headers["Access-Control-Allow-Origin"] == PAGE["Origin"]


async def test_events_of_its_task_are_signed_for_nobody_in_the_stream(api):
    _, mine = await added(api.services.keys)
    _, page = await minted(api, mine)
    async with api.worker():
        task = (await api.submit(headers=page | {"Prefer": "wait=20"})).json
    stream = (await api.get(path_of(api, task["urls"]["events"]), encoded=True)).body.decode()
    shown = json.loads(next(line for line in stream.splitlines() if line.startswith("data: "))[6:])
    assert "signature" not in shown["urls"]["events"]


async def test_the_console_takes_none(api):
    _, admin = await added(api.services.keys, scopes=frozenset({Scope.ADMIN}))
    shown, _ = await minted(api, admin)
    with pytest.raises(Exception, match="not known here"):
        await api.app.state.context.authenticator.by_token(shown["token"])
