"""`genpulse env stamp`: says, once, to which environment a database belongs."""

import asyncio
import os
import sys
from dataclasses import asdict

import click

from genpulse.cli.errors import CommandRefused
from genpulse.cli.output.terminal import say, say_json_line
from genpulse.cli.stack import json_option, settings_for_servers
from genpulse.configuration.settings import Settings
from genpulse.domain.errors import CopiedDatabase, ForeignDatabase
from genpulse.environment.table import BY_DYNACONF, BY_NAME, environment_named
from genpulse.wiring.database import StampedDatabase, confirm_moved, database_stamp, empty_copy, stamp_database

_NAMES = click.Choice((*BY_NAME, *BY_DYNACONF), case_sensitive=False)


@click.command("stamp")
@click.option("--from", "replaces", type=_NAMES, metavar="NAME", help="Stamp it again: to whom it belongs now.")
@click.option("--to", "becomes", type=_NAMES, metavar="NAME", help="Stamp it again: to whom it shall belong.")
@click.option("--moved", is_flag=True, help="It is the original, and was moved or restored to here.")
@click.option("--copy", "copied", is_flag=True, help="It is a copy: empty it of all that would act.")
@json_option
def command(replaces: str | None, becomes: str | None, moved: bool, copied: bool, as_json: bool) -> None:
    """Say that the database of this environment belongs to it. Done once; in dev, db upgrade does it.

    From then on every process of another environment refuses the database, and so does one of this environment
    while there is no stamp. A database that holds tasks of another environment is not stamped.

    With --from and --to, a database is given to another environment. The stamp notes on which database it was put:
    in a copy, or after a move, every process refuses to start until --moved or --copy says which it is.

    These ask a person to type the database's name. --from and --copy want no process of GenPulse to be connected;
    they end the live tasks in it, and remove waiting webhooks, API keys and the queue.
    """
    settings = settings_for_servers(("database_url",))
    if sum((moved, copied, bool(replaces or becomes))) > 1:
        raise click.UsageError("--moved, --copy, and --from with --to are three different things: give one.")
    try:
        database = _stamped(settings, replaces, becomes, moved=moved, copied=copied)
    except ForeignDatabase as error:
        raise CommandRefused(_refusal(error), exit_code=os.EX_CONFIG) from error
    _tell(database, as_json=as_json)


def _stamped(
    settings: Settings, replaces: str | None, becomes: str | None, *, moved: bool, copied: bool
) -> StampedDatabase:
    if moved or copied:
        _confirm_which(settings, is_copy=copied)
        return asyncio.run(empty_copy(settings) if copied else confirm_moved(settings))
    given_by = _giver(settings, replaces, becomes)
    if given_by is not None:
        _confirm(settings, given_by)
    return asyncio.run(stamp_database(settings, replaces=given_by))


def _tell(database: StampedDatabase, *, as_json: bool) -> None:
    stamp = database.stamp
    if stamp is None:
        raise CommandRefused(f"The stamp of {database.name!r} was removed while it was looked at. Try again.")
    if as_json:
        facts = {"database": database.name, "environment": stamp.environment, "changed": database.changed}
        moment = {"stamped_at": stamp.stamped_at.isoformat(), "stamped_by": stamp.stamped_by}
        emptied = {"emptied": asdict(database.emptied)} if database.emptied else {}
        say_json_line(facts | moment | emptied)
        return
    if database.changed:
        say(f"The database {database.name!r} belongs to {stamp.environment} from now on.")
    else:
        say(f"The database {database.name!r} belongs to {stamp.environment} already ({stamp}).")
    if database.emptied:
        say(f"Emptied: {database.emptied}.")


def _giver(settings: Settings, replaces: str | None, becomes: str | None) -> str | None:
    """The environment that gives its database away to ours; None when no stamp is to be replaced."""
    if replaces is None and becomes is None:
        return None
    before, after = environment_named(replaces or ""), environment_named(becomes or "")
    if before is None or after is None:
        raise click.UsageError("--from and --to go together: --from test --to main.")
    if before == after:
        raise click.UsageError(f"--from and --to both name {after.name}.")
    if after != settings.environment:
        raise CommandRefused(
            f"--to names {after.name}, and this process is {settings.environment.name} by {settings.decided_by}."
            f" Run it with ENV={after.name} and that environment's GENPULSE_DATABASE_URL."
        )
    return before.name


def _confirm(settings: Settings, replaces: str) -> None:
    """Let a person at a terminal type the database's name. Raises `CommandRefused`."""
    database, name = asyncio.run(database_stamp(settings)), settings.environment.name
    belongs_to = database.stamp.environment if database.stamp else "nobody"
    if belongs_to == name:
        return
    if belongs_to != replaces:
        raise CommandRefused(
            f"The database {database.name!r} belongs to {belongs_to}, not to {replaces}. Nothing was changed."
        )
    _typed(
        database.name,
        f"{database.name!r} belongs to {replaces}. Only a person at a terminal can give it to {name}",
        f"{database.name!r} belongs to {replaces}. {name} gets it, and does not run its tasks: they are ended, its"
        " waiting webhooks and API keys are removed.",
    )


def _confirm_which(settings: Settings, *, is_copy: bool) -> None:
    """Let a person say which of two databases this one is. Raises `CommandRefused`."""
    database, name = asyncio.run(database_stamp(settings)), settings.environment.name
    stamp = database.stamp
    if stamp is None or stamp.environment != name:
        return  # what follows says whose it is
    if not stamp.is_elsewhere and not is_copy:
        return  # said before
    if not stamp.is_elsewhere:
        raise CommandRefused(
            f"{database.name!r} is the database that was stamped for {name}, as far as can be seen. A copy made"
            " file by file cannot be told from its original; give that to another environment with --from and"
            " --to. Nothing was changed."
        )
    what = (
        f"{database.name!r} is a copy of the database of {name}: its live tasks are ended, its waiting webhooks"
        " and API keys are removed. Give it a storage of its own: old assets are removed by rule."
        if is_copy
        else f"{database.name!r} is the database of {name} from now on, and runs its tasks. The one that was"
        " stamped must be off for good, or each task is run twice."
    )
    _typed(database.name, f"{database.name!r} was not here when it was stamped. Only a person can say why", what)


def _typed(name: str, unless_terminal: str, question: str) -> None:
    """Let a person at a terminal type the database's name. Raises `CommandRefused`."""
    if not sys.stdin.isatty():
        raise CommandRefused(f"{unless_terminal}, and this is no terminal. Nothing was changed.")
    say(question, err=True)
    typed: str = click.prompt("Type the name of the database to go on", err=True)
    if typed.strip() != name:
        raise CommandRefused(f"{typed.strip()!r} is not its name. Nothing was changed.")


def _refusal(error: ForeignDatabase) -> str:
    if not error.stamped or isinstance(error, CopiedDatabase):
        return str(error)
    again = f"`genpulse env stamp --from {error.theirs} --to {error.ours}`"
    return f"{error} If it is to belong to {error.ours}: {again}."
