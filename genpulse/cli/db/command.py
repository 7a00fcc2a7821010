"""`genpulse db`: bring the database up to date, and remove what is old."""

import asyncio
import json

import click

from genpulse.cli.db import prune
from genpulse.cli.output.terminal import say
from genpulse.cli.stack import json_option, settings_for_servers
from genpulse.wiring.database import database_revision, upgrade_database


@click.group("db")
def command() -> None:
    """Bring the database up to date, and remove what is old."""


command.add_command(prune.command)


@command.command()
@json_option
def upgrade(as_json: bool) -> None:
    """Apply the migrations that are missing. May be run again, and by several at once."""
    applied = asyncio.run(upgrade_database(settings_for_servers(("database_url",))))
    if as_json:
        say(json.dumps({"applied": list(applied)}))
    else:
        say(f"Applied {', '.join(applied)}." if applied else "The database is up to date.")


@command.command()
@json_option
@click.pass_context
def current(ctx: click.Context, as_json: bool) -> None:
    """Where the database is, and where this version wants it. Exit code 1 when these differ."""
    found, wanted = asyncio.run(database_revision(settings_for_servers(("database_url",))))
    if as_json:
        say(json.dumps({"current": found, "head": wanted}))
    elif found == wanted:
        say(f"The database is at {found}.")
    elif found and found > wanted:
        say(f"The database is at {found}, newer than this version's {wanted}; /readyz says if that fits.")
    else:
        say(f"The database is {f'at {found}' if found else 'empty'}; run `genpulse db upgrade` for {wanted}.")
    ctx.exit(0 if found == wanted else 1)
