"""API keys as a table, and as JSON."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from genpulse.cli.output.moments import moment_text
from genpulse.cli.output.table import Cell, Column, Table
from genpulse.domain.keys.api_key import ApiKey, KeyLimits, KeyUsage

_COLOURS = {"active": "green", "expired": "yellow", "revoked": "red"}


def key_table(keys: Sequence[ApiKey], usages: Mapping[UUID, KeyUsage], now: datetime) -> Table:
    """Keys, one a row."""
    table = Table(
        Column("id"),
        Column("name", rank=1, folds=True),
        Column("begins", rank=4),
        Column("scopes", rank=5, folds=True),
        Column("limits", rank=6, folds=True),
        Column("used", rank=7, folds=True),
        Column("signed by", rank=8),
        Column("last used", rank=3),
        Column("state", rank=2),
    )
    here = now.astimezone()
    for key in keys:
        state = key.state(now).value
        table.add(
            str(key.id),
            key.name,
            f"{key.hint}…",
            ", ".join(sorted(key.scopes)),
            limits_text(key.limits),
            usage_text(usages[key.id]),
            "its own" if key.webhook_secret_at else "shared",
            moment_text(key.last_used_at, here) if key.last_used_at else "never",
            Cell(state, _COLOURS[state]),
        )
    return table


def limits_text(limits: KeyLimits) -> str:
    """Limits in a few words."""
    words = {
        f"{limits.max_active_tasks} active": limits.max_active_tasks,
        f"{limits.daily_tasks} a day": limits.daily_tasks,
        f"{limits.daily_usd} USD a day": limits.daily_usd,
        f"{limits.monthly_usd} USD a month": limits.monthly_usd,
        f"{limits.rate} calls": limits.rate,
        f"priority {_priority(limits)} at most": limits.max_priority,
        f"kept for {_span(limits)}": limits.retain_s,
        f"weight {limits.weight}": None if limits.weight == 1 else limits.weight,
    }
    of_key = [text for text, value in words.items() if value is not None]
    return ", ".join([*of_key, *_customers_text(limits)]) or "none"


def _customers_text(limits: KeyLimits) -> Sequence[str]:
    if limits.limit_by is None:
        return []
    customer = limits.customer
    as_key = KeyLimits(
        customer.max_active_tasks, customer.daily_tasks, customer.daily_usd, monthly_usd=customer.monthly_usd
    )
    return [f"each metadata.{limits.limit_by}: {limits_text(as_key)}"]


def usage_text(usage: KeyUsage) -> str:
    """What a key has done, in a few words."""
    tasks = f"{usage.active_tasks:,} active, {usage.today_tasks:,} today"
    return f"{tasks}, {usage.today_usd:f} USD today, {usage.month_usd:f} this month"


def usage_document(usage: KeyUsage) -> dict[str, object]:
    """What a key has done, for `--json`."""
    return {
        "active_tasks": usage.active_tasks,
        "today_tasks": usage.today_tasks,
        "today_usd": f"{usage.today_usd:f}",
        "month_usd": f"{usage.month_usd:f}",
    }


def _span(limits: KeyLimits) -> str:
    return str(timedelta(seconds=limits.retain_s or 0))


def _priority(limits: KeyLimits) -> str | None:
    return None if limits.max_priority is None else limits.max_priority.word


def _amount(usd: Decimal | None) -> str | None:
    return None if usd is None else str(usd)


def key_document(key: ApiKey, now: datetime) -> dict[str, object]:
    """A key for `--json`."""
    limits = key.limits
    moments = {
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "webhook_secret_at": key.webhook_secret_at,
    }
    return {
        "id": str(key.id),
        "name": key.name,
        "hint": key.hint,
        "scopes": sorted(key.scopes),
        "state": key.state(now).value,
        **{name: moment.isoformat() if moment else None for name, moment in moments.items()},
        "limits": {
            "max_active_tasks": limits.max_active_tasks,
            "daily_tasks": limits.daily_tasks,
            "daily_usd": _amount(limits.daily_usd),
            "rate": str(limits.rate) if limits.rate else None,
            "max_priority": _priority(limits),
            "retain_s": limits.retain_s,
            "weight": limits.weight,
            "monthly_usd": _amount(limits.monthly_usd),
            "limit_by": None if limits.limit_by is None else f"metadata.{limits.limit_by}",
            "customer_max_active_tasks": limits.customer.max_active_tasks,
            "customer_daily_tasks": limits.customer.daily_tasks,
            "customer_daily_usd": _amount(limits.customer.daily_usd),
            "customer_monthly_usd": _amount(limits.customer.monthly_usd),
        },
    }
