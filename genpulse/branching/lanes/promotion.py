"""Move a lane forward: dev to test, test to main."""

from dataclasses import dataclass

from genpulse.branching.codes import Code
from genpulse.branching.errors import LaneBroken, MergeRefused, NameRefused, ReleaseRefused
from genpulse.branching.git.commits import Commit
from genpulse.branching.git.lane_history import Lines
from genpulse.branching.git.refs import Ref
from genpulse.branching.git.repository import Repository
from genpulse.branching.lanes.invariants import demand_intact
from genpulse.branching.lanes.partial_promotion import branch_alone, state_of_dev
from genpulse.branching.misplaced_names import tag_refusals
from genpulse.branching.preconditions import demand_history
from genpulse.branching.releases.approve import demand_approved
from genpulse.branching.releases.candidate_check import Candidates
from genpulse.branching.rules.table import DEV, MAIN, PROMOTION, Branch
from genpulse.branching.rules.versions import Version
from genpulse.branching.topics.merging import MergeResult, merge_or_request

_MISSING: Code = "candidate_missing"


@dataclass(frozen=True, slots=True)
class Plan:
    """A promotion that would succeed: from where, to where, and the commits that would move, newest first.

    `head` is the source's tip, or the part of it that is promoted.
    """

    source: Branch
    target: Branch
    commits: tuple[Commit, ...]
    head: Ref


def plan_promotion(repository: Repository, target: Branch, *, at: str = "", only: str = "") -> Plan:
    """Plan a promotion to test or main. Nothing is changed but what git knows of the remote.

    Test may get less than all: dev as it was `at` an older commit, or `only` the branch of this name. Raises
    `LaneBroken`, `MergeRefused` with the files that conflict, `ReleaseRefused` when main is to get what was no
    candidate, `NameRefused` and `RepositoryUnfit`.
    """
    demand_history(repository)
    repository.fetch()
    for refusal in tag_refusals(repository):
        raise NameRefused.of(refusal)
    part = state_of_dev(repository, at) if at else branch_alone(repository, only) if only else None
    return judge_promotion(repository, target, part)


def judge_promotion(repository: Repository, target: Branch, part: Ref | None = None) -> Plan:
    """Plan a promotion by what is known of the remote, without asking it."""
    lanes = repository.lanes
    target = repository.row(target)
    source = lanes[lanes.index(target) - 1]
    base, head = repository.lane(target), part or repository.lane(source)
    tried = repository.try_merge(base.commit, head.commit)
    for row in (source, target):
        demand_intact(repository, row, tried.conflicts if row == target else ())
    commits = repository.between([head.commit], [base.commit])
    if not commits:
        finding = f"{target.pattern} has everything that {source.pattern} has."
        raise MergeRefused("nothing_to_promote", "There is something to promote.", finding, "genpulse flow status")
    if tried.conflicts:
        raise _conflict(repository, source, target, tried.conflicts)
    if tried.tree != head.tree:
        rule = f"A promotion makes {target.pattern} what {source.pattern} is."
        finding = f"the merge (tree {tried.tree[:9]}) would not be {source.pattern} (tree {head.tree[:9]})."
        raise LaneBroken("promotion_alters", rule, finding, _levelled(repository, target), note=_both(repository))
    if target == MAIN:
        demand_candidate(repository, head, source)
    return Plan(source, target, commits, head)


def promote(repository: Repository, plan: Plan, *, merge: bool = False) -> MergeResult:
    """Open a plan's pull request, or make the merge commit and push it. Raises `GitFailed`, the forge's error."""
    source, target = plan.source, plan.target
    part = f" at {plan.head.commit[:9]}" if plan.head.name.startswith(PROMOTION) else ""
    title = f"Promote {source.pattern}{part} to {target.pattern}"
    return merge_or_request(repository, plan.head, target, title, plan.commits, merge=merge)


def demand_candidate(repository: Repository, tip: Ref, source: Branch, *, arrived: Lines | None = None) -> Version:
    """The version that main is to be released as when it gets the tip's files.

    With `arrived`, in which main's tip is that commit, it is judged as it was when the commit came to main. Raises
    `ReleaseRefused` when no candidate fits that is proper and still open, or when the team demands an approval
    that it does not have, and `GitFailed`.
    """
    candidates = Candidates(repository, arrived)
    version = _fitting(repository, candidates, tip, source, arrived)
    demand_approved(repository, candidates.of(version, tip.tree))
    return version


def _fitting(
    repository: Repository, candidates: Candidates, tip: Ref, source: Branch, arrived: Lines | None
) -> Version:
    try:
        return candidates.demand_open(tip.tree, at=tip.commit if arrived else None)
    except ReleaseRefused as error:
        broken = candidates.broken(tip.tree)
        code, mend = (broken.code, broken.mend) if broken else (_MISSING, ("genpulse flow rc",))
        why = broken.found if broken else _unfit(repository, tip, error)
        finding = f"{source.pattern} is at {tip.commit[:9]}, and {why}"
        rule = f"{repository.row(MAIN).pattern} only accepts a release candidate."
        raise ReleaseRefused(code, rule, finding, *mend, note=broken.note if broken else "") from error


def _unfit(repository: Repository, tip: Ref, error: ReleaseRefused) -> str:
    candidates = {version: ref for version, ref in repository.versions.items() if version.candidate}
    same = next((version for version, ref in candidates.items() if ref.tree == tip.tree), None)
    if same is not None:
        return f"its files are those of {same.tag} alone, whose release is no open one: {error.found}"
    last = next(iter(candidates.items()), None)
    return f"the last candidate {last[0].tag} marks {last[1].commit[:9]}." if last else "there is no candidate."


def _conflict(repository: Repository, source: Branch, target: Branch, files: tuple[str, ...]) -> MergeRefused:
    rule = f"{source.pattern} merges into {target.pattern} without conflicts."
    finding = "promoting would conflict in:\n" + "\n".join(files)
    return MergeRefused("merge_conflict", rule, finding, _levelled(repository, target), note=_both(repository))


def _both(repository: Repository) -> str:
    dev = repository.row(DEV).pattern
    return f"Both lines changed. They come together in {dev}, by a pull request with a merge commit; then promote."


def _levelled(repository: Repository, target: Branch) -> str:
    return f"genpulse flow backmerge {target.pattern}{repository.merge_option}"
