"""`genpulse dev down`: ends the stack of this folder from another terminal."""

import click

from genpulse.cli.dev.command import home_of_project
from genpulse.cli.output.terminal import say
from genpulse.dev.errors import NotRunning
from genpulse.dev.teardown import end_stack, stop_containers

_PATIENCE_S = 30.0


@click.command("down")
def command() -> None:
    """End the stack of this folder, as Ctrl-C does in its terminal. Data stay.

    Containers of `--services docker` that were left behind are stopped too. Exit code 1 when nothing runs.
    """
    home = home_of_project()
    try:
        pid = end_stack(home, _PATIENCE_S)
    except NotRunning:
        if not stop_containers(home.parent, home):
            raise
        say("No stack was up; the containers of an earlier one are stopped.")
        return
    say(f"The stack (pid {pid}) is down. Its data are in {home}.")
