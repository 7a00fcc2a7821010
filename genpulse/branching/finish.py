"""Bring a topic branch into dev."""

from dataclasses import dataclass

from genpulse.branching.commits import Commit, is_ancestor
from genpulse.branching.conditions import demand_branch, demand_clean, demand_history
from genpulse.branching.errors import MergeRefused
from genpulse.branching.joining import join, open_request
from genpulse.branching.names import kind_of
from genpulse.branching.refs import Ref
from genpulse.branching.repository import Repository
from genpulse.branching.table import DEV, TOPICS
from genpulse.branching.topics import demand_cut_from_dev


@dataclass(frozen=True, slots=True)
class Finished:
    """What was brought: the pull request's address (and whether it is open), or the merge commit."""

    branch: str
    commits: tuple[Commit, ...]
    url: str = ""
    opened: bool = False
    merged: str = ""


def finish(repository: Repository, *, merge: bool = False) -> Finished:
    """Push the branch that is out and open its pull request into dev, or merge it there at once.

    Raises `RepositoryUnfit`, `MergeRefused`, `GitFailed` and the forge's error.
    """
    ref = _demand_topic(repository)
    demand_clean(repository)
    demand_history(repository)
    repository.fetch()
    ref = repository.refs.heads[ref.name]
    topic = demand_cut_from_dev(repository, ref)
    _demand_content(repository, ref, topic.commits)
    _demand_no_conflict(repository, ref)
    if merge:
        return Finished(ref.name, topic.commits, merged=join(repository, ref, DEV))
    request = open_request(repository, ref, DEV, _title(topic.commits), topic.commits)
    return Finished(ref.name, topic.commits, request.url, request.opened)


def _demand_topic(repository: Repository) -> Ref:
    name = demand_branch(repository)
    row = kind_of(name)
    if row not in TOPICS:
        rule = "feature/* and fix/* branches are finished."
        mend = "git switch feature/<name>"
        if row is not None and row.merges_into:
            mend += f" (a lane moves on with: genpulse flow promote {row.merges_into})"
        raise MergeRefused(rule, f"you are on {name}.", mend)
    return repository.refs.heads[name]


def _demand_content(repository: Repository, ref: Ref, commits: tuple[Commit, ...]) -> None:
    if not commits:
        found = f"{ref.name} has no commit that {DEV.pattern} does not have."
        raise MergeRefused("There is something to merge.", found, "git commit, or leave it: git switch dev")
    theirs = repository.refs.remote.get(ref.name)
    if theirs is not None and not is_ancestor(repository.git, theirs.commit, ref.commit):
        found = f"{ref.name} on {repository.remote} has commits that are not here."
        mend = f"git pull --rebase {repository.remote} {ref.name}"
        mend += "\nAfter a rebase of your own: git push --force-with-lease"
        raise MergeRefused("What is pushed builds on what was pushed.", found, mend)


def _demand_no_conflict(repository: Repository, ref: Ref) -> None:
    dev = repository.lane(DEV)
    tried = repository.try_merge(dev.commit, ref.commit)
    if tried.conflicts:
        files = "\n".join(tried.conflicts)
        raise MergeRefused(
            f"{ref.name} merges into {DEV.pattern} without conflicts.",
            f"merging would conflict in:\n{files}",
            f"git rebase {repository.remote}/{DEV.pattern}, mend the files, then: genpulse flow finish",
        )


def _title(commits: tuple[Commit, ...]) -> str:
    own = [commit for commit in commits if not commit.is_merge] or list(commits)
    return own[-1].subject or own[-1].id[:9]
