"""What limits there are, and how much of each is used."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from genpulse.domain.keys.api_key import ApiKey, KeyState
from genpulse.domain.keys.caller import WITHOUT_KEY, Caller
from genpulse.domain.money.allowance import Allowance, BudgetScope, LimitUse, ScopeKind
from genpulse.ports import Services


async def limit_uses(
    services: Services, caller: Caller = WITHOUT_KEY, customer: str | None = None
) -> tuple[LimitUse, ...]:
    """The limits that a caller may see: all budgets and keys that are good, or those of its own key.

    With `customer` those of one end customer of its own key come last. Raises `DatabaseUnavailable`.
    """
    allowances = dict(await _visible(services, caller))
    if customer and caller.key is not None and caller.limits.limit_by is not None:
        allowances[BudgetScope(ScopeKind.CUSTOMER, customer, caller.owner)] = caller.limits.customer
    limited = {scope: allowance for scope, allowance in allowances.items() if allowance.limits_anything}
    counted = await services.store.counted(list(limited))
    return tuple(
        use
        for scope, allowance in limited.items()
        for use in allowance.uses(scope, counted.usage_of(scope.counter), counted.now)
    )


async def _visible(services: Services, caller: Caller) -> Mapping[BudgetScope, Allowance]:
    if not caller.sees_all:
        return _of_keys([caller.key] if caller.key else [], services.now())
    return {**services.spending.budgets, **_of_keys(await services.keys.all(), services.now())}


def _of_keys(keys: tuple[ApiKey, ...] | list[ApiKey], now: datetime) -> Mapping[BudgetScope, Allowance]:
    good = (key for key in keys if key.state(now) is KeyState.ACTIVE)
    return {BudgetScope(ScopeKind.KEY, str(key.id)): key.limits for key in good}


async def key_names(services: Services, uses: tuple[LimitUse, ...]) -> Mapping[UUID, str]:
    """The names of the keys that these limits are of."""
    if all(use.scope.kind is not ScopeKind.KEY for use in uses):
        return {}
    return {key.id: key.name for key in await services.keys.all()}
