"""`genpulse tasks delete`."""

from typing import Any

import click

from genpulse.cli.deletion import delete_each
from genpulse.cli.stack import api_option, json_option
from genpulse.cli.tasks.bulk import act_on_all
from genpulse.cli.tasks.filters import TaskChoice, filter_options
from genpulse.cli.tasks.task_id import task_id_of
from genpulse_client import AsyncGenPulse


@click.command("delete")
@click.argument("tasks", metavar="TASK...", nargs=-1)
@click.option("--all", "all_of_them", is_flag=True, help="All tasks that match, or all there are.")
@filter_options
@click.option("--yes", is_flag=True, help="Do not ask.")
@api_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    tasks: tuple[str, ...],
    all_of_them: bool,
    yes: bool,
    api: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Delete tasks for good, with their inputs, history and outputs: those named, or with filters all that match.

    From then on nobody sees them, and within a minute nothing of them is left here, but for bytes that another
    asset has. A task that has not ended is canceled first, and removed when it has ended. Uploads stay: see
    `genpulse assets delete`.
    """
    choice = TaskChoice(**options)
    is_bulk = all_of_them or not choice.is_everything
    if is_bulk is bool(tasks):
        raise click.UsageError("Name tasks, say by options which ones are meant, or use --all.")
    if is_bulk:
        ctx.exit(0 if act_on_all("delete", choice, api, yes=yes, as_json=as_json) else 1)
    delete_each("task", tasks, task_id_of, AsyncGenPulse.delete, api=api, is_agreed=yes, as_json=as_json)
