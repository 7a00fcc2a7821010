"""`genpulse models`: the group, whose command `show` need not be named."""

import click

from genpulse.cli.lazy_group import LazyCommand, LazyGroup

_SHOW = "show"
_COMMANDS = {
    _SHOW: LazyCommand(
        "genpulse.cli.catalogue.show:command", "What can be asked for; with a MODEL, the fields of its input."
    ),
    "sunset": LazyCommand(
        "genpulse.cli.catalogue.sunset:command", "Models in use that their vendors shut down soon."
    ),
    "check": LazyCommand(
        "genpulse.cli.catalogue.check:command", "Read all files of models, and name their faults."
    ),
    "reference": LazyCommand(
        "genpulse.cli.catalogue.reference:command", "All models with their prices, as a part of a page."
    ),
}


class _ShowsByItself(LazyGroup):
    """`genpulse models sandbox/image` is `genpulse models show sandbox/image`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the name of the command in front where none is given."""
        first = args[0] if args else ""
        named = first in _COMMANDS or first in ctx.help_option_names
        return super().parse_args(ctx, args if named else [_SHOW, *args])


@click.group("models", cls=_ShowsByItself, lazy=_COMMANDS)
def command() -> None:
    """What can be asked for, what it costs, and how long there will be it.

    `genpulse models` lists all models, `genpulse models MODEL` shows the fields of its input.
    """
