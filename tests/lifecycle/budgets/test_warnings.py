"""Somebody is warned of a budget that is nearly used up: once a day or month, by the log and a webhook."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from genpulse.adapters.memory.webhooks.sender import MemoryMessageSender
from genpulse.domain.errors import BudgetExceeded
from genpulse.domain.keys.api_key import KeyLimits
from genpulse.domain.keys.caller import Caller
from genpulse.domain.money.allowance import Allowance
from genpulse.domain.money.spending import Spending
from genpulse.domain.webhook_delivery import Answer
from genpulse.lifecycle.budgets.warnings import warn_of_budgets
from genpulse.provider import Model, Provider
from genpulse.providers.catalog import LoadedCatalogue
from tests.api_keys import new_key
from tests.lifecycle.conftest import Words

URL = "https://ops.example/hooks"
PRICE = Decimal("0.40")


@pytest.fixture
def shop(world):
    model = Model("shop", ("text-to-image",), Words, world.shop, price=lambda _words: PRICE)
    world.services = replace(
        world.services,
        catalogue=LoadedCatalogue([Provider("vendor", (model,), paid=True)]),
        sender=MemoryMessageSender(),
    )
    return world


def budgeted(world, **spending):
    world.services = replace(world.services, spending=Spending(**spending))


def told(world):
    return [json.loads(sent.body) for sent in world.services.sender.sent]


async def test_everybody_is_told_once_a_day(shop, caplog):
    budgeted(shop, daily_usd=Decimal("1.00"), warning_url=URL)
    await shop.submit("vendor/shop")
    await warn_of_budgets(shop.services)
    assert told(shop) == []
    await shop.submit("vendor/shop")
    await asyncio.gather(*(warn_of_budgets(shop.services) for _ in range(3)))
    (message,) = told(shop)
    (sent,) = shop.services.sender.sent
    assert (sent.url, message["type"]) == (URL, "budget.warning")
    assert message["data"] | {"resets_at": ""} == {
        "scope": "environment",
        "name": "",
        "measure": "usd",
        "period": "day",
        "used": "0.80",
        "limit": "1.00",
        "resets_at": "",
    }
    assert datetime.fromisoformat(message["data"]["resets_at"]) > datetime.now(UTC)
    said = "budget.warning: 0.80 of the 1.00 USD of all tasks together this day (UTC) are spent or promised"
    assert [record.message for record in caplog.records if "budget.warning" in record.message] == [said]


async def test_each_budget_is_told_of_by_itself_and_end_customers_are_not(shop):
    limits = KeyLimits(daily_usd=PRICE, limit_by="customer", customer=Allowance(daily_usd=PRICE))
    key = new_key(limits=limits)
    await shop.services.keys.add(key, b"d")
    budgeted(shop, monthly_usd=PRICE, providers={"vendor": Allowance(daily_usd=PRICE)}, warning_url=URL)
    await shop.submit("vendor/shop", caller=Caller(key), metadata={"customer": "acme"})
    await warn_of_budgets(shop.services)
    await warn_of_budgets(shop.services)
    assert sorted((message["data"]["scope"], message["data"]["period"]) for message in told(shop)) == [
        ("environment", "month"),
        ("key", "day"),
        ("provider", "day"),
    ]
    assert "acme" not in str(told(shop))


async def test_what_is_not_taken_is_sent_again_and_without_an_address_nothing_is(shop):
    budgeted(shop, daily_usd=PRICE)
    await shop.submit("vendor/shop")
    await warn_of_budgets(shop.services)
    budgeted(shop, daily_usd=PRICE, monthly_usd=PRICE, warning_url=URL)
    shop.services = replace(shop.services, sender=MemoryMessageSender(Answer(503)))
    await warn_of_budgets(shop.services)
    (message,) = told(shop)
    assert message["data"]["period"] == "month"
    assert await shop.services.budgets.due(5, 0.0) == ()


async def test_a_share_of_everything_warns_at_the_end_alone(shop):
    budgeted(shop, daily_usd=2 * PRICE, warn_at=Decimal(1), warning_url=URL)
    await shop.submit("vendor/shop")
    await warn_of_budgets(shop.services)
    assert told(shop) == []
    await shop.submit("vendor/shop")
    await warn_of_budgets(shop.services)
    assert len(told(shop)) == 1
    with pytest.raises(BudgetExceeded):
        await shop.submit("vendor/shop")


async def test_a_budget_of_nothing_warns_of_nothing(shop):
    budgeted(shop, daily_usd=Decimal(0), warning_url=URL)
    await warn_of_budgets(shop.services)
    assert told(shop) == []
