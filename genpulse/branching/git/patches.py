"""Whether a change is on another branch, compared by patch and not by commit."""

from collections.abc import Iterable, Sequence

from genpulse.branching.git.commits import Commit, commits_named
from genpulse.branching.git.process import Git

_MOST = 50
"""Commits that are compared; where more are in question, a squash or a strange history is."""


def picked_commits(git: Git, commits: Sequence[Commit], tip: str) -> frozenset[str]:
    """The ids of the commits that were cherry-picked: a later commit in the history of `tip` makes their change.

    One that was there before does not count: then the one in question is a squash or rebase of what was there.
    """
    if len(commits) > _MOST:
        return frozenset()
    return frozenset(one.id for one in commits if any(_is_later(twin, one) for twin in _twins(git, one, tip)))


def rewritten_commits(git: Git, commits: Sequence[Commit], tip: str) -> frozenset[str]:
    """The ids of the commits whose change another commit in the history of `tip` makes, whenever it was made."""
    return frozenset(one.id for one in commits if _twins(git, one, tip))


def _twins(git: Git, commit: Commit, tip: str) -> tuple[Commit, ...]:
    paths = git("diff-tree", "--root", "--no-commit-id", "--name-only", "-r", "-z", commit.id).fields
    if not paths or commit.is_merge:
        return ()
    without = (f"^{parent}" for parent in commit.parents)
    sides = f"{commit.id}...{tip}"
    output = git(
        "rev-list", "--cherry-mark", "--left-right", "--no-merges", sides, *without, "--", *_literal(paths)
    )
    same = [line[1:] for line in output.out.split() if line.startswith("=")]
    return commits_named(git, [one for one in same if one != commit.id]) if len(same) > 1 else ()


def _literal(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(f":(top,literal){path}" for path in paths)


def _is_later(twin: Commit, commit: Commit) -> bool:
    """A picked commit keeps its subject, which tells it from a squash within the same second."""
    return twin.when > commit.when or (twin.when == commit.when and twin.subject == commit.subject)
