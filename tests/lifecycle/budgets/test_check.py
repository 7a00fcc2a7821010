"""Before money is spent: is it allowed here, and is there enough for today?"""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from genpulse.domain.errors import BudgetExceeded, IdempotencyKeyReuse, NotRetryable, PaidProviderRefused
from genpulse.domain.failure import Actor, Charged, FailureCode
from genpulse.domain.keys.api_key import KeyLimits
from genpulse.domain.keys.caller import Caller
from genpulse.domain.money.allowance import Allowance
from genpulse.domain.money.spending import Spending
from genpulse.domain.task import TaskStatus
from genpulse.lifecycle.retry import retry
from genpulse.lifecycle.submission.submit import Order, submit
from genpulse.lifecycle.submission.submit_batch import submit_batch
from genpulse.provider import Model, Provider, ProviderRejected
from genpulse.providers.catalog import LoadedCatalogue
from tests.api_keys import new_key
from tests.lifecycle.conftest import Words
from tests.queues import depth_of

PRICE = Decimal("0.40")


@pytest.fixture
def paid(world):
    """The world, in which the vendor costs money: 0.40 USD a job."""
    engines = {"shop": world.shop, "studio": world.studio, "painter": world.painter}
    models = [
        Model(name, ("text-to-image",), Words, engine, price=lambda _words: PRICE)
        for name, engine in engines.items()
    ]
    unpriced = Model("unpriced", ("text-to-image",), Words, world.shop)
    free = Provider("art", (Model("painter", ("text-to-image",), Words, world.painter),))
    catalogue = LoadedCatalogue([Provider("vendor", (*models, unpriced), paid=True), free])
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


async def test_what_costs_nothing_always_runs(paid):
    limited(paid, paid=False, daily_usd=Decimal(0))
    await paid.submit("art/painter")


@pytest.mark.parametrize("model", ["vendor/shop", "vendor/studio", "vendor/painter"])
async def test_a_task_from_before_the_switch_is_not_paid_for(paid, model):
    task = await paid.submit(model)
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
    assert "GENPULSE_PROVIDERS__VENDOR__PAID=true" in ended.error.message
    assert (paid.shop.sold, paid.studio.submits, paid.painter.runs) == (0, 0, 0)
    (attempt,) = await paid.services.store.attempts(task.id)
    assert attempt.submitting_at is None


async def test_a_job_that_is_paid_for_is_seen_to_its_end_after_the_switch(paid, until):
    paid.studio.finished = False
    task = await paid.submit("vendor/studio")
    async with paid.worker():
        await until(lambda: paid.studio.jobs)
    limited(paid, paid=False, daily_usd=Decimal(0))
    paid.studio.finished = True
    async with paid.worker():
        ended = await paid.ended(task)
    assert (ended.status, paid.studio.submits) == (TaskStatus.SUCCEEDED, 1)


async def test_a_repeated_key_gets_its_task_though_a_new_one_may_not_be_paid_for(paid):
    order = Order("vendor/shop", {"prompt": "a fox"})
    first = await submit(paid.services, order, idempotency_key="k")
    for spending in ({"paid": False}, {"daily_usd": PRICE}):
        limited(paid, **spending)
        again = await submit(paid.services, order, idempotency_key="k")
        assert (again.task.id, again.replayed) == (first.task.id, True)
        with pytest.raises(IdempotencyKeyReuse):
            await submit(paid.services, replace(order, input={"prompt": "a hen"}), idempotency_key="k")
        with pytest.raises((PaidProviderRefused, BudgetExceeded)):
            await submit(paid.services, order, idempotency_key="another")


async def test_a_batch_with_one_refused_task_queues_none(paid):
    limited(paid, paid=False)
    orders = [Order("art/painter", {}), Order("vendor/shop", {})]
    with pytest.raises(PaidProviderRefused):
        await submit_batch(paid.services, orders)
    assert await depth_of(paid.services.queue) == 0


async def test_what_has_no_price_and_what_is_free_is_not_held_back(paid):
    limited(paid, daily_usd=Decimal(0))
    with pytest.raises(BudgetExceeded):
        await paid.submit("vendor/shop")
    tasks = [await paid.submit("vendor/unpriced"), await paid.submit("art/painter")]
    async with paid.worker():
        ended = [await paid.ended(task) for task in tasks]
    assert {task.status for task in ended} == {TaskStatus.SUCCEEDED}
    limited(paid)
    await paid.submit("vendor/shop")


async def test_a_price_that_is_none_accepts_nothing(paid):
    shop = Model("shop", ("text-to-image",), Words, paid.shop, price=lambda _words: Decimal("NaN"))
    paid.services = replace(paid.services, catalogue=LoadedCatalogue([Provider("vendor", (shop,), paid=True)]))
    with pytest.raises(ValueError, match="0 or more"):
        await paid.submit("vendor/shop")
    assert await depth_of(paid.services.queue) == 0


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
    assert len((await submit_batch(paid.services, [order] * 2)).tasks) == 2


async def test_another_day_has_a_budget_of_its_own(paid):
    limited(paid, daily_usd=Decimal("0.50"))
    await paid.submit("vendor/shop")
    with pytest.raises(BudgetExceeded):
        await paid.submit("vendor/shop")
    await paid.next_day()
    await paid.submit("vendor/shop")


async def test_what_went_over_at_the_same_moment_is_not_paid_for(paid):
    tasks = [await paid.submit("vendor/shop") for _ in range(3)]
    limited(paid, daily_usd=Decimal("0.90"))
    async with paid.worker():
        ended = [await paid.ended(task) for task in tasks]
    assert {task.error.code for task in ended if task.error} == {FailureCode.BUDGET_EXCEEDED}
    assert paid.shop.sold == sum(task.status is TaskStatus.SUCCEEDED for task in ended) <= 2


