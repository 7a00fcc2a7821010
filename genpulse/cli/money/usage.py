"""`genpulse usage`: what tasks came to."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from genpulse.cli.client import with_client
from genpulse.cli.output.bar import bar
from genpulse.cli.output.destination import STDOUT
from genpulse.cli.output.file_names import write_text
from genpulse.cli.output.table import Column, Table, show_table
from genpulse.cli.output.terminal import say, say_json
from genpulse.cli.stack import api_option, json_option
from genpulse.cli.tasks.filters import Moment
from genpulse_client import Usage

_METADATA = "metadata."


@click.command("usage")
@click.option("--since", type=Moment(), help="Tasks that came then or later: 7d, 2030-01-31, … (30 days ago)")
@click.option("--until", type=Moment(), help="Tasks that came before that (now).")
@click.option(
    "--by",
    metavar="FIELDS",
    default="",
    help="day, provider, model, key, status, metadata.NAME: put together by these, with commas between them.",
)
@click.option("--csv", "table", metavar="FILE", help="Into a table for a spreadsheet; - is standard output.")
@api_option
@json_option
def command(
    since: datetime | None, until: datetime | None, by: str, table: str | None, api: str | None, as_json: bool
) -> None:
    """How many tasks came, how they stand, and what was spent, in US dollars.

    What was deleted counts, without its metadata. Tasks that were removed because of their age are not counted;
    what was spent for them is, unless it is put together by status or metadata. Days are of UTC.
    """
    if table and as_json:
        raise click.UsageError("--csv and --json are two forms of the same: give one.")
    fields = [word.strip() for word in by.split(",")] if by else []
    usage = with_client(api, lambda client: client.usage(since=since, until=until, group_by=fields))
    if as_json:
        say_json(dict(usage.document))
        return
    if table:
        _tell_csv(usage, fields, table)
        return
    if not usage.rows:
        say("No task came then.")
        return
    show_table(_table(usage.rows, fields))


def _tell_csv(usage: Usage, fields: Sequence[str], place: str) -> None:
    """As `GET /v1/usage` gives it to whoever asks for text/csv. Raises `CommandRefused`."""
    from genpulse.api.schemas.usage import UsageDocument, table

    text = table(UsageDocument.model_validate(usage.document), fields)
    if place == STDOUT:
        say(text.replace("\r\n", "\n"), nl=False)
        return
    write_text(Path(place), text)
    rows = "1 row" if len(usage.rows) == 1 else f"{len(usage.rows):,} rows"
    say(f"{place}  ({rows})")


def _table(rows: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> Table:
    table = Table(
        *(Column(field.removeprefix(_METADATA)) for field in fields),
        Column("tasks"),
        Column("ended well", rank=2),
        Column("failed", rank=3),
        Column("spent"),
        Column("", rank=6),
        Column("refunded", rank=7),
        Column("reserved", rank=8),
        Column("cost", rank=9),
        Column("price at most", rank=4),
        Column("without price", rank=5),
    )
    most = max((_spent(row) for row in rows), default=Decimal(0))
    for row in rows:
        states = row["statuses"]
        counts = [row["count"], states.get("succeeded", 0), states.get("failed", 0)]
        table.add(
            *(_value(row, field) for field in fields),
            *(f"{count:,}" for count in counts),
            f"{_spent(row):f}",
            bar(_spent(row), most),
            *(row.get(name, "") for name in ("refunded_usd", "reserved_usd")),
            row["cost_usd"],
            row["price_usd"],
            f"{row['unpriced']:,}",
        )
    return table


def _spent(row: Mapping[str, Any]) -> Decimal:
    """What the ledger says; an older server tells what tasks cost alone."""
    if "settled_usd" not in row:
        return Decimal(row["cost_usd"])
    return Decimal(row["settled_usd"]) - Decimal(row["refunded_usd"])


def _value(row: Mapping[str, Any], field: str) -> str:
    if field.startswith(_METADATA):
        return row["metadata"].get(field.removeprefix(_METADATA)) or ""
    if field == "key":
        return row["key_name"] or row["key"] or ""
    return str(row[field])
