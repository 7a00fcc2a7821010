"""What a task reserved and cost, as callers see it."""

from decimal import Decimal

import pytest

from genpulse.domain.attempt import Failed, Succeeded
from genpulse.domain.errors import UnknownOutcome
from genpulse.domain.money.cost import Cost
from genpulse.domain.money.settlement import settlement_of
from tests.api_keys import added
from tests.contract.conftest import new_task

PRICE = Decimal("0.5")
HEADER = "X-GenPulse-Cost-USD"


async def submitted(api, **changes):
    new = new_task(provider="art", model="art/easel", rule_version="2030-01", price_usd=PRICE, **changes)
    return (await api.services.store.submit(new)).task


def told(page):
    return [(one["kind"], one["amount_usd"], one["source"], one["rule_version"]) for one in page["data"]]


async def test_its_entries_and_what_they_come_to(either):
    task = await submitted(either)
    path = f"/v1/tasks/{task.id}/ledger"
    page = (await either.get(path)).json
    assert (told(page), page["cost_usd"], page["open_usd"]) == (
        [("reserved", "0.5", "price", "2030-01")],
        "0",
        "0.5",
    )
    await either.end(Succeeded((), Cost(Decimal("0.1"))))
    page = (await either.get(path)).json
    assert told(page)[1:] == [("settled", "0.1", "vendor", None), ("released", "0.4", "price", "2030-01")]
    assert (page["cost_usd"], page["open_usd"]) == ("0.1", "0.0")
    assert (page["data"][0]["model"], page["data"][0]["attempt"]) == ("art/easel", 0)


async def test_of_a_task_of_somebody_else_nothing_is_told(either):
    _, own = await added(either.services.keys, name="shop")
    task = await submitted(either)
    assert (await either.get(f"/v1/tasks/{task.id}/ledger", headers=own)).status == 404


async def test_a_cost_that_is_not_taken_is_told_beside_the_one_that_is(either):
    task = await submitted(either)
    settlement = settlement_of(Cost(Decimal(500)), PRICE)
    await either.end(Succeeded((), settlement.cost, (settlement.warning,)))
    entry = (await either.get(f"/v1/tasks/{task.id}/ledger")).json["data"][1]
    assert (entry["amount_usd"], entry["flag"], entry["reported"]) == ("0.5", "absurd", "500 USD")
    document = (await either.get(f"/v1/tasks/{task.id}")).json
    assert (document["cost"], document["warnings"][0]["code"]) == (
        {"amount_usd": "0.5", "estimated": True},
        "cost_not_taken",
    )


async def test_a_cost_that_nobody_knows_is_not_told_as_nothing(either):
    task = (await either.submit()).json
    await either.end(Succeeded((), settlement_of(Cost(Decimal("NaN")), None).cost))
    answer = await either.get(f"/v1/tasks/{task['id']}")
    assert (answer.json["cost"], HEADER in answer.headers) == (None, False)
    (entry,) = (await either.get(f"/v1/tasks/{task['id']}/ledger")).json["data"]
    assert (entry["amount_usd"], entry["reported"]) == ("0", "NaN USD")


@pytest.mark.parametrize(("cost", "told"), [("0.10", "0.10"), ("1E-7", "0.0000001"), ("0", "0")])
async def test_a_header_says_what_an_ended_task_cost(either, cost, told):
    task = await submitted(either)
    assert HEADER not in (await either.get(f"/v1/tasks/{task.id}")).headers
    await either.end(Succeeded((), Cost(Decimal(cost))))
    assert (await either.get(f"/v1/tasks/{task.id}")).headers[HEADER] == told
    assert (await either.post(f"/v1/tasks/{task.id}/cancel")).headers[HEADER] == told


async def test_no_header_where_nobody_knows_what_it_cost(either):
    task = await submitted(either)
    await either.end(Failed(UnknownOutcome("lost").failure))
    assert HEADER not in (await either.get(f"/v1/tasks/{task.id}")).headers
