"""`genpulse flow release` and `verify`."""

from datetime import UTC, datetime

import click

from genpulse.cli.flow.options import json_option, offline_option, repository_here, signed_option
from genpulse.cli.output.terminal import say, say_json


@click.command("release")
@click.argument("version", required=False)
@click.option("--list", "list_", is_flag=True, help="The verified releases, newest first: any can be redeployed.")
@json_option
@offline_option
def release_command(version: str | None, list_: bool, as_json: bool, offline: bool) -> None:
    """Tag main's tip on the remote as the release VERSION and push the tag together with main.

    It does not matter what is checked out. Only a tree that a release candidate was tested with is released.
    Without VERSION it is that candidate's.
    """
    if list_:
        _list(as_json=as_json, offline=offline)
        return
    from genpulse.branching.documents import version_document
    from genpulse.branching.releases.tag_release import approval_text, release

    repository = repository_here(offline=offline)
    tagged = release(repository, version)
    approval = approval_text(repository, tagged)
    if as_json:
        say_json({**version_document(tagged), "approval": approval})
        return
    say(f"{tagged.tag} is released. {approval}\nDeploy it: ENV=main with the build of refs/tags/{tagged.tag}")


@click.command("verify")
@click.argument("tag", required=False)
@signed_option
@json_option
@offline_option
def verify_command(tag: str | None, signed: bool, as_json: bool, offline: bool) -> None:
    """Whether TAG is a verified release: annotated, on main, with the tree of a candidate. Else the last one."""
    from genpulse.branching.documents import verified_document, verified_sentence
    from genpulse.branching.releases.verification import Verifier

    repository = repository_here(offline=offline)
    verifier = Verifier(repository, signed=signed)
    repository.fetch()
    release = verifier.verify(tag)
    if as_json:
        say_json(verified_document(release))
        return
    say(verified_sentence(release))


def _list(*, as_json: bool, offline: bool) -> None:
    from genpulse.branching.documents import tested, verified_document
    from genpulse.branching.releases.verification import Verifier

    repository = repository_here(offline=offline)
    verifier = Verifier(repository)
    repository.fetch()
    releases = verifier.releases()
    if as_json:
        say_json([verified_document(release) for release in releases])
        return
    if not releases:
        say("There is no verified release yet.")
    for release in releases:
        day = datetime.fromtimestamp(release.when, UTC).date()
        tag = release.version.tag
        say(f"{tag:<12} {day}  {release.commit[:9]}  {tested(release):<26} redeploy refs/tags/{tag}")
