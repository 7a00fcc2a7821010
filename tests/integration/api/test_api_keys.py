"""Calls with an API key: who they are, what they may do, and what is there for them."""

import asyncio
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from genpulse.api.auth.authentication import KNOWN_S, Authenticator
from genpulse.api.auth.loopback import LoopbackAccess
from genpulse.api.options import ApiOptions
from genpulse.domain.errors import DatabaseUnavailable
from genpulse.domain.keys.api_key import KeyLimits, Scope
from genpulse.domain.provider_account.rate import Rate
from tests.api_keys import added, new_key
from tests.integration.api.test_loopback import DEV

FOX = {"model": "art/easel", "input": {"prompt": "a fox"}}


async def test_a_key_opens_an_environment_that_is_closed(serve):
    api = await serve(environment=replace(DEV, name="test", api_key_prefix="gp_test_"))
    _, headers = await added(api.services.keys, "gp_test_")
    assert (await api.get("/v1/tasks", headers=headers)).status == 200
    assert (await api.submit(headers=headers)).status == 202


async def test_once_there_is_a_key_this_machine_needs_one_too(api):
    assert (await api.submit()).status == 202
    key, headers = await added(api.services.keys)
    api.app.state.context.authenticator._has_keys_until_s = 0
    refused = (await api.submit()).problem(401, "authentication_required")
    assert "GENPULSE_API_KEY" in refused["detail"]
    assert (await api.submit(headers=headers)).status == 202
    await api.services.keys.revoke(str(key.id), datetime.now(UTC))
    api.app.state.context.authenticator._has_keys_until_s = 0
    assert (await api.submit()).status == 202


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"revoked_at": datetime(2030, 1, 1, tzinfo=UTC)}, "was revoked"),
        ({"expires_at": datetime(2020, 1, 1, tzinfo=UTC)}, "has expired"),
    ],
)
async def test_a_key_that_ended_is_refused_and_told_why(api, changes, word):
    _, headers = await added(api.services.keys, **changes)
    answer = await api.get("/v1/tasks", headers=headers)
    assert word in answer.problem(401, "authentication_required")["detail"]
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_an_unknown_key_is_refused_and_not_shown(api):
    answer = await api.get("/v1/tasks", headers={"Authorization": "Bearer gp_dev_secret-secret"})
    assert "secret-secret" not in answer.problem(401, "authentication_required")["detail"]


async def test_scopes_open_what_they_say(api):
    _, reader = await added(api.services.keys, scopes=frozenset({Scope.READ}))
    _, writer = await added(api.services.keys, scopes=frozenset({Scope.WRITE}))
    assert (await api.get("/v1/tasks", headers=reader)).status == 200
    refused = (await api.submit(headers=reader)).problem(403, "insufficient_scope")["detail"]
    assert "tasks:write" in refused
    assert "has tasks:read" in refused
    assert (await api.submit(headers=writer)).status == 202
    (await api.get("/v1/tasks", headers=writer)).problem(403, "insufficient_scope")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Forgetful:
    """A store of keys that can be away."""

    def __init__(self, keys):
        self.keys, self.away, self.asked = keys, False, 0
        self.client_tokens = keys.client_tokens

    async def find(self, digest):
        self.asked += 1
        if self.away:
            raise DatabaseUnavailable("away")
        return await self.keys.find(digest)

    async def used(self, key_id, now):
        await self.keys.used(key_id, now)


async def test_a_revoked_key_is_refused_within_the_time_for_which_keys_are_remembered(api):
    key, headers = await added(api.services.keys)
    clock, keys = Clock(), Forgetful(api.services.keys)
    authenticator = Authenticator(keys, LoopbackAccess(DEV), {}, api.services.now, clock)
    connection = connection_with(headers)
    for _ in range(5):
        assert (await authenticator.authenticate(connection)).owner == str(key.id)
    assert keys.asked == 1
    await api.services.keys.revoke(str(key.id), datetime.now(UTC))
    clock.now += KNOWN_S
    with pytest.raises(Exception, match="was revoked"):
        await authenticator.authenticate(connection)
    await authenticator.close()
    (known,) = await api.services.keys.all()
    assert known.last_used_at is not None


