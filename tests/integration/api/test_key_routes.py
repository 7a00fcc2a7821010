"""API keys over HTTP."""

import logging
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from genpulse.domain.keys.api_key import KeyLimits, Scope
from genpulse.domain.provider_account.rate import Rate
from tests.api_keys import added, new_key

KEYS = "/v1/keys"
OF_KEY = ("max_active_tasks", "daily_tasks", "daily_usd", "monthly_usd", "rate", "max_priority", "retain_s")
OF_CUSTOMERS = {
    "limit_by": "metadata.customer",
    "customer_max_active_tasks": 2,
    "customer_daily_tasks": 3,
    "customer_daily_usd": "1",
    "customer_monthly_usd": "15.5",
}
NO_LIMITS = {**dict.fromkeys((*OF_KEY, *OF_CUSTOMERS)), "weight": 1}


@pytest.fixture
async def admin(either):
    """The headers of a key that may do everything."""
    return (await added(either.services.keys, name="operator", scopes=frozenset({Scope.ADMIN})))[1]


async def created(api, admin, **body):
    answer = await api.post(KEYS, json={"name": "shop", **body}, headers=admin)
    assert answer.status == 201, answer.body
    return answer.json


async def test_a_key_is_created_shown_once_and_works(either, admin):
    limits = {"daily_usd": "2.50", "rate": "10/s", "max_priority": "low", "retain_s": 0, "max_active_tasks": 3}
    answer = await either.post(KEYS, json={"name": "shop", "limits": limits, "expires_in_s": 3600}, headers=admin)
    key = answer.json
    assert answer.status == 201
    assert answer.headers["Location"] == f"{KEYS}/{key['id']}"
    assert answer.headers["Cache-Control"] == "no-store"
    secret = key.pop("key")
    assert secret.startswith("gp_dev_" + key["hint"])
    assert (key["name"], key["scopes"], key["state"]) == ("shop", ["tasks:read", "tasks:write"], "active")
    assert key["limits"] == NO_LIMITS | limits
    theirs = {"Authorization": f"Bearer {secret}"}
    assert (await either.submit(headers=theirs)).json["priority"] == "low"
    shown = (await either.get(f"{KEYS}/{key['id']}", headers=admin)).json
    assert shown["usage"] == {"active_tasks": 1, "today_tasks": 1, "today_usd": "0", "month_usd": "0"}
    listed = (await either.get(KEYS, headers=admin)).json["data"]
    assert [each["name"] for each in listed] == ["operator", "shop"]
    assert listed[1] | {"last_used_at": None} == shown | {"last_used_at": None}
    assert "key" not in shown
    expires_at = datetime.fromisoformat(key["expires_at"])
    assert abs(expires_at - datetime.now(UTC) - timedelta(hours=1)) < timedelta(minutes=2)


async def test_a_key_is_changed_where_it_is_asked_for(either, admin):
    key = await created(either, admin, limits={"daily_tasks": 5, "rate": "1/s"}, expires_in_s=3600)
    path = f"{KEYS}/{key['id']}"
    change = {"name": "store", "limits": {"rate": None, "daily_usd": "1"}}
    changed = (await either.call("PATCH", path, json=change, headers=admin)).json
    assert changed["name"] == "store"
    assert changed["limits"] == NO_LIMITS | {"daily_tasks": 5, "daily_usd": "1"}
    assert changed["expires_at"] == key["expires_at"]
    forever = {"expires_in_s": None, "name": None}
    assert (await either.call("PATCH", path, json=forever, headers=admin)).json["expires_at"] is None
    nothing = (await either.call("PATCH", path, json={}, headers=admin)).json
    assert (nothing["name"], nothing["limits"]) == ("store", changed["limits"])


async def test_a_key_weighs_one_unless_it_is_told_otherwise(either, admin):
    key = await created(either, admin, limits={"weight": 100})
    path = f"{KEYS}/{key['id']}"
    assert key["limits"] == NO_LIMITS | {"weight": 100}
    for asked, weight in (({"daily_tasks": 5}, 100), ({"weight": 3.0}, 3), ({"weight": None}, 1)):
        changed = (await either.call("PATCH", path, json={"limits": asked}, headers=admin)).json
        assert changed["limits"]["weight"] == weight


