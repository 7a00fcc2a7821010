"""Usage: what tasks came to, as JSON and as a table."""

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import quote

import pytest

from genpulse.domain.attempt import Failed, Succeeded
from genpulse.domain.errors import ProviderUnavailable, UnknownOutcome
from genpulse.domain.keys.api_key import Scope
from genpulse.domain.money.cost import Cost
from tests.api_keys import added
from tests.contract.conftest import new_task

URL = "/v1/usage"


@pytest.fixture
async def used(either):
    """Tasks of two customers: two that cost something, one that failed and one that waits."""
    for customer in ("acme", "acme", "beta"):
        await either.submit(metadata={"customer": customer})
    await either.end(Succeeded((), Cost(Decimal("0.1"))))
    await either.end(Succeeded((), Cost(Decimal("0.2"))))
    await either.end(Failed(ProviderUnavailable("down").failure))
    await either.submit(model="art/print", kind="text-to-video", metadata={})
    return either


async def rows(api, query="", **options):
    answer = await api.get(f"{URL}?{query}", **options)
    assert answer.status == 200, answer.body
    return answer.json["data"]


async def test_all_of_it_in_one_row(used):
    (row,) = await rows(used)
    assert (row["count"], row["cost_usd"], row["price_usd"], row["unpriced"]) == (4, "0.3", "0", 4)
    assert row["statuses"] == {"queued": 1, "succeeded": 2, "failed": 1}
    assert (row["day"], row["model"], row["status"], row["metadata"]) == (None, None, None, {})


async def test_put_together_by_what_is_asked_for(used):
    today = datetime.now(UTC).date().isoformat()
    found = await rows(used, "group_by=model,metadata.customer")
    assert [(row["model"], row["metadata"]["customer"], row["count"], row["cost_usd"]) for row in found] == [
        ("art/easel", "acme", 2, "0.3"),
        ("art/easel", "beta", 1, "0"),
        ("art/print", None, 1, "0"),
    ]
    found = await rows(used, "group_by=status")
    assert [(row["status"], row["count"]) for row in found] == [("failed", 1), ("queued", 1), ("succeeded", 2)]
    (row,) = await rows(used, "group_by=day,provider,key")
    assert (row["day"], row["provider"], row["key"], row["key_name"], row["count"]) == (today, "art", "", None, 4)


@pytest.mark.parametrize(
    "by", ["", "day,model", "provider", "status", "metadata.customer", "model,metadata.customer"]
)
@pytest.mark.parametrize("at", ["2030-01-01", "2030-01-01T10:30:00Z"])
async def test_in_no_time_at_all_nothing_came(used, by, at):
    group_by = f"&group_by={by}" if by else ""
    assert sum(row["count"] for row in await rows(used, f"from={at}&to={at}{group_by}")) == 0


async def test_any_name_of_metadata_that_a_task_can_have(either):
    for name in ("größe", "顧客", "a b", 'a"b'):
        await either.submit(metadata={name: "x"})
        found = await rows(either, f"group_by=metadata.{quote(name)}")
        assert {row["metadata"][name] for row in found} >= {"x"}


async def test_the_time_that_is_asked_for(used):
    assert await rows(used, "from=2000-01-01&to=2000-02-01&group_by=model") == []
    assert await rows(used, "from=2000-01-01&to=2000-02-01") == []
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date()
    assert (await rows(used, f"from=2000-01-01&to={tomorrow}"))[0]["count"] == 4
    answer = (await used.get(f"{URL}?to=2030-01-31")).json
    assert (answer["start"], answer["end"]) == ("2030-01-01T00:00:00Z", "2030-01-31T00:00:00Z")


MONEY, NO_MONEY = ("0.3", "0.3", "0", "0"), ("0", "0", "0", "0")
SUMS = ("reserved_usd", "settled_usd", "released_usd", "refunded_usd")


def sums(row):
    return tuple(row[name] for name in SUMS)


@pytest.fixture
async def priced(either):
    """Three tasks of a price: one that was cheaper, one that failed and may be charged, and one that waits."""
    for customer in ("acme", "acme", "beta"):
        new = new_task(
            provider="art", model="art/easel", metadata={"customer": customer}, price_usd=Decimal("0.5")
        )
        await either.services.store.submit(new)
    await either.end(Succeeded((), Cost(Decimal("0.1"))))
    await either.end(Failed(UnknownOutcome("lost").failure))
    return either


@pytest.mark.parametrize("query", ["", "group_by=provider", "group_by=day,model,key"])
async def test_money_is_told_by_the_ledger_also_when_its_tasks_are_gone(priced, query):
    (row,) = await rows(priced, query)
    assert (row["count"], row["cost_usd"], sums(row)) == (3, "0.1", ("1.5", "0.6", "0.4", "0"))
    async with priced.services.retention.turn() as pruning:
        await pruning.tasks(timedelta(seconds=-1), 100)
    (row,) = await rows(priced, query)
    assert (row["count"], row["cost_usd"], sums(row)) == (1, "0", ("1.5", "0.6", "0.4", "0"))


async def test_what_all_tasks_of_a_model_cost_is_told_when_they_are_gone(priced):
    await priced.submit(model="art/print", kind="text-to-video")
    await priced.end(Succeeded(()))
    async with priced.services.retention.turn() as pruning:
        await pruning.tasks(timedelta(seconds=-1), 100)
    found = await rows(priced, "group_by=model")
    assert [(row["model"], row["count"], row["settled_usd"]) for row in found] == [
        ("art/easel", 0, "1.1"),
        ("art/print", 1, "0"),
    ]


