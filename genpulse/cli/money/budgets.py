"""`genpulse budgets`: what may be spent and done, and how much of it is used."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import click

from genpulse.cli.client import with_client
from genpulse.cli.output.moments import moment_text
from genpulse.cli.output.table import Cell, Column, Table, show_table
from genpulse.cli.output.terminal import say, say_json
from genpulse.cli.stack import api_option, json_option

_NEAR = Decimal("0.8")
_WORDS = {"usd": "USD", "tasks": "tasks", "active_tasks": "active tasks"}


@click.command("budgets")
@click.option("--customer", help="Show the limits of this end customer of the API key, too.")
@api_option
@json_option
def command(customer: str | None, api: str | None, as_json: bool) -> None:
    """Each limit with what is used of it, and when it begins anew. Days and months are of UTC.

    A key sees its own limits, one with the scope admin those of all, of each provider and of each key.
    """
    budgets = with_client(api, lambda client: client.budgets(customer=customer))
    if as_json:
        say_json(list(budgets))
        return
    if not budgets:
        say("Nothing is limited.")
        return
    show_table(_table(budgets))


def _table(budgets: tuple[Mapping[str, Any], ...]) -> Table:
    table = Table(
        Column("for"),
        Column("what", rank=1),
        Column("used", rank=2),
        Column("limit", rank=3),
        Column("part", rank=4),
        Column("begins anew", rank=5),
    )
    here = datetime.now(UTC).astimezone()
    for budget in budgets:
        used, limit = Decimal(budget["used"]), Decimal(budget["limit"])
        resets_at = budget["resets_at"]
        table.add(
            _for(budget),
            f"{_WORDS.get(budget['measure'], budget['measure'])}{_period(budget)}",
            f"{used:f}",
            f"{limit:f}",
            _part(used, limit),
            moment_text(datetime.fromisoformat(resets_at), here) if resets_at else "",
        )
    return table


def _for(budget: Mapping[str, Any]) -> str:
    if budget["scope"] == "environment":
        return "all"
    return f"{budget['scope']} {budget['key_name'] or budget['name']}"


def _period(budget: Mapping[str, Any]) -> str:
    return f" a {budget['period']}" if budget["period"] else ""


def _part(used: Decimal, limit: Decimal) -> Cell:
    if not limit:
        return Cell("none allowed", "yellow")
    part = used / limit
    return Cell(f"{part:.0%}", "red" if part >= 1 else "yellow" if part >= _NEAR else "green")
