"""Budget checks before money is spent."""

from genpulse.domain.errors import (
    BudgetExceeded,
    OverBudget,
    PaidProviderRefused,
    ProviderNotConfigured,
    SpendingNotAllowed,
)
from genpulse.domain.keys.caller import WITHOUT_KEY, Caller
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
    return SpendingLimits(services.spending.daily_usd, caller.limits)


async def check_before_paying(services: Services, task: Task) -> None:
    """Before a provider is asked. From then on the task is among what is spent today.

    What is paid goes over the budget only as far as costs exceed their prices. Raises `SpendingNotAllowed`,
    `OverBudget`, `DatabaseUnavailable`.
    """
    if not is_allowed(services, task.provider):
        raise SpendingNotAllowed(str(PaidProviderRefused(task.provider, services.spending.place)))
    budget = services.spending.daily_usd
    if budget is None or not task.price_usd:
        return
    try:
        await services.store.hold_price(task.id, budget)
    except BudgetExceeded as error:
        raise OverBudget(str(error)) from error
