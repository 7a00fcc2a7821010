"""The limits of an API key as columns of its row."""

from collections.abc import Mapping

from genpulse.adapters.database.tasks.rows import Row
from genpulse.domain.keys.api_key import KeyLimits
from genpulse.domain.money.allowance import Allowance
from genpulse.domain.provider_account.rate import Rate
from genpulse.domain.task import Priority


def columns_of(limits: KeyLimits) -> Mapping[str, object]:
    """Each column with what stands in it, always in the same order."""
    customer = limits.customer
    return {
        "max_active_tasks": limits.max_active_tasks,
        "daily_tasks": limits.daily_tasks,
        "daily_usd": limits.daily_usd,
        "monthly_usd": limits.monthly_usd,
        "rate": str(limits.rate) if limits.rate else None,
        "max_priority": limits.max_priority,
        "retain_s": limits.retain_s,
        "weight": limits.weight,
        "limit_by": limits.limit_by,
        "customer_max_active_tasks": customer.max_active_tasks,
        "customer_daily_tasks": customer.daily_tasks,
        "customer_daily_usd": customer.daily_usd,
        "customer_monthly_usd": customer.monthly_usd,
    }


def limits_of(row: Row) -> KeyLimits:
    """The limits in a row."""
    return KeyLimits(
        max_active_tasks=row["max_active_tasks"],
        daily_tasks=row["daily_tasks"],
        daily_usd=row["daily_usd"],
        monthly_usd=row["monthly_usd"],
        rate=Rate.parse(row["rate"]) if row["rate"] else None,
        max_priority=None if row["max_priority"] is None else Priority(row["max_priority"]),
        retain_s=row["retain_s"],
        weight=row["weight"],
        limit_by=row["limit_by"],
        customer=Allowance(
            max_active_tasks=row["customer_max_active_tasks"],
            daily_tasks=row["customer_daily_tasks"],
            daily_usd=row["customer_daily_usd"],
            monthly_usd=row["customer_monthly_usd"],
        ),
    )