async def test_by_what_the_ledger_does_not_know_it_is_told_of_the_tasks(priced):
    found = await rows(priced, "group_by=metadata.customer")
    assert [(row["metadata"]["customer"], sums(row)) for row in found] == [
        ("acme", ("1.0", "0.6", "0.4", "0")),
        ("beta", ("0.5", "0", "0", "0")),
    ]
    found = await rows(priced, "group_by=status")
    assert {row["status"]: sums(row) for row in found} == {
        "failed": ("0.5", "0.5", "0", "0"),
        "queued": ("0.5", "0", "0", "0"),
        "succeeded": ("0.5", "0.1", "0.4", "0"),
    }


async def test_money_of_the_days_that_are_asked_for(priced):
    today = datetime.now(UTC).date()
    tomorrow = today + timedelta(days=1)
    assert await rows(priced, f"from={tomorrow}&to={tomorrow + timedelta(days=1)}") == []
    assert await rows(priced, f"from=2000-01-01&to={today}") == []
    (row,) = await rows(priced, f"from={today}&to={tomorrow}&group_by=day")
    assert (row["day"], sums(row)) == (today.isoformat(), ("1.5", "0.6", "0.4", "0"))


async def test_a_key_sees_its_own_money_alone(either):
    one, own = await added(either.services.keys, name="shop")
    _, other = await added(either.services.keys, name="lab")
    new = new_task(provider="art", model="art/easel", owner=str(one.id), price_usd=Decimal("0.5"))
    await either.services.store.submit(new)
    assert sums((await rows(either, "group_by=key", headers=own))[0])[0] == "0.5"
    assert await rows(either, "group_by=key", headers=other) == []


async def test_a_table_for_a_spreadsheet(used):
    await used.submit(metadata={"customer": "=1+1", "a,b": "x\ny"})
    answer = await used.get(f"{URL}?group_by=metadata.customer,model", headers={"Accept": "text/csv"})
    assert answer.headers["Content-Type"].startswith("text/csv")
    head, *found = csv.reader(answer.body.decode().splitlines())
    assert head == [
        *("model", "metadata.customer", "count", "queued", "running", "succeeded", "failed", "canceled"),
        *("cost_usd", "price_usd", "unpriced", "reserved_usd", "settled_usd", "released_usd", "refunded_usd"),
    ]
    assert ["art/easel", "acme", "2", "0", "0", "2", "0", "0", "0.3", "0", "2", *MONEY] in found
    assert ["art/print", "", "1", "1", "0", "0", "0", "0", "0", "0", "1", *NO_MONEY] in found
    assert any(row[1] == "'=1+1" for row in found)


async def test_json_is_given_where_nothing_else_is_asked_for(used):
    for accept in ("*/*", "application/json", "application/json, text/csv", "image/png", "text/csvx"):
        answer = await used.get(URL, headers={"Accept": accept})
        assert answer.headers["Content-Type"] == "application/json"


async def test_a_key_sees_what_its_own_tasks_came_to(either):
    one, own = await added(either.services.keys, name="shop")
    _, other = await added(either.services.keys, name="lab")
    _, admin = await added(either.services.keys, name="boss", scopes=frozenset({Scope.ADMIN}))
    for headers in (own, own, other):
        await either.submit(headers=headers)
    (row,) = await rows(either, "group_by=key", headers=own)
    assert (row["key"], row["key_name"], row["count"]) == (str(one.id), "shop", 2)
    found = await rows(either, "group_by=key", headers=admin)
    assert {row["key_name"]: row["count"] for row in found} == {"shop": 2, "lab": 1}
    assert (await rows(either, headers=other))[0]["count"] == 1


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("group_by=", "group_by"),
        ("group_by=hour", "group_by"),
        ("group_by=day,", "group_by"),
        ("group_by=day,day", "group_by"),
        ("group_by=metadata.", "group_by"),
        ("group_by=metadata.a%00", "group_by"),
        ("group_by=metadata", "group_by"),
        ("group_by=" + ",".join(f"metadata.a{number}" for number in range(9)), "group_by"),
        (f"group_by=metadata.{'a' * 65}", "group_by"),
        ("group_by=day&group_by=model", "group_by"),
        ("from=yesterday", "from"),
        ("from=2030-02-01&to=2030-01-01", "from"),
        ("to=", "to"),
        ("start=2030-01-01", "start"),
        ("form=2030-01-01", "form"),
    ],
)
async def test_what_does_not_fit_is_refused_by_its_name(api, query, parameter):
    problem = (await api.get(f"{URL}?{query}")).problem(422, "invalid_input")
    assert problem["errors"][0]["parameter"] == parameter


async def test_a_time_that_has_not_come_is_said_in_plain_words(api):
    problem = (await api.get(f"{URL}?from=2100-01-01")).problem(422, "invalid_input")
    assert problem["detail"] == "The query does not fit: from: It is in the future: no task has come since."
    problem = (await api.get(f"{URL}?from=2100-01-02&to=2100-01-01")).problem(422, "invalid_input")
    assert "later than the end" in problem["detail"]
    assert (await api.get(f"{URL}?from=2100-01-01&to=2100-01-02")).json["data"] == []


async def test_an_unknown_parameter_comes_with_those_that_there_are(api):
    problem = (await api.get(f"{URL}?form=2030-01-01")).problem(422, "invalid_input")
    assert "from, to, group_by. Did you mean from?" in problem["detail"]
