"""Warning of budgets that are nearly used up: once a period, in the log and by a webhook."""

import asyncio
import json
import logging
from datetime import UTC, datetime, timedelta
from uuid import UUID

from genpulse.domain.money.allowance import LimitUse, Measure, ScopeKind
from genpulse.domain.money.budget_warning import BudgetWarning
from genpulse.lifecycle.budgets.standing import budget_standing
from genpulse.ports import Services

EVENT = "budget.warning"
AT_ONCE = 20
"""Messages that one turn sends."""

HELD_S = 60.0
"""Seconds in which a message is sent or another worker sends it."""

_log = logging.getLogger(__name__)


async def warn_of_budgets(services: Services) -> None:
    """Note which budgets are used up to the part that the settings say, and tell of those that are new.

    End customers have none of their own: their limits are met every day. Raises `DatabaseUnavailable`.
    """
    spending = services.spending
    near = [
        (use, warning)
        for use in (await budget_standing(services)).uses
        if use.is_at(spending.warn_at) and (warning := _warning(use, services.new_id(), services.now()))
    ]
    uses = {warning.id: use for use, warning in near}
    noted = await services.budgets.note([warning for _, warning in near], tell=spending.warning_url is not None)
    for warning in noted:
        _log.warning("%s: %s", EVENT, _words(uses[warning.id]))
    if spending.warning_url is not None:
        await _tell(services, spending.warning_url)


async def _tell(services: Services, url: str) -> None:
    due = await services.budgets.due(AT_ONCE, HELD_S)
    await asyncio.gather(*(_send(services, url, warning) for warning in due))


async def _send(services: Services, url: str, warning: BudgetWarning) -> None:
    answer = await services.sender.send(url, warning.message_id, warning.body.encode(), now=services.now())
    if answer.is_taken:
        await services.budgets.told(warning.id)
    else:
        said = answer.error or f"status {answer.status_code}"
        _log.warning("the message %s to budget.warning_url is sent again later: %s", warning.message_id, said)


def _warning(use: LimitUse, warning_id: UUID, now: datetime) -> BudgetWarning | None:
    """None for what is no budget: not money, or of no period."""
    if use.measure is not Measure.USD or use.period is None or use.resets_at is None:
        return None
    begins = use.period.begin((use.resets_at - timedelta(days=1)).date())
    return BudgetWarning(warning_id, use.scope.counter, use.period, begins, _body(use, now))


def _body(use: LimitUse, now: datetime) -> str:
    data = {
        "scope": use.scope.kind.value,
        "name": use.scope.name,
        "measure": use.measure.value,
        "period": use.period,
        "used": f"{use.used:f}",
        "limit": f"{use.limit:f}",
        "resets_at": _moment(use.resets_at) if use.resets_at else None,
    }
    return json.dumps({"type": EVENT, "timestamp": _moment(now), "data": data}, separators=(",", ":"))


def _words(use: LimitUse) -> str:
    of_all = use.scope.kind is ScopeKind.ENVIRONMENT
    whose = "all tasks together" if of_all else f"the {use.scope.kind} {use.scope.name}"
    return f"{use.used:f} of the {use.limit:f} USD of {whose} this {use.period} (UTC) are spent or promised"


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
