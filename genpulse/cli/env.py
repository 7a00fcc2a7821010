"""`genpulse env`: the environment that is in force."""

import json

import click

from genpulse import config
from genpulse.cli.stack import json_option


@click.group("env")
def command() -> None:
    """Show the environment that is in force."""


@command.command()
@json_option
def show(as_json: bool) -> None:
    """The row of the environments table, and how it was decided. Needs no server."""
    resolved = config.find_environment()
    row = resolved.environment
    facts = {
        "name": row.name,
        "dynaconf": row.dynaconf,
        "branch": row.branch,
        "key_prefix": row.key_prefix,
        "db_mode": row.db_mode,
        "services": row.services,
        "target": row.target,
        "decided_by": resolved.decided_by,
    }
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    for name, value in facts.items():
        click.echo(f"{name.replace('_', ' '):<12}{value}")
