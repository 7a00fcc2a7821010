"""`genpulse batches`: list, show, watch, cancel and retry."""

from datetime import datetime

import click

from genpulse.cli.batches.text import cost_of, counts_of, print_batch
from genpulse.cli.client import with_client
from genpulse.cli.errors import CommandRefused
from genpulse.cli.output.moments import moment_text
from genpulse.cli.output.progress import Bars, CountBar
from genpulse.cli.output.table import Column, Table, show_table
from genpulse.cli.output.terminal import say, say_json, say_json_line
from genpulse.cli.stack import api_option, json_option
from genpulse_client import AsyncGenPulse, Batch, BatchEvent


@click.group("batches")
def command() -> None:
    """List, show, watch, cancel and retry batches: tasks that were submitted together."""


@command.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@api_option
@json_option
def list_(limit: int, api: str | None, as_json: bool) -> None:
    """The newest batches."""

    async def found(client: AsyncGenPulse) -> list[Batch]:
        return [batch async for batch in client.batches(limit=limit)]

    batches = with_client(api, found)
    if as_json:
        say_json([dict(batch.document) for batch in batches])
        return
    now = datetime.now().astimezone()
    table = Table(
        Column("batch", style="bold"), Column("tasks"), Column("cost", rank=2), Column("created", rank=1),
        Column("how they stand", folds=True),
    )  # fmt: skip
    for batch in batches:
        created = moment_text(batch.created_at, now) if batch.created_at else ""
        table.add(batch.id, str(batch.total), cost_of(batch), created, counts_of(batch))
    show_table(table)


@command.command()
@click.argument("batch")
@api_option
@json_option
def show(batch: str, api: str | None, as_json: bool) -> None:
    """How a batch stands, and what it cost."""
    print_batch(with_client(api, lambda client: client.batch(batch)), as_json=as_json)


@command.command()
@click.argument("batch")
@api_option
@json_option
@click.pass_context
def watch(ctx: click.Context, batch: str, api: str | None, as_json: bool) -> None:
    """Follow a batch to its end. Exit code 1 when not all of its tasks succeed."""

    async def follow(client: AsyncGenPulse) -> Batch:
        last = await client.batch(batch)
        with Bars(quiet=as_json) as bars:
            bar = CountBar(bars, f"batch {batch[-6:]}")
            async for event in client.watch_batch(batch):
                if event.batch is not None:
                    last = event.batch
                    bar(last.total - _live(last), last.total, counts_of(last))
                if as_json:
                    say_json_line(_line(event))
        return last

    ended = with_client(api, follow)
    if not as_json:
        print_batch(ended, as_json=False)
    ctx.exit(0 if ended.counts.get("succeeded") == ended.total else 1)


def _live(batch: Batch) -> int:
    return batch.counts.get("queued", 0) + batch.counts.get("running", 0)


def _line(event: BatchEvent) -> dict[str, object]:
    if event.task is not None:
        return {"id": event.id, "task": event.task.document}
    return {"id": event.id, "batch": dict(event.batch.document) if event.batch else None}


@command.command()
@click.argument("batch")
@api_option
@json_option
def cancel(batch: str, api: str | None, as_json: bool) -> None:
    """Ask that every task of a batch stops that has not ended. What an order has cost already stays paid."""
    _act(with_client(api, lambda client: client.cancel_batch(batch)), "Asked to stop", as_json=as_json)


@command.command()
@click.argument("batch")
@api_option
@json_option
def retry(batch: str, api: str | None, as_json: bool) -> None:
    """Run those failed tasks of a batch again that can succeed."""
    _act(with_client(api, lambda client: client.retry_batch(batch)), "Run again", as_json=as_json)


def _act(batch: Batch, what: str, *, as_json: bool) -> None:
    """Raises `CommandRefused` where nothing could be done with any of those that are left out."""
    print_batch(batch, as_json=as_json)
    if as_json:
        return
    left_out = ", ".join(f"{count} {reason}" for reason, count in batch.left_out.items())
    say(f"{what}: {batch.done}." + (f" Left out: {left_out}." if left_out else ""), err=True)
    if left_out and not batch.done:
        raise CommandRefused("It was done with none of the tasks.")
