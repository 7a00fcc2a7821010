"""Budget checks before money is spent."""

from genpulse.domain.errors import (
    BudgetExceeded,
    KeyLimitExceeded,
    OverBudget,
    PaidProviderRefused,
    ProviderNotConfigured,
    SpendingNotAllowed,
    UnknownKey,
)
from genpulse.domain.keys.caller import WITHOUT_KEY, Caller
from genpulse.domain.money.allowance import NO_LIMITS
from genpulse.domain.money.spending import SpendingLimits
from genpulse.domain.task import Task
from genpulse.ports import Services


def is_allowed(services: Services, provider: str) -> bool:
    """Whether the provider costs nothing, or may cost something here."""
    return not services.catalogue.is_paid(provider) or services.spending.allows(provider)


def is_free(services: Services, provider: str) -> bool:
    """Whether it is known here that asking the provider costs nothing; nobody knows that of one that is gone."""
    catalogue = services.catalogue
    return provider in catalogue.providers() and not catalogue.is_paid(provider)


def check_provider(services: Services, provider: str) -> None:
    """The provider may take new tasks here. Raises `PaidProviderRefused`, `ProviderNotConfigured`."""
    if not is_allowed(services, provider):
        raise PaidProviderRefused(provider, services.spending.place)
    if missing := services.catalogue.lacks(provider):
        raise ProviderNotConfigured(provider, missing)


def limits_for(services: Services, caller: Caller = WITHOUT_KEY) -> SpendingLimits:
    """The limits for new tasks of a caller, which the store checks in the commit that writes them."""
    spending = services.spending
    token = caller.token.allowance if caller.token else NO_LIMITS
    return SpendingLimits(spending.daily_usd, caller.limits, spending.monthly_usd, spending.providers, token)


def has_to_be_held(services: Services, task: Task) -> bool:
    """Whether the price of a task has to be held before its provider is asked. Raises `SpendingNotAllowed`."""
    if not is_allowed(services, task.provider):
        raise SpendingNotAllowed(str(PaidProviderRefused(task.provider, services.spending.place)))
    return bool(task.price_usd or task.route)


async def hold_before_paying(services: Services, task: Task) -> None:
    """Before a provider is asked. From then on the task is among what is spent today.

    What is paid goes over a budget only as far as costs exceed their prices. A task that was run again by hand is
    not held to the limits of its key once more: whoever asked for it was. Raises `OverBudget`,
    `DatabaseUnavailable`.
    """
    limits = limits_for(services, await _caller_of(services, task))
    if not limits.limits_money:
        return
    try:
        await services.store.hold_price(task, limits)
    except (BudgetExceeded, KeyLimitExceeded) as error:
        raise OverBudget(str(error)) from error


async def _caller_of(services: Services, task: Task) -> Caller:
    """Whoever submitted the task, with the limits of now."""
    if not task.owner or task.retried_at is not None:
        return WITHOUT_KEY
    try:
        return Caller(await services.keys.get(task.owner))
    except UnknownKey:
        return WITHOUT_KEY
