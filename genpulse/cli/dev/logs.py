"""`genpulse dev logs`: what the processes of this folder's stack have said."""

import click

from genpulse.cli.dev.command import home_of_project
from genpulse.cli.errors import CommandRefused
from genpulse.cli.output.terminal import say
from genpulse.dev.terminal.log_files import last_lines, new_lines
from genpulse.dev.terminal.log_view import NAMES

_WIDTH = max(map(len, NAMES))


@click.command("logs")
@click.argument("name", required=False, type=click.Choice(NAMES))
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written from now on, until Ctrl-C.")
@click.option(
    "-n", "--lines", type=click.IntRange(0), default=50, show_default=True, help="Lines of each at most."
)
def command(name: str | None, follow: bool, lines: int) -> None:
    """What the processes of this folder's stack have said: all of them, or NAME alone.

    Logs of the last run are there until the next start.
    """
    folder = home_of_project() / "logs"
    if not folder.is_dir() and not follow:
        raise CommandRefused(f"{folder} is not there: `genpulse dev` has never run in this folder.")
    names = (name,) if name else NAMES
    for each in names:
        for line in last_lines(folder, each, lines):
            _show(each, line, alone=name is not None)
    if follow:
        for each, line in new_lines(folder, names):
            _show(each, line, alone=name is not None)


def _show(name: str, line: str, *, alone: bool) -> None:
    say(line if alone else f"{name:<{_WIDTH}} {line}".rstrip())