async def test_while_the_database_is_away_known_keys_go_on_and_others_do_not(api):
    key, headers = await added(api.services.keys)
    clock, keys = Clock(), Forgetful(api.services.keys)
    authenticator = Authenticator(keys, LoopbackAccess(DEV), {}, api.services.now, clock)
    await authenticator.authenticate(connection_with(headers))
    keys.away = True
    clock.now += 100 * KNOWN_S
    assert (await authenticator.authenticate(connection_with(headers))).owner == str(key.id)
    with pytest.raises(DatabaseUnavailable):
        await authenticator.authenticate(connection_with({"Authorization": "Bearer gp_dev_other"}))
    await authenticator.close()


def connection_with(headers):
    from starlette.requests import HTTPConnection

    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return HTTPConnection({"type": "http", "client": ("10.0.0.1", 1), "headers": raw})


async def test_what_belongs_to_another_key_is_not_there_whatever_the_route(api):
    """Every route that names a task, an asset or a batch is walked, so that a new one cannot forget to ask."""
    _, mine = await added(api.services.keys)
    _, theirs = await added(api.services.keys)
    _, admin = await added(api.services.keys, scopes=frozenset({Scope.ADMIN}))
    async with api.worker():
        order = {**FOX, "webhook_url": "http://127.0.0.1:9/"}
        batch = (await api.post("/v1/tasks/batch", json={"tasks": [order]}, headers=mine)).json
        task = await wait_for(api, batch["data"][0]["id"], mine)
    asset = task["outputs"][0]["id"]
    deliveries = (await api.get(f"/v1/tasks/{task['id']}/deliveries", headers=mine)).json["data"]
    ids = {
        "task_id": task["id"],
        "batch_id": batch["id"],
        "asset_id": asset,
        "delivery_id": deliveries[0]["id"],
    }
    calls = [(method.upper(), path) for method, path in await calls_that_name(api, _CODES)]
    assert len(calls) >= 12
    for method, path in calls:
        code = next(code for name, code in _CODES.items() if f"{{{name}}}" in path)
        (await api.call(method, path.format(**ids), headers=theirs)).problem(404, code)
    assert (await api.get("/v1/tasks", headers=theirs)).json["data"] == []
    assert (await api.get("/v1/batches", headers=theirs)).json["data"] == []
    assert [one["id"] for one in (await api.get("/v1/tasks", headers=admin)).json["data"]] == [task["id"]]
    for method, path in sorted(calls, key=lambda call: call[0] == "DELETE"):
        allowed = await api.call(method, path.format(**ids), headers=admin)
        assert allowed.status in {200, 202, 204, 409}, (method, path, allowed.body)


_CODES = {"asset_id": "unknown_asset", "batch_id": "unknown_batch", "task_id": "unknown_task"}


async def calls_that_name(api, names):
    """The method and the path of every call whose path has one of these parameters."""
    document = (await api.get("/openapi.json")).json
    return [
        (method, path)
        for path, operations in document["paths"].items()
        for method in operations
        if set(names) & set(re.findall(r"{(\w+)}", path))
    ]


async def wait_for(api, task_id, headers):
    async with asyncio.timeout(60):
        while not (task := (await api.get(f"/v1/tasks/{task_id}", headers=headers)).json)["finished_at"]:
            await asyncio.sleep(0.01)
    return task


async def test_limits_of_a_key(serve):
    moment = datetime(2030, 1, 31, 23, 59, 0, tzinfo=UTC)
    api = await serve(clock=lambda: moment)
    _, two = await added(api.services.keys, limits=KeyLimits(max_active_tasks=2))
    first = (await api.submit(headers=two)).json
    assert (await api.submit(headers={**two, "Idempotency-Key": "k"})).status == 202
    refused = await api.submit(headers=two)
    assert "may have 2" in refused.problem(429, "key_limit_exceeded")["detail"]
    assert int(refused.headers["Retry-After"]) > 0
    assert (await api.submit(headers={**two, "Idempotency-Key": "k"})).headers["Idempotent-Replayed"] == "true"
    batch = await api.post("/v1/tasks/batch", json={"tasks": [FOX]}, headers=two)
    batch.problem(429, "key_limit_exceeded")
    await api.post(f"/v1/tasks/{first['id']}/cancel", headers=two)
    assert (await api.submit(headers=two)).status == 202


