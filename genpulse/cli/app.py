"""The command `genpulse` and its table of commands."""

from pathlib import Path

import click

from genpulse.cli.errors import CommandRefused
from genpulse.cli.lazy_group import LazyCommand, LazyGroup
from genpulse.cli.output.terminal import say

_COMMANDS = {
    "demo": LazyCommand(
        "genpulse.cli.demo:command",
        "Make a picture, a video and a spoken sentence from nothing, and take everything down again.",
    ),
    "dev": LazyCommand("genpulse.cli.dev.command:command", "The whole stack to work with, until Ctrl-C."),
    "generate": LazyCommand(
        "genpulse.cli.generate.command:command",
        "Submit one task, or one for each row of a file, follow them, save what they made.",
    ),
    "upload": LazyCommand("genpulse.cli.assets.upload:command", "Upload files that inputs name afterwards."),
    "tasks": LazyCommand(
        "genpulse.cli.tasks.command:command",
        "List, show, watch, save, cancel, retry and delete tasks.",
    ),
    "assets": LazyCommand("genpulse.cli.assets.command:command", "Delete uploads and outputs."),
    "usage": LazyCommand("genpulse.cli.money.usage:command", "How many tasks came, and what they cost."),
    "budgets": LazyCommand("genpulse.cli.money.budgets:command", "What may be spent, and how much of it is used."),
    "batches": LazyCommand(
        "genpulse.cli.batches.command:command",
        "List, show, watch, cancel and retry batches.",
    ),
    "listen": LazyCommand(
        "genpulse.cli.listen:command",
        "Receive webhooks here and print them, for those who develop.",
    ),
    "models": LazyCommand("genpulse.cli.catalogue.command:command", "What can be asked for, and what it costs."),
    "providers": LazyCommand("genpulse.cli.providers:command", "Who does it."),
    "comfyui": LazyCommand("genpulse.cli.comfyui.command:command", "Workflows of ComfyUI as models of their own."),
    "keys": LazyCommand("genpulse.cli.keys.command:command", "Create, list, change and revoke API keys."),
    "client-tokens": LazyCommand(
        "genpulse.cli.client_tokens.command:command",
        "Let a web page submit and watch tasks, for minutes.",
    ),
    "doors": LazyCommand(
        "genpulse.cli.doors.command:command",
        "Settings that lead clients of Replicate, fal and OpenAI here.",
    ),
    "api": LazyCommand("genpulse.cli.api:command", "The HTTP API, as a process of its own."),
    "worker": LazyCommand("genpulse.cli.worker.command:command", "A worker, as a process of its own."),
    "db": LazyCommand("genpulse.cli.db.command:command", "Bring the database up to date, and remove what is old."),
    "config": LazyCommand("genpulse.cli.config:command", "Show and check the configuration."),
    "env": LazyCommand(
        "genpulse.cli.env.command:command",
        "Show the environment that is in force, and what belongs to it.",
    ),
    "flow": LazyCommand(
        "genpulse.cli.flow.command:command",
        "Move changes from dev through test to main, by branches and tags.",
    ),
    "doctor": LazyCommand(
        "genpulse.cli.doctor.command:command",
        "Look at everything that has to be there, and say what to do.",
    ),
}


class _Commands(LazyGroup):
    """Proposes the nearest command where there is none of the name that was typed."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Add the nearest name to the error for an unknown one."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            near = get_close_matches(args[0], _COMMANDS, n=1)
            hint = f" Did you mean {near[0]}?" if near and "Did you mean" not in error.message else ""
            raise click.UsageError(f"{error.message.rstrip('.')}.{hint}", ctx) from None


def _version(ctx: click.Context, _parameter: click.Parameter, is_set: bool) -> None:
    if is_set and not ctx.resilient_parsing:
        from genpulse.environment.build_info import BrokenBuildInfo, product_version

        try:
            say(f"genpulse {product_version()}")
        except BrokenBuildInfo as error:
            raise click.ClickException(f"{error}.") from error
        ctx.exit()


@click.group(
    cls=_Commands,
    lazy=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_version, help="Show it.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def genpulse(debug: bool) -> None:
    """One durable task API in front of slow, flaky, paid generative media."""
    del debug
    try:
        Path.cwd()
    except FileNotFoundError as error:
        raise CommandRefused("The folder in which this was typed is gone: go to another one (cd).") from error
