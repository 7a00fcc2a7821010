"""`genpulse tasks`: list, show, watch, cancel and retry."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

import click
from rich.console import Console
from rich.table import Table

from genpulse.cli.progress import Bars
from genpulse.cli.stack import api_option, api_url, json_option
from genpulse.client import Event, GenPulse, TaskView

T = TypeVar("T")
_COLOURS = {"succeeded": "green", "failed": "red", "running": "cyan", "canceled": "yellow", "queued": "dim"}
_STATES = click.Choice(list(_COLOURS))


def _with_client(api: str | None, act: Callable[[GenPulse], Awaitable[T]]) -> T:
    async def run() -> T:
        async with GenPulse(api_url(api)) as genpulse:
            return await act(genpulse)

    return asyncio.run(run())


@click.group("tasks")
def command() -> None:
    """List, show, watch, cancel and retry tasks."""


@command.command("list")
@click.option("--status", type=_STATES, help="Only those in this state.")
@click.option("--kind", help="Only those of this kind.")
@click.option("--provider", help="Only those of this provider.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@api_option
@json_option
def list_(
    status: str | None, kind: str | None, provider: str | None, limit: int, api: str | None, as_json: bool
) -> None:
    """The newest tasks."""
    found = _with_client(
        api, lambda client: client.tasks(limit=limit, status=status, kind=kind, provider=provider)
    )
    if as_json:
        click.echo(json.dumps([task.document for task in found], indent=2))
    else:
        Console(highlight=False).print(_table(found))


def _table(tasks: tuple[TaskView, ...]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("task", "model", "status", "done", "created"):
        table.add_column(column, no_wrap=True)
    for task in tasks:
        colour = _COLOURS.get(task.status, "")
        created = datetime.fromisoformat(task.document["created_at"]).astimezone()
        table.add_row(
            task.id,
            task.model,
            f"[{colour}]{task.status}[/]",
            "" if task.progress is None else f"{task.progress:.0%}",
            f"{created:%H:%M:%S}",
        )
    return table


@command.command()
@click.argument("task")
@api_option
@json_option
def show(task: str, api: str | None, as_json: bool) -> None:
    """One task, with everything that is known about it."""
    _print(_with_client(api, lambda client: client.task(task)), as_json=as_json)


@command.command()
@click.argument("task")
@api_option
@json_option
@click.pass_context
def watch(ctx: click.Context, task: str, api: str | None, as_json: bool) -> None:
    """Follow a task to its end. Exit code 1 when it does not succeed."""

    async def follow(client: GenPulse) -> TaskView:
        last = await client.task(task)
        with Bars(quiet=as_json) as bars:
            bar = bars.follow(last.model)
            async for event in client.watch(task):
                bar(event)
                last = event.task or last
                if as_json:
                    click.echo(_line(event))
        return last

    ended = _with_client(api, follow)
    if not as_json:
        _print(ended, as_json=False)
    ctx.exit(0 if ended.status == "succeeded" else 1)


def _line(event: Event) -> str:
    if event.task is not None:
        return json.dumps({"id": event.id, "task": event.task.document})
    return json.dumps({"id": event.id, "progress": event.progress, "message": event.message})


@command.command()
@click.argument("task")
@api_option
@json_option
def cancel(task: str, api: str | None, as_json: bool) -> None:
    """Stop what can still be stopped."""
    _print(_with_client(api, lambda client: client.cancel(task)), as_json=as_json)


@command.command()
@click.argument("task")
@api_option
@json_option
def retry(task: str, api: str | None, as_json: bool) -> None:
    """Run a failed task again."""
    _print(_with_client(api, lambda client: client.retry(task)), as_json=as_json)


def _print(task: TaskView, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(task.document, indent=2))
        return
    facts = task.document
    error = facts.get("error")
    rows = {
        "task": task.id,
        "model": f"{task.model} ({facts['kind']})",
        "status": task.status + (f", {task.progress:.0%}" if task.progress is not None else ""),
        "attempt": facts["attempt"],
        "created": facts["created_at"],
        "finished": facts["finished_at"] or "",
        "input": json.dumps(facts["input"], ensure_ascii=False),
        "error": f"{error['code']}: {error['message']} (charged: {error['charged']})" if error else "",
        "outputs": "\n          ".join(asset.url for asset in task.outputs),
    }
    for name, value in rows.items():
        if value != "":
            click.echo(f"{name:<10}{value}")
