"""`genpulse flow rc`, `release`, `verify` and `deployable`."""

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from genpulse.cli.flow_options import json_option, offline_option, repository_here, say_json, signed_option
from genpulse.environment.resolve import SWITCHES, resolve
from genpulse.environment.table import BY_NAME, Environment

if TYPE_CHECKING:
    from genpulse.branching.verification import Verified
    from genpulse.branching.versions import Version


@click.command()
@click.option(
    "--version", metavar="X.Y.Z", help="The release it is for; without it the open one, else a minor step."
)
@json_option
@offline_option
def rc(version: str | None, as_json: bool, offline: bool) -> None:
    """Tag test's tip as the next release candidate and push the tag."""
    from genpulse.branching.candidate import tag_candidate

    found = tag_candidate(repository_here(offline=offline), version)
    if as_json:
        say_json(_version(found))
        return
    click.echo(
        f"{found.tag} marks test (Python version {found.pep440}).\nOnce verified: genpulse flow promote main"
    )


@click.command()
@click.argument("version", required=False)
@click.option("--list", "list_", is_flag=True, help="The verified releases, newest first: any can be redeployed.")
@json_option
@offline_option
def release(version: str | None, list_: bool, as_json: bool, offline: bool) -> None:
    """Tag main's tip as the release VERSION and push the tag together with main.

    Only a tree that a release candidate was tested with is released. Without VERSION it is that candidate's.
    """
    if list_:
        _list(as_json=as_json)
        return
    from genpulse.branching.release import release as publish

    found = publish(repository_here(offline=offline), version)
    if as_json:
        say_json(_version(found))
        return
    click.echo(f"{found.tag} is released.\nDeploy it: ENV=main with the build of refs/tags/{found.tag}")


@click.command()
@click.argument("tag", required=False)
@signed_option
@json_option
@offline_option
def verify(tag: str | None, signed: bool, as_json: bool, offline: bool) -> None:
    """Whether TAG is a verified release: annotated, on main, with the tree of a candidate. Else the last one."""
    from genpulse.branching.verification import Verifier

    repository = repository_here(offline=offline)
    repository.fetch()
    verifier = Verifier(repository, signed=signed)
    found = verifier.verify(tag)
    verifier.demand_published(found.version)
    if as_json:
        say_json(_document(found))
        return
    click.echo(
        f"{found.version.tag} is a verified release: commit {found.commit[:9]}, tested as {found.candidate.tag}"
        f"{', signature good' if found.signed else ''}."
    )


@click.command()
@click.option("--ref", required=True, help="A tag, a branch, a commit's id or HEAD.")
@click.option("--env", "name", type=click.Choice(list(BY_NAME)), help="Where it is to be deployed; else from ENV.")
@signed_option
@json_option
@offline_option
def deployable(ref: str, name: str | None, signed: bool, as_json: bool, offline: bool) -> None:
    """Which environment REF belongs to. Refuses ENV=main for anything but a verified final tag."""
    from genpulse.branching.deployment import deployable as judge

    repository = repository_here(offline=offline)
    repository.fetch()
    wanted = BY_NAME[name] if name else _environment()
    found = judge(repository, ref, wanted, signed=signed)
    environment = found.row.environment
    if as_json:
        facts = {
            "ref": ref,
            "commit": found.commit,
            "version": str(found.version) if found.version else None,
            "environment": environment.dynaconf,
            "env": environment.name,
            "target": found.row.target,
        }
        say_json(facts)
        return
    click.echo(f"{ref} ({found.commit[:9]}) belongs to {found.row.target}: ENV={environment.name}")


def _environment() -> Environment | None:
    said = any(os.environ.get(switch, "").strip() for switch in SWITCHES)
    return resolve(os.environ, {}).environment if said else None


def _list(*, as_json: bool) -> None:
    from genpulse.branching.verification import Verifier

    found = Verifier(repository_here()).releases()
    if as_json:
        say_json([_document(release) for release in found])
        return
    if not found:
        click.echo("There is no verified release yet.")
    for release in found:
        day = datetime.fromtimestamp(release.when, UTC).date()
        tag = release.version.tag
        click.echo(
            f"{tag:<12} {day}  {release.commit[:9]}  as {release.candidate.tag:<16} redeploy refs/tags/{tag}"
        )


def _version(found: "Version") -> dict[str, object]:
    return {"tag": found.tag, "version": str(found), "pep440": found.pep440}


def _document(found: "Verified") -> dict[str, object]:
    return {
        "tag": found.version.tag,
        "ref": f"refs/tags/{found.version.tag}",
        "version": str(found.version),
        "pep440": found.version.pep440,
        "commit": found.commit,
        "tree": found.tree,
        "candidate": found.candidate.tag,
        "tagged_at": datetime.fromtimestamp(found.when, UTC).isoformat(),
        "signature_verified": found.signed,
    }