@pytest.mark.parametrize("weight", [0, -1, 101, 1.5, "3", True, 10**20])
async def test_a_weight_that_cannot_be_is_refused(either, admin, weight):
    refused = await either.post(KEYS, json={"name": "shop", "limits": {"weight": weight}}, headers=admin)
    (error,) = refused.problem(422, "invalid_input")["errors"]
    assert error["pointer"] == "/limits/weight"


async def test_an_admin_with_limits_may_give_any_weight(either):
    _, lowered = await added(
        either.services.keys, scopes=frozenset({Scope.ADMIN}), limits=KeyLimits(daily_tasks=5)
    )
    key = await created(either, lowered, limits={"daily_tasks": 5, "weight": 7})
    assert key["limits"]["weight"] == 7


async def test_a_revoked_admin_makes_no_key_in_its_place(either, admin):
    leaked = await created(either, admin, scopes=["admin"])
    other = await created(either, admin)
    theirs = {"Authorization": f"Bearer {leaked['key']}"}
    assert (await either.get(KEYS, headers=theirs)).status == 200
    await either.call("DELETE", f"{KEYS}/{leaked['id']}", headers=admin)
    path = f"{KEYS}/{other['id']}"
    for method, where, body in (("POST", KEYS, {"name": "again"}), ("PATCH", path, {}), ("DELETE", path, None)):
        refused = await either.call(method, where, json=body, headers=theirs)
        assert "was revoked" in refused.problem(401, "authentication_required")["detail"]
    assert (await either.get(path, headers=admin)).json["state"] == "active"


async def test_an_admin_gives_no_more_than_it_was_lowered_to(either, admin):
    lowered = await created(either, admin, scopes=["admin"])
    theirs = {"Authorization": f"Bearer {lowered['key']}"}
    assert (await either.get(KEYS, headers=theirs)).status == 200
    change = {"limits": {"daily_usd": "5"}}
    await either.call("PATCH", f"{KEYS}/{lowered['id']}", json=change, headers=admin)
    refused = await either.post(KEYS, json={"name": "more", "limits": {"daily_usd": "6"}}, headers=theirs)
    assert [error["pointer"] for error in refused.problem(403, "beyond_own_key")["errors"]] == [
        "/limits/daily_usd"
    ]


async def test_a_changed_limit_holds_when_the_key_is_read_again(either, admin):
    key = await created(either, admin, limits={"max_active_tasks": 1})
    theirs = {"Authorization": f"Bearer {key['key']}"}
    assert (await either.submit(headers=theirs)).status == 202
    (await either.submit(headers=theirs)).problem(429, "key_limit_exceeded")
    more = {"limits": {"max_active_tasks": 2}}
    await either.call("PATCH", f"{KEYS}/{key['id']}", json=more, headers=admin)
    either.app.state.context.authenticator._remembered.clear()
    assert (await either.submit(headers=theirs)).status == 202


async def test_a_revoked_key_stays_in_the_list(either, admin):
    key = await created(either, admin)
    path = f"{KEYS}/{key['id']}"
    for _ in range(2):
        assert (await either.call("DELETE", path, headers=admin)).status == 204
    shown = (await either.get(path, headers=admin)).json
    assert shown["state"] == "revoked"
    assert shown["revoked_at"] is not None
    theirs = {"Authorization": f"Bearer {key['key']}"}
    (await either.get("/v1/tasks", headers=theirs)).problem(401, "authentication_required")


async def test_a_key_does_not_change_or_revoke_itself(api):
    key, admin = await added(api.services.keys, scopes=frozenset({Scope.ADMIN}))
    path = f"{KEYS}/{key.id}"
    (await api.call("DELETE", path, headers=admin)).problem(409, "own_key")
    (await api.call("PATCH", path, json={"name": "x"}, headers=admin)).problem(409, "own_key")
    known = await api.services.keys.get(str(key.id))
    assert (known.name, known.revoked_at) == (key.name, None)


async def test_a_limited_admin_gives_no_more_than_it_holds(api):
    limits = KeyLimits(daily_usd=Decimal(5), rate=Rate.parse("100/s"))
    key, admin = await added(api.services.keys, scopes=frozenset({Scope.ADMIN}), limits=limits)
    refused = (await api.post(KEYS, json={"name": "x", "limits": {"daily_usd": "6"}}, headers=admin)).problem(
        403, "beyond_own_key"
    )
    assert [each["pointer"] for each in refused["errors"]] == ["/limits/daily_usd", "/limits/rate"]
    assert [each.id for each in await api.services.keys.all()] == [key.id]
    other, _ = await added(api.services.keys, name="other")
    path = f"{KEYS}/{other.id}"
    for change in ({"limits": {"daily_usd": None}}, {"limits": {"rate": "101/s"}}):
        (await api.call("PATCH", path, json=change, headers=admin)).problem(403, "beyond_own_key")
    assert (await api.call("PATCH", path, json={"limits": {"daily_usd": "5"}}, headers=admin)).status == 200
    assert (await api.call("PATCH", path, json={"name": "renamed"}, headers=admin)).status == 200