async def test_daily_limits_begin_again_with_the_day(serve):
    moment = [datetime.now(UTC).replace(hour=23, minute=59, second=0, microsecond=0)]
    api = await serve(clock=lambda: moment[0])
    _, daily = await added(api.services.keys, limits=KeyLimits(daily_tasks=1))
    assert (await api.submit(headers=daily)).status == 202
    refused = await api.submit(headers=daily)
    refused.problem(429, "key_limit_exceeded")
    assert refused.headers["Retry-After"] == "60"
    moment[0] += timedelta(minutes=1)
    assert (await api.submit(headers=daily)).status == 202


async def test_dollars_of_a_day(serve, catalogue_of):
    api = await serve()
    _, poor = await added(api.services.keys, limits=KeyLimits(daily_usd=Decimal(0)))
    assert (await api.submit(headers=poor)).status == 202, "what has no price costs nothing"


async def test_a_key_that_calls_too_often_has_to_wait(api):
    _, slow = await added(api.services.keys, limits=KeyLimits(rate=Rate.parse("1/min")))
    assert (await api.get("/v1/tasks", headers=slow)).status == 200
    refused = await api.get("/v1/tasks", headers=slow)
    assert "1/min" in refused.problem(429, "rate_limited")["detail"]
    assert 50 <= int(refused.headers["Retry-After"]) <= 60
    _, other = await added(api.services.keys)
    assert (await api.get("/v1/tasks", headers=other)).status == 200


async def test_a_rate_lets_all_of_it_through_at_once_and_says_exactly_when_there_is_more(api):
    _, bursts = await added(api.services.keys, limits=KeyLimits(rate=Rate.parse("5/h")))
    answers = [await api.get("/v1/tasks", headers=bursts) for _ in range(7)]
    assert [each.status for each in answers] == [200] * 5 + [429] * 2
    for left, taken in zip((4, 3, 2, 1, 0), answers, strict=False):
        assert taken.headers["RateLimit-Policy"] == '"key";q=5;w=3600'
        name, count, full = taken.headers["RateLimit"].split(";")
        assert (name, count) == ('"key"', f"r={left}")
        assert (5 - left) * 720 - 60 < int(full.removeprefix("t=")) <= (5 - left) * 720
    for refused in answers[5:]:
        assert 700 < int(refused.headers["Retry-After"]) <= 720
        assert refused.headers["RateLimit-Policy"] == '"key";q=5;w=3600'
        assert refused.headers["RateLimit"] == f'"key";r=0;t={refused.headers["Retry-After"]}'


async def test_a_key_without_a_rate_is_told_of_none(api):
    _, mine = await added(api.services.keys)
    answer = await api.get("/v1/tasks", headers=mine)
    assert not [name for name in answer.headers if name.startswith("RateLimit")]


async def test_the_address_of_an_output_can_be_passed_on_until_it_expires(serve):
    moment = [datetime.now(UTC)]
    api = await serve(ApiOptions(asset_url_s=3600), now=lambda: moment[0])
    _, mine = await added(api.services.keys)
    async with api.worker():
        task = await wait_for(api, (await api.submit(headers=mine)).json["id"], mine)
    [output] = task["outputs"]
    path = output["url"].removeprefix(api.url)
    assert (await api.get(path, encoded=True)).body == b"drawing of a fox"
    (await api.get(path.partition("?")[0])).problem(401, "authentication_required")
    (await api.get(path.replace("signature=", "signature=x"), encoded=True)).problem(403, "invalid_signature")
    (await api.get(path.replace("expires=1", "expires=9"), encoded=True)).problem(403, "invalid_signature")
    other = path.replace(output["id"], str(new_key().id))
    (await api.get(other, encoded=True)).problem(403, "invalid_signature")
    moment[0] += timedelta(hours=2)
    (await api.get(path, encoded=True)).problem(403, "expired_url")
    fresh = (await api.get(f"/v1/tasks/{task['id']}", headers=mine)).json["outputs"][0]["url"]
    assert (await api.get(fresh.removeprefix(api.url), encoded=True)).status == 200


async def test_a_signed_address_opens_nothing_else(api):
    _, mine = await added(api.services.keys)
    async with api.worker():
        task = await wait_for(api, (await api.submit(headers=mine)).json["id"], mine)
    query = task["outputs"][0]["url"].partition("?")[2]
    asset = task["outputs"][0]["id"]
    for path in (f"/v1/assets/{asset}", f"/v1/tasks/{task['id']}", "/v1/tasks"):
        (await api.get(f"{path}?{query}", encoded=True)).problem(401, "authentication_required")
    (await api.post(f"/v1/assets/{asset}/content?{query}")).problem(401, "authentication_required")
