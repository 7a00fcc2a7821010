"""API keys as a table, and as JSON."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from genpulse.cli.output.moments import moment_text
from genpulse.cli.output.table import Cell, Column, Table
from genpulse.domain.keys.api_key import ApiKey, KeyLimits

_COLOURS = {"active": "green", "expired": "yellow", "revoked": "red"}


def key_table(keys: Sequence[ApiKey], now: datetime) -> Table:
    """Keys, one a row."""
    table = Table(
        Column("id"),
        Column("name", rank=1, folds=True),
        Column("begins", rank=4),
        Column("scopes", rank=5, folds=True),
        Column("limits", rank=6, folds=True),
        Column("signed by", rank=7),
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
        f"{limits.rate} calls": limits.rate,
        f"priority {_priority(limits)} at most": limits.max_priority,
        f"kept for {_span(limits)}": limits.retain_s,
        f"weight {limits.weight}": None if limits.weight == 1 else limits.weight,
    }
    return ", ".join(text for text, value in words.items() if value is not None) or "none"


def _span(limits: KeyLimits) -> str:
    return str(timedelta(seconds=limits.retain_s or 0))


def _priority(limits: KeyLimits) -> str | None:
    return None if limits.max_priority is None else limits.max_priority.word


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
            "daily_usd": str(limits.daily_usd) if limits.daily_usd is not None else None,
            "rate": str(limits.rate) if limits.rate else None,
            "max_priority": _priority(limits),
            "retain_s": limits.retain_s,
            "weight": limits.weight,
        },
    }
