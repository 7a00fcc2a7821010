"""What one API key may give to another: never more than it holds itself."""

from datetime import datetime
from decimal import Decimal

from genpulse.domain.keys.api_key import ApiKey, KeyLimits
from genpulse.domain.provider_account.rate import Rate
from genpulse.domain.task import Priority


def excess(giver: ApiKey, grant: ApiKey) -> tuple[str, ...]:
    """The fields in which `grant` may do more than `giver`; empty where it may not.

    Retention and weight are nothing that is held. What a day allows is compared key by key, and not added up.
    """
    scopes = () if all(giver.allows(scope) for scope in grant.scopes) else ("scopes",)
    expiry = ("expires_in_s",) if _lasts_longer(giver.expires_at, grant.expires_at) else ()
    return (*scopes, *expiry, *(f"limits/{name}" for name in _higher(giver.limits, grant.limits)))


def _higher(own: KeyLimits, grant: KeyLimits) -> tuple[str, ...]:
    comparable = {
        "max_active_tasks": _is_more(own.max_active_tasks, grant.max_active_tasks),
        "daily_tasks": _is_more(own.daily_tasks, grant.daily_tasks),
        "daily_usd": _is_more(own.daily_usd, grant.daily_usd),
        "monthly_usd": _is_more(own.monthly_usd, grant.monthly_usd),
        "limit_by": own.limit_by not in {None, grant.limit_by},
        **_higher_of_customers(own, grant),
        "rate": own.rate is not None and (grant.rate is None or _is_faster(grant.rate, own.rate)),
        "max_priority": _highest(grant) > _highest(own),
    }
    return tuple(name for name, is_more in comparable.items() if is_more)


def _higher_of_customers(own: KeyLimits, grant: KeyLimits) -> dict[str, bool]:
    """Whether each end customer of the given key may do more, where the holder's own may not do everything."""
    if own.limit_by is None:
        return {}
    ours, theirs = own.customer, grant.customer
    return {
        "customer_max_active_tasks": _is_more(ours.max_active_tasks, theirs.max_active_tasks),
        "customer_daily_tasks": _is_more(ours.daily_tasks, theirs.daily_tasks),
        "customer_daily_usd": _is_more(ours.daily_usd, theirs.daily_usd),
        "customer_monthly_usd": _is_more(ours.monthly_usd, theirs.monthly_usd),
    }


def _is_more(own: int | Decimal | None, grant: int | Decimal | None) -> bool:
    return own is not None and (grant is None or grant > own)


def _is_faster(grant: Rate, own: Rate) -> bool:
    """All of a rate may come at once, so that the count alone may be too much."""
    return grant.count > own.count or grant.interval_s < own.interval_s


def _highest(limits: KeyLimits) -> Priority:
    return max(Priority) if limits.max_priority is None else limits.max_priority


def _lasts_longer(own: datetime | None, grant: datetime | None) -> bool:
    return own is not None and (grant is None or grant > own)
