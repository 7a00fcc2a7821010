"""Branches of work in progress: which are open, and whether they were cut from dev."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from genpulse.branching.errors import MergeRefused, Refusal
from genpulse.branching.git.commits import Commit, first_parents, is_ancestor, reachable
from genpulse.branching.git.refs import Ref
from genpulse.branching.git.repository import Repository
from genpulse.branching.lanes.backmerge_branches import brought_back
from genpulse.branching.listing import counted, listed
from genpulse.branching.rules.names import is_bot, kind_of
from genpulse.branching.rules.table import DEV, MAIN, PROMOTION, QUEUE, TEST, TOPICS
from genpulse.branching.topics.leftovers import leftovers


@dataclass(frozen=True, slots=True)
class Topic:
    """An open branch: what it has that dev does not have. `mended` says that the one here is right already.

    `foreign` are those of them that came from test or main, by lane; `published` says whether the remote has it;
    `out` is the command that checks it out as it is there, empty where it is here; `option` is a merge's.
    """

    ref: Ref
    commits: tuple[Commit, ...]
    foreign: tuple[tuple[str, tuple[Commit, ...]], ...]
    published: bool
    out: str = ""
    option: str = ""
    mended: bool = False

    def refusal(self, remote: str, dev: str = DEV.pattern) -> Refusal | None:
        """The refusal of where the branch began; None when it was cut from dev."""
        if not self.foreign:
            return None
        lane, commits = max(self.foreign, key=lambda pair: len(pair[1]))
        name = self.ref.name
        number = counted(len(commits), "commit")
        finding = f"{name} contains {number} from {lane} that {dev} does not have:\n{listed(commits)}"
        return Refusal(
            "topic_not_from_dev", f"{name} must start from {dev}.", finding, *self._way_out(lane, remote, dev)
        )

    def _way_out(self, lane: str, remote: str, dev: str) -> tuple[tuple[str, ...], str]:
        name, commits = self.ref.name, dict(self.foreign)[lane]
        if len(commits) == len(self.commits):
            back = f"genpulse flow backmerge {lane}{self.option}"
            return (back,), f"{lane} has all of it. It comes into {dev} from there, and nothing is taken away."
        if self.mended:
            there = f"git switch {shlex.quote(name)} && genpulse flow finish{self.option}"
            return (there,), f"Here it is right already; {remote} has it as it was."
        rebase = f"{self.out}git rebase --onto {remote}/{dev} {remote}/{lane} {shlex.quote(name)}"
        return (rebase,), (
            f"It puts the branch's own commits on {remote}/{dev}; those from {lane} stay there.\n"
            f"Where {remote} has the branch, genpulse flow finish says how to bring it there."
        )


def open_topics(repository: Repository) -> tuple[Topic, ...]:
    """All topic branches that have what dev does not have, newest first: the remote's, and unpublished ones here.

    What dev has by commits of its own is there, whatever it was squashed or rebased to.
    """
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
    topics = [topic for topic in topics_of(repository, [*there, *here]) if topic.commits]
    newest_first = sorted(topics, key=lambda topic: -topic.ref.when)
    done = leftovers(repository, [topic.ref for topic in newest_first if not topic.foreign])
    return tuple(topic for topic in newest_first if topic.ref.full not in done)


def topics_of(repository: Repository, refs: Iterable[Ref]) -> tuple[Topic, ...]:
    """These branches, in one call of git whatever their number."""
    branches = tuple(refs)
    lane_names = (repository.row(row).pattern for row in (MAIN, TEST))
    later = [repository.refs.remote[name] for name in lane_names if name in repository.refs.remote]
    tips = [ref.commit for ref in (*branches, *later)]
    by_id = {commit.id: commit for commit in repository.between(tips, [repository.lane(DEV).commit])}
    place = {name: number for number, name in enumerate(by_id)}
    ahead = {ref.full: sorted(reachable(ref.commit, by_id), key=lambda one: place[one.id]) for ref in branches}
    lanes = {ref.name: {commit.id for commit in reachable(ref.commit, by_id)} for ref in later}
    lines = frozenset(one.id for ref in later for one in first_parents(ref.commit, by_id))
    suspects = lines & {commit.id for commits in ahead.values() for commit in commits}
    foreign = _confirmed(repository, by_id, suspects)
    return tuple(_topic(repository, ref, ahead[ref.full], lanes, foreign) for ref in branches)


def _topic(
    repository: Repository,
    ref: Ref,
    ahead: Sequence[Commit],
    lanes: Mapping[str, set[str]],
    lines: frozenset[str],
) -> Topic:
    """`lines` are the ids on the lanes' own lines: what a lane has beside them came from topics."""
    published = ref.name in repository.refs.remote
    if not any(commit.id in lines for commit in ahead) or brought_back(ref.name, ahead, lanes):
        return Topic(ref, tuple(ahead), (), published)
    by_lane = {name: tuple(one for one in ahead if one.id in ids) for name, ids in lanes.items()}
    foreign = tuple((name, some) for name, some in by_lane.items() if some)
    out, option = _out(repository, ref), repository.merge_option
    return Topic(ref, tuple(ahead), foreign, published, out, option, _is_mended(repository, ref))


def _is_mended(repository: Repository, ref: Ref) -> bool:
    """Whether the branch of this name here was put on dev while the remote has it as it was."""
    here = repository.refs.heads.get(ref.name)
    if here is None or here.full == ref.full or is_ancestor(repository.git, here.commit, ref.commit):
        return False
    (topic,) = topics_of(repository, [here])
    return not topic.foreign


def _out(repository: Repository, ref: Ref) -> str:
    name, here = shlex.quote(ref.name), repository.refs.heads.get(ref.name)
    if here is None:
        return f"git switch --no-track -c {name} {ref.commit} && "
    if here.commit != ref.commit and is_ancestor(repository.git, here.commit, ref.commit):
        return f"git switch {name} && git merge --ff-only {ref.commit} && "
    return ""


def _confirmed(repository: Repository, by_id: Mapping[str, Commit], suspects: frozenset[str]) -> frozenset[str]:
    if not suspects:
        return frozenset()
    commits = repository.without_history_of([by_id[name] for name in suspects], [repository.lane(DEV).commit])
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
    names = (
        name for name in repository.refs.remote if name not in lanes and not name.startswith((PROMOTION, QUEUE))
    )
    names = (name for name in names if not policy.is_ignored(name))
    return tuple(
        name for name in names if kind_of(name, repository.policy) is None and not is_bot(name, repository.policy)
    )
