"""The state of lanes and topics, as `genpulse flow status` shows it."""

from dataclasses import dataclass, replace
from itertools import pairwise

from genpulse.branching.errors import FlowError, Refusal
from genpulse.branching.git.commits import Commit
from genpulse.branching.git.last_fetch import last_fetch
from genpulse.branching.git.refs import Ref
from genpulse.branching.git.repository import Repository
from genpulse.branching.lanes.invariants import lane_refusals
from genpulse.branching.lanes.next_step import next_step
from genpulse.branching.misplaced_names import near_miss_refusals, path_refusals, stranger_refusals, tag_refusals
from genpulse.branching.preconditions import demand_history
from genpulse.branching.releases.verification import Verifier
from genpulse.branching.releases.withdrawal import withdrawn
from genpulse.branching.rules.table import DEV, Branch
from genpulse.branching.rules.versions import Version, open_releases
from genpulse.branching.topics.open_topics import Topic, open_topics

_NO_RELEASE = {"release_improper", "release_off_main", "release_untested"}


@dataclass(frozen=True, slots=True)
class UnpromotedCommits:
    """Commits of `source` that `target` does not have, newest first, without merges."""

    source: Branch
    target: Branch
    commits: tuple[Commit, ...]


@dataclass(frozen=True, slots=True)
class CheckedTag:
    """A version's tag, and why it does not hold (None: it does)."""

    version: Version
    ref: Ref
    refusal: Refusal | None


@dataclass(frozen=True, slots=True)
class FlowState:
    """The state of a repository. `lanes` are tips on the remote; `fetched` is when, in seconds since 1970.

    `notes` are what breaks no rule and may be a slip; `open` has the newest candidate of each open release.
    """

    remote: str
    current: str | None
    lanes: tuple[tuple[Branch, Ref], ...]
    waiting: tuple[UnpromotedCommits, ...]
    topics: tuple[Topic, ...]
    candidate: CheckedTag | None
    release: CheckedTag | None
    violations: tuple[Refusal, ...]
    fetched: float | None
    notes: tuple[Refusal, ...] = ()
    open: tuple[Version, ...] = ()


def read_state(repository: Repository) -> FlowState:
    """Read the state as last fetched. Raises `RepositoryUnfit` without remote, history or lanes."""
    demand_history(repository)
    lanes = tuple((row, ref) for row in repository.lanes if (ref := repository.refs.remote.get(row.pattern)))
    if len(lanes) < len(repository.lanes):
        missing = next(row for row in repository.lanes if row.pattern not in repository.refs.remote)
        repository.lane(missing)
    topics = open_topics(repository)
    verifier = Verifier(repository)
    candidate, release = _last(repository, verifier, final=False), _last(repository, verifier, final=True)
    return FlowState(
        remote=repository.remote,
        current=repository.refs.current,
        lanes=lanes,
        waiting=tuple(_waiting(repository, *pair) for pair in pairwise(repository.lanes)),
        topics=topics,
        candidate=candidate,
        release=release,
        violations=_violations(repository, topics, (candidate, release)),
        fetched=last_fetch(repository.git, repository.remote),
        notes=near_miss_refusals(repository),
        open=open_releases(repository.tag_names),
    )


def _waiting(repository: Repository, source: Branch, target: Branch) -> UnpromotedCommits:
    commits = repository.between([repository.lane(source).commit], [repository.lane(target).commit])
    return UnpromotedCommits(source, target, tuple(commit for commit in commits if not commit.is_merge))


def _last(repository: Repository, verifier: Verifier, *, final: bool) -> CheckedTag | None:
    withdrawals = withdrawn(repository.tag_names)
    for version, ref in repository.refs.versions.items():
        if (version.candidate is None) == final and version not in withdrawals:
            refusal = _refusal(verifier, version)
            is_none = refusal is not None and refusal.code in _NO_RELEASE
            return CheckedTag(
                version, ref, _replaced(repository, version, refusal) if refusal and is_none else refusal
            )
    return None


def _replaced(repository: Repository, version: Version, refusal: Refusal) -> Refusal:
    """A tag that is no release stays where it is; the next version takes its place.

    Where there was no candidate yet, it may well be from before the flow.
    """
    policy = repository.policy
    if policy.baseline is None and all(version.candidate is None for version in repository.refs.versions):
        mend = f"genpulse flow install --baseline {version.tag}"
        note = (
            f"If {version.tag} was released before the flow was adopted, the command says so for the whole team."
        )
        return replace(refusal, mend=(mend,), note=f"{refusal.note}\n{note}".strip())
    note = f"{version.tag} stays what it is, and nobody deploys it. The next version takes its place."
    return replace(refusal, mend=(next_step(repository),), note=f"{refusal.note}\n{note}".strip())


def _refusal(verifier: Verifier, version: Version) -> Refusal | None:
    try:
        if version.candidate is None:
            verifier.verify(version.tag)
        else:
            verifier.demand_candidate(version)
    except FlowError as error:
        return error.refusal
    return None


def _violations(
    repository: Repository, topics: tuple[Topic, ...], marks: tuple[CheckedTag | None, ...]
) -> tuple[Refusal, ...]:
    lanes = [refusal for row in repository.lanes for refusal in lane_refusals(repository, row)]
    cut = [
        refusal for topic in topics if (refusal := topic.refusal(repository.remote, repository.row(DEV).pattern))
    ]
    broken = [mark.refusal for mark in marks if mark and mark.refusal]
    return (
        *lanes,
        *broken,
        *cut,
        *stranger_refusals(repository),
        *tag_refusals(repository),
        *path_refusals(repository),
    )
