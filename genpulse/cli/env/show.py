"""`genpulse env show`: the environment that is in force."""

from dataclasses import asdict

import click

from genpulse import config
from genpulse.cli.output.terminal import say, say_json
from genpulse.cli.stack import json_option
from genpulse.environment.build_info import Build, read_build_info


@click.command("show")
@json_option
def command(as_json: bool) -> None:
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
        "build": _build_facts(read_build_info()),
        **({"warning": resolved.warning} if resolved.warning else {}),
    }
    if as_json:
        say_json(facts)
        return
    facts["build"] = str(read_build_info() or "none: a work tree or a package, not an image")
    for name, value in facts.items():
        say(f"{name.replace('_', ' '):<12}{value}")


def _build_facts(build: Build | None) -> dict[str, object] | None:
    if build is None:
        return None
    facts = asdict(build)
    return {name: facts[name] for name in ("tag", "version", "commit", "repository", "dirty")}
