"""`genpulse tasks delete`."""

import click

from genpulse.cli.deletion import delete_each
from genpulse.cli.stack import api_option, json_option
from genpulse.cli.tasks.task_id import task_id_of
from genpulse_client import AsyncGenPulse


@click.command("delete")
@click.argument("tasks", metavar="TASK...", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@api_option
@json_option
def command(tasks: tuple[str, ...], yes: bool, api: str | None, as_json: bool) -> None:
    """Delete tasks for good, each with its input, history and outputs.

    From then on nobody sees them, and within a minute nothing of them is left here, but for bytes that another
    asset has. A task that has not ended is canceled first, and removed when it has ended. Uploads stay: see
    `genpulse assets delete`.
    """
    delete_each("task", tasks, task_id_of, AsyncGenPulse.delete, api=api, is_agreed=yes, as_json=as_json)
