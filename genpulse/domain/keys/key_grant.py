"""What one API key may give to another: never more than it holds itself."""

from datetime import datetime
from decimal import Decimal

from genpulse.domain.keys.api_key import ApiKey, KeyLimits
from genpulse.domain.provider_account.rate import Rate
from genpulse.domain.task import Priority


def excess(giver: ApiKey, given: ApiKey) -> tuple[str, ...]:
    """The fields in which `given` may do more than `giver`; empty where it may not.

    Retention and weight are nothing that is held. What a day allows is compared key by key, and not added up.
    """
    scopes = () if all(giver.allows(scope) for scope in given.scopes) else ("scopes",)
    expiry = ("expires_in_s",) if _lasts_longer(giver.expires_at, given.expires_at) else ()
    return (*scopes, *expiry, *(f"limits/{name}" for name in _higher(giver.limits, given.limits)))


def _higher(held: KeyLimits, given: KeyLimits) -> tuple[str, ...]:
    comparable = {
        "max_active_tasks": _is_more(held.max_active_tasks, given.max_active_tasks),
        "daily_tasks": _is_more(held.daily_tasks, given.daily_tasks),
        "daily_usd": _is_more(held.daily_usd, given.daily_usd),
        "monthly_usd": _is_more(held.monthly_usd, given.monthly_usd),
        "limit_by": held.limit_by not in {None, given.limit_by},
        **_higher_of_customers(held, given),
        "rate": held.rate is not None and (given.rate is None or _is_faster(given.rate, held.rate)),
        "max_priority": _highest(given) > _highest(held),
    }
    return tuple(name for name, is_more in comparable.items() if is_more)


def _higher_of_customers(held: KeyLimits, given: KeyLimits) -> dict[str, bool]:
    """Whether each end customer of the given key may do more, where the holder's own may not do everything."""
    if held.limit_by is None:
        return {}
    ours, theirs = held.customer, given.customer
    return {
        "customer_max_active_tasks": _is_more(ours.max_active_tasks, theirs.max_active_tasks),
        "customer_daily_tasks": _is_more(ours.daily_tasks, theirs.daily_tasks),
        "customer_daily_usd": _is_more(ours.daily_usd, theirs.daily_usd),
        "customer_monthly_usd": _is_more(ours.monthly_usd, theirs.monthly_usd),
    }


def _is_more(held: int | Decimal | None, given: int | Decimal | None) -> bool:
    return held is not None and (given is None or given > held)


def _is_faster(given: Rate, held: Rate) -> bool:
    """All of a rate may come at once, so that the count alone may be too much."""
    return given.count > held.count or given.interval_s < held.interval_s


def _highest(limits: KeyLimits) -> Priority:
    return max(Priority) if limits.max_priority is None else limits.max_priority


def _lasts_longer(held: datetime | None, given: datetime | None) -> bool:
    return held is not None and (given is None or given > held)
