"""Preconditions of a repository for every command."""

from genpulse.branching.codes import Code
from genpulse.branching.errors import RepositoryUnfit
from genpulse.branching.git.repository import Repository
from genpulse.branching.listing import joined


def demand_history(repository: Repository) -> None:
    """Raises `RepositoryUnfit` when a part of the history is missing here."""
    if repository.is_shallow:
        raise RepositoryUnfit(
            "history_shallow",
            "The whole history has to be here to judge it.",
            "this is a shallow clone.",
            f"git fetch --unshallow {repository.remote}",
            note="In CI: a checkout with the whole history, fetch-depth: 0 or GIT_DEPTH: 0.",
        )


def demand_clean(repository: Repository) -> None:
    """Raises `RepositoryUnfit` when tracked files have changes that are not committed."""
    files = repository.changed_files()
    if files:
        raise RepositoryUnfit(
            "work_tree_dirty",
            "The work tree is clean before this.",
            f"changes that are not committed in {joined(files, 5)}.",
            "git stash",
            note="Commit them, or put them aside.",
        )


def demand_branch(repository: Repository) -> str:
    """The branch that is out. Raises `RepositoryUnfit` when the head is detached or has no commit."""
    current = repository.refs.current
    if current is None:
        detached = repository.git("symbolic-ref", "--quiet", "HEAD", ok=(0, 1)).code == 1
        finding = "the head is detached: no branch is out." if detached else "the branch has no commit yet."
        note = "Switch to a branch: git switch <branch>" if detached else "Commit something."
        code: Code = "head_detached" if detached else "branch_empty"
        raise RepositoryUnfit(code, "This is done on a branch.", finding, note=note)
    return current
