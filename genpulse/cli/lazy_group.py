"""A group whose commands are imported when they are called."""

import importlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import click


class LazyCommand(NamedTuple):
    """Where a command is, as `module:name`, and its line in the help of its group.

    Without that line the command is imported for the help of its group, too.
    """

    place: str
    summary: str = ""

    def load(self) -> click.Command:
        """Import the module, and return the command in it."""
        module, _, name = self.place.partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


class LazyGroup(click.Group):
    """A group of the commands in `lazy`, by their names and in this order.

    `@click.group("env", cls=LazyGroup, lazy={"acl": LazyCommand("genpulse.cli.env.acl:command")})`
    """

    def __init__(self, *args: Any, lazy: Mapping[str, LazyCommand], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in the order of the table."""
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the command of this name; None where there is none."""
        return self._lazy[cmd_name].load() if cmd_name in self._lazy else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the summaries of the table, and import nothing, where every command has one."""
        rows = [(name, self._lazy[name].summary) for name in self.list_commands(ctx)]
        if not all(summary for _, summary in rows):
            super().format_commands(ctx, formatter)
            return
        with formatter.section("Commands"):
            formatter.write_dl(rows)
