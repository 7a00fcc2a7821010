"""The command `genpulse` and its verbs."""

import importlib
from pathlib import Path

import click

from genpulse.cli.errors import CommandRefused
from genpulse.cli.output.terminal import say

COMMANDS: dict[str, str] = {
    "demo": "Make a picture, a video and a spoken sentence from nothing, and take everything down again.",
    "dev": "The whole stack to work with, until Ctrl-C.",
    "generate": "Submit one task, follow it, save what it made.",
    "tasks": "List, show, watch, save, cancel, retry and delete tasks.",
    "assets": "Delete uploads and outputs.",
    "listen": "Receive webhooks here and print them, for those who develop.",
    "models": "What can be asked for.",
    "providers": "Who does it.",
    "keys": "Create, list and revoke API keys.",
    "api": "The HTTP API, as a process of its own.",
    "worker": "A worker, as a process of its own.",
    "db": "Bring the database up to date, and remove what is old.",
    "config": "Show and check the configuration.",
    "env": "Show the environment that is in force, and what belongs to it.",
    "flow": "Move changes from dev through test to main, by branches and tags.",
    "doctor": "Look at everything that has to be there, and say what to do.",
}
_FOLDERS = frozenset({"db", "dev", "doctor", "env", "flow", "tasks"})


class Verbs(click.Group):
    """Knows the verbs by name and loads one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """In the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the verb's module."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"genpulse.cli.{cmd_name}" + ".command" * (cmd_name in _FOLDERS))
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """From the table, so that nothing is imported."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Names near ones when there is no such verb."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {near[0]}?" if near and "Did you mean" not in error.message else ""
            raise click.UsageError(f"{error.message.rstrip('.')}.{hint}", ctx) from None


def _version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from genpulse.environment.build_stamp import BrokenStamp, product_version

        try:
            say(f"genpulse {product_version()}")
        except BrokenStamp as error:
            raise click.ClickException(f"{error}.") from error
        ctx.exit()


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_version, help="Show it.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def genpulse(debug: bool) -> None:
    """One durable task API in front of slow, flaky, paid generative media."""
    del debug
    try:
        Path.cwd()
    except FileNotFoundError as error:
        raise CommandRefused("The folder in which this was typed is gone: go to another one (cd).") from error
