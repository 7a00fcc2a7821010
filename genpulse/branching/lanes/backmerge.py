"""Bring what is on test or main alone back into dev."""

from genpulse.branching.errors import MergeRefused
from genpulse.branching.git.commits import Commit, is_ancestor
from genpulse.branching.git.refs import Ref, branch_at
from genpulse.branching.git.repository import Repository, TriedMerge
from genpulse.branching.lanes.backmerge_branches import name_of
from genpulse.branching.lanes.invariants import lane_refusals
from genpulse.branching.preconditions import demand_history
from genpulse.branching.rules.table import DEV, MAIN, TEST, Branch
from genpulse.branching.topics.merging import MergeResult, open_request


def backmerge(repository: Repository, row: Branch | None = None, *, merge: bool = False) -> MergeResult:
    """Open the pull request of `fix/backmerge-<id>`, dev with the lane's tip merged in, or push that merge to dev.

    Without `row` it is main when main carries what test does not, else test. The work tree is not touched. Raises
    `MergeRefused` when dev has it all or the two conflict, `RepositoryUnfit`, `GitFailed` and the forge's error.
    """
    demand_history(repository)
    repository.fetch()
    lane, dev = repository.row(row or _broken(repository)), repository.lane(DEV)
    tip = repository.lane(lane)
    commits = repository.between([tip.commit], [dev.commit])
    if not commits:
        raise _nothing(repository, lane)
    name = name_of(tip.commit)
    commit = _branch_on_remote(repository, name, tip) or _joined(repository, name, lane, tip)
    if merge:
        into = repository.row(DEV).pattern
        repository.git.remotely("push", "--quiet", "--", repository.remote, f"{commit}:refs/heads/{into}")
        repository.forget()
        return MergeResult(name, commits, merged=commit)
    return _requested(repository, branch_at(name, commit), lane, commits)


def _broken(repository: Repository) -> Branch:
    return next((row for row in (MAIN, TEST) if lane_refusals(repository, row)), TEST)


def _branch_on_remote(repository: Repository, name: str, tip: Ref) -> str:
    """The tip of this branch on the remote, where it has the lane's tip; empty for none."""
    there = repository.refs.remote.get(name)
    return there.commit if there and is_ancestor(repository.git, tip.commit, there.commit) else ""


def _joined(repository: Repository, name: str, lane: Branch, tip: Ref) -> str:
    dev, into = repository.lane(DEV), repository.row(DEV).pattern
    tried = _tried(repository, dev, tip)
    if tried.conflicts:
        begin = f"git switch --no-track -C {name} {repository.remote}/{into} && git merge --no-ff {tip.commit}"
        raise MergeRefused(
            "merge_conflict",
            f"{lane.pattern} merges back into {into} without conflicts.",
            "merging would conflict in:\n" + "\n".join(tried.conflicts),
            begin,
            note="Mend the files, `git add` them, `git commit`, and then: genpulse flow finish",
        )
    signed = ("-S",) if repository.signs_commits else ()
    message = f"Merge {lane.pattern} back into {into}\n"
    parents = ("-p", dev.commit, "-p", tip.commit)
    return repository.git("commit-tree", *signed, *parents, tried.tree, stdin=message).line


def _tried(repository: Repository, dev: Ref, tip: Ref) -> TriedMerge:
    """A lane with the files that dev had once was squashed and brings nothing: dev stays what it is."""
    output = repository.git("log", "--format=%T", "--no-color", dev.commit, "--")
    if tip.tree in output.out.split():
        return TriedMerge(dev.tree, ())
    return repository.try_merge(dev.commit, tip.commit)


def _requested(repository: Repository, head: Ref, lane: Branch, commits: tuple[Commit, ...]) -> MergeResult:
    title = f"Bring {lane.pattern} back into {repository.row(DEV).pattern}: merge it, do not squash"
    return open_request(repository, head, DEV, title, commits)


def _nothing(repository: Repository, lane: Branch) -> MergeRefused:
    dev = repository.row(DEV).pattern
    return MergeRefused(
        "nothing_to_merge",
        "There is something to bring back.",
        f"{dev} has everything that {lane.pattern} has.",
        "genpulse flow status --fetch",
        note=f"{lane.pattern} is right again once the lanes after {dev} are promoted.",
    )
