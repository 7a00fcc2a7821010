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
    row = kind_of(name, repository.policy)
    if row not in TOPICS:
        rule = "feature/* and fix/* branches are finished."
        onward = row.merges_into if row is not None else ""
        mend = (f"genpulse flow promote {onward}",) if onward else ()
        note = "Switch to the branch that is complete." + (" A lane moves on by a promotion." if onward else "")
        raise MergeRefused("not_a_topic", rule, f"you are on {name}.", *mend, note=note)
    return repository.refs.heads[name]


def _demand_content(repository: Repository, ref: Ref, commits: tuple[Commit, ...]) -> None:
    if not commits:
        found = f"{ref.name} has no commit that {repository.row(DEV).pattern} does not have."
        note = "Commit something, or leave the branch."
        raise MergeRefused(
            "nothing_to_merge",
            "There is something to merge.",
            found,
            f"git switch {repository.row(DEV).pattern}",
            note=note,
        )
    theirs = repository.refs.remote.get(ref.name)
    if theirs is not None and not is_ancestor(repository.git, theirs.commit, ref.commit):
        found = f"{ref.name} on {repository.remote} has commits that are not here."
        mend = f"git pull --rebase {repository.remote} {ref.name}"
        raise MergeRefused("topic_diverged", "What is pushed builds on what was pushed.", found, mend)


def _demand_no_conflict(repository: Repository, ref: Ref) -> None:
    dev, name = repository.lane(DEV), repository.row(DEV).pattern
    tried = repository.try_merge(dev.commit, ref.commit)
    if tried.conflicts:
        files = "\n".join(tried.conflicts)
        raise MergeRefused(
            "merge_conflict",
            f"{ref.name} merges into {name} without conflicts.",
            f"merging would conflict in:\n{files}",
            f"git rebase {repository.remote}/{name}",
            note="Mend the files while git rebases, then finish again.",
        )


def _title(commits: tuple[Commit, ...]) -> str:
    own = [commit for commit in commits if not commit.is_merge] or list(commits)
    return own[-1].subject or own[-1].id[:9]
