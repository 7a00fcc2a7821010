"""What limits there are, and how much of each is used."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from genpulse.domain.keys.api_key import ApiKey, KeyState
from genpulse.domain.keys.caller import WITHOUT_KEY, Caller
from genpulse.domain.money.allowance import Allowance, BudgetScope, LimitUse, ScopeKind
from genpulse.ports import Services


@dataclass(frozen=True, slots=True)
class BudgetStanding:
    """Limits with what is used of each, and the names of the keys that they may be of."""

    uses: tuple[LimitUse, ...]
    key_names: Mapping[UUID, str]


async def budget_standing(
    services: Services, caller: Caller = WITHOUT_KEY, customer: str | None = None
) -> BudgetStanding:
    """The limits that a caller may see: all budgets and keys that are good, or those of its own key.

    With `customer` those of one end customer of its own key come last. Raises `DatabaseUnavailable`.
    """
    keys = await _keys_for(services, caller)
    allowances = {**(services.spending.budgets if caller.sees_all else {}), **_of_keys(keys, services.now())}
    if customer and caller.limits.limit_by is not None:
        allowances[BudgetScope(ScopeKind.CUSTOMER, customer, caller.owner)] = caller.limits.customer
    limited = {scope: allowance for scope, allowance in allowances.items() if allowance.limits_anything}
    counted = await services.store.counted(list(limited))
    uses = (
        use
        for scope, allowance in limited.items()
        for use in allowance.uses(scope, counted.usage_of(scope.counter), counted.now)
    )
    return BudgetStanding(tuple(uses), {key.id: key.name for key in keys})


async def _keys_for(services: Services, caller: Caller) -> tuple[ApiKey, ...]:
    """The keys that a caller may see."""
    if caller.sees_all:
        return await services.keys.all()
    return (caller.key,) if caller.key else ()


def _of_keys(keys: Iterable[ApiKey], now: datetime) -> Mapping[BudgetScope, Allowance]:
    good = (key for key in keys if key.state(now) is KeyState.ACTIVE)
    return {BudgetScope(ScopeKind.KEY, str(key.id)): key.limits for key in good}
