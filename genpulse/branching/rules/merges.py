"""The rules for which branch may be merged into which."""

import shlex
from dataclasses import dataclass

from genpulse.branching.codes import Code
from genpulse.branching.errors import MergeRefused, Refusal
from genpulse.branching.rules.names import is_bot, kind_of, name_refusal, plain
from genpulse.branching.rules.policy import DEFAULT, Policy
from genpulse.branching.rules.slugs import slug_fault
from genpulse.branching.rules.table import DEV, PROMOTION, QUEUE, TEST, TOPICS, Branch

_BACK = "What it has alone comes back by a branch of its own, which the first command makes."


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """Whether a merge is part of the model. `rule` says which rule allows it; `refusal` why it is not."""

    rule: str = ""
    refusal: Refusal | None = None

    def __bool__(self) -> bool:
        return self.refusal is None

    def demand(self) -> None:
        """Raises `MergeRefused` when it is not."""
        if self.refusal is not None:
            raise MergeRefused.of(self.refusal)


def allowed(
    head: str, base: str, *, head_repo: str = "", base_repo: str = "", policy: Policy = DEFAULT
) -> RuleVerdict:
    """Whether `head` may be merged into `base`. Names or `refs/heads/…`; the repositories as `owner/name`.

    A head in another repository than the base (a fork) is no lane and no program's branch, whatever it is called.
    An empty head repository beside a named base repository is one that is gone, so another one.
    """
    head, base = plain(head), plain(base)
    target = kind_of(base, policy)
    if policy.is_ignored(base):
        return RuleVerdict(rule=f"{base} is not looked at, by .flow.toml.")
    if target is None or not target.is_lane:
        return RuleVerdict(refusal=_no_target(head, base, policy))
    if is_foreign(head_repo, base_repo):
        return _from_fork(head, base, head_repo, policy)
    if head.startswith(QUEUE):
        return _queued(head, base)
    if head.startswith(PROMOTION):
        return _part(head, base, policy.row(TEST).pattern)
    return _within(head, base, policy)


def may_be_called(name: str, policy: Policy = DEFAULT) -> RuleVerdict:
    """Whether a branch that is no lane may have this name on the remote, whatever it is merged into."""
    if kind_of(name, policy) or is_bot(name, policy) or policy.is_ignored(name) or name.startswith(QUEUE):
        return RuleVerdict(rule=f"{name} is a name that a branch may have here.")
    return RuleVerdict(refusal=_unnamed(name, policy))


def is_foreign(head_repo: str, base_repo: str) -> bool:
    """Whether the head is in another repository than the base."""
    return head_repo.strip().lower() != base_repo.strip().lower() and bool(base_repo.strip())


def _within(head: str, base: str, policy: Policy) -> RuleVerdict:
    row = kind_of(head, policy)
    if row is None and is_bot(head, policy):
        return _bot(head, base, policy.row(DEV).pattern)
    if row is None:
        return RuleVerdict(refusal=_unnamed(head, policy))
    if row.merges_into == base:
        return RuleVerdict(rule=f"{row.pattern} merges into {base}.")
    return RuleVerdict(refusal=_wrong_base(row, head, base, policy))


def _wrong_base(row: Branch, head: str, base: str, policy: Policy) -> Refusal:
    finding = f"{head} is to be merged into {base}."
    if not row.merges_into:
        rule = f"{head} is the end of the way and merges into no branch."
        return Refusal("base_wrong", rule, finding, (f"genpulse flow backmerge {head}",), _BACK)
    if not row.is_lane:
        rule = f"A {row.pattern} branch can only merge into {row.merges_into}, not {base}."
        note = f"Set the pull request's base to {row.merges_into}."
        return Refusal("base_wrong", rule, finding, ("genpulse flow finish",), note)
    mend = (f"genpulse flow promote {row.merges_into}",)
    lanes = [lane.pattern for lane in policy.lanes]
    if lanes.index(base) > lanes.index(row.merges_into):
        before = lanes[lanes.index(base) - 1]
        rule = f"{base} only accepts {before}; {head} must pass through {row.merges_into} first."
    else:
        rule = f"{head} merges into {row.merges_into} only; nothing flows back into {base}."
        return Refusal("base_wrong", rule, finding, (f"genpulse flow backmerge {head}", *mend), _BACK)
    return Refusal("base_wrong", rule, finding, mend)


def _bot(head: str, base: str, dev: str) -> RuleVerdict:
    if base == dev:
        return RuleVerdict(rule=f"Programs' branches merge into {dev}.")
    rule = f"A program's branch can only merge into {dev}, not {base}."
    note = f"Set the program's target branch to {dev} in its configuration."
    return _refused("base_wrong", rule, f"{head!r} is to be merged into {base}.", note)


def _from_fork(head: str, base: str, head_repo: str, policy: Policy) -> RuleVerdict:
    row = kind_of(head, policy)
    if row in TOPICS:
        return _within(head, base, policy)
    rule = "From a fork come feature/* and fix/* branches only; its lanes are not the lanes of this repository."
    finding = f"{head!r} of {head_repo or 'a repository that is gone'} is to be merged into {base}."
    slug = head.rpartition("/")[2]
    if slug_fault(slug) or row:
        return _refused("fork_head_refused", rule, finding, "Begin a branch feature/<name> in the fork.")
    mend = f"git switch -c feature/{slug} && git push origin feature/{slug}"
    note = f"In the fork, and then open the pull request into {policy.row(DEV).pattern}."
    return RuleVerdict(refusal=Refusal("fork_head_refused", rule, finding, (mend,), note))


def _queued(head: str, base: str) -> RuleVerdict:
    lane = head.removeprefix(QUEUE).partition("/")[0]
    if lane == base:
        return RuleVerdict(rule=f"The merge queue of {base} merges into {base}.")
    rule, note = "A merge queue merges into its own branch only.", f"Queue the pull request for {base} again."
    return _refused("queue_base_wrong", rule, f"{head!r} is to be merged into {base}.", note)


def _part(head: str, base: str, test: str) -> RuleVerdict:
    if base == test:
        return RuleVerdict(rule=f"A state of dev merges into {test}.")
    rule = f"{PROMOTION}<id> merges into {test} only."
    return _refused("base_wrong", rule, f"{head!r} is to be merged into {base}.", f"Set the base to {test}.")


def _no_target(head: str, base: str, policy: Policy) -> Refusal:
    row = kind_of(head, policy)
    lanes = ", ".join(lane.pattern for lane in policy.lanes)
    into = row.merges_into if row else policy.row(DEV).pattern
    note = f"Set the pull request's base to {into}." if into else "Nothing merges out of this branch."
    finding = f"{head!r} is to be merged into {base!r}."
    return Refusal("base_not_a_lane", f"Merges go into {lanes} only.", finding, note=note)


def _unnamed(head: str, policy: Policy) -> Refusal:
    refusal = name_refusal(head, policy=policy)
    if refusal is None:
        note = "Begin one: genpulse flow start feature/<name>"
        return Refusal("name_not_in_model", f"{head!r} is not a branch type here.", head, note=note)
    starts = [step.removeprefix("genpulse flow start ") for step in refusal.mend if " start " in step]
    mend = tuple(f"git branch -m -- {shlex.quote(head)} {new}" for new in starts)
    return Refusal(refusal.code, refusal.rule, refusal.found, mend, refusal.note)


def _refused(code: Code, rule: str, finding: str, note: str) -> RuleVerdict:
    return RuleVerdict(refusal=Refusal(code, rule, finding, note=note))
