"""`genpulse models sunset`: what is in use and ends soon."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import click

from genpulse.cli.client import with_client
from genpulse.cli.output.table import Column, Table, show_table
from genpulse.cli.output.terminal import say, say_json
from genpulse.cli.stack import api_option, json_option
from genpulse_client import AsyncGenPulse

IN_USE_DAYS = 30


@click.command("sunset")
@click.option(
    "--within",
    type=click.IntRange(0, 36_500),
    default=365,
    show_default=True,
    help="Models that end within so many days, or have ended.",
)
@api_option
@json_option
def command(within: int, api: str | None, as_json: bool) -> None:
    """Models in use that their vendors shut down soon, or advise against.

    In use is what tasks of the last 30 days asked for: of all keys for an `admin` key, else of the own one.
    """
    rows = with_client(api, lambda client: _rows(client, within))
    if as_json:
        say_json(rows)
    elif rows:
        show_table(_table(rows))
    else:
        say(f"No model that tasks of the last {IN_USE_DAYS} days asked for ends within {within} days.")


async def _rows(client: AsyncGenPulse, within: int) -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    models, usage = await asyncio.gather(
        client.models(), client.usage(since=now - timedelta(days=IN_USE_DAYS), group_by=["model"])
    )
    tasks = {row["model"]: row["count"] for row in usage.rows}
    return ending([model.document for model in models], tasks, now.date() + timedelta(days=within))


def ending(models: Sequence[Mapping[str, Any]], tasks: Mapping[str, int], until: date) -> list[dict[str, Any]]:
    """Those of the models with tasks that are deprecated or end by then, the first end first."""
    rows = [
        {
            "id": model["id"],
            "tasks": tasks[model["id"]],
            "deprecated": model.get("deprecated"),
            "sunset": model.get("sunset"),
            "successor": model.get("successor"),
        }
        for model in models
        if tasks.get(model["id"]) and _ends(model, until)
    ]
    return sorted(rows, key=lambda row: (row["sunset"] or row["deprecated"], row["id"]))


def _ends(model: Mapping[str, Any], until: date) -> bool:
    """A day as the API writes it sorts as text."""
    first = min((day for day in (model.get("deprecated"), model.get("sunset")) if day), default=None)
    return first is not None and first <= until.isoformat()


def _table(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(
        Column("model", style="bold"),
        Column(f"tasks in {IN_USE_DAYS} days"),
        Column("advised against"),
        Column("ends"),
        Column("in its place", rank=1, folds=True),
    )
    for row in rows:
        table.add(
            row["id"], f"{row['tasks']:,}", row["deprecated"] or "", row["sunset"] or "", row["successor"] or ""
        )
    return table
