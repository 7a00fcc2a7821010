"""`genpulse dev reset`: throws away what the servers of this folder hold."""

import sys

import click

from genpulse.cli.dev.command import home_of_project
from genpulse.cli.errors import CommandRefused
from genpulse.cli.output.terminal import agreed, say
from genpulse.dev.errors import AlreadyRunning
from genpulse.dev.processes.stack_lock import lock_holder
from genpulse.dev.state import read_state
from genpulse.dev.teardown import data_of, remove_data


@click.command("reset")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def command(yes: bool) -> None:
    """Throw away the PostgreSQL and Redis data of this folder, after asking.

    The next `genpulse dev` begins with an empty database. Stored assets, ports and password stay. Servers that
    are named in the configuration are not touched. Refused while the stack is up.
    """
    home = home_of_project()
    if holder := lock_holder(home):
        state = read_state(home)
        raise AlreadyRunning(holder, state.api_url if state else None)
    data = list(data_of(home.parent, home))
    if not data:
        say(f"There are no data in {home}.")
        return
    if not yes:
        _ask(data)
    remove_data(home.parent, home)
    say("The data are gone. `genpulse dev` begins anew.")


def _ask(data: list[str]) -> None:
    """Raises `CommandRefused` where nobody can answer, and when the answer is no."""
    if not sys.stdin.isatty():
        raise CommandRefused("This throws data away, and nobody is here to be asked. Nothing was done; say --yes.")
    say("This throws away:")
    for each in data:
        say(f"  {each}")
    if not agreed("Go on?"):
        raise CommandRefused("Nothing was done.")
