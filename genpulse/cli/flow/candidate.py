"""`genpulse flow rc`: candidates, their approval, and the version that the package declares."""

import click

from genpulse.branching.git.repository import Repository
from genpulse.cli.flow.branches import say_request
from genpulse.cli.flow.options import json_option, offline_option, repository_here
from genpulse.cli.output.terminal import say, say_json


@click.command("rc")
@click.option(
    "--version",
    metavar="X.Y.Z",
    help="The release it is for; without it what the package declares, the open one, else a minor step.",
)
@click.option(
    "--approve", is_flag=True, help="Approve a candidate that somebody else has tagged: the newest open one."
)
@click.option("--message", "-m", default="", help="With --approve: what was tested.")
@click.option("--withdraw", metavar="X.Y.Z", help="Close the release: its newest candidate counts no more.")
@click.option("--bump", is_flag=True, help="Bring the version into dev, where the package declares another one.")
@click.option("--merge", is_flag=True, help="With --bump and without a forge: make the merge commit and push it.")
@json_option
@offline_option
def candidate_command(
    version: str | None,
    approve: bool,
    message: str,
    withdraw: str | None,
    bump: bool,
    merge: bool,
    as_json: bool,
    offline: bool,
) -> None:
    """Tag test's tip on the remote as the next release candidate and push the tag.

    It does not matter what is checked out.
    """
    if sum((approve, bump, withdraw is not None)) > 1:
        raise click.UsageError("--approve, --withdraw and --bump exclude each other.")
    if (message and not approve) or (merge and not bump):
        raise click.UsageError("--message belongs to --approve, --merge to --bump.")
    repository = repository_here(offline=offline)
    if approve:
        _approve(repository, version, message, as_json=as_json)
    elif withdraw is not None:
        _withdraw(repository, withdraw, as_json=as_json)
    elif bump:
        _bump(repository, version, merge=merge, as_json=as_json)
    else:
        _tag(repository, version, as_json=as_json)


def _tag(repository: Repository, version: str | None, *, as_json: bool) -> None:
    from genpulse.branching.documents import version_document
    from genpulse.branching.releases.tag_candidate import tag_candidate
    from genpulse.branching.rules.table import MAIN, TEST

    candidate = tag_candidate(repository, version)
    if as_json:
        say_json(version_document(candidate))
        return
    test, main = repository.row(TEST).pattern, repository.row(MAIN).pattern
    say(f"{candidate.tag} marks {test} (Python version {candidate.pep440}).")
    if repository.policy.approval is not None:
        say("Once tested, by somebody else: genpulse flow rc --approve")
    say(f"Once verified: genpulse flow promote {main}")


def _approve(repository: Repository, version: str | None, message: str, *, as_json: bool) -> None:
    from genpulse.branching.documents import version_document
    from genpulse.branching.releases.approve import approve
    from genpulse.branching.rules.table import MAIN

    candidate = approve(repository, version, message)
    if as_json:
        say_json(version_document(candidate))
    else:
        say(f"{candidate.tag} is approved.\nNext: genpulse flow promote {repository.row(MAIN).pattern}")


def _withdraw(repository: Repository, version: str, *, as_json: bool) -> None:
    from genpulse.branching.documents import version_document
    from genpulse.branching.releases.withdrawal import withdraw
    from genpulse.branching.rules.table import MAIN

    closed = withdraw(repository, version)
    if as_json:
        say_json({**version_document(closed), "withdrawn": True})
        return
    main = repository.row(MAIN).pattern
    say(f"{closed.tag} is withdrawn: {main} does not take it, and rc does not count {closed.final.tag} as open.")


def _bump(repository: Repository, version: str | None, *, merge: bool, as_json: bool) -> None:
    from genpulse.branching.releases.version_bump import bump
    from genpulse.branching.rules.table import DEV, TEST

    change, dev = bump(repository, version, merge=merge), repository.row(DEV).pattern
    result = change.merge
    if as_json:
        say_json(
            {
                "version": str(change.version),
                "head": result.head,
                "base": dev,
                "files": list(change.files),
                "url": result.url,
                "opened": result.opened,
                "merged": result.merged,
            }
        )
        return
    say(f"{', '.join(change.files)}: {change.version}")
    if result.merged:
        test = repository.row(TEST).pattern
        say(f"It is in {dev} as {result.merged[:9]}.\nNext: genpulse flow promote {test}, then genpulse flow rc")
    else:
        command = f"genpulse flow rc --version {change.version} --bump"
        say_request(result, dev, command)
