"""Release what a candidate was tested with."""

from genpulse.branching.errors import ReleaseRefused
from genpulse.branching.git.refs import Ref
from genpulse.branching.git.repository import Repository
from genpulse.branching.lanes.invariants import demand_intact
from genpulse.branching.preconditions import demand_history
from genpulse.branching.releases.approve import approval_sentence, demand_approved
from genpulse.branching.releases.candidate_check import Candidates, released_at
from genpulse.branching.releases.declared_version import demand_declared
from genpulse.branching.releases.tag_publication import publish
from genpulse.branching.rules.table import MAIN
from genpulse.branching.rules.versions import Version, version_named


def release(repository: Repository, version: str | None = None) -> Version:
    """Tag main's tip on the remote as a release and push the tag together with main, all or nothing.

    It does not matter what is checked out. Without `version` it is that of the highest candidate with main's tree.
    Raises `ReleaseRefused`, `LaneBroken`, `RepositoryUnfit`, `NameRefused`, `GitFailed`.
    """
    if version:
        version_named(version)
    demand_history(repository)
    repository.fetch()
    tip = repository.lane(MAIN)
    demand_intact(repository, MAIN)
    candidates = Candidates(repository)
    target = candidates.demand_open(tip.tree, version)
    _demand_unreleased(repository, tip)
    demand_declared(repository, tip.commit, target)
    tested = candidates.of(target, tip.tree)
    demand_approved(repository, tested)
    message = f"Release {target}\n\nVerified as {tested[0].tag}.\n{approval_sentence(repository, tested)}"
    publish(repository, target, tip.commit, message, f"{tip.commit}:refs/heads/{tip.name}")
    return target


def approval_text(repository: Repository, version: Version) -> str:
    """The last line of a release's tag: who approved what it was tested as, or that nobody did."""
    body = repository.git("for-each-ref", "--format=%(contents:body)", f"refs/tags/{version.tag}").out
    lines = [line for line in body.splitlines() if line.startswith(("Approved by ", "Nobody approved "))]
    return lines[-1] if lines else ""


def _demand_unreleased(repository: Repository, tip: Ref) -> None:
    if version := released_at(repository, tip.commit):
        rule, says = "A commit is released once.", f"{tip.commit[:9]} is {version.tag} already."
        mend = f"genpulse flow promote {tip.name}"
        raise ReleaseRefused("commit_released", rule, says, mend, note="Promote something new first.")
