"""The next step to a verified release, by where the lanes are."""

from genpulse.branching.errors import FlowError
from genpulse.branching.git.repository import Repository
from genpulse.branching.releases.candidate_check import Candidates, released_at
from genpulse.branching.rules.table import DEV, MAIN, TEST


def next_step(repository: Repository) -> str:
    """The command that brings what is furthest on its way to main a step further."""
    dev, test, main = (repository.lane(row) for row in (DEV, TEST, MAIN))
    if released_at(repository, main.commit) is None and _is_candidate(repository, main.tree):
        return "genpulse flow release"
    if _is_candidate(repository, test.tree):
        return f"genpulse flow promote {main.name}{repository.merge_option}"
    if repository.between([dev.commit], [test.commit]):
        return f"genpulse flow promote {test.name}{repository.merge_option}"
    return "genpulse flow rc"


def _is_candidate(repository: Repository, tree: str) -> bool:
    try:
        Candidates(repository).demand_open(tree)
    except FlowError:
        return False
    return True
