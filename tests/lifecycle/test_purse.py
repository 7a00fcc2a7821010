"""Before money is spent: is it allowed here, and is there enough for today?"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from genpulse.domain.errors import BudgetExceeded, PaidProviderRefused
from genpulse.domain.failure import Actor, Charged, FailureCode
from genpulse.domain.spending import Spending
from genpulse.domain.task import TaskStatus
from genpulse.lifecycle.retry import retry
from genpulse.lifecycle.submit import Order, submit_batch
from genpulse.provider import Model, Provider
from genpulse.providers.catalog import LoadedCatalogue
from tests.lifecycle.conftest import Words

PRICE = Decimal("0.40")


@pytest.fixture
def paid(world):
    """The world, in which the vendor costs money: 0.40 USD a job."""
    model = Model("shop", ("text-to-image",), Words, world.shop, price=lambda _words: PRICE)
    unpriced = Model("unpriced", ("text-to-image",), Words, world.shop)
    catalogue = LoadedCatalogue([Provider("vendor", (model, unpriced), paid=True)])
    world.services = replace(world.services, catalogue=catalogue)
    return world


def limited(world, **spending):
    world.services = replace(world.services, spending=Spending(place="development", **spending))


async def test_a_provider_that_costs_money_is_refused_and_the_message_says_what_allows_it(paid):
    limited(paid, paid=False)
    with pytest.raises(PaidProviderRefused) as caught:
        await paid.submit("vendor/shop")
    message = str(caught.value)
    assert message.startswith("vendor costs money, and providers that do are switched off in development.")
    assert "providers.paid: true (GENPULSE_PROVIDERS__PAID=true)" in message
    assert "GENPULSE_PROVIDERS__VENDOR__PAID=true" in message


async def test_one_provider_may_be_allowed_by_itself(paid):
    limited(paid, paid=False, by_provider={"vendor": True})
    await paid.submit("vendor/shop")
    limited(paid, paid=True, by_provider={"vendor": False})
    with pytest.raises(PaidProviderRefused):
        await paid.submit("vendor/shop")


async def test_what_costs_nothing_always_runs(world):
    limited(world, paid=False, daily_usd=Decimal(0))
    await world.submit("art/painter")


async def test_a_task_from_before_the_switch_is_not_paid_for(paid):
    task = await paid.submit("vendor/shop")
    limited(paid, paid=False)
    async with paid.worker():
        ended = await paid.ended(task)
    assert ended.status is TaskStatus.FAILED
    assert (ended.error.code, ended.error.retryable, ended.error.charged, ended.error.who_must_act) == (
        FailureCode.PAID_PROVIDER_REFUSED,
        False,
        Charged.NO,
        Actor.OPERATOR,
    )
    assert paid.shop.sold == 0


async def test_the_budget_of_a_day(paid):
    limited(paid, daily_usd=Decimal("1.00"))
    await paid.submit("vendor/shop")
    await paid.submit("vendor/shop")
    with pytest.raises(BudgetExceeded, match=r"costs 0.40 USD, and 0.80 of today's 1.00 USD") as caught:
        await paid.submit("vendor/shop")
    assert 0 < caught.value.retry_after_s <= 24 * 3600
    await paid.submit("vendor/unpriced")


async def test_a_batch_counts_as_a_whole(paid):
    limited(paid, daily_usd=Decimal("1.00"))
    order = Order("vendor/shop", {"prompt": "a fox"})
    with pytest.raises(BudgetExceeded):
        await submit_batch(paid.services, [order] * 3)
    assert len(await submit_batch(paid.services, [order] * 2)) == 2


async def test_another_day_has_a_budget_of_its_own(paid):
    clock = [datetime(2026, 1, 1, 23, 0, tzinfo=UTC)]
    paid.services = replace(paid.services, now=lambda: clock[0])
    limited(paid, daily_usd=Decimal("0.50"))
    await paid.submit("vendor/shop")
    with pytest.raises(BudgetExceeded):
        await paid.submit("vendor/shop")
    clock[0] += timedelta(hours=2)
    await paid.submit("vendor/shop")


async def test_what_went_over_at_the_same_moment_is_not_paid_for(paid):
    tasks = [await paid.submit("vendor/shop") for _ in range(3)]
    limited(paid, daily_usd=Decimal("0.90"))
    async with paid.worker():
        ended = [await paid.ended(task) for task in tasks]
    assert {task.error.code for task in ended if task.error} == {FailureCode.BUDGET_EXCEEDED}
    assert paid.shop.sold == sum(task.status is TaskStatus.SUCCEEDED for task in ended) <= 2


async def test_a_retry_looks_again(paid):
    task = await paid.submit("vendor/shop")
    limited(paid, paid=False)
    async with paid.worker():
        await paid.ended(task)
        await retry(paid.services, task.id)
        ended = await paid.ended(task)
    assert ended.error.code is FailureCode.PAID_PROVIDER_REFUSED
    assert paid.shop.sold == 0
