"""Which branch may be merged into which."""

import shlex
from dataclasses import dataclass

from genpulse.branching.errors import MergeRefused, Refusal
from genpulse.branching.names import is_bot, kind_of, name_refusal, plain, slug_fault
from genpulse.branching.table import DEV, LANES, QUEUE, TOPICS, Branch


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a merge is part of the model. `rule` says which rule allows it; `refusal` why it is not."""

    rule: str = ""
    refusal: Refusal | None = None

    def __bool__(self) -> bool:
        return self.refusal is None

    def demand(self) -> None:
        """Raises `MergeRefused` when it is not."""
        if self.refusal is not None:
            raise MergeRefused(self.refusal.rule, self.refusal.found, self.refusal.mend)


def allowed(head: str, base: str, *, head_repo: str = "", base_repo: str = "") -> Verdict:
    """Whether `head` may be merged into `base`. Names or `refs/heads/…`; the repositories as `owner/name`.

    A head in another repository than the base (a fork) is no lane and no program's branch, whatever it is called.
    An empty head repository beside a named base repository is one that is gone, so another one.
    """
    head, base = plain(head), plain(base)
    target = kind_of(base)
    if target is None or not target.is_lane:
        return _refused(*_no_target(head, base))
    if is_foreign(head_repo, base_repo):
        return _from_fork(head, base, head_repo)
    if head.startswith(QUEUE):
        return _queued(head, base)
    return _within(head, base)


def is_foreign(head_repo: str, base_repo: str) -> bool:
    """Whether the head is in another repository than the base."""
    return head_repo.strip().lower() != base_repo.strip().lower() and bool(base_repo.strip())


def _within(head: str, base: str) -> Verdict:
    row = kind_of(head)
    if row is None and is_bot(head):
        return _bot(head, base)
    if row is None:
        return _refused(*_unnamed(head))
    if row.merges_into == base:
        return Verdict(rule=f"{row.pattern} merges into {base}.")
    return _refused(*_wrong_base(row, head, base))


def _wrong_base(row: Branch, head: str, base: str) -> tuple[str, str, str]:
    found = f"{head} is to be merged into {base}."
    if not row.merges_into:
        mend = f"Nothing flows back from {head}. Begin anew: genpulse flow start fix/<name>"
        return f"{head} is the end of the way and merges into no branch.", found, mend
    if not row.is_lane:
        mend = f"Set the pull request's base to {row.merges_into}, or run: genpulse flow finish"
        return f"A {row.pattern} branch can only merge into {row.merges_into}, not {base}.", found, mend
    mend = f"genpulse flow promote {row.merges_into}"
    lanes = [lane.pattern for lane in LANES]
    if lanes.index(base) > lanes.index(row.merges_into):
        before = lanes[lanes.index(base) - 1]
        return f"{base} only accepts {before}; {head} must pass through {row.merges_into} first.", found, mend
    return f"{head} merges into {row.merges_into} only; nothing flows back into {base}.", found, mend


def _bot(head: str, base: str) -> Verdict:
    if base == DEV.pattern:
        return Verdict(rule=f"Programs' branches merge into {DEV.pattern}.")
    rule = f"A program's branch can only merge into {DEV.pattern}, not {base}."
    mend = f"Set the program's target branch to {DEV.pattern} in its configuration."
    return _refused(rule, f"{head!r} is to be merged into {base}.", mend)


def _from_fork(head: str, base: str, head_repo: str) -> Verdict:
    row = kind_of(head)
    if row in TOPICS:
        return _within(head, base)
    rule = "From a fork come feature/* and fix/* branches only; its lanes are not the lanes of this repository."
    found = f"{head!r} of {head_repo or 'a repository that is gone'} is to be merged into {base}."
    slug = head.rpartition("/")[2]
    name = "<name>" if slug_fault(slug) or row else slug
    mend = f"In the fork: git switch -c feature/{name} && git push origin feature/{name}, into {DEV.pattern}."
    return _refused(rule, found, mend)


def _queued(head: str, base: str) -> Verdict:
    lane = head.removeprefix(QUEUE).partition("/")[0]
    if lane == base:
        return Verdict(rule=f"The merge queue of {base} merges into {base}.")
    rule = "A merge queue merges into its own branch only."
    return _refused(rule, f"{head!r} is to be merged into {base}.", f"Queue the pull request for {base} again.")


def _no_target(head: str, base: str) -> tuple[str, str, str]:
    row = kind_of(head)
    lanes = ", ".join(lane.pattern for lane in LANES)
    into = row.merges_into if row else DEV.pattern
    mend = f"Set the pull request's base to {into}." if into else "Nothing merges out of this branch."
    return f"Merges go into {lanes} only.", f"{head!r} is to be merged into {base!r}.", mend


def _unnamed(head: str) -> tuple[str, str, str]:
    refusal = name_refusal(head)
    if refusal is None:
        return f"{head!r} is not a branch type here.", head, "genpulse flow start feature/<name>"
    new = refusal.mend.partition("\n")[0].removeprefix("genpulse flow start ")
    return refusal.rule, refusal.found, f"git branch -m -- {shlex.quote(head)} {new}"


def _refused(rule: str, found: str, mend: str) -> Verdict:
    return Verdict(refusal=Refusal(rule, found, mend))
