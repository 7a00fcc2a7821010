"""Batches in words."""

from datetime import datetime

from genpulse.cli.output.moments import moment_text
from genpulse.cli.output.table import Column, Table, show_table
from genpulse.cli.output.terminal import say, say_json
from genpulse_client import Batch


def counts_of(batch: Batch) -> str:
    """Such as `12 queued, 1 running, 987 succeeded`."""
    return ", ".join(f"{count} {status}" for status, count in batch.counts.items() if count) or "no tasks"


def cost_of(batch: Batch) -> str:
    """In US dollars; empty where nothing is known."""
    return "" if batch.cost_usd is None else f"{batch.cost_usd:f} USD"


def print_batch(batch: Batch, *, as_json: bool) -> None:
    """Everything that is known about a batch, and what can be done next."""
    if as_json:
        say_json(dict(batch.document))
        return
    now = datetime.now().astimezone()
    created, finished = batch.created_at, batch.finished_at
    table = Table(Column("what"), Column("value", folds=True), headed=False)
    table.add("batch", batch.id)
    table.add("tasks", f"{batch.total}: {counts_of(batch)}")
    table.add("cost", cost_of(batch) or "not known")
    table.add("created", moment_text(created, now) if created else "")
    table.add("finished", moment_text(finished, now) if finished else "not yet" if not batch.ended else "")
    show_table(table)
    if batch.retryable:
        say(f"{batch.retryable} of the failed ones can succeed: genpulse batches retry {batch.id}", err=True)
    if batch.counts.get("failed"):
        say(f"Which ones failed, and why: genpulse tasks list --batch {batch.id} --failed", err=True)
