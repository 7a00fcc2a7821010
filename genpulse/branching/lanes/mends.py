"""The ways out when test or main carries what the lane before it does not have."""

from collections.abc import Sequence

from genpulse.branching.git.commits import Commit
from genpulse.branching.git.patches import picked_commits
from genpulse.branching.git.refs import Ref
from genpulse.branching.git.repository import Repository
from genpulse.branching.lanes.backmerge_branches import name_of
from genpulse.branching.rules.table import DEV, TEST, Branch
from genpulse.branching.rules.versions import version_of


def ways_out(repository: Repository, row: Branch, tip: Ref, bad: Sequence[Commit]) -> tuple[tuple[str, ...], str]:
    """Commands, and what they move from where to where. The first takes nothing away from anywhere.

    `bad` are the commits that must not be there, newest first; `tip` is the lane's.
    """
    dev, name = repository.row(DEV).pattern, row.pattern
    if _has(repository, bad, repository.lane(DEV).commit):
        onward = f"genpulse flow promote {repository.row(TEST).pattern}{repository.merge_option}"
        return (onward,), _on_its_way(repository, row)
    back = f"genpulse flow backmerge {name}{repository.merge_option}"
    note = (
        f"It merges {name} at {tip.commit[:9]} into {dev} as {name_of(tip.commit)}, and takes nothing off {name}. "
        f"Merge the pull request with a merge commit, and then promote again."
    )
    if len(bad) > 1 or bad[0].id != tip.commit or not bad[0].parents or _went_further(repository, row, tip.commit):
        return (back,), note
    take, backup = _taken_off(repository, row, tip, bad[0])
    aside = (
        f"\nThe second winds {name} back from {tip.commit[:9]} to {bad[0].parents[0][:9]} and keeps what it takes "
        f"off as {backup}; somebody runs it who may force a push to {name}."
    )
    return (back, take), note + aside


def _has(repository: Repository, bad: Sequence[Commit], tip: str) -> bool:
    """Whether another branch has all of it, as commits or by what they change."""
    missing = repository.between([commit.id for commit in bad], [tip])
    rest = [commit for commit in bad if commit in missing]
    return len(picked_commits(repository.git, rest, tip)) == len(rest)


def _on_its_way(repository: Repository, row: Branch) -> str:
    dev, test, name = repository.row(DEV).pattern, repository.row(TEST).pattern, row.pattern
    onward = (
        f"{test} is promoted" if row == TEST else f"{test} is promoted, a candidate is tagged, and {name} promoted"
    )
    return f"{dev} has it already. {name} is as it must be once {onward}."


def _taken_off(repository: Repository, row: Branch, tip: Ref, bad: Commit) -> tuple[str, str]:
    name, backup = row.pattern, f"fix/kept-{tip.commit[:9]}"
    lease = f"--force-with-lease=refs/heads/{name}:{tip.commit}"
    moves = f"{tip.commit}:refs/heads/{backup} {bad.parents[0]}:refs/heads/{name}"
    return f"git push --atomic {lease} {repository.remote} {moves}", backup


def _went_further(repository: Repository, row: Branch, commit: str) -> bool:
    """Whether a later lane or a release has it."""
    output = repository.git(
        "for-each-ref", f"--contains={commit}", "--format=%(refname)", "refs/tags", "refs/remotes"
    )
    lanes = repository.lanes
    later = {f"refs/remotes/{repository.remote}/{lane.pattern}" for lane in lanes[lanes.index(row) + 1 :]}
    return any(ref in later or version_of(ref.removeprefix("refs/tags/")) for ref in output.out.split())
