"""`genpulse env lint`: the files of the configuration."""

import click

from genpulse.cli.output.terminal import say
from genpulse.configuration.errors import ConfigurationError


@click.command("lint")
def command() -> None:
    """Exit code 0 when .env, .env.example and config.yaml are as they must be, or 78 with what is wrong.

    .env is untracked and ignored; .env.example knows every setting and no secret; config.yaml has known
    sections, known keys and no secret.
    """
    from genpulse.configuration.rules.lint import lint
    from genpulse.configuration.sources.project import find_project

    if faults := lint(find_project()):
        raise ConfigurationError("", faults)
    say("The files of the configuration are in order.")
