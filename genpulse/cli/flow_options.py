"""What the verbs of `genpulse flow` share: options, the repository, how a refusal is shown."""

import os
from pathlib import Path

import click

from genpulse.branching.errors import Refusal
from genpulse.branching.repository import Repository

json_option = click.option("--json", "as_json", is_flag=True, help="For programs.")
offline_option = click.option("--offline", is_flag=True, help="Ask no remote; go by what was fetched last.")
signed_option = click.option("--signed", is_flag=True, help="Demand a good signature.")


def repository_here(*, offline: bool = False) -> Repository:
    """The repository of the current folder."""
    return Repository(Path.cwd(), os.environ, offline=offline)


def report(refusal: Refusal) -> None:
    """Say on standard error what is refused: the rule in red, what was found, what mends it."""
    annotate("error", refusal)
    rest = str(refusal).partition("\n")[2]
    click.echo(f"{click.style(refusal.rule, fg='red', bold=True)}\n{rest}", err=True)


def annotate(level: str, refusal: Refusal) -> None:
    """Show it on the pull request as well, when this is a job of GitHub Actions."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        text = f"{refusal.rule} Found: {refusal.found} Mend: {refusal.mend}"
        click.echo(f"::{level} title=genpulse flow::{_escaped(text)}")


def refusal_document(refusal: Refusal) -> dict[str, str]:
    """For programs."""
    return {"rule": refusal.rule, "found": refusal.found, "mend": refusal.mend}


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
