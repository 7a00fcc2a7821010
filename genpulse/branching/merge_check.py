"""The gate for CI and hooks: may this be merged, by its name and by its history."""

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
class Asked:
    """A merge somebody wants; without a base only the head's name is asked about.

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
class Answer:
    """`rule` is what allows it; `refusals` what forbids it; `unchecked` why the history was not looked at."""

    rule: str
    refusals: tuple[Refusal, ...]
    warnings: tuple[Refusal, ...] = ()
    unchecked: str = ""

    def __bool__(self) -> bool:
        return not self.refusals


def answer(asked: Asked, repository: Repository, *, history: bool = True) -> Answer:
    """By the rules, and by the history of the repository as far as it is here.

    Whatever git cannot answer is refused. The remote is asked for version tags alone, where main is concerned and
    unless offline. `history=False` looks at the names alone. Raises `PolicyBroken`, and `NameRefused` for ids that
    are none.
    """
    policy = _policy(asked, repository, history=history)
    if not asked.base and not history:
        named = may_be_called(plain(asked.head), policy)
        return Answer(named.rule, (named.refusal,) if named.refusal else ())
    verdict = allowed(asked.head, asked.base, head_repo=asked.head_repo, base_repo=asked.base_repo, policy=policy)
    if verdict.refusal is not None:
        return Answer("", (verdict.refusal,))
    if not history:
        return Answer(verdict.rule, (), unchecked="only the names were asked for.")
    try:
        return _judged(asked, repository, verdict.rule)
    except (RepositoryUnfit, GitFailed) as error:
        return Answer("", (error.refusal,))


def _policy(asked: Asked, repository: Repository, *, history: bool) -> Policy:
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
        if asked.arrived or is_foreign(asked.head_repo, asked.base_repo):
            raise
        return take_mended(repository, _head(asked, repository).commit, plain(asked.base))


def _judged(asked: Asked, repository: Repository, rule: str) -> Answer:
    demand_history(repository)
    for lane in repository.lanes:
        repository.lane(lane)
    refusals = (*_history(asked, repository), *tag_refusals(repository))
    return Answer(rule, refusals, (*path_refusals(repository), *near_miss_refusals(repository)))


def _history(asked: Asked, repository: Repository) -> tuple[Refusal, ...]:
    target = repository.policy.lane_named(plain(asked.base))
    if target is None:
        return ()
    head = plain(asked.head)
    if asked.arrived:
        return arrival_refusals(repository, target, asked.arrived, asked.before)
    if head.startswith(QUEUE) and target != DEV:
        return arrival_refusals(repository, target, _head(asked, repository).commit)
    if head.startswith(PROMOTION):
        return _part(asked, repository)
    row = kind_of(head, repository.policy)
    if row is None:
        return ()
    return _topic(asked, repository) if row in TOPICS else _promotion(repository, row, target)


def _topic(asked: Asked, repository: Repository) -> tuple[Refusal, ...]:
    dev = repository.row(DEV).pattern
    head = _head(asked, repository)
    found = (topic.refusal(repository.remote, dev) for topic in topics_of(repository, [head]))
    return (*filter(None, found), *settings_refusals(repository, head.commit))


def _part(asked: Asked, repository: Repository) -> tuple[Refusal, ...]:
    found = part_refusals(repository, _head(asked, repository))
    return (*lane_refusals(repository, repository.row(TEST)), *found)


def _promotion(repository: Repository, source: Branch, target: Branch) -> tuple[Refusal, ...]:
    found = [*lane_refusals(repository, source), *lane_refusals(repository, target)]
    if target == MAIN:
        try:
            repository.fetch_versions()
            demand_candidate(repository, repository.lane(source), source)
        except FlowError as error:
            found.append(error.refusal)
    return tuple(found)


def _head(asked: Asked, repository: Repository) -> Ref:
    name = plain(asked.head)
    if asked.head_commit:
        commit = commit_here(repository, asked.head_commit, "--head-sha")
        return branch_at(name, commit)
    here = repository.refs.heads.get(name) or repository.refs.remote.get(name)
    if here is None or is_foreign(asked.head_repo, asked.base_repo):
        note = "Fetch its commit, and name it: --head-sha <id>"
        raise RepositoryUnfit("history_missing", "What is judged is here.", f"{name} is not here.", note=note)
    return here
