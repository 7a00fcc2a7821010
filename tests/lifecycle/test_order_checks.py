"""The list of checks that an order passes."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from genpulse.adapters.webhooks.sender import WebhookSender
from genpulse.api.error_status import status_of
from genpulse.domain.catalogue.lifetime import Lifetime
from genpulse.domain.catalogue.model_facts import UNSTATED, ModelFacts
from genpulse.domain.keys.api_key import KeyLimits
from genpulse.domain.keys.caller import WITHOUT_KEY, Caller
from genpulse.domain.keys.client_token import ClientToken, OrderTerms
from genpulse.domain.money.allowance import Allowance
from genpulse.domain.money.spending import Spending
from genpulse.domain.task import Priority
from genpulse.lifecycle.submission.order_checks import CHECKS, LATEST_RUN, CommitCheck, OrderCheck, TaskCheck
from genpulse.lifecycle.submission.submit import Order, submit
from genpulse.lifecycle.submission.submit_batch import submit_batch
from genpulse.provider import Model, Provider
from genpulse.providers.catalog import LoadedCatalogue
from tests.api_keys import new_key
from tests.lifecycle.conftest import Words
from tests.queues import depth_of

FOX = Order("vendor/shop", {"prompt": "a fox"})
STATUSES = {400, 402, 403, 413, 415, 422, 429}
"""What the document says that a submit may be refused with."""

NONE_EACH = KeyLimits(limit_by="customer", customer=Allowance(daily_tasks=0))
OF_KEYS = {
    "priority": KeyLimits(max_priority=Priority.LOW),
    "key limits": KeyLimits(daily_tasks=0),
    "customer": NONE_EACH,
    "customer limits": NONE_EACH,
}


def client_token(model, **terms):
    """One that is good for this model."""
    now = datetime.now(UTC)
    return ClientToken(uuid4(), "", now, now + timedelta(hours=1), orders=OrderTerms((model,), **terms))


OF_TOKENS = {
    "client token": client_token("vendor/other"),
    "price": client_token("vendor/shop", max_usd=Decimal(5)),
    "client token's limits": client_token("vendor/shop", max_usd=Decimal("0.5")),
}


def catalogue(world, facts=UNSTATED):
    kinds = ("text-to-image", "text-to-video")
    model = Model("shop", kinds, Words, world.shop, price=lambda _words: Decimal(1), facts=facts)
    return LoadedCatalogue([Provider("vendor", (model,), paid=True)])


def unmet(world, name):
    """Services, an order and a caller that fail this check and no earlier one."""
    services, order, caller = world.services, replace(FOX, kind="text-to-image"), WITHOUT_KEY
    match name:
        case "model":
            order = replace(order, model="vendor/none")
        case "input":
            order = replace(order, input={"prompt": 7})
        case "kind":
            order = replace(order, kind=None)
        case "run_at":
            order = replace(order, run_at=services.now() + LATEST_RUN + timedelta(minutes=1))
        case "lifetime":
            over = ModelFacts(lifetime=Lifetime(sunset=date(2020, 1, 1)))
            services = replace(services, catalogue=catalogue(world, over))
        case "provider":
            services = replace(services, spending=Spending(paid=False))
        case "references":
            order = replace(order, input={"prompt": "asset:none"})
        case "budget":
            services = replace(services, spending=Spending(daily_usd=Decimal("0.5")))
        case "price":
            model = Model("shop", ("text-to-image",), Words, world.shop)
            services = replace(services, catalogue=LoadedCatalogue([Provider("vendor", (model,), paid=True)]))
            caller = Caller(token=OF_TOKENS[name])
        case _:
            order, caller = unmet_by(name, order)
    return services, order, caller


def unmet_by(name, order):
    """The order of a caller that may do less than that."""
    if name in OF_TOKENS:
        return order, Caller(token=OF_TOKENS[name])
    metadata = {"customer": "" if name == "customer" else "acme", "other": "acme"}
    return replace(order, metadata=metadata), Caller(new_key(limits=OF_KEYS[name]))


@pytest.fixture
def shop(world):
    world.services = replace(world.services, catalogue=catalogue(world))
    return world


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
async def test_what_a_check_refuses_is_refused_alone_and_in_a_batch_and_queues_nothing(shop, check):
    services, order, caller = unmet(shop, check.name)
    good = replace(FOX, kind="text-to-image", priority=Priority.LOW)
    for act in (
        submit(services, order, caller=caller),
        submit_batch(services, [good, order] if caller is WITHOUT_KEY else [order], caller=caller),
    ):
        with pytest.raises(check.errors) as caught:
            await act
        assert status_of(caught.value) in STATUSES
    assert await depth_of(services.queue) == 0


def unlimited_token(token):
    """The same client token before anything was said of money."""
    return token and replace(token, orders=replace(token.orders, max_usd=None))


@pytest.mark.parametrize(
    "name", [check.name for check in CHECKS if check.of_the_moment and check.name != "references"]
)
async def test_a_task_from_before_is_answered_though_a_check_of_the_moment_is_not_met(shop, name):
    """What an input refers to is looked at in `test_order_references`."""
    services, order, caller = unmet(shop, name)
    unlimited = Caller(caller.key and replace(caller.key, limits=KeyLimits()), unlimited_token(caller.token))
    first = await submit(shop.services, order, idempotency_key="k", caller=unlimited)
    again = await submit(services, order, idempotency_key="k", caller=caller)
    assert (again.task.id, again.replayed) == (first.task.id, True)


def test_checks_come_in_the_order_in_which_they_are_made():
    stages = [(OrderCheck, TaskCheck, CommitCheck).index(type(check)) for check in CHECKS]
    assert stages == sorted(stages)
    assert len({check.name for check in CHECKS}) == len(CHECKS)


async def test_the_first_order_of_a_batch_that_does_not_fit_is_told_first(shop):
    wrong = [replace(FOX, kind=None), replace(FOX, model="vendor/none")]
    with pytest.raises(Exception, match="several kinds"):
        await submit_batch(shop.services, wrong)


async def test_a_private_webhook_is_told_after_a_provider_that_may_not_be_paid(shop):
    sender = WebhookSender(None, allow_private=False, version="1")
    order = replace(FOX, kind="text-to-image", webhook_url="http://127.0.0.1/")
    services = replace(shop.services, sender=sender, spending=Spending(paid=False))
    with pytest.raises(Exception, match="costs money"):
        await submit(services, order)
    await sender.close()
