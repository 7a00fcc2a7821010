"""The refusal of what would pass a limit: which one, how much of it is used, and when it begins anew."""

import math
from datetime import UTC, datetime
from decimal import Decimal

from genpulse.domain.errors import BudgetExceeded, ClientTokenUsedUp, CustomerLimitExceeded, KeyLimitExceeded
from genpulse.domain.money.allowance import LimitUse, Measure, Period, ScopeKind

LimitRefusal = BudgetExceeded | KeyLimitExceeded | ClientTokenUsedUp

ACTIVE_AGAIN_S = 5
"""When a task of a key may have ended: a guess, in seconds."""


def refusal_of(use: LimitUse, now: datetime, *, usd: Decimal, tasks: int) -> LimitRefusal:
    """The refusal of so many tasks that cost so much and would pass this limit."""
    retry_after_s = math.ceil((use.resets_at - now).total_seconds()) if use.resets_at else ACTIVE_AGAIN_S
    match use.scope.kind:
        case ScopeKind.ENVIRONMENT | ScopeKind.PROVIDER:
            return BudgetExceeded(_over_budget(use, usd), retry_after_s, use)
        case ScopeKind.KEY:
            return KeyLimitExceeded(_over_limit(use, "This API key", usd, tasks), retry_after_s, use)
        case ScopeKind.CUSTOMER:
            whose = f"The customer {use.scope.name[:100]!r} of this API key"
            return CustomerLimitExceeded(_over_limit(use, whose, usd, tasks), retry_after_s, use)
        case ScopeKind.CLIENT_TOKEN:
            return ClientTokenUsedUp(_over_token(use, usd), use)


def _over_budget(use: LimitUse, usd: Decimal) -> str:
    day = use.period is Period.DAY
    name, of_all = use.scope.name, use.scope.kind is ScopeKind.ENVIRONMENT
    setting = f"{'budget' if of_all else f'providers.{name}'}.{'daily' if day else 'monthly'}_usd"
    owned = f"{'today' if day else 'this month'}'s" if of_all else "the"
    whose = "" if of_all else f" that {name} may cost {'today' if day else 'this month'}"
    return (
        f"This costs {usd:f} USD, and {use.used:f} of {owned} {use.limit:f} USD{whose} are spent or promised."
        f" {_end(use)}; more is allowed by {setting} (GENPULSE_{setting.upper().replace('.', '__')})."
    )


def _over_limit(use: LimitUse, whose: str, usd: Decimal, tasks: int) -> str:
    match use.measure:
        case Measure.ACTIVE_TASKS:
            return (
                f"{whose} has {use.used:,} tasks that have not ended and may have {use.limit:,}; this would make"
                f" {use.used + tasks:,}."
            )
        case Measure.TASKS:
            may = f"may submit {use.limit:,} a day (UTC)"
            return f"{whose} has submitted {use.used:,} tasks today and {may}. {_end(use)}."
        case Measure.USD:
            who = whose[0].lower() + whose[1:]
            return (
                f"This costs {usd:f} USD; {who} has spent or promised {use.used:f} USD of the {use.limit:f} USD"
                f" that it has a {use.period} (UTC). {_end(use)}."
            )


def _over_token(use: LimitUse, usd: Decimal) -> str:
    again = "Ask the server that gave it to you for another one."
    if use.measure is Measure.TASKS:
        done = f"{use.used:,} were submitted by it"
        return f"This client token was good for {use.limit:,} tasks, and {done}. {again}"
    return (
        f"This costs {usd:f} USD, and {use.used:f} of the {use.limit:f} USD of this client token are spent or"
        f" promised. {again}"
    )


def _end(use: LimitUse) -> str:
    if use.period is Period.DAY or use.resets_at is None:
        return "The day ends at 00:00 UTC"
    return f"The month ends at {use.resets_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
