"""`genpulse env`: the environment that is in force, and what belongs to it."""

import importlib
import json
from dataclasses import asdict

import click

from genpulse import config
from genpulse.cli.output.terminal import say
from genpulse.cli.stack import json_option
from genpulse.configuration.errors import ConfigurationError
from genpulse.environment.build_info import Build, read_build_info

_ELSEWHERE = {"acl": "genpulse.cli.env.acl", "stamp": "genpulse.cli.env.stamp"}


class _Verbs(click.Group):
    """Some verbs are modules of their own and are loaded when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """By name."""
        return sorted({*super().list_commands(ctx), *_ELSEWHERE})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the verb's module."""
        if cmd_name not in _ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        found: click.Command = importlib.import_module(_ELSEWHERE[cmd_name]).command
        return found


@click.group("env", cls=_Verbs)
def command() -> None:
    """Show the environment that is in force, and what belongs to it."""


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
        "build": _build_facts(read_build_info()),
        **({"warning": resolved.warning} if resolved.warning else {}),
    }
    if as_json:
        say(json.dumps(facts, indent=2))
        return
    facts["build"] = str(read_build_info() or "none: a work tree or a package, not an image")
    for name, value in facts.items():
        say(f"{name.replace('_', ' '):<12}{value}")


def _build_facts(build: Build | None) -> dict[str, object] | None:
    if build is None:
        return None
    facts = asdict(build)
    return {name: facts[name] for name in ("tag", "version", "commit", "repository", "dirty")}


@command.command()
def lint() -> None:
    """Exit code 0 when .env, .env.example and config.yaml are as they must be, or 78 with what is wrong.

    .env is untracked and ignored; .env.example knows every setting and no secret; config.yaml has known
    sections, known keys and no secret.
    """
    from genpulse.configuration.rules.lint import lint as linted
    from genpulse.configuration.sources.project import find_project

    if faults := linted(find_project()):
        raise ConfigurationError("", faults)
    say("The files of the configuration are in order.")
