"""Before money is spent: is it allowed here, and is there enough for today?"""

from decimal import Decimal

from genpulse.domain.errors import BudgetExceeded, OverBudget, PaidProviderRefused, SpendingNotAllowed
from genpulse.domain.spending import left_of_day_s, start_of_day
from genpulse.domain.task import Task
from genpulse.ports import Services

_NOTHING = Decimal(0)


def is_allowed(services: Services, provider: str) -> bool:
    """Whether the provider costs nothing, or may cost something here."""
    return not services.catalogue.is_paid(provider) or services.spending.allows(provider)


def check_allowed(services: Services, provider: str) -> None:
    """Before a task is queued. Raises `PaidProviderRefused`."""
    if not is_allowed(services, provider):
        raise PaidProviderRefused(provider, services.spending.place)


async def check_budget(services: Services, price_usd: Decimal) -> None:
    """Before so much (US dollars) is queued in one commit. Raises `BudgetExceeded`, `DatabaseUnavailable`.

    Nothing is asked where there is no budget or no price. Requests that are checked before any of them is
    committed do not see each other: together they can go over by the prices of all of them but one, a request
    alone never does. That much is queued and not paid: the worker looks again, at all that is committed.
    """
    budget = services.spending.daily_usd
    if budget is None or not price_usd:
        return
    now = services.now()
    spent_usd = await services.store.spent_usd(start_of_day(now))
    if services.spending.is_over(spent_usd + price_usd):
        raise BudgetExceeded(spent_usd, price_usd, budget, left_of_day_s(now))


def has_to_be_checked(services: Services, task: Task) -> bool:
    """Whether `check_before_paying` has anything to say of this task."""
    if not is_allowed(services, task.provider):
        return True
    return services.spending.daily_usd is not None and bool(task.price_usd)


async def check_before_paying(services: Services, task: Task) -> None:
    """Before a provider is asked. The task itself is among what is spent today.

    Tasks of earlier days that run today do not see each other; beyond that, what is paid goes over the budget
    only as far as costs exceed their prices. Raises `SpendingNotAllowed`, `OverBudget`, `DatabaseUnavailable`.
    """
    if not is_allowed(services, task.provider):
        raise SpendingNotAllowed(str(PaidProviderRefused(task.provider, services.spending.place)))
    budget = services.spending.daily_usd
    if budget is None or not task.price_usd:
        return
    now = services.now()
    today = start_of_day(now)
    own_usd = task.price_usd if task.created_at < today else _NOTHING
    spent_usd = await services.store.spent_usd(today) + own_usd
    if services.spending.is_over(spent_usd):
        others_usd = max(spent_usd - task.price_usd, _NOTHING)
        raise OverBudget(str(BudgetExceeded(others_usd, task.price_usd, budget, left_of_day_s(now))))
