"""`genpulse env stamp`: says, once, to which environment a database belongs."""

import asyncio
import json
import sys

import click

from genpulse.cli.errors import CommandRefused
from genpulse.cli.stack import json_option, settings_for_servers
from genpulse.domain.errors import ForeignDatabase
from genpulse.environment.table import BY_DYNACONF, BY_NAME, environment_named
from genpulse.settings import Settings
from genpulse.wiring import database_stamp, stamp_database

_NAMES = click.Choice((*BY_NAME, *BY_DYNACONF), case_sensitive=False)


@click.command("stamp")
@click.option("--from", "replaces", type=_NAMES, metavar="NAME", help="Stamp it again: to whom it belongs now.")
@click.option("--to", "becomes", type=_NAMES, metavar="NAME", help="Stamp it again: to whom it shall belong.")
@json_option
def command(replaces: str | None, becomes: str | None, as_json: bool) -> None:
    """Say that the database of this environment belongs to it. Done once; in dev, db upgrade does it.

    From then on every process of another environment refuses the database, and so does one of this environment
    while there is no stamp. A database that holds tasks of another environment is not stamped.

    With --from and --to, a database is given to another environment: a person has to type its name, and no
    process of GenPulse may be connected. The tasks in it stay those of the old environment and are not run.
    """
    settings = settings_for_servers(("database_url",))
    given_by = _giver(settings, replaces, becomes)
    if given_by is not None:
        _confirm(settings, given_by)
    try:
        database = asyncio.run(stamp_database(settings, replaces=given_by))
    except ForeignDatabase as error:
        raise CommandRefused(_refusal(error)) from error
    stamp = database.stamp
    if stamp is None:
        raise CommandRefused(f"The stamp of {database.name!r} was removed while it was looked at. Try again.")
    if as_json:
        facts = {"database": database.name, "environment": stamp.environment, "changed": database.changed}
        moment = {"stamped_at": stamp.stamped_at.isoformat(), "stamped_by": stamp.stamped_by}
        click.echo(json.dumps(facts | moment))
    elif database.changed:
        click.echo(f"The database {database.name!r} belongs to {stamp.environment} from now on.")
    else:
        click.echo(f"The database {database.name!r} belongs to {stamp.environment} already ({stamp}).")


def _giver(settings: Settings, replaces: str | None, becomes: str | None) -> str | None:
    """The environment that gives its database away to ours; None when no stamp is to be replaced."""
    if replaces is None and becomes is None:
        return None
    theirs, ours = environment_named(replaces or ""), environment_named(becomes or "")
    if theirs is None or ours is None:
        raise click.UsageError("--from and --to go together: --from test --to main.")
    if theirs == ours:
        raise click.UsageError(f"--from and --to both name {ours.name}.")
    if ours != settings.environment:
        raise CommandRefused(
            f"--to names {ours.name}, and this process is {settings.environment.name} by {settings.decided_by}."
            f" Run it with ENV={ours.name} and that environment's GENPULSE_DATABASE_URL."
        )
    return theirs.name


def _confirm(settings: Settings, replaces: str) -> None:
    """Let a person at a terminal type the database's name. Raises `CommandRefused`."""
    database, ours = asyncio.run(database_stamp(settings)), settings.environment.name
    belongs_to = database.stamp.environment if database.stamp else "nobody"
    if belongs_to == ours:
        return
    if belongs_to != replaces:
        raise CommandRefused(
            f"The database {database.name!r} belongs to {belongs_to}, not to {replaces}. Nothing was changed."
        )
    if not sys.stdin.isatty():
        raise CommandRefused(
            f"{database.name!r} belongs to {replaces}. Only a person at a terminal can give it to {ours}, and this"
            " is no terminal. Nothing was changed."
        )
    click.echo(f"{database.name!r} belongs to {replaces}. {ours} gets it, and does not run its tasks.", err=True)
    typed: str = click.prompt("Type the name of the database to go on", err=True)
    if typed.strip() != database.name:
        raise CommandRefused(f"{typed.strip()!r} is not its name. Nothing was changed.")


def _refusal(error: ForeignDatabase) -> str:
    if not error.stamped:
        return str(error)
    again = f"`genpulse env stamp --from {error.theirs} --to {error.ours}`"
    return f"{error} If it is to belong to {error.ours}: {again}."