@pytest.mark.parametrize("scopes", [{Scope.READ}, {Scope.WRITE}, {Scope.READ, Scope.WRITE}])
async def test_only_admin_keys_see_and_change_keys(api, scopes):
    key, theirs = await added(api.services.keys, scopes=frozenset(scopes))
    other, _ = await added(api.services.keys)
    path = f"{KEYS}/{other.id}"
    calls = [
        ("GET", KEYS),
        ("POST", KEYS),
        ("GET", path),
        ("PATCH", path),
        ("DELETE", path),
        ("DELETE", f"{KEYS}/{key.id}"),
    ]
    for method, address in calls:
        (await api.call(method, address, json={"name": "x"}, headers=theirs)).problem(403, "insufficient_scope")
    assert len(await api.services.keys.all()) == 2


async def test_this_machine_creates_the_first_key_of_dev(api):
    assert (await api.post(KEYS, json={"name": "first", "scopes": ["admin"]})).status == 201


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": " x"}, "/name"),
        ({"name": "a\nb"}, "/name"),
        ({"name": "x" * 101}, "/name"),
        ({"name": "x", "scopes": []}, "/scopes"),
        ({"name": "x", "scopes": ["all"]}, "/scopes/0"),
        ({"name": "x", "expires_in_s": 0}, "/expires_in_s"),
        ({"name": "x", "expires_in_s": "3600"}, "/expires_in_s"),
        ({"name": "x", "limits": {"daily_usd": 5}}, "/limits/daily_usd"),
        ({"name": "x", "limits": {"daily_usd": "-1"}}, "/limits/daily_usd"),
        ({"name": "x", "limits": {"daily_usd": "NaN"}}, "/limits/daily_usd"),
        ({"name": "x", "limits": {"rate": "often"}}, "/limits/rate"),
        ({"name": "x", "limits": {"daily_tasks": 2**31}}, "/limits/daily_tasks"),
        ({"name": "x", "limits": {"daily_tasks": True}}, "/limits/daily_tasks"),
        ({"name": "x", "limits": {"max_priority": "urgent"}}, "/limits/max_priority"),
        ({"name": "x", "limits": {"daily": 1}}, "/limits/daily"),
        ({"name": "x", "scope": ["admin"]}, "/scope"),
    ],
)
async def test_what_does_not_fit_is_named(api, body, pointer):
    refused = (await api.post(KEYS, json=body)).problem(422, "invalid_input")
    assert [each["pointer"] for each in refused["errors"]] == [pointer]
    assert await api.services.keys.all() == ()


async def test_a_key_that_is_not_there_is_404(api):
    for key_id in (new_key().id, "x", "0198c0"):
        for method in ("GET", "PATCH", "DELETE"):
            (await api.call(method, f"{KEYS}/{key_id}", json={})).problem(404, "unknown_key")


async def test_each_change_is_told_to_the_log_without_the_secret(api, caplog):
    caplog.set_level(logging.INFO)
    key, admin = await added(api.services.keys, scopes=frozenset({Scope.ADMIN}))
    new = await created(api, admin)
    path = f"{KEYS}/{new['id']}"
    await api.call("PATCH", path, json={"limits": {"daily_tasks": 7}}, headers=admin)
    await api.call("DELETE", path, headers=admin)
    said = [line for line in caplog.messages if new["id"] in line]
    assert [line.split()[3] for line in said] == ["created", "changed", "revoked"]
    assert all(str(key.id) in line for line in said)
    assert '"daily_tasks":7' in said[1]
    assert new["key"] not in caplog.text


