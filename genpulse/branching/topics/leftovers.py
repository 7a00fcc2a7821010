"""Topic branches whose every change dev has by commits of its own: they were squashed, rebased or picked."""

from collections.abc import Iterator, Sequence

from genpulse.branching.errors import GitFailed
from genpulse.branching.git.process import Git
from genpulse.branching.git.refs import Ref
from genpulse.branching.git.repository import Repository
from genpulse.branching.lanes.backmerge_branches import is_back_merge
from genpulse.branching.rules.table import DEV

_MOST = 300
"""Branches that are looked at, so that a status is told at once."""
_MOST_PATCHES = 2
"""Of those that conflict, so many newest ones are compared with commits of dev: that takes four calls of git."""
_CLEAN = "1"


def leftovers(repository: Repository, refs: Sequence[Ref]) -> frozenset[str]:
    """The full names of those: a merge would leave dev's files as they are, or dev has the whole as one commit."""
    looked_at = [ref for ref in refs[:_MOST] if not is_back_merge(ref.name)]
    dev = repository.lane(DEV)
    tried = _tried(repository, dev.commit, looked_at)
    pairs = list(zip(looked_at, tried, strict=True))
    conflicting = [ref for ref, tree in pairs if not tree][:_MOST_PATCHES]
    same = {ref.full for ref, tree in pairs if tree == dev.tree}
    return frozenset(
        same | {ref.full for ref in conflicting if _is_squashed(repository.git, ref.commit, dev.commit)}
    )


def _tried(repository: Repository, dev: str, refs: Sequence[Ref]) -> list[str]:
    """The tree that merging each would give; empty where it would conflict."""
    if not refs:
        return []
    pairs = "".join(f"{dev} {ref.commit}\n" for ref in refs)
    options = ("--write-tree", "--name-only", "--no-messages", "-z", "--stdin")
    try:
        return list(_trees(repository.git("merge-tree", *options, stdin=pairs).out))
    except GitFailed:  # git 2.38 takes one merge at a time
        merges = (repository.try_merge(dev, ref.commit) for ref in refs)
        return ["" if merge.conflicts else merge.tree for merge in merges]


def _trees(output: str) -> Iterator[str]:
    """Each merge is told as: `1` for clean, its tree, the files that conflict, nothing; with a NUL after each."""
    fields = iter(output.split("\0"))
    for status in fields:
        if not status:
            continue
        tree = next(fields)
        for file in fields:
            if not file:
                break
        yield tree if status == _CLEAN else ""


def _is_squashed(git: Git, topic: str, dev: str) -> bool:
    """Whether one commit of dev changes what the whole branch changes, though dev went on from there."""
    apart = ("-r", "--merge-base", dev, topic)
    paths = git("diff-tree", "-z", "--name-only", *apart).fields
    if not paths:
        return False
    literal = (f":(top,literal){path}" for path in paths)
    plain = ("-p", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv")
    own_line = ("--first-parent", "--no-merges", "--format=commit %H", f"{topic}..{dev}")
    whole = f"commit {topic}\n{git('diff-tree', *plain, *apart).out}\n"
    output = git("patch-id", "--stable", stdin=whole + git("log", *plain, *own_line, "--", *literal).out).out
    ids = dict(line.split(" ")[::-1] for line in output.splitlines())
    return ids.pop(topic, "") in ids.values()
