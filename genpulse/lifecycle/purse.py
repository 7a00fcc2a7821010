"""Before money is spent: is it allowed here, and is there enough for today?"""

from decimal import Decimal

from genpulse.domain.errors import BudgetExceeded, OverBudget, PaidProviderRefused, SpendingNotAllowed
from genpulse.domain.spending import left_of_day_s, start_of_day
from genpulse.domain.task import NewTask, Task
from genpulse.ports import Services

_NOTHING = Decimal(0)


def check_allowed(services: Services, provider: str) -> None:
    """Before a task is queued. Raises `PaidProviderRefused`."""
    if services.catalogue.is_paid(provider) and not services.spending.allows(provider):
        raise PaidProviderRefused(provider, services.spending.place)


async def check_budget(services: Services, tasks: tuple[NewTask, ...]) -> None:
    """Before tasks are queued, all of one call together. Raises `BudgetExceeded`, `DatabaseUnavailable`.

    Nothing is asked where there is no budget or no price. Calls at the same moment do not see each other, and may
    go over the budget together; the worker that would pay looks again.
    """
    budget = services.spending.daily_usd
    price_usd = sum((task.price_usd or _NOTHING for task in tasks), _NOTHING)
    if budget is None or not price_usd:
        return
    now = services.now()
    spent_usd = await services.store.spent_usd(start_of_day(now))
    if services.spending.is_over(spent_usd + price_usd):
        raise BudgetExceeded(spent_usd, price_usd, budget, left_of_day_s(now))


async def check_before_paying(services: Services, task: Task) -> None:
    """Before a vendor is asked. The task itself is among what is spent today.

    Raises `SpendingNotAllowed`, `OverBudget`, `DatabaseUnavailable`.
    """
    if not services.catalogue.is_paid(task.provider):
        return
    if not services.spending.allows(task.provider):
        raise SpendingNotAllowed(str(PaidProviderRefused(task.provider, services.spending.place)))
    if services.spending.daily_usd is None or not task.price_usd:
        return
    today = start_of_day(services.now())
    own_usd = task.price_usd if task.created_at < today else _NOTHING
    spent_usd = await services.store.spent_usd(today) + own_usd
    if services.spending.is_over(spent_usd):
        raise OverBudget(
            f"The budget of {services.spending.daily_usd} USD a day would be exceeded: {spent_usd} USD."
        )