async def test_a_month_and_end_customers_are_limited_over_http(either, admin):
    key = await created(either, admin, limits={"monthly_usd": "400", **OF_CUSTOMERS})
    assert key["limits"] == NO_LIMITS | {"monthly_usd": "400"} | OF_CUSTOMERS
    path, theirs = f"{KEYS}/{key['id']}", {"Authorization": f"Bearer {key['key']}"}
    missing = (await either.submit(headers=theirs)).problem(422, "customer_missing")
    assert missing["errors"] == [{"pointer": "/metadata/customer", "detail": "it is missing or empty"}]
    assert (await either.submit(headers=theirs, metadata={"customer": "acme"})).status == 202
    assert (await either.submit(headers=theirs, metadata={"customer": "acme"})).status == 202
    refused = await either.submit(headers=theirs, metadata={"customer": "acme"})
    problem = refused.problem(429, "customer_limit_exceeded")
    assert (
        "The customer 'acme' of this API key has 2 tasks that have not ended and may have 2" in problem["detail"]
    )
    assert problem["limit"] == {
        "scope": "customer",
        "name": "acme",
        "measure": "active_tasks",
        "used": "2",
        "limit": "2",
    }
    assert (await either.submit(headers=theirs, metadata={"customer": "other"})).status == 202
    change = {"customer_max_active_tasks": None}
    changed = (await either.call("PATCH", path, json={"limits": change}, headers=admin)).json
    assert changed["limits"] == NO_LIMITS | {"monthly_usd": "400"} | OF_CUSTOMERS | change
    lifted = (await either.call("PATCH", path, json={"limits": {"limit_by": None}}, headers=admin)).json
    assert lifted["limits"] == NO_LIMITS | {"monthly_usd": "400"}


@pytest.mark.parametrize("limits", [{"customer_daily_usd": "1"}, {"limit_by": None, "customer_daily_tasks": 1}])
async def test_customers_are_not_limited_where_nothing_tells_them_apart(either, admin, limits):
    answer = await either.post(KEYS, json={"name": "shop", "limits": limits}, headers=admin)
    problem = answer.problem(422, "invalid_input")
    assert [error["pointer"] for error in problem["errors"]] == ["/limits/limit_by"]


async def test_budgets_are_shown_to_those_who_may_see_them(either, admin):
    key = await created(either, admin, name="shop", limits={"daily_tasks": 7, **OF_CUSTOMERS})
    await created(either, admin, name="free")
    theirs = {"Authorization": f"Bearer {key['key']}"}
    await either.submit(headers=theirs, metadata={"customer": "acme"})
    (mine,) = (await either.get("/v1/budgets", headers=theirs)).json["data"]
    midnight = mine.pop("resets_at")
    assert mine == {
        "scope": "key",
        "name": key["id"],
        "key_name": "shop",
        "measure": "tasks",
        "period": "day",
        "used": "1",
        "limit": "7",
    }
    assert midnight.endswith("T00:00:00Z")
    assert (await either.get("/v1/budgets", headers=admin)).json["data"] == [mine | {"resets_at": midnight}]
    of_acme = (await either.get("/v1/budgets?customer=acme", headers=theirs)).json["data"][1:]
    assert [(one["scope"], one["name"], one["used"], one["limit"]) for one in of_acme] == [
        ("customer", "acme", "1", "2"),
        ("customer", "acme", "1", "3"),
        ("customer", "acme", "0", "1"),
        ("customer", "acme", "0", "15.5"),
    ]
    for query in ("customer=", "whose=me", "customer=a&customer=b"):
        (await either.get(f"/v1/budgets?{query}", headers=theirs)).problem(422, "invalid_input")


async def test_a_batch_is_of_several_customers_and_fits_as_a_whole(either, admin):
    key = await created(either, admin, limits={"limit_by": "metadata.a/b~c", "customer_daily_tasks": 2})
    theirs = {"Authorization": f"Bearer {key['key']}"}
    order = {"model": "art/easel", "input": {"prompt": "a fox"}}

    async def submitted(*customers):
        tasks = [order | {"metadata": {"a/b~c": name} if name else {}} for name in customers]
        return await either.post("/v1/tasks/batch", json={"tasks": tasks}, headers=theirs)

    missing = (await submitted("acme", None)).problem(422, "customer_missing")
    assert missing["errors"][0]["pointer"] == "/tasks/1/metadata/a~1b~0c"
    assert (await submitted("acme", "beta", "acme")).status == 202
    refused = (await submitted("gamma", "beta", "beta")).problem(429, "customer_limit_exceeded")
    assert (refused["limit"]["name"], refused["limit"]["used"], refused["limit"]["period"]) == ("beta", "1", "day")
    assert (await submitted("gamma", "gamma", "beta")).status == 202
