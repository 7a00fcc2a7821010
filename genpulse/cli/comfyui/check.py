"""`genpulse comfyui check`: which workflows are models here, and why others are none."""

import click

from genpulse import config
from genpulse.cli.output.table import Column, Table, show_table
from genpulse.cli.output.terminal import say, say_json
from genpulse.cli.stack import json_option
from genpulse.domain.text.storable import showable_line
from genpulse.wiring.comfyui import RegisteredWorkflow, registered_workflows, workflow_folder


@click.command("check")
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Read all registered workflows, and name the faults of those that cannot be used.

    Needs neither a stack nor a ComfyUI. Exit code 1 when one of them cannot be used.
    """
    settings = config.load(require=())
    workflows, faults = registered_workflows(settings)
    if as_json:
        say_json({"models": {one.model: list(one.inputs) for one in workflows}, "faults": dict(faults)})
    elif workflows:
        show_table(_table(workflows))
    elif not faults:
        say(
            f"No workflow lies in {workflow_folder(settings)}: genpulse comfyui add FILE puts one there.", err=True
        )
    if not as_json:
        for name, why in faults.items():
            say(showable_line(f"{name}: {why}"), err=True)
    ctx.exit(int(bool(faults)))


def _table(workflows: tuple[RegisteredWorkflow, ...]) -> Table:
    table = Table(
        Column("model", style="bold"), Column("kind", rank=1, folds=True), Column("inputs", rank=2, folds=True)
    )
    for one in workflows:
        table.add(one.model, ", ".join(one.kinds), ", ".join(one.inputs))
    return table
