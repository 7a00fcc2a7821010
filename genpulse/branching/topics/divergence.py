"""A topic that is one thing here and another on the remote."""

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from genpulse.branching.errors import MergeRefused
from genpulse.branching.git.commits import Commit, is_ancestor, printable
from genpulse.branching.git.patches import rewritten_commits
from genpulse.branching.git.refs import Ref
from genpulse.branching.git.repository import Repository
from genpulse.branching.listing import listed
from genpulse.branching.topics.forks import published

_RULE = "What is pushed builds on what was pushed."
_FORMAT = "%H%x00%an%x00%ae%x00%at%x00%ct%x00%s"


@dataclass(frozen=True, slots=True)
class _Authorship:
    """A commit's author; when it was made first (`at`) and in its present form (`when`), in seconds since 1970."""

    id: str
    name: str
    email: str
    at: int
    when: int
    subject: str

    @property
    def origin(self) -> tuple[str, int, str]:
        """The facts of a commit that stay when it is amended or rebased."""
        return self.email, self.at, self.subject

    def __str__(self) -> str:
        return f"{self.id[:9]} {self.subject} ({self.name})"


@dataclass(frozen=True, slots=True)
class _Missing:
    """The commits that the remote has and this branch does not, oldest first.

    `same` is here with another id, `older` is here in a later form, `new` is not here at all.
    """

    same: tuple[_Authorship, ...]
    older: tuple[_Authorship, ...]
    new: tuple[_Authorship, ...]


def demand_together(repository: Repository, ref: Ref, remote: str) -> None:
    """Raises `MergeRefused` when the branch of this name on the remote has commits that are not here."""
    there = published(repository, ref.name, remote)
    if there is None or is_ancestor(repository.git, there.commit, ref.commit):
        return
    missing = _missing(repository, ref, there)
    where = f"{ref.name} on {remote}"
    if not missing.new:
        raise _was_rewritten(repository, ref, there, missing, remote)
    finding = f"{where} has commits that are not here:\n{listed(missing.new)}"
    if missing.same or missing.older:
        ids = " ".join(one.id for one in missing.new)
        note = (
            f"Here {len(missing.same + missing.older)} of its other commits were written anew. Then finish again."
        )
        raise MergeRefused("topic_diverged", _RULE, finding, f"git cherry-pick {ids}", note=note)
    mend = f"git pull --rebase {remote} {shlex.quote(ref.name)}"
    note = "It puts your commits on top of these. Nothing is taken away."
    raise MergeRefused("topic_diverged", _RULE, finding, mend, note=note)


def _was_rewritten(repository: Repository, ref: Ref, there: Ref, missing: _Missing, remote: str) -> MergeRefused:
    """Everything is here in another form. The first way keeps the old form in the history and needs no force."""
    name = shlex.quote(ref.name)
    replaced = (*missing.same, *missing.older)
    finding = f"{ref.name} on {remote} has commits that are not here, or not in this form:\n{listed(replaced)}"
    merge = f"git merge --strategy=ours --no-edit {there.commit}"
    lease = f"git push --force-with-lease=refs/heads/{name}:{there.commit} {remote} {ref.commit}:refs/heads/{name}"
    says = (
        f"moves {ref.name} on {remote} from {there.commit[:9]} to {ref.commit[:9]}, which takes these away there."
    )
    if _has_lane_commits(repository, ref, there):
        return MergeRefused("topic_diverged", _RULE, finding, lease, note=f"It {says}")
    take = () if missing.older else (f"git pull --rebase {remote} {name}",)
    forced = (lease,) if _all_mine(repository, missing.older) else ()
    note = "The first keeps both forms in the history, and the files as they are here; then finish again."
    note += f"\nThe second takes the form of {remote}." if take else ""
    note += f"\nThe last {says}" if forced else ""
    return MergeRefused("topic_diverged", _RULE, finding, merge, *take, *forced, note=note)


def _missing(repository: Repository, ref: Ref, remote_ref: Ref) -> _Missing:
    """Without what the lanes have, which stays there."""
    lanes = [there.commit for row in repository.lanes if (there := repository.refs.remote.get(row.pattern))]
    commits = [one for one in repository.between([remote_ref.commit], [ref.commit, *lanes]) if not one.is_merge]
    same = rewritten_commits(repository.git, commits, ref.commit)
    rest = _authorship(repository, [one for one in commits if one.id not in same])
    here = _authorship(repository, repository.between([ref.commit], [remote_ref.commit]))
    older = _amended(rest, here)
    return _Missing(
        _authorship(repository, [one for one in commits if one.id in same]),
        older,
        tuple(one for one in rest if one not in older),
    )


def _amended(there: Sequence[_Authorship], here: Sequence[_Authorship]) -> tuple[_Authorship, ...]:
    """The commits there that one here is a later form of; each one here counts for one."""
    free, older = Counter(one.origin for one in here), []
    newest = {one.origin: one.when for one in here}
    for one in there:
        if free[one.origin] > 0 and newest[one.origin] >= one.when:
            free[one.origin] -= 1
            older.append(one)
    return tuple(older)


def _authorship(repository: Repository, commits: Sequence[Commit]) -> tuple[_Authorship, ...]:
    if not commits:
        return ()
    ids = "".join(f"{commit.id}\n" for commit in reversed(commits))
    output = repository.git("log", "-z", "--no-walk=unsorted", f"--format={_FORMAT}", "--stdin", stdin=ids)
    fields = output.fields
    rows = (fields[i : i + 6] for i in range(0, len(fields) - 5, 6))
    return tuple(
        _Authorship(id_, printable(name), email, int(at), int(when), printable(subject))
        for id_, name, email, at, when, subject in rows
    )


def _has_lane_commits(repository: Repository, ref: Ref, there: Ref) -> bool:
    """Whether the remote's form has commits of test or main, which this branch got rid of."""
    later = [lane.commit for row in repository.lanes[1:] if (lane := repository.refs.remote.get(row.pattern))]
    dev = repository.lane(repository.lanes[0])
    foreign = repository.between([there.commit], [ref.commit, dev.commit])
    return len(repository.between([there.commit], [ref.commit, dev.commit, *later])) < len(foreign)


def _all_mine(repository: Repository, commits: Sequence[_Authorship]) -> bool:
    me = repository.git("var", "GIT_AUTHOR_IDENT", ok=(0, 128)).line
    return all(f"<{one.email}>" in me for one in commits)
