"""The gate for CI and hooks: may this be merged, by its name and by its history."""

from dataclasses import dataclass

from genpulse.branching.conditions import demand_history
from genpulse.branching.errors import FlowError, GitFailed, NameRefused, Refusal, RepositoryUnfit
from genpulse.branching.invariants import lane_refusals
from genpulse.branching.misplaced import path_refusals, tag_refusals
from genpulse.branching.names import kind_of, plain
from genpulse.branching.partial import part_refusals
from genpulse.branching.policy import DEFAULT, Policy
from genpulse.branching.promotion import demand_candidate
from genpulse.branching.refs import Ref, branch_at
from genpulse.branching.repository import Repository
from genpulse.branching.rules import allowed, is_foreign, may_be_called
from genpulse.branching.table import DEV, MAIN, PROMOTION, TEST, TOPICS, Branch
from genpulse.branching.topics import topics_of


@dataclass(frozen=True, slots=True)
class Asked:
    """A merge somebody wants; without a base only the head's name is asked about.

    `head_commit` is the head's id where its name is not enough (a fork's branch).
    """

    head: str
    base: str
    head_repo: str = ""
    base_repo: str = ""
    head_commit: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """`rule` is what allows it; `refusals` what forbids it; `unchecked` why the history could not be looked at."""

    rule: str
    refusals: tuple[Refusal, ...]
    warnings: tuple[Refusal, ...] = ()
    unchecked: str = ""

    def __bool__(self) -> bool:
        return not self.refusals


def answer(asked: Asked, repository: Repository, *, history: bool = True) -> Answer:
    """By the rules, and by the history of the repository as far as it is here. Asks no remote.

    `history=False` looks at the names alone.
    """
    policy = _policy_for_names(repository)
    if not asked.base and not history:
        named = may_be_called(plain(asked.head), policy)
        return Answer(named.rule, (named.refusal,) if named.refusal else ())
    verdict = allowed(asked.head, asked.base, head_repo=asked.head_repo, base_repo=asked.base_repo, policy=policy)
    if verdict.refusal is not None:
        return Answer("", (verdict.refusal,))
    if not history:
        return Answer(verdict.rule, (), unchecked="only the names were asked for.")
    try:
        unfit = _shallow(repository)
        missing = "" if unfit else _missing(asked, repository)
        refusals = unfit or (*_history(asked, repository, missing), *tag_refusals(repository))
        return Answer(verdict.rule, refusals, () if unfit else path_refusals(repository), missing)
    except (RepositoryUnfit, GitFailed) as error:
        return Answer(verdict.rule, (), unchecked=error.found)


def _policy_for_names(repository: Repository) -> Policy:
    """The team's; the names of the model where git cannot answer, which the history then finds out."""
    try:
        return repository.policy
    except (RepositoryUnfit, GitFailed):
        return DEFAULT


def _shallow(repository: Repository) -> tuple[Refusal, ...]:
    if not repository.is_shallow:
        return ()
    try:
        demand_history(repository)
    except RepositoryUnfit as error:
        return (error.refusal,)
    return ()


def _missing(asked: Asked, repository: Repository) -> str:
    name = plain(asked.head)
    if (kind_of(name, repository.policy) not in TOPICS and not name.startswith(PROMOTION)) or _head(
        asked, repository
    ) is not None:
        return ""
    return f"{plain(asked.head)} is not here. Name its commit: --head-sha <id>, and fetch it before."


def _history(asked: Asked, repository: Repository, missing: str) -> tuple[Refusal, ...]:
    head_name = plain(asked.head)
    if head_name.startswith(PROMOTION):
        return _part(asked, repository)
    row = kind_of(head_name, repository.policy)
    if row is None or missing:
        return ()
    if row in TOPICS:
        head = _head(asked, repository)
        topics = topics_of(repository, [head]) if head else ()
        return tuple(
            refusal
            for topic in topics
            if (refusal := topic.refusal(repository.remote, repository.row(DEV).pattern))
        )
    return _promotion(repository, row, next(lane for lane in repository.lanes if lane.pattern == row.merges_into))


def _part(asked: Asked, repository: Repository) -> tuple[Refusal, ...]:
    head = _head(asked, repository)
    found = part_refusals(repository, head) if head else ()
    return (*lane_refusals(repository, repository.row(TEST)), *found)


def _promotion(repository: Repository, source: Branch, target: Branch) -> tuple[Refusal, ...]:
    found = [*lane_refusals(repository, source), *lane_refusals(repository, target)]
    if target == MAIN:
        try:
            demand_candidate(repository, repository.lane(source), source)
        except FlowError as error:
            found.append(error.refusal)
    return tuple(found)


def _head(asked: Asked, repository: Repository) -> Ref | None:
    name = plain(asked.head)
    if asked.head_commit:
        commit = _commit(repository, asked.head_commit)
        return branch_at(name, commit)
    if is_foreign(asked.head_repo, asked.base_repo):
        return None
    return repository.refs.heads.get(name) or repository.refs.remote.get(name)


def _commit(repository: Repository, commit: str) -> str:
    if not commit.isalnum() or not commit.isascii():
        note = "Take github.event.pull_request.head.sha."
        raise NameRefused("ref_unknown", "--head-sha is a commit's id.", f"{commit!r}", note=note)
    return repository.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{commit}}").line
