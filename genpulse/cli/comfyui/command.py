"""`genpulse comfyui`: workflows of ComfyUI as models of their own."""

import click

from genpulse.cli.lazy_group import LazyCommand, LazyGroup

_COMMANDS = {
    "add": LazyCommand("genpulse.cli.comfyui.add:command", "Make a model of a workflow."),
    "check": LazyCommand(
        "genpulse.cli.comfyui.check:command", "Read all registered workflows, and name their faults."
    ),
}


@click.group("comfyui", cls=LazyGroup, lazy=_COMMANDS)
def command() -> None:
    """Workflows of ComfyUI as models of their own."""
