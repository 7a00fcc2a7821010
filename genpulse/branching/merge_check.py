"""The merge check for CI and hooks: may this be merged, by its name and by its history."""

from dataclasses import dataclass

from genpulse.branching.errors import FlowError, GitFailed, PolicyBroken, Refusal, RepositoryUnfit
from genpulse.branching.git.refs import Ref, branch_at
from genpulse.branching.git.repository import Repository
from genpulse.branching.lanes.arrival import arrival_refusals, commit_here
from genpulse.branching.lanes.invariants import lane_refusals
from genpulse.branching.lanes.partial_promotion import part_refusals
from genpulse.branching.lanes.promotion import demand_candidate
from genpulse.branching.misplaced_names import near_miss_refusals, path_refusals, tag_refusals
from genpulse.branching.preconditions import demand_history
from genpulse.branching.rules.model import allowed, is_foreign, may_be_called
from genpulse.branching.rules.names import kind_of, plain
from genpulse.branching.rules.policy import DEFAULT, Policy
from genpulse.branching.rules.table import DEV, MAIN, PROMOTION, QUEUE, TEST, TOPICS, Branch
from genpulse.branching.settings.change import settings_refusals, take_mended
from genpulse.branching.topics.open_topics import topics_of


@dataclass(frozen=True, slots=True)
class ProposedMerge:
    """A merge to be judged; without a base only the head's name is asked about.

    `head_commit` is the head's id where its name is not enough (a fork's branch).
    `arrived` is the commit that a push has brought to the base already, and `before` the base's tip before that
    push.
    """

    head: str
    base: str
    head_repo: str = ""
    base_repo: str = ""
    head_commit: str = ""
    arrived: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True)
class MergeVerdict:
    """The result: `rule` allows the merge, `refusals` forbid it; `unchecked` is why no history was read."""

    rule: str
    refusals: tuple[Refusal, ...]
    warnings: tuple[Refusal, ...] = ()
    unchecked: str = ""

    def __bool__(self) -> bool:
        return not self.refusals


def check_merge(merge: ProposedMerge, repository: Repository, *, history: bool = True) -> MergeVerdict:
    """Judge a merge by the rules, and by the history of the repository as far as it is here.

    Whatever git cannot answer is refused. The remote is asked for version tags alone, where main is concerned and
    unless offline. `history=False` looks at the names alone. Raises `PolicyBroken`, and `NameRefused` for ids that
    are none.
    """
    policy = _policy(merge, repository, history=history)
    if not merge.base and not history:
        verdict = may_be_called(plain(merge.head), policy)
        return MergeVerdict(verdict.rule, (verdict.refusal,) if verdict.refusal else ())
    verdict = allowed(merge.head, merge.base, head_repo=merge.head_repo, base_repo=merge.base_repo, policy=policy)
    if verdict.refusal is not None:
        return MergeVerdict("", (verdict.refusal,))
    if not history:
        return MergeVerdict(verdict.rule, (), unchecked="only the names were asked for.")
    try:
        return _judged(merge, repository, verdict.rule)
    except (RepositoryUnfit, GitFailed) as error:
        return MergeVerdict("", (error.refusal,))


def _policy(merge: ProposedMerge, repository: Repository, *, history: bool) -> Policy:
    """The team's; the names of the model where git cannot answer, which the history then finds out.

    Where nobody understands the team's, the names alone are judged without it, and what mends it by itself.
    """
    try:
        return repository.policy
    except (RepositoryUnfit, GitFailed):
        return DEFAULT
    except PolicyBroken:
        if not history:
            return DEFAULT
        if merge.arrived or is_foreign(merge.head_repo, merge.base_repo):
            raise
        return take_mended(repository, _head(merge, repository).commit, plain(merge.base))


def _judged(merge: ProposedMerge, repository: Repository, rule: str) -> MergeVerdict:
    demand_history(repository)
    for lane in repository.lanes:
        repository.lane(lane)
    refusals = (*_history(merge, repository), *tag_refusals(repository))
    return MergeVerdict(rule, refusals, (*path_refusals(repository), *near_miss_refusals(repository)))


def _history(merge: ProposedMerge, repository: Repository) -> tuple[Refusal, ...]:
    target = repository.policy.lane_named(plain(merge.base))
    if target is None:
        return ()
    head = plain(merge.head)
    if merge.arrived:
        return arrival_refusals(repository, target, merge.arrived, merge.before)
    if head.startswith(QUEUE) and target != DEV:
        return arrival_refusals(repository, target, _head(merge, repository).commit)
    if head.startswith(PROMOTION):
        return _part(merge, repository)
    row = kind_of(head, repository.policy)
    if row is None:
        return ()
    return _topic(merge, repository) if row in TOPICS else _promotion(repository, row, target)


def _topic(merge: ProposedMerge, repository: Repository) -> tuple[Refusal, ...]:
    dev = repository.row(DEV).pattern
    head = _head(merge, repository)
    refusals = (topic.refusal(repository.remote, dev) for topic in topics_of(repository, [head]))
    return (*filter(None, refusals), *settings_refusals(repository, head.commit))


def _part(merge: ProposedMerge, repository: Repository) -> tuple[Refusal, ...]:
    refusals = part_refusals(repository, _head(merge, repository))
    return (*lane_refusals(repository, repository.row(TEST)), *refusals)


def _promotion(repository: Repository, source: Branch, target: Branch) -> tuple[Refusal, ...]:
    refusals = [*lane_refusals(repository, source), *lane_refusals(repository, target)]
    if target == MAIN:
        try:
            repository.fetch_versions()
            demand_candidate(repository, repository.lane(source), source)
        except FlowError as error:
            refusals.append(error.refusal)
    return tuple(refusals)


def _head(merge: ProposedMerge, repository: Repository) -> Ref:
    name = plain(merge.head)
    if merge.head_commit:
        commit = commit_here(repository, merge.head_commit, "--head-sha")
        return branch_at(name, commit)
    here = repository.refs.heads.get(name) or repository.refs.remote.get(name)
    if here is None or is_foreign(merge.head_repo, merge.base_repo):
        note = "Fetch its commit, and name it: --head-sha <id>"
        raise RepositoryUnfit("history_missing", "What is judged is here.", f"{name} is not here.", note=note)
    return here
