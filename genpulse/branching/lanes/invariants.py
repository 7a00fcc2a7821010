"""Invariants of test and main: they carry nothing but what the lane before them carried.

A promotion is a merge commit whose second parent comes from the lane before and whose tree is that parent's tree.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from genpulse.branching.codes import Code
from genpulse.branching.errors import LaneBroken, Refusal
from genpulse.branching.git.commits import Commit, commits_named, first_parents, reachable
from genpulse.branching.git.lane_history import Lines
from genpulse.branching.git.patches import picked_commits
from genpulse.branching.git.refs import Ref, branch_at
from genpulse.branching.git.repository import Repository
from genpulse.branching.lanes.fast_forward import fast_forward_refusal
from genpulse.branching.lanes.mends import ways_out
from genpulse.branching.listing import counted, listed
from genpulse.branching.rules.table import DEV, Branch


@dataclass(frozen=True, slots=True)
class _Faults:
    """Commits on a lane that must not be there, newest first: `over` merged another branch than the lane before,
    `strays` were committed directly, `altered` are promotions with a change of their own."""

    over: tuple[Commit, ...]
    strays: tuple[Commit, ...]
    altered: tuple[Commit, ...]
    line: tuple[Commit, ...]

    @property
    def any(self) -> bool:
        """Whether there are any."""
        return bool(self.over or self.strays or self.altered)

    @property
    def all(self) -> tuple[Commit, ...]:
        """Every faulty commit once."""
        return tuple({commit.id: commit for commit in (*self.over, *self.strays, *self.altered)}.values())

    def without(self, ids: frozenset[str]) -> "_Faults":
        """The rest when these strays are none."""
        return replace(self, strays=tuple(commit for commit in self.strays if commit.id not in ids))

    @property
    def oldest(self) -> Commit | None:
        """The first of them on the lane's own line."""
        bad = {commit.id for commit in (*self.over, *self.strays, *self.altered)}
        return next((commit for commit in reversed(self.line) if commit.id in bad), None)


def demand_intact(repository: Repository, row: Branch, conflicts: Sequence[str] = ()) -> None:
    """Raises `LaneBroken` when the lane carries what did not come from the lane before it.

    `conflicts` are files in which a promotion to it would conflict; the message names them too.
    """
    files = f"\nPromoting would conflict in: {', '.join(conflicts)}" if conflicts else ""
    for refusal in lane_refusals(repository, row):
        raise LaneBroken.of(replace(refusal, found=refusal.found + files))


def lane_refusals(
    repository: Repository, row: Branch, lines: Lines | None = None, pushed_from: str = ""
) -> tuple[Refusal, ...]:
    """The refusals of a lane's history; empty for one that is as it must be, and for dev.

    `lines` has the lane's tip where it is not that of today, and `pushed_from` is the tip before that, if known.
    """
    if row == DEV:
        return ()
    lines = lines or repository.lines
    forwarded = fast_forward_refusal(repository, row, lines, pushed_from)
    return (*_carried_refusals(repository, row, lines), *((forwarded,) if forwarded else ()))


def _carried_refusals(repository: Repository, row: Branch, lines: Lines) -> tuple[Refusal, ...]:
    lanes, row = repository.lanes, repository.row(row)
    before = lanes[lanes.index(row) - 1]
    tip, source = lines.tip(row), repository.lane(before)
    own = repository.between([tip], [source.commit])
    faults = _faults(repository, own, lines, row, before)
    if not faults.any:
        return ()
    own = repository.without_history_of(own, [source.commit])
    faults = _faults(repository, own, lines, row, before)
    faults = faults.without(picked_commits(repository.git, faults.strays, source.commit))
    if not faults.any:
        return ()
    mend, note = ways_out(repository, row, branch_at(row.pattern, tip), faults.all)
    kinds: tuple[tuple[Code, str, str, tuple[Commit, ...]], ...] = (
        ("lane_wrong_merge", f"{row.pattern} only accepts {before.pattern}.", "merge", faults.over),
        (
            "lane_stray",
            f"Nothing is committed to {row.pattern} directly, and nothing squashed.",
            "commit",
            faults.strays,
        ),
        ("lane_altered", f"A promotion to {row.pattern} changes nothing.", "merge", faults.altered),
    )
    words = f"on {row.pattern} that {before.pattern} does not have"
    return tuple(
        Refusal(
            code,
            rule,
            f"{counted(len(bad), what)} {words}:\n{listed(bad)}{_squashed(repository, faults, bad, source)}",
            mend,
            note,
        )
        for code, rule, what, bad in kinds
        if bad
    )


def _faults(repository: Repository, own: Sequence[Commit], lines: Lines, row: Branch, before: Branch) -> _Faults:
    by_id = {commit.id: commit for commit in own}
    line = tuple(first_parents(lines.tip(row), by_id))
    merges = [commit for commit in line if commit.is_merge]
    over = tuple(merge for merge in merges if not _from_source(merge, by_id, lines, before))
    explained = {
        commit.id for merge in over for parent in merge.parents[1:] for commit in reachable(parent, by_id)
    }
    strays = tuple(commit for commit in own if not commit.is_merge and commit.id not in explained)
    promotions = [merge for merge in merges if merge not in over]
    parents = commits_named(repository.git, (merge.parents[1] for merge in promotions))
    trees = {parent.id: parent.tree for parent in parents}
    altered = tuple(merge for merge in promotions if merge.tree != trees[merge.parents[1]])
    return _Faults(over, strays, altered, line)


def _from_source(merge: Commit, by_id: dict[str, Commit], lines: Lines, before: Branch) -> bool:
    if before == DEV:
        return all(parent not in by_id for parent in merge.parents[1:])
    return all(lines.carried(before, parent) for parent in merge.parents[1:])


def _squashed(repository: Repository, faults: _Faults, bad: tuple[Commit, ...], source: Ref) -> str:
    oldest = faults.oldest
    if oldest is None or oldest not in bad or oldest.is_merge:
        return ""
    promised = repository.between([source.commit], oldest.parents[:1])
    twin = next((commit for commit in promised if commit.tree == oldest.tree and commit.id != oldest.id), None)
    if twin is None:
        return ""
    how = "rebased" if twin.subject == oldest.subject else "squashed"
    return f"\n{oldest.id[:9]} has the tree of {twin}: it was {how}."
