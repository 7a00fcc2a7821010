"""`genpulse tasks`: list, show, watch, save, cancel, retry and delete."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import click

from genpulse.cli.client import with_client
from genpulse.cli.errors import CommandRefused
from genpulse.cli.output.destination import STDOUT, Saved, destination, output_option, save_outputs, tell_saved
from genpulse.cli.output.progress import Bars
from genpulse.cli.output.table import Cell, Column, Table, show_table
from genpulse.cli.output.terminal import say, say_json
from genpulse.cli.stack import api_option, json_option
from genpulse.cli.tasks import deletion, retry
from genpulse.cli.tasks.account import print_deliveries, print_ledger
from genpulse.cli.tasks.bulk import act_on_all
from genpulse.cli.tasks.filters import TaskChoice, filter_options
from genpulse.cli.tasks.task_id import task_id_of
from genpulse.cli.tasks.text import print_attempts, print_task, standing_of
from genpulse_client import AsyncGenPulse, Event, Task, TaskFilter

_COLOURS = {"succeeded": "green", "failed": "red", "running": "cyan", "canceled": "yellow", "queued": "dim"}
_ADVICE = dict.fromkeys(("queued", "running"), " Follow it with `genpulse tasks watch`.")


@click.group("tasks")
def command() -> None:
    """List, show, watch, save, cancel, retry and delete tasks. TASK is an id, or its first 8 digits or more."""


command.add_command(retry.command)
command.add_command(deletion.command)


@command.command("list")
@click.option("--failed", is_flag=True, help="Only those that failed, with the reason; short for --status failed.")
@filter_options
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@api_option
@json_option
def list_(failed: bool, limit: int, api: str | None, as_json: bool, **options: Any) -> None:
    """The newest tasks that fit. An option that is repeated means any of its values."""
    choice = TaskChoice(**options)
    if failed and choice.status not in {(), ("failed",)}:
        raise click.UsageError(f"--failed and --status {', '.join(choice.status)} exclude each other.")
    if failed or (choice.code and not choice.status):
        choice = replace(choice, status=("failed",))
    tasks = with_client(api, lambda client: _listed(client, choice.filter, limit))
    if as_json:
        say_json([task.document for task in tasks])
    else:
        now = datetime.now().astimezone()
        show_table(_failed_table(tasks, now) if choice.status == ("failed",) else _table(tasks, now))


async def _listed(client: AsyncGenPulse, task_filter: TaskFilter, limit: int) -> list[Task]:
    return [task async for task in client.matching(task_filter, limit=limit)]


def _table(tasks: Sequence[Task], now: datetime) -> Table:
    table = Table(
        Column("task"),
        Column("model", rank=2),
        Column("status", rank=1),
        Column("done", rank=5),
        Column(f"created ({now:%Z})", rank=3),
        Column("note", rank=4, folds=True),
    )
    for task in tasks:
        done = "" if task.progress is None else f"{task.progress:.0%}"
        status = Cell(task.status, _COLOURS.get(task.status, ""))
        table.add(task.id, task.model, status, done, _created(task, now), _standing(task, now))
    return table


def _standing(task: Task, now: datetime) -> str:
    """Nothing for a task that simply waits for its turn, and for one that ended well: its status says that."""
    if task.status == "canceled" and task.error:
        return f"{task.error.code} (charged: {task.error.charged})"
    if task.status == "succeeded" and task.warnings:
        return ", ".join(sorted({warning.code for warning in task.warnings}))
    simple = task.status == "queued" and not task.cancel_requested_at and not task.last_error
    return "" if simple else standing_of(task, now)


def _failed_table(tasks: Sequence[Task], now: datetime) -> Table:
    table = Table(
        Column("task"),
        Column("error", rank=1),
        Column("charged", rank=2),
        Column(f"created ({now:%Z})", rank=4),
        Column("model", rank=3),
    )
    for task in tasks:
        code, charged = (task.error.code, task.error.charged) if task.error else ("", "")
        table.add(task.id, code, charged, _created(task, now), task.model)
    return table


def _created(task: Task, now: datetime) -> str:
    return f"{task.created_at.astimezone(now.tzinfo):%Y-%m-%d %H:%M:%S}"


@command.command()
@click.argument("task")
@api_option
@json_option
def show(task: str, api: str | None, as_json: bool) -> None:
    """One task, with all that is known about it: what it waits for, each try, its money, and its webhooks."""

    async def look(client: AsyncGenPulse) -> tuple[Task, Sequence[Sequence[Mapping[str, Any]]]]:
        current = await client.get(await task_id_of(client, task))
        if as_json:
            return current, ((), (), ())
        reads = (client.attempts, client.ledger, client.deliveries)
        return current, [await read(current) for read in reads]

    found, (attempts, entries, deliveries) = with_client(api, look)
    print_task(found, as_json=as_json)
    print_attempts(attempts, datetime.now().astimezone())
    print_ledger(entries)
    print_deliveries(deliveries)


@command.command()
@click.argument("task")
@api_option
@json_option
@click.pass_context
def watch(ctx: click.Context, task: str, api: str | None, as_json: bool) -> None:
    """Follow a task to its end, and say what it waits for. Exit code 1 when it does not succeed."""

    async def follow(client: AsyncGenPulse) -> Task:
        task_id = await task_id_of(client, task)
        last = await client.get(task_id)
        with Bars(quiet=as_json) as bars:
            bar = bars.follow(last.model)
            async for event in client.watch(task_id):
                bar(event)
                last = event.task or last
                if as_json:
                    say(_line(event))
        return last

    ended = with_client(api, follow)
    if not as_json:
        print_task(ended, as_json=False)
    ctx.exit(0 if ended.status == "succeeded" else 1)


def _line(event: Event) -> str:
    if event.task is not None:
        return json.dumps({"id": event.id, "task": event.task.document})
    return json.dumps({"id": event.id, "progress": event.progress, "message": event.message})


@command.command()
@click.argument("task", required=False)
@click.option("--all", "all_of_them", is_flag=True, help="All tasks that match, or all there are.")
@filter_options
@click.option("--yes", is_flag=True, help="With filters: do not ask.")
@api_option
@json_option
@click.pass_context
def cancel(
    ctx: click.Context,
    /,
    task: str | None,
    all_of_them: bool,
    yes: bool,
    api: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Ask that a task stops, or with filters or --all every one that matches.

    A queued task ends at once, a running one as soon as its worker can stop it. An order that was sent is awaited,
    and a job is then stopped at the provider; a request that is answered with the output itself cannot be stopped,
    and the task may still succeed. A queued task that has an order open stays queued until a worker has stopped
    that. A task that has ended stays as it is.
    """

    choice = TaskChoice(**options)
    if task is None:
        if choice.is_everything and not all_of_them:
            raise click.UsageError("Name one task, say by options which ones are meant, or use --all.")
        ctx.exit(0 if act_on_all("cancel", choice, api, yes=yes, as_json=as_json) else 1)
    if all_of_them or yes or not choice.is_everything:
        raise click.UsageError("Name one task, or say by options which ones are meant.")
    word: str = task

    async def stop(client: AsyncGenPulse) -> Task:
        return await client.cancel(await task_id_of(client, word))

    print_task(with_client(api, stop), as_json=as_json)


@command.command()
@click.argument("task")
@output_option
@api_option
@json_option
def save(task: str, output: str | None, api: str | None, as_json: bool) -> None:
    """Save what a task has made. A file that is there is written over."""
    if output == STDOUT and as_json:
        raise click.UsageError("-o - and --json both want standard output.")

    async def fetch(client: AsyncGenPulse) -> tuple[Task, Saved]:
        source = await client.get(await task_id_of(client, task))
        if not source.outputs:
            advice = _ADVICE.get(source.status, "")
            raise CommandRefused(f"Task {source.id} is {source.status} and has no outputs.{advice}")
        with destination(output, spared="Nothing was saved.") as where:
            return source, await save_outputs(client, source, where, source.model.rpartition("/")[2])

    found, saved = with_client(api, fetch)
    tell_saved(found, saved, as_json=as_json)