async def test_no_two_requests_of_the_same_moment_have_the_same_dollar(paid):
    limited(paid, daily_usd=3 * PRICE)
    answers = await asyncio.gather(*(paid.submit("vendor/shop") for _ in range(8)), return_exceptions=True)
    accepted = [task for task in answers if not isinstance(task, BudgetExceeded)]
    assert len(accepted) == 3
    async with paid.worker():
        ended = [await paid.ended(task) for task in accepted]
    assert [task.status for task in ended] == [TaskStatus.SUCCEEDED] * 3
    assert paid.shop.sold == 3


async def test_a_task_of_yesterday_counts_today_when_it_is_paid_today(paid):
    task = await paid.submit("vendor/shop")
    await paid.next_day()
    limited(paid, daily_usd=Decimal("0.30"))
    async with paid.worker():
        ended = await paid.ended(task)
    assert (ended.error.code, ended.error.charged) == (FailureCode.BUDGET_EXCEEDED, Charged.NO)
    assert "This costs 0.40 USD, and 0.00 of today's 0.30 USD" in ended.error.message
    assert paid.shop.sold == 0
    assert await paid.services.store.spent_usd() == 0


async def test_tasks_of_yesterday_that_are_paid_today_see_each_other(paid):
    tasks = [await paid.submit("vendor/shop") for _ in range(4)]
    await paid.next_day()
    limited(paid, daily_usd=2 * PRICE)
    assert await paid.services.store.spent_usd() == 0
    async with paid.worker():
        ended = [await paid.ended(task) for task in tasks]
    assert paid.shop.sold == sum(task.status is TaskStatus.SUCCEEDED for task in ended) == 2
    assert {task.error.code for task in ended if task.error} == {FailureCode.BUDGET_EXCEEDED}
    assert await paid.services.store.spent_usd() == 2 * PRICE


async def test_a_retry_counts_on_the_day_on_which_it_is_asked_for(paid):
    paid.shop.errors = [ProviderRejected("No.")]
    task = await paid.submit("vendor/shop")
    async with paid.worker():
        await paid.ended(task)
    await paid.next_day()
    limited(paid, daily_usd=PRICE)
    await retry(paid.services, task.id)
    with pytest.raises(BudgetExceeded):
        await paid.submit("vendor/shop")
    assert await paid.services.store.spent_usd() == PRICE


async def failed_at_the_vendor(paid):
    paid.shop.errors = [ProviderRejected("No.")]
    task = await paid.submit("vendor/shop")
    async with paid.worker():
        assert (await paid.ended(task)).status is TaskStatus.FAILED
    return task


async def test_a_retry_is_refused_where_a_new_task_would_be(paid):
    task = await failed_at_the_vendor(paid)
    limited(paid, paid=False)
    with pytest.raises(PaidProviderRefused):
        await retry(paid.services, task.id)
    limited(paid, daily_usd=Decimal("0.30"))
    with pytest.raises(BudgetExceeded):
        await retry(paid.services, task.id)
    assert (await paid.services.store.get(task.id)).status is TaskStatus.FAILED
    limited(paid, daily_usd=PRICE)
    await retry(paid.services, task.id)
    async with paid.worker():
        assert (await paid.ended(task)).status is TaskStatus.SUCCEEDED
    limited(paid, paid=False)
    with pytest.raises(NotRetryable):
        await retry(paid.services, task.id)


async def test_the_worker_looks_again_at_the_limits_of_the_key_and_its_customer(paid):
    tight = KeyLimits(monthly_usd=PRICE, limit_by="customer", customer=Allowance(daily_usd=PRICE))
    customers, sold = {"customer": "acme"}, 0
    for limits, said in (
        (
            replace(tight, limit_by=None),
            "this API key has spent or promised 0.40 USD of the 0.40 USD that it has a month",
        ),
        (replace(tight, monthly_usd=None), "the customer 'acme' of this API key has spent or promised 0.40 USD"),
    ):
        key = new_key(limits=KeyLimits(limit_by="customer"))
        await paid.services.keys.add(key, key.id.bytes)
        tasks = [await paid.submit("vendor/shop", caller=Caller(key), metadata=customers) for _ in range(2)]
        await paid.services.keys.change(str(key.id), lambda key, limits=limits: replace(key, limits=limits))
        async with paid.worker():
            ended = [await paid.ended(task) for task in tasks]
        refused, *_ = [task.error for task in ended if task.error]
        assert (refused.code, refused.charged) == (FailureCode.BUDGET_EXCEEDED, Charged.NO)
        assert said in refused.message
        sold += sum(task.status is TaskStatus.SUCCEEDED for task in ended)
    assert paid.shop.sold == sold <= 2


async def test_a_provider_has_a_budget_of_its_own(paid):
    limited(paid, providers={"vendor": Allowance(daily_usd=PRICE), "other": Allowance(daily_usd=Decimal(0))})
    await paid.submit("vendor/shop")
    said = r"0.40 of the 0.40 USD that vendor may cost today .*GENPULSE_PROVIDERS__VENDOR__DAILY_USD"
    with pytest.raises(BudgetExceeded, match=said) as caught:
        await paid.submit("vendor/shop")
    assert 0 < caught.value.retry_after_s <= 24 * 3600
    await paid.submit("art/painter")


async def test_the_worker_looks_again_at_a_retry(paid):
    task = await failed_at_the_vendor(paid)
    await retry(paid.services, task.id)
    limited(paid, paid=False)
    async with paid.worker():
        ended = await paid.ended(task)
    assert ended.error.code is FailureCode.PAID_PROVIDER_REFUSED
    assert paid.shop.sold == 1
