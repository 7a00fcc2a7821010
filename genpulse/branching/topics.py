"""Branches of work in progress: which are open, and whether they were cut from dev."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from genpulse.branching.commits import Commit, counted, listed, reachable
from genpulse.branching.errors import MergeRefused, Refusal
from genpulse.branching.names import is_bot, kind_of
from genpulse.branching.refs import Ref
from genpulse.branching.repository import Repository
from genpulse.branching.table import DEV, MAIN, QUEUE, TEST, TOPICS


@dataclass(frozen=True, slots=True)
class Topic:
    """An open branch: what it has that dev does not have.

    `foreign` are those of them that came from test or main, by lane; `published` says whether the remote has it.
    """

    ref: Ref
    commits: tuple[Commit, ...]
    foreign: tuple[tuple[str, tuple[Commit, ...]], ...]
    published: bool

    def refusal(self, remote: str, dev: str = DEV.pattern) -> Refusal | None:
        """What is wrong with where it began; None when it was cut from dev."""
        if not self.foreign:
            return None
        lane, commits = max(self.foreign, key=lambda found: len(found[1]))
        name = self.ref.name
        number = counted(len(commits), "commit")
        return Refusal(
            "topic_not_from_dev",
            f"{name} must start from {dev}.",
            f"{name} contains {number} from {lane} that {dev} does not have:\n{listed(commits)}",
            (f"git rebase --onto {remote}/{dev} {remote}/{lane} {shlex.quote(name)}",),
        )


def open_topics(repository: Repository) -> tuple[Topic, ...]:
    """All that have something that dev does not have, newest first: the remote's, and unpublished ones here."""
    refs = repository.refs
    here = [
        ref
        for name, ref in refs.heads.items()
        if name not in refs.remote and kind_of(name, repository.policy) in TOPICS
    ]
    there = [
        ref
        for name, ref in refs.remote.items()
        if kind_of(name, repository.policy) in TOPICS or is_bot(name, repository.policy)
    ]
    topics = topics_of(repository, [*there, *here])
    return tuple(sorted((topic for topic in topics if topic.commits), key=lambda topic: -topic.ref.when))


def topics_of(repository: Repository, refs: Iterable[Ref]) -> tuple[Topic, ...]:
    """These branches, in one call of git whatever their number."""
    wanted = tuple(refs)
    named = (repository.row(row).pattern for row in (MAIN, TEST))
    later = [repository.refs.remote[name] for name in named if name in repository.refs.remote]
    tips = [ref.commit for ref in (*wanted, *later)]
    known = {commit.id: commit for commit in repository.between(tips, [repository.lane(DEV).commit])}
    place = {name: number for number, name in enumerate(known)}
    ahead = {ref.full: sorted(reachable(ref.commit, known), key=lambda one: place[one.id]) for ref in wanted}
    lanes = {ref.name: {commit.id for commit in reachable(ref.commit, known)} for ref in later}
    suspects = set().union(*lanes.values()) & {commit.id for commits in ahead.values() for commit in commits}
    foreign = _confirmed(repository, known, suspects)
    return tuple(
        Topic(
            ref, tuple(ahead[ref.full]), _by_lane(ahead[ref.full], lanes, foreign), _is_published(repository, ref)
        )
        for ref in wanted
    )


def _by_lane(
    commits: Sequence[Commit], lanes: Mapping[str, set[str]], foreign: frozenset[str]
) -> tuple[tuple[str, tuple[Commit, ...]], ...]:
    found = {name: tuple(one for one in commits if one.id in ids & foreign) for name, ids in lanes.items()}
    return tuple((name, some) for name, some in found.items() if some)


def _is_published(repository: Repository, ref: Ref) -> bool:
    return ref.name in repository.refs.remote


def _confirmed(repository: Repository, known: Mapping[str, Commit], suspects: set[str]) -> frozenset[str]:
    if not suspects:
        return frozenset()
    commits = repository.without_history_of([known[name] for name in suspects], [repository.lane(DEV).commit])
    return frozenset(commit.id for commit in commits)


def demand_cut_from_dev(repository: Repository, ref: Ref) -> Topic:
    """The topic. Raises `MergeRefused` when it has commits of test or main that dev does not have."""
    (topic,) = topics_of(repository, [ref])
    refusal = topic.refusal(repository.remote, repository.row(DEV).pattern)
    if refusal is not None:
        raise MergeRefused.of(refusal)
    return topic


def strangers(repository: Repository) -> tuple[str, ...]:
    """Branches of the remote that the model does not have."""
    policy = repository.policy
    lanes = {row.pattern for row in policy.lanes}
    names = (name for name in repository.refs.remote if name not in lanes and not name.startswith(QUEUE))
    names = (name for name in names if not policy.is_ignored(name))
    return tuple(
        name for name in names if kind_of(name, repository.policy) is None and not is_bot(name, repository.policy)
    )
