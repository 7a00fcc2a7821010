"""Topic branches whose every change dev has by commits of its own: they were squashed, rebased or picked."""

from collections.abc import Iterator, Sequence

from genpulse.branching.back_merges import is_back_merge
from genpulse.branching.errors import GitFailed
from genpulse.branching.git import Git
from genpulse.branching.refs import Ref
from genpulse.branching.repository import Repository
from genpulse.branching.table import DEV

_MOST = 300
"""Branches that are looked at, so that a status is told at once."""
_CLEAN = "1"


def leftovers(repository: Repository, refs: Sequence[Ref]) -> frozenset[str]:
    """The full names of those: a merge would leave dev's files as they are, or dev has the whole as one commit."""
    looked_at = [ref for ref in refs[:_MOST] if not is_back_merge(ref.name)]
    dev = repository.lane(DEV)
    tried = _tried(repository, dev.commit, looked_at)
    return frozenset(
        ref.full
        for ref, tree in zip(looked_at, tried, strict=True)
        if tree == dev.tree or (not tree and _is_squashed(repository.git, ref.commit, dev.commit))
    )


def _tried(repository: Repository, dev: str, refs: Sequence[Ref]) -> list[str]:
    """The tree that merging each would give; empty where it would conflict."""
    if not refs:
        return []
    wanted = "".join(f"{dev} {ref.commit}\n" for ref in refs)
    options = ("--write-tree", "--name-only", "--no-messages", "-z", "--stdin")
    try:
        return list(_trees(repository.git("merge-tree", *options, stdin=wanted).out))
    except GitFailed:  # git 2.38 takes one merge at a time
        merges = (repository.try_merge(dev, ref.commit) for ref in refs)
        return ["" if merge.conflicts else merge.tree for merge in merges]


def _trees(said: str) -> Iterator[str]:
    """Each merge is told as: `1` for clean, its tree, the files that conflict, nothing; with a NUL after each."""
    fields = iter(said.split("\0"))
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
    base = git("merge-base", topic, dev, ok=(0, 1)).line
    paths = git("diff-tree", "-r", "-z", "--name-only", base, topic).fields if base else ()
    if not paths:
        return False
    whole = _patch_ids(git, git("diff-tree", "-r", "-p", "--full-index", base, topic).out)
    literal = (f":(top,literal){path}" for path in paths)
    shown = git(
        "log",
        "--first-parent",
        "--no-merges",
        "--full-index",
        "-p",
        "--no-color",
        "--no-ext-diff",
        "--no-textconv",
        "--format=commit %H",
        f"{base}..{dev}",
        "--",
        *literal,
    )
    return bool(whole & _patch_ids(git, shown.out))


def _patch_ids(git: Git, diff: str) -> frozenset[str]:
    said = git("patch-id", "--stable", stdin=diff).out
    return frozenset(line.partition(" ")[0] for line in said.splitlines())
