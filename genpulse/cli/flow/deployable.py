"""`genpulse flow deployable`: may this be deployed there."""

import os

import click

from genpulse.cli.flow.options import json_option, offline_option, repository_here, signed_option
from genpulse.cli.output.terminal import say, say_json
from genpulse.environment.table import BY_NAME, Environment


@click.command("deployable")
@click.option("--ref", required=True, help="A tag, a branch, a commit's id or HEAD.")
@click.option(
    "--env", "name", type=click.Choice(list(BY_NAME)), help="Where it is to be deployed; else from ENV or .env."
)
@click.option(
    "--commit", default="", help="What is deployed, where that is not what is checked out: an id or a tag."
)
@signed_option
@json_option
@offline_option
def deployable_command(
    ref: str, name: str | None, commit: str, signed: bool, as_json: bool, offline: bool
) -> None:
    """Which environment REF belongs to. Refuses ENV=main for anything but a verified final tag.

    Refuses as well when what is checked out is another commit than that of REF: in a job (CI=true), where nothing
    but a commit is checked out, and on REF itself. On another branch it only says so.
    """
    from genpulse.branching.documents import deployable_document, deployable_sentence
    from genpulse.branching.releases.deployment import is_job, judged

    repository, job = repository_here(offline=offline), is_job(os.environ)
    environment = BY_NAME[name] if name else _environment()
    target, remark = judged(repository, ref, environment, commit=commit, job=job, signed=signed)
    if remark:
        say(remark, err=True)
    if as_json:
        say_json(deployable_document(target, remark))
    else:
        say(deployable_sentence(target))


def _environment() -> Environment | None:
    """The environment that ENV or ENV_FOR_DYNACONF names, in the process or in `.env`; None if neither is set."""
    from genpulse.configuration.sources.project import find_project
    from genpulse.configuration.sources.variables import dotenv_variables
    from genpulse.environment.resolve import SWITCHES, resolve

    path = find_project().secrets
    secrets = {variable.name: variable.value for variable in dotenv_variables(path)}
    is_set = any((place.get(switch) or "").strip() for switch in SWITCHES for place in (os.environ, secrets))
    return resolve(os.environ, secrets, path.name).environment if is_set else None
