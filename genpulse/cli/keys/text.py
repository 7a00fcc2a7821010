"""API keys as a table, and as JSON."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from genpulse.api.schemas.api_keys import KeyLimitsDocument, KeyUsageDocument
from genpulse.cli.output.moments import moment_text
from genpulse.cli.output.table import Cell, Column, Table
from genpulse.domain.keys.api_key import ApiKey, KeyLimits
from genpulse.domain.money.allowance import Allowance, ScopeUsage

_COLOURS = {"active": "green", "expired": "yellow", "revoked": "red"}


def key_table(keys: Sequence[ApiKey], usages: Mapping[UUID, ScopeUsage], now: datetime) -> Table:
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
    others = {
        f"{limits.rate} calls": limits.rate,
        f"priority {_priority(limits)} at most": limits.max_priority,
        f"kept for {_span(limits)}": limits.retain_s,
        f"weight {limits.weight}": None if limits.weight == 1 else limits.weight,
    }
    of_key = [*_counted_words(limits), *(text for text, value in others.items() if value is not None)]
    if limits.limit_by is not None:
        each = ", ".join(_counted_words(limits.customer)) or "none"
        of_key.append(f"each metadata.{limits.limit_by}: {each}")
    return ", ".join(of_key) or "none"


def _counted_words(allowance: Allowance) -> list[str]:
    words = {
        f"{allowance.max_active_tasks} active": allowance.max_active_tasks,
        f"{allowance.daily_tasks} a day": allowance.daily_tasks,
        f"{allowance.daily_usd} USD a day": allowance.daily_usd,
        f"{allowance.monthly_usd} USD a month": allowance.monthly_usd,
    }
    return [text for text, value in words.items() if value is not None]


def usage_text(usage: ScopeUsage) -> str:
    """What a key has done, in a few words."""
    tasks = f"{usage.active_tasks:,} active, {usage.today_tasks:,} today"
    return f"{tasks}, {usage.today_usd:f} USD today, {usage.month_usd:f} this month"


def usage_document(usage: ScopeUsage) -> Mapping[str, object]:
    """What a key has done, for `--json`: as the HTTP API shows it."""
    return KeyUsageDocument.of(usage).model_dump(mode="json")


def _span(limits: KeyLimits) -> str:
    return str(timedelta(seconds=limits.retain_s or 0))


def _priority(limits: KeyLimits) -> str | None:
    return None if limits.max_priority is None else limits.max_priority.word


def key_document(key: ApiKey, now: datetime) -> dict[str, object]:
    """A key for `--json`; its limits are as the HTTP API shows them."""
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
        "limits": KeyLimitsDocument.of(key.limits).model_dump(mode="json"),
    }
