"""A promotion to test of less than all that dev has: an older state of dev, or one branch alone.

It is for a candidate that failed while dev has moved on. What is promoted has to be a commit that dev has, and
test gets exactly that commit's files.
"""

import re
import shlex
from collections.abc import Sequence
from dataclasses import replace

from genpulse.branching.errors import GitFailed, LaneBroken, MergeRefused, NameRefused, Refusal
from genpulse.branching.git.commits import Commit, commits_named, is_ancestor, own_line
from genpulse.branching.git.refs import Ref, branch_at
from genpulse.branching.git.repository import Repository
from genpulse.branching.listing import listed
from genpulse.branching.rules.table import DEV, PROMOTION, TEST

_NAME = re.compile(rf"{PROMOTION}([0-9a-f]{{9,64}})")


def state_of_dev(repository: Repository, text: str) -> Ref:
    """A commit of dev's own line, as the head of a promotion.

    Raises `NameRefused` for a commit that is not here, and `MergeRefused` for one that dev never was at.
    """
    commit, dev = _commit(repository, text), repository.row(DEV).pattern
    if commit not in own_line(repository.git, repository.lane(DEV).commit):
        raise MergeRefused(
            "not_on_lane",
            f"What is promoted is a state that {dev} was in.",
            f"{commit[:9]} is not on {dev}'s own line.",
            f"git log --first-parent --oneline {repository.remote}/{dev}",
        )
    return _head(repository, commit)


def branch_alone(repository: Repository, name: str) -> Ref:
    """The tip of a topic that dev has merged, as the head of a promotion that takes nothing else along.

    Raises `MergeRefused` when dev has not merged it, or when test would get other commits with it.
    """
    merge = _merge_of(repository, name)
    if merge is None:
        raise _not_merged(repository, name)
    tip = merge.parents[1]
    own = repository.between([tip], [merge.parents[0]])
    moved = repository.between([tip], [repository.lane(TEST).commit])
    others = [commit for commit in moved if commit not in own]
    if others:
        raise _not_alone(repository, name, own, others)
    return _head(repository, tip)


def from_test_setting(name: str) -> str:
    """The setting of this clone for a branch that began at what test has: it may bring what dev has already."""
    return f"branch.{name}.flow-from-test"


def tested_state(repository: Repository) -> str:
    """The commit of dev whose files test has: where a fix begins that is to be promoted alone.

    Raises `LaneBroken` when test's tip is no promotion.
    """
    test, dev = repository.lane(TEST), repository.lane(DEV)
    (tip,) = commits_named(repository.git, [test.commit])
    for parent in (test.commit, *tip.parents[1:]):
        if is_ancestor(repository.git, parent, dev.commit):
            return parent
    name, into = repository.row(TEST).pattern, repository.row(DEV).pattern
    finding = f"{test.commit[:9]} is neither a commit of {into} nor a merge of one."
    raise LaneBroken("lane_stray", f"{name} is at a promotion.", finding, "genpulse flow status")


def part_refusals(repository: Repository, head: Ref) -> tuple[Refusal, ...]:
    """Why a branch `promote/<id>` may not be merged into test; empty when it may."""
    match, dev = _NAME.fullmatch(head.name), repository.row(DEV).pattern
    rule = f"{PROMOTION}<id> is a commit of {dev}, and test becomes that commit's files."
    if match is None or not head.commit.startswith(match[1]):
        finding = f"{head.name} is at {head.commit[:9]}."
        return (Refusal("name_malformed", rule, finding, ("genpulse flow promote test",)),)
    if not is_ancestor(repository.git, head.commit, repository.lane(DEV).commit):
        finding = f"{head.commit[:9]} is not in the history of {dev}."
        return (Refusal("not_on_lane", rule, finding, ("genpulse flow promote test",)),)
    tried = repository.try_merge(repository.lane(TEST).commit, head.commit)
    if tried.conflicts or tried.tree != _head(repository, head.commit).tree:
        finding = f"the merge would not be {head.commit[:9]}."
        return (Refusal("promotion_alters", rule, finding, ("genpulse flow promote test",)),)
    return ()


def _head(repository: Repository, commit: str) -> Ref:
    tree = repository.git("rev-parse", "--verify", f"{commit}^{{tree}}").line
    return replace(branch_at(f"{PROMOTION}{commit[:9]}", commit), tree=tree)


def _commit(repository: Repository, text: str) -> str:
    try:
        return repository.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{text}^{{commit}}").line
    except GitFailed as error:
        rule, finding = "What is promoted exists.", f"{text!r} is no commit here."
        raise NameRefused("ref_unknown", rule, finding, f"git fetch {repository.remote}") from error


def _merge_of(repository: Repository, name: str) -> Commit | None:
    """The newest merge on dev's own line that brought this branch: by its tip, or by what the merge says."""
    refs = repository.refs
    tips = {ref.commit for ref in (refs.remote.get(name), refs.heads.get(name)) if ref}
    output = repository.git("rev-list", "--first-parent", "--merges", repository.lane(DEV).commit, "--")
    word = re.compile(rf"(?<![\w/.-]){re.escape(name)}(?![\w/.-])|/{re.escape(name)}(?![\w/.-])")
    merges = commits_named(repository.git, output.out.split())
    by_tip = (merge for merge in merges if merge.parents[1] in tips)
    by_words = (merge for merge in merges if word.search(merge.subject))
    return next(by_tip, None) or next(by_words, None)


def _not_merged(repository: Repository, name: str) -> MergeRefused:
    dev = repository.row(DEV).pattern
    finding = f"no merge commit on {dev} brought {name}."
    note = f"Where it was squashed into {dev}, its commits are not there: bring it once more, with a merge commit."
    mend = f"git switch {shlex.quote(name)} && genpulse flow finish"
    return MergeRefused("branch_missing", f"What is promoted is in {dev}.", finding, mend, note=note)


def _not_alone(repository: Repository, name: str, own: Sequence[Commit], others: Sequence[Commit]) -> MergeRefused:
    test, dev = repository.row(TEST).pattern, repository.row(DEV).pattern
    picks = " ".join(commit.id for commit in reversed(own) if not commit.is_merge)
    again = f"fix/{name.rpartition('/')[2]}-alone"
    return MergeRefused(
        "topic_not_from_dev",
        f"A branch that goes to {test} alone begins at what {test} has.",
        f"with {name} would move, since it began at a newer {dev}:\n{listed(others)}",
        f"genpulse flow start {shlex.quote(again)} --from-test && git cherry-pick {picks}",
        note=f"It is the same change on what {test} has. Then: genpulse flow finish, and promote that one alone.",
    )
