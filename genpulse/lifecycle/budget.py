"""Budget checks before money is spent."""

from genpulse.domain.api_key import ApiKey, KeyLimits
from genpulse.domain.errors import (
    BudgetExceeded,
    OverBudget,
    PaidProviderRefused,
    ProviderNotConfigured,
    SpendingNotAllowed,
)
from genpulse.domain.money.spending import SpendingLimits
from genpulse.domain.task import Task
from genpulse.ports import Services


def is_allowed(services: Services, provider: str) -> bool:
    """Whether the provider costs nothing, or may cost something here."""
    return not services.catalogue.is_paid(provider) or services.spending.allows(provider)


def check_allowed(services: Services, provider: str) -> None:
    """Before a task is queued. Raises `PaidProviderRefused`, `ProviderNotConfigured`."""
    if not is_allowed(services, provider):
        raise PaidProviderRefused(provider, services.spending.place)
    if lacking := services.catalogue.lacks(provider):
        raise ProviderNotConfigured(provider, lacking)


def limits_for(services: Services, key: ApiKey | None = None) -> SpendingLimits:
    """What has to hold when a task of this key is queued: the store looks at it in the commit that writes it."""
    return SpendingLimits(services.spending.daily_usd, key.limits if key else KeyLimits())


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
