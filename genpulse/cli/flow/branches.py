"""`genpulse flow start`, `finish` and `promote`."""

from typing import TYPE_CHECKING

import click

from genpulse.branching.errors import MergeRefused
from genpulse.branching.git.commits import Commit
from genpulse.branching.git.repository import Repository
from genpulse.branching.listing import counted, listed
from genpulse.branching.rules.table import DEV, MAIN, TEST, Branch
from genpulse.cli.flow.options import json_option, offline_option, repository_here
from genpulse.cli.output.terminal import say, say_json

if TYPE_CHECKING:
    from genpulse.branching.lanes.promotion import Plan
    from genpulse.branching.topics.merging import MergeResult

_MERGE = "Without a forge: make the merge commit and push it."


@click.command("start")
@click.argument("name", nargs=-1, required=True)
@click.option("--from", "start_from", default="", help="Only dev is right.", hidden=True)
@click.option("--from-test", is_flag=True, help="Begin at what test has of dev, for a fix to be promoted alone.")
@json_option
@offline_option
def start_command(name: tuple[str, ...], start_from: str, from_test: bool, as_json: bool, offline: bool) -> None:
    """Begin a branch from dev's newest commit and switch to it.

    NAME is feature/<name> or fix/<name>, or the same as two words.
    """
    from genpulse.branching.topics.start import start

    branch = "/".join(name[:2])
    if len(name) > 2 or (len(name) == 2 and "/" in name[0]):
        branch, start_from = "/".join(name[:-1]), name[-1]
    repository = repository_here(offline=offline)
    commit = start(repository, branch, start_from, from_test=from_test)
    if as_json:
        say_json({"branch": branch, "commit": commit})
        return
    test, dev = repository.row(TEST).pattern, repository.row(DEV).pattern
    place = f"what {test} has of {dev}" if from_test else f"the tip of {dev}"
    say(f"{branch} begins at {commit[:9]}, {place}.\nWhen it is complete: genpulse flow finish")


@click.command("finish")
@click.option("--merge", is_flag=True, help=_MERGE)
@json_option
@offline_option
def finish_command(merge: bool, as_json: bool, offline: bool) -> None:
    """Check the branch that is out, push it, and open its pull request into dev."""
    from genpulse.branching.topics.finish import finish

    repository = repository_here(offline=offline)
    result, dev = finish(repository, merge=merge), repository.row(DEV).pattern
    pull = f"git pull --ff-only {repository.remote} {dev}"
    merged = (
        f"{result.head} is merged into {dev} as {result.merged[:9]}.\n"
        f"Afterwards: git switch {dev} && {pull} && git branch -d {result.head}"
    )
    say_merge(result, dev, merged, "genpulse flow finish", as_json=as_json)


@click.command("promote")
@click.argument("target")
@click.option("--at", metavar="COMMIT", default="", help="For test: dev as it was at this commit.")
@click.option("--only", metavar="BRANCH", default="", help="For test: this branch alone, which dev has merged.")
@click.option("--dry-run", is_flag=True, help="Only say what would move.")
@click.option("--merge", is_flag=True, help=_MERGE)
@json_option
@offline_option
def promote_command(
    target: str, at: str, only: str, dry_run: bool, merge: bool, as_json: bool, offline: bool
) -> None:
    """Move dev to test, or test to main: try the merge, say what moves, open the pull request.

    TARGET is test or main, or what these are called here. The work tree is not touched.
    """
    repository = repository_here(offline=offline)
    row = _target(repository, target)
    if (at or only) and row != TEST:
        raise click.UsageError("--at and --only are for test: main gets what was tested, and all of it.")
    if at and only:
        raise click.UsageError("--at and --only exclude each other.")
    from genpulse.branching.lanes.promotion import plan_promotion, promote
    from genpulse.branching.topics.merging import MergeResult

    plan = plan_promotion(repository, row, at=at, only=only)
    if not as_json:
        _say_plan(repository, plan)
    source, target = plan.head.name, row.pattern
    result = MergeResult(source, plan.commits) if dry_run else promote(repository, plan, merge=merge)
    if as_json:
        say_json(merge_document(result, target))
    elif dry_run:
        say(f"{source} would merge into {target} without conflicts. Nothing was changed.")
    elif result.merged:
        say(f"{source} is merged into {target} as {result.merged[:9]}.")
        say(f"Next: genpulse flow {'rc' if row == TEST else 'release'}")
    else:
        part = f" --at {at}" if at else f" --only {only}" if only else ""
        say_request(result, target, f"genpulse flow promote {target}{part}")


def _say_plan(repository: Repository, plan: "Plan") -> None:
    """Print the commits that move, and who approved what goes to main."""
    from genpulse.branching.releases.approve import approval_of

    list_commits(plan.commits)
    if plan.target == MAIN:
        say(approval_of(repository, plan.head.tree))


def _target(repository: Repository, name: str) -> Branch:
    """Find a lane by its name here, else by the model's. Raises `UsageError` for what is not promoted to."""
    rows = {row.pattern: row for row in repository.lanes}
    row = rows.get(name) or next((row for row in rows.values() if row.key == name), None)
    if row not in {TEST, MAIN}:
        names = " or ".join(row.pattern for row in repository.lanes[1:])
        raise click.UsageError(f"{name!r} is not {names}: these are promoted to.")
    return row


def say_merge(result: "MergeResult", base: str, merged: str, command: str, *, as_json: bool) -> None:
    """Print a merge into `base`: as a document, or its commits, and `merged` or where its pull request is.

    `command` is what would merge it, for a remote without pull requests. Raises `MergeRefused` there.
    """
    if as_json:
        say_json(merge_document(result, base))
        return
    list_commits(result.commits)
    if result.merged:
        say(merged)
    else:
        say_request(result, base, command)


def merge_document(result: "MergeResult", base: str) -> dict[str, object]:
    """A merge into `base` for programs: the commits that move, and how far it is."""
    commits = [
        {"commit": commit.id, "subject": commit.subject} for commit in result.commits if not commit.is_merge
    ]
    return {
        "head": result.head,
        "base": base,
        "commits": commits,
        "url": result.url,
        "opened": result.opened,
        "merged": result.merged,
    }


def list_commits(commits: tuple[Commit, ...]) -> None:
    """Print the commits that move, without merges."""
    own = [commit for commit in commits if not commit.is_merge]
    say(f"{counted(len(own), 'commit')}:")
    if own:
        say(listed(own, 20, "  "))


def say_request(result: "MergeResult", base: str, command: str) -> None:
    """Print where the pull request is, or is opened. Raises `MergeRefused` where the remote has none."""
    head, url = result.head, result.url
    if result.opened:
        say(f"The pull request from {head} into {base} is open: {url}")
    elif url:
        say(f"Open the pull request from {head} into {base} here: {url}")
    else:
        raise MergeRefused(
            "no_pull_requests",
            f"Into {base} a branch is merged by a pull request.",
            f"the remote is no forge and has none. It has {head} as it is here, and {base} as it was.",
            f"{command} --merge",
        )
