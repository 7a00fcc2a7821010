"""`genpulse env`: the environment that is in force, and what belongs to it."""

import click

from genpulse.cli.lazy_group import LazyCommand, LazyGroup

_COMMANDS = {
    "acl": LazyCommand("genpulse.cli.env.acl:command"),
    "lint": LazyCommand("genpulse.cli.env.lint:command"),
    "show": LazyCommand("genpulse.cli.env.show:command"),
    "stamp": LazyCommand("genpulse.cli.env.stamp:command"),
}


@click.group("env", cls=LazyGroup, lazy=_COMMANDS)
def command() -> None:
    """Show the environment that is in force, and what belongs to it."""
