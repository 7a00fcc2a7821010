"""`genpulse db`: bring the database up to date, and remove what is old."""

import asyncio

import click

from genpulse.cli.db import plan, prune
from genpulse.cli.output.terminal import say, say_json_line
from genpulse.cli.stack import json_option, settings_for_servers
from genpulse.wiring.database import database_revision, plan_upgrade, upgrade_database


@click.group("db")
def command() -> None:
    """Bring the database up to date, and remove what is old."""


command.add_command(prune.command)


@command.command()
@click.option("--plan", "only_plan", is_flag=True, help="Say what would be done, and do nothing.")
@json_option
def upgrade(only_plan: bool, as_json: bool) -> None:
    """Apply the migrations that are missing. May be run again, and by several at once.

    With --plan each step is shown: the tables that it locks against others, what it reads meanwhile, and whether
    processes of the version before may go on beside it.
    """
    if only_plan:
        plan.show(asyncio.run(plan_upgrade(settings_for_servers(("database_url",)))), as_json=as_json)
        return
    applied = asyncio.run(upgrade_database(settings_for_servers(("database_url",))))
    if as_json:
        say_json_line({"applied": list(applied)})
    else:
        say(f"Applied {', '.join(applied)}." if applied else "The database is up to date.")


@command.command()
@json_option
@click.pass_context
def current(ctx: click.Context, as_json: bool) -> None:
    """Where the database is, and where this version wants it. Exit code 1 when these differ."""
    revision, head = asyncio.run(database_revision(settings_for_servers(("database_url",))))
    if as_json:
        say_json_line({"current": revision, "head": head})
    elif revision == head:
        say(f"The database is at {revision}.")
    elif revision and revision > head:
        say(f"The database is at {revision}, newer than this version's {head}; /readyz says if that fits.")
    else:
        say(f"The database is {f'at {revision}' if revision else 'empty'}; run `genpulse db upgrade` for {head}.")
    ctx.exit(0 if revision == head else 1)
