"""A branch that changes the settings: it may not break them, and it may mend those that are broken.

Nobody could merge the mend of a file in dev that nobody understands, if that file decided about the merge. So a
branch into dev whose own file is in order is judged by its own file then, and by nothing else.
"""

from genpulse.branching.errors import PolicyBroken, Refusal
from genpulse.branching.git.repository import Repository
from genpulse.branching.rules.policy import Policy
from genpulse.branching.rules.table import DEV
from genpulse.branching.settings.file import policy_at


def settings_refusals(repository: Repository, commit: str) -> tuple[Refusal, ...]:
    """Why the settings that dev would have with a commit must not be; empty when they are in order, or none."""
    tried = repository.try_merge(repository.lane(DEV).commit, commit)
    if tried.conflicts:
        return ()
    try:
        policy_at(repository.git, tried.tree)
    except PolicyBroken as error:
        return (error.refusal,)
    return ()


def take_mended(repository: Repository, commit: str, base: str | None = None) -> Policy:
    """Go by the settings of a commit that mends those of dev, and return them.

    `base` is what the commit is to be merged into; None where that is dev in any case. Raises `PolicyBroken` for
    dev's when it is another branch, or the commit does not mend them.
    """
    try:
        return repository.policy
    except PolicyBroken:
        mended = _in_order(repository, commit)
        if mended is None or base not in {None, mended.names.dev}:
            raise
        if repository.trunk not in {"", mended.names.dev}:
            raise
        repository.go_by(mended)
        return mended


def _in_order(repository: Repository, commit: str) -> Policy | None:
    try:
        return policy_at(repository.git, commit)
    except PolicyBroken:
        return None
